"""Tokens → states.

Both encoders read a document as overlapping slices of its token stream, each between the special tokens of the
checkpoint. ``Encoder`` reads short slices, of the length that the checkpoint was trained on, with dense attention;
``SparseEncoder`` reads slices as long as most documents. Letters of shapes: ``B`` slices, ``T`` tokens with special
ones, ``D`` width.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from longdoc.attention import SparsePattern, sparsify
from longdoc.attention.positions import repeated_positions


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """What stands around a window's tokens: ``[CLS] … [SEP]`` in BERT, ``<s> … </s>`` in RoBERTa."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int

    @classmethod
    def of(cls, tokenizer: Tokenizer, pad: int) -> SpecialTokens:
        """Read off the tokenizer's own template."""
        encoding = tokenizer.encode("a")
        content = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        return cls(tuple(encoding.ids[: content[0]]), tuple(encoding.ids[content[-1] + 1 :]), pad)

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


class Encoder(nn.Module):
    """A transformers encoder (any ``AutoModel``) over windows."""

    def __init__(self, backbone: nn.Module, special: SpecialTokens) -> None:
        super().__init__()
        self.backbone = backbone
        self.special = special

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """States ``(B, T, D)`` of token ids ``(B, T)``; ``attention_mask`` is true where a token is no padding."""
        states: Tensor = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states

    def batch(self, slices: Sequence[np.ndarray]) -> tuple[Tensor, Tensor | None]:
        """Token ids and mask ``(B, T)`` of windows, special tokens added; no mask where none is padded."""
        head, tail = len(self.special.prefix), len(self.special.suffix)
        longest = max(map(len, slices))
        ids = np.full((len(slices), head + longest + tail), self.special.pad, dtype=np.int64)
        for row, tokens in zip(ids, slices, strict=True):
            row[:head] = self.special.prefix
            row[head : head + len(tokens)] = tokens
            row[head + len(tokens) : head + len(tokens) + tail] = self.special.suffix
        lengths = np.array([head + len(tokens) + tail for tokens in slices])
        if (lengths == ids.shape[1]).all():
            return torch.from_numpy(ids), None
        return torch.from_numpy(ids), torch.from_numpy(np.arange(ids.shape[1]) < lengths[:, None])

    def content(self, scores: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
        """Each window's rows ``(length, L)`` of ``scores`` ``(B, T, L)``, special tokens and padding left out."""
        first = len(self.special.prefix)
        return [row[first : first + length] for row, length in zip(scores, lengths, strict=True)]


class SparseEncoder(Encoder):
    """The same weights over slices of any length, with sparse attention.

    Positions repeat every ``period`` tokens, the length of the windows that the weights were trained on: what a token
    knows from training are its neighbours.
    """

    period: int

    @classmethod
    def of(cls, encoder: Encoder, pattern: SparsePattern, period: int) -> SparseEncoder:
        """A sparse copy of an encoder; it shares all weights.

        Raises:
            ConfigError: the encoder's architecture cannot be made sparse.
        """
        copied = _shared_copy(encoder)
        backbone: Any = copied.backbone
        sparse = cls(sparsify(backbone, pattern), copied.special)
        sparse.period = period
        return sparse

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, global_mask: Tensor | None = None
    ) -> Tensor:
        """States ``(B, T, D)``; tokens where ``global_mask``, bool ``(B, T)``, is true see and are seen by all."""
        prefix = len(self.special.prefix)
        positions = repeated_positions(self.backbone, input_ids.shape[1], period=self.period, prefix=prefix)
        states: Tensor = self.backbone(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=None if positions is None else positions.to(input_ids.device).expand_as(input_ids),
            global_mask=global_mask,
        ).last_hidden_state
        return states


def _shared_copy(encoder: Encoder) -> Encoder:
    return copy.deepcopy(encoder, {id(parameter): parameter for parameter in encoder.parameters()})


class PackedLinear(nn.Module):
    """``nn.Linear`` for float32 inference on a CPU, its weight packed for oneDNN.

    The BLAS that torch calls for float32 is tuned for one maker's processors; oneDNN is about 1.5 times as fast on
    others (2 cores of an AMD EPYC: 26 against 39 ms for 2,048 rows of 1,536 to 384).
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self.bias = linear.bias

    def forward(self, states: Tensor) -> Tensor:
        """``(..., D)`` to ``(..., D_out)``."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(states, self.weight, self.bias, "none", [], "")
        return product


def pack_for_cpu(encoder: Encoder) -> Encoder:
    """A copy of an encoder for float32 inference on a CPU; it shares all weights but those of linear layers."""
    packed = _shared_copy(encoder)
    for module in list(packed.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, PackedLinear(child))
    return packed


def length_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices in batches of like length, longest first, each of at most ``batch_tokens`` padded tokens (or one)."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        size = max(1, batch_tokens // max(lengths[order[0]], 1))
        yield order[:size]
        order = order[size:]
