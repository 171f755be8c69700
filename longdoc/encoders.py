"""Tokens → states.

Both encoders read a document as overlapping windows of its token stream, each with the checkpoint's special tokens
around it. ``Encoder`` reads short windows, of the length the checkpoint was trained on, with dense attention;
``SparseEncoder`` reads windows as long as most documents. Dimensions: ``B`` windows, ``T`` tokens, including
special tokens, ``D`` width, ``L`` labels.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from longdoc.attention import SparsePattern
from longdoc.attention.positions import repeated_positions


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The tokens around a window: ``[CLS] … [SEP]``, or with a question ``[CLS] question [SEP] … [SEP]``."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    content_type: int = 0
    """Segment id of the window's tokens and the suffix; that of the prefix is 0."""
    n_global: int = 0
    """Number of tokens at the start that are global in sparse attention: the question and the tokens before it."""

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens of a checkpoint: around a single text, and around and between the texts of a pair."""

    plain: SpecialTokens
    """Around a single text."""
    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    second_type: int
    """Segment id of the second text of a pair."""
    pad: int
    """Id of the padding token."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, pad: int) -> Template:
        """Takes the special tokens from two encodings by the tokenizer; ``pad`` is the id of the padding token."""
        encoding = tokenizer.encode("a")
        content = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        plain = SpecialTokens(tuple(encoding.ids[: content[0]]), tuple(encoding.ids[content[-1] + 1 :]))
        pair = tokenizer.encode("a", "a")
        first = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 0]
        second = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 1]
        between, after = pair.ids[first[-1] + 1 : second[0]], pair.ids[second[-1] + 1 :]
        second_type = pair.type_ids[second[0]]
        return cls(plain, tuple(pair.ids[: first[0]]), tuple(between), tuple(after), second_type, pad)

    def asking(self, question: Sequence[int]) -> SpecialTokens:
        """The special tokens and ``question``, as token ids, around every window."""
        prefix = (*self.before, *question, *self.between)
        return SpecialTokens(prefix, self.after, self.second_type, n_global=len(self.before) + len(question))


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as input of an encoder.

    ``inputs`` are the arguments of ``Encoder.forward``, each ``(B, T)``; ``firsts`` and ``lengths`` are the position
    and number of each window's own tokens in its row.
    """

    inputs: dict[str, Tensor]
    firsts: tuple[int, ...]
    lengths: tuple[int, ...]

    def content(self, scores: np.ndarray) -> list[np.ndarray]:
        """The scores ``(length, L)`` of each window's own tokens, from ``scores`` ``(B, T, L)``."""
        rows = zip(scores, self.firsts, self.lengths, strict=True)
        return [row[first : first + length] for row, first, length in rows]

    @property
    def content_mask(self) -> Tensor:
        """True for windows' own tokens, false for special tokens and padding, bool ``(B, T)``."""
        position = torch.arange(self.inputs["input_ids"].shape[1])
        first, length = torch.tensor(self.firsts)[:, None], torch.tensor(self.lengths)[:, None]
        return (position >= first) & (position < first + length)


class Encoder(nn.Module):
    """A transformers encoder (any ``AutoModel``) over windows."""

    def __init__(self, backbone: nn.Module, template: Template) -> None:
        super().__init__()
        self.backbone = backbone
        self.template = template
        config: Any = backbone.config
        self.n_types = getattr(config, "type_vocab_size", None) or 1
        self.asks_globally = config.model_type == "longformer"
        self.subtracts_masks = config.model_type == "big_bird"

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
    ) -> Tensor:
        """States, floating point ``(B, T, D)``.

        Args:
            input_ids: token ids, int64 ``(B, T)``.
            attention_mask: bool ``(B, T)``, false at padding.
            token_type_ids: segment ids, int64 ``(B, T)``, for encoders with several segments.
            global_mask: bool ``(B, T)``, true for the question's tokens; among dense encoders only Longformer uses it.
        """
        further = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        if self.asks_globally and global_mask is not None:
            further["global_attention_mask"] = global_mask.long()
        if self.subtracts_masks and attention_mask is not None:
            attention_mask = attention_mask.float()
        states: Tensor = self.backbone(input_ids=input_ids, attention_mask=attention_mask, **further).last_hidden_state
        return states

    def batch(
        self,
        slices: Sequence[np.ndarray],
        specials: Sequence[SpecialTokens] | SpecialTokens | None = None,
        length: int = 0,
    ) -> Batch:
        """Windows with their special tokens, padded to the longest; without a mask if none is padded.

        Args:
            slices: token ids of each window, int ``(length,)``.
            specials: one for each window, or one for all; by default ``template.plain``.
            length: minimum length of the rows in tokens, to which they are padded, too.
        """
        if specials is None or isinstance(specials, SpecialTokens):
            specials = [specials or self.template.plain] * len(slices)
        rows = [np.concatenate([f.prefix, s, f.suffix]).astype(np.int64) for s, f in zip(slices, specials, strict=True)]
        lengths = np.array(list(map(len, rows)))
        ids = np.full((len(rows), max(lengths.max(), length)), self.template.pad, dtype=np.int64)
        for target, row in zip(ids, rows, strict=True):
            target[: len(row)] = row
        position, firsts = np.arange(ids.shape[1]), np.array([len(special.prefix) for special in specials])
        inputs = {"input_ids": torch.from_numpy(ids)}
        if (lengths < ids.shape[1]).any():
            inputs["attention_mask"] = torch.from_numpy(position < lengths[:, None])
        types = np.array([special.content_type for special in specials])[:, None]
        if self.n_types > 1 and types.any():
            in_second = (position >= firsts[:, None]) & (position < lengths[:, None])
            inputs["token_type_ids"] = torch.from_numpy(np.where(in_second, types, 0))
        if any(special.n_global for special in specials):
            n_global = np.array([special.n_global for special in specials])[:, None]
            inputs["global_mask"] = torch.from_numpy(position < n_global)
        return Batch(inputs, tuple(firsts.tolist()), tuple(map(len, slices)))


class SparseEncoder(Encoder):
    """The same weights over windows of any length, with sparse attention.

    Positions repeat every ``period`` tokens, since training taught them in windows of that length.
    """

    period: int
    """Length of the windows that the weights were trained on, in tokens, including special tokens."""

    @classmethod
    def of(cls, encoder: Encoder, pattern: SparsePattern | None, period: int) -> SparseEncoder:
        """A sparse copy of an encoder that shares its weights; ``pattern`` may be ``None`` if the encoder has its own.

        Raises:
            ConfigError: the encoder's architecture cannot be made sparse.
        """
        from longdoc.attention import sparsify  # loads transformers, which reading windows does without

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
        """States, floating point ``(B, T, D)``.

        Args:
            input_ids: token ids, int64 ``(B, T)``.
            attention_mask: bool ``(B, T)``, false at padding.
            token_type_ids: segment ids, int64 ``(B, T)``.
            global_mask: bool ``(B, T)``, true for tokens that see all tokens and that all tokens see.
            document_ids: int64 ``(B, T)``, ascending: the document of each token, for rows that pack several, each
                with its own special tokens. They are read as if each were alone.
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
        """Positions, int64 ``(B, T)``; the question's are not repeated. ``None`` if the encoder computes positions."""
        prefix = len(self.template.plain.prefix)
        n_tokens = input_ids.shape[1]
        if global_mask is None:
            positions = repeated_positions(self.backbone, n_tokens, period=self.period, prefix=prefix)
            return None if positions is None else positions.expand_as(input_ids)
        ends = (global_mask.sum(dim=1) + len(self.template.between)).tolist()
        rows = [repeated_positions(self.backbone, n_tokens, period=self.period, prefix=int(end)) for end in ends]
        return None if any(row is None for row in rows) else torch.stack([row for row in rows if row is not None])

    def _packed_positions(self, document_ids: Tensor) -> Tensor | None:
        """Positions, int64 ``(B, T)``, that restart with every document; ``None`` if the encoder computes positions."""
        n_tokens = document_ids.shape[1]
        prefix = len(self.template.plain.prefix)
        positions = repeated_positions(self.backbone, n_tokens, period=self.period, prefix=prefix)
        if positions is None:
            return None
        index = torch.arange(n_tokens, device=document_ids.device).expand_as(document_ids)
        is_first = torch.ones_like(document_ids, dtype=torch.bool)
        is_first[:, 1:] = document_ids[:, 1:] != document_ids[:, :-1]
        starts = torch.where(is_first, index, 0).cummax(dim=1).values
        return positions.to(document_ids.device)[index - starts]


def _shared_copy(encoder: Encoder) -> Encoder:
    return copy.deepcopy(encoder, {id(parameter): parameter for parameter in encoder.parameters()})


class PackedLinear(nn.Module):
    """``nn.Linear`` for float32 inference on a CPU, with its weight packed for oneDNN.

    torch's float32 BLAS, MKL, is tuned for Intel processors; on others oneDNN is about 1.5 times as fast (2 cores of
    an AMD EPYC: 26 against 39 ms for 2,048 rows of 1,536 to 384).
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self.bias = linear.bias

    def forward(self, states: Tensor) -> Tensor:
        """Float32 ``(…, D)`` to ``(…, D_out)``."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(states, self.weight, self.bias, "none", [], "")
        return product


def pack_for_cpu(encoder: Encoder) -> Encoder:
    """A copy of an encoder for float32 inference on a CPU, which shares all weights except those of linear layers."""
    packed = _shared_copy(encoder)
    for module in list(packed.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, PackedLinear(child))
    return packed


def length_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Batches of indices of similar ``lengths``, longest first, each of at most ``batch_tokens`` tokens with padding.

    A single index may exceed ``batch_tokens``.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        size = max(1, batch_tokens // max(lengths[order[0]], 1))
        yield order[:size]
        order = order[size:]


def padded_length(length: int, longest: int) -> int:
    """The length that a window of ``length`` tokens is padded to: by at most a sixteenth, and not beyond ``longest``.

    It does not depend on the windows beside it, and so neither do the window's states on a CPU. Attention adds up in an
    order that follows the length of the rows; all other operations compute a token, or a row, by itself.
    """
    step = max(4, 1 << max((length - 1).bit_length() - 5, 0))
    return min(-(-length // step) * step, max(longest, length))


def alike_batches(forms: Sequence[tuple[int, ...]], batch_tokens: int) -> Iterator[list[int]]:
    """Batches of indices of equal ``forms``, longest first, each of at most ``batch_tokens`` tokens with padding.

    The first number of a form is the length of a row with padding. A single index may exceed ``batch_tokens``.
    """
    order = sorted(range(len(forms)), key=lambda index: forms[index], reverse=True)
    for form, group in groupby(order, key=lambda index: forms[index]):
        alike, size = list(group), max(1, batch_tokens // max(form[0], 1))
        yield from (alike[first : first + size] for first in range(0, len(alike), size))
