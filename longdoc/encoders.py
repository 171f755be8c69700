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
class Frame:
    """What stands around a window's tokens: ``[CLS] … [SEP]``, or with a question ``[CLS] question [SEP] … [SEP]``."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    content_type: int = 0
    """Segment of the window's tokens and the suffix; that of the prefix is 0."""
    n_global: int = 0
    """Tokens at the start, the question and what stands before it, that see and are seen by all in sparse attention."""

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens of a checkpoint: those around one text, and those around and between two."""

    plain: Frame
    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    second_type: int
    pad: int

    @classmethod
    def of(cls, tokenizer: Tokenizer, pad: int) -> Template:
        """Read off the tokenizer's own template."""
        encoding = tokenizer.encode("a")
        content = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        plain = Frame(tuple(encoding.ids[: content[0]]), tuple(encoding.ids[content[-1] + 1 :]))
        pair = tokenizer.encode("a", "a")
        first = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 0]
        second = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 1]
        between, after = pair.ids[first[-1] + 1 : second[0]], pair.ids[second[-1] + 1 :]
        second_type = pair.type_ids[second[0]]
        return cls(plain, tuple(pair.ids[: first[0]]), tuple(between), tuple(after), second_type, pad)

    def asking(self, question: Sequence[int]) -> Frame:
        """The frame that puts a question, as token ids, before every window."""
        prefix = (*self.before, *question, *self.between)
        return Frame(prefix, self.after, self.second_type, n_global=len(self.before) + len(question))


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows ready for an encoder.

    ``inputs`` are the arguments of ``Encoder.forward``, each ``(B, T)``; ``firsts`` and ``lengths`` say where each
    window's own tokens stand in its row.
    """

    inputs: dict[str, Tensor]
    firsts: tuple[int, ...]
    lengths: tuple[int, ...]

    def content(self, scores: np.ndarray) -> list[np.ndarray]:
        """Each window's rows ``(length, L)`` of ``scores`` ``(B, T, L)``, special tokens and padding left out."""
        places = zip(scores, self.firsts, self.lengths, strict=True)
        return [row[first : first + length] for row, first, length in places]

    @property
    def content_mask(self) -> Tensor:
        """Bool ``(B, T)``, true where a window's own tokens stand."""
        place = torch.arange(self.inputs["input_ids"].shape[1])
        first, length = torch.tensor(self.firsts)[:, None], torch.tensor(self.lengths)[:, None]
        return (place >= first) & (place < first + length)


class Encoder(nn.Module):
    """A transformers encoder (any ``AutoModel``) over windows."""

    def __init__(self, backbone: nn.Module, template: Template) -> None:
        super().__init__()
        self.backbone = backbone
        self.template = template
        config: Any = backbone.config
        self.n_types = getattr(config, "type_vocab_size", None) or 1
        self.asks_globally = config.model_type == "longformer"

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
    ) -> Tensor:
        """States ``(B, T, D)`` of token ids ``(B, T)``.

        Args:
            input_ids: int64 ``(B, T)``.
            attention_mask: true where a token is no padding.
            token_type_ids: segments, for encoders that tell them apart.
            global_mask: the question's tokens; of the dense encoders, Longformer alone makes something of it.
        """
        further = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        if self.asks_globally and global_mask is not None:
            further["global_attention_mask"] = global_mask.long()
        states: Tensor = self.backbone(input_ids=input_ids, attention_mask=attention_mask, **further).last_hidden_state
        return states

    def batch(self, slices: Sequence[np.ndarray], frames: Sequence[Frame] | Frame | None = None) -> Batch:
        """Windows in their frames, padded to the longest; no mask where none is padded.

        Args:
            slices: token ids of each window.
            frames: one for each window, or one for all; the plain one by default.
        """
        if frames is None or isinstance(frames, Frame):
            frames = [frames or self.template.plain] * len(slices)
        rows = [np.concatenate([f.prefix, s, f.suffix]).astype(np.int64) for s, f in zip(slices, frames, strict=True)]
        lengths = np.array(list(map(len, rows)))
        ids = np.full((len(rows), lengths.max()), self.template.pad, dtype=np.int64)
        for target, row in zip(ids, rows, strict=True):
            target[: len(row)] = row
        place, firsts = np.arange(ids.shape[1]), np.array([len(frame.prefix) for frame in frames])
        inputs = {"input_ids": torch.from_numpy(ids)}
        if (lengths < ids.shape[1]).any():
            inputs["attention_mask"] = torch.from_numpy(place < lengths[:, None])
        types = np.array([frame.content_type for frame in frames])[:, None]
        if self.n_types > 1 and types.any():
            held = (place >= firsts[:, None]) & (place < lengths[:, None])
            inputs["token_type_ids"] = torch.from_numpy(np.where(held, types, 0))
        if any(frame.n_global for frame in frames):
            inputs["global_mask"] = torch.from_numpy(place < np.array([frame.n_global for frame in frames])[:, None])
        return Batch(inputs, tuple(firsts.tolist()), tuple(map(len, slices)))


class SparseEncoder(Encoder):
    """The same weights over slices of any length, with sparse attention.

    Positions repeat every ``period`` tokens, the length of the windows that the weights were trained on: what a token
    knows from training are its neighbours.
    """

    period: int

    @classmethod
    def of(cls, encoder: Encoder, pattern: SparsePattern | None, period: int) -> SparseEncoder:
        """A sparse copy of an encoder; it shares all weights. Without a ``pattern`` the encoder has one of its own.

        Raises:
            ConfigError: the encoder's architecture cannot be made sparse.
        """
        copied = _shared_copy(encoder)
        backbone: Any = copied.backbone
        sparse = cls(sparsify(backbone, pattern), copied.template)
        sparse.period = period
        return sparse

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
        document_ids: Tensor | None = None,
    ) -> Tensor:
        """States ``(B, T, D)``; tokens where ``global_mask``, bool ``(B, T)``, is true see and are seen by all.

        Documents packed into one row, each in its own frame, are read as if alone, where ``document_ids``, int64
        ``(B, T)``, ascending, says which token belongs to which.
        """
        if document_ids is None:
            positions = self._positions(input_ids, global_mask)
        else:
            positions = self._packed_positions(document_ids)
        further = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        further |= {} if document_ids is None else {"document_ids": document_ids}
        states: Tensor = self.backbone(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=None if positions is None else positions.to(input_ids.device),
            global_mask=global_mask,
            **further,
        ).last_hidden_state
        return states

    def _positions(self, input_ids: Tensor, global_mask: Tensor | None) -> Tensor | None:
        """Positions ``(B, T)``; a question keeps its own, and they repeat after it as in windows that begin with it."""
        prefix = len(self.template.plain.prefix)
        n_tokens = input_ids.shape[1]
        if global_mask is None:
            positions = repeated_positions(self.backbone, n_tokens, period=self.period, prefix=prefix)
            return None if positions is None else positions.expand_as(input_ids)
        ends = (global_mask.sum(dim=1) + len(self.template.between)).tolist()
        rows = [repeated_positions(self.backbone, n_tokens, period=self.period, prefix=int(end)) for end in ends]
        return None if any(row is None for row in rows) else torch.stack([row for row in rows if row is not None])

    def _packed_positions(self, document_ids: Tensor) -> Tensor | None:
        """Positions ``(B, T)`` that begin anew with every document."""
        n_tokens = document_ids.shape[1]
        prefix = len(self.template.plain.prefix)
        positions = repeated_positions(self.backbone, n_tokens, period=self.period, prefix=prefix)
        if positions is None:
            return None
        place = torch.arange(n_tokens, device=document_ids.device).expand_as(document_ids)
        begins = torch.ones_like(document_ids, dtype=torch.bool)
        begins[:, 1:] = document_ids[:, 1:] != document_ids[:, :-1]
        starts = torch.where(begins, place, 0).cummax(dim=1).values
        return positions.to(document_ids.device)[place - starts]


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
