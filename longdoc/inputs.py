"""Windows → the arrays that an encoder is given: special tokens, padding, and which windows share a batch.

Dimensions: ``B`` windows, ``T`` tokens, including special tokens, ``L`` labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args

import numpy as np
from tokenizers import Encoding, Tokenizer

from longdoc.arguments import check_choice

ArrayT = TypeVar("ArrayT")
EncoderKind: TypeAlias = Literal["windows", "sparse"]
Padding: TypeAlias = Literal["alike", "longest", "none"]
"""How the windows of a batch are padded: all to the same length, which follows from that of each; to the longest of
them; or, as far as the encoder computes them, not at all."""
Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "int8"]
"""Of matrix products; ``auto`` is bfloat16 where the hardware computes in it."""


def check_encoder(encoder: str) -> None:
    """Checks the name of an encoder.

    Raises:
        ConfigError: it is unknown; the message lists the names allowed.
    """
    check_choice("encoder", encoder, get_args(EncoderKind))


def check_precision(precision: str) -> None:
    """Checks the name of a number format.

    Raises:
        ConfigError: it is unknown; the message lists the names allowed.
    """
    check_choice("precision", precision, get_args(Precision))


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The tokens around a window: ``[CLS] … [SEP]``, or with a question ``[CLS] question [SEP] … [SEP]``."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    content_type: int = 0
    """Segment id of the window's tokens."""
    n_global: int = 0
    """Number of tokens at the start that are global in sparse attention: the question and the tokens before it."""
    prefix_types: tuple[int, ...] = ()
    """Segment ids of the prefix; empty if all are 0."""
    suffix_types: tuple[int, ...] = ()
    """Segment ids of the suffix; empty if all are ``content_type``."""

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)

    def types(self, length: int) -> np.ndarray:
        """Segment ids, int64 ``(T,)``, of a row with ``length`` tokens of its own."""
        before = self.prefix_types or [0] * len(self.prefix)
        after = self.suffix_types or [self.content_type] * len(self.suffix)
        return np.array([*before, *[self.content_type] * length, *after], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of a template, and their segment ids."""

    ids: tuple[int, ...]
    types: tuple[int, ...]

    @classmethod
    def of(cls, encoding: Encoding, first: int, end: int) -> Part:
        """The tokens ``first:end`` of an encoding."""
        return cls(tuple(encoding.ids[first:end]), tuple(encoding.type_ids[first:end]))

    def __add__(self, other: Part) -> Part:
        return Part(self.ids + other.ids, self.types + other.types)


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens of a checkpoint: around a single text, and around and between the texts of a pair."""

    plain: SpecialTokens
    """Around a single text."""
    before: Part
    between: Part
    after: Part
    first_type: int
    """Segment id of the first text of a pair."""
    second_type: int
    """Segment id of the second text of a pair."""
    pad: int
    """Id of the padding token."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, pad: int) -> Template:
        """Takes the special tokens from two encodings by the tokenizer; ``pad`` is the id of the padding token."""
        encoding = tokenizer.encode("a")
        content = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        before, after = Part.of(encoding, 0, content[0]), Part.of(encoding, content[-1] + 1, len(encoding))
        pair = tokenizer.encode("a", "a")
        first = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 0]
        second = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 1]
        return cls(
            plain=_around(before, encoding.type_ids[content[0]], after),
            before=Part.of(pair, 0, first[0]),
            between=Part.of(pair, first[-1] + 1, second[0]),
            after=Part.of(pair, second[-1] + 1, len(pair)),
            first_type=pair.type_ids[first[0]],
            second_type=pair.type_ids[second[0]],
            pad=pad,
        )

    def asking(self, question: Sequence[int], *, after_text: bool = False) -> SpecialTokens:
        """The special tokens and ``question``, as token ids, around every window; the question is the first text.

        With ``after_text`` it is the second, and no token of it is global.
        """
        if after_text:
            asked = Part(tuple(question), (self.second_type,) * len(question))
            return _around(self.before, self.first_type, self.between + asked + self.after)
        asked = Part(tuple(question), (self.first_type,) * len(question))
        n_global = len(self.before.ids) + len(question)
        return _around(self.before + asked + self.between, self.second_type, self.after, n_global)

    def after_prompt(self, prompt: Sequence[int]) -> SpecialTokens:
        """The special tokens around a single text, and ``prompt``, as token ids, before the text."""
        types = (*(self.plain.prefix_types or (0,) * len(self.plain.prefix)), *[self.plain.content_type] * len(prompt))
        return replace(self.plain, prefix=(*self.plain.prefix, *prompt), prefix_types=types if any(types) else ())

    def with_text_type(self, number: int) -> Template:
        """The same with another segment id for the second text of a pair, and all after the first one's last token."""
        n_more = len(self.between.ids) - 1
        between = Part(self.between.ids, (*self.between.types[:1], *[number] * n_more))
        after = Part(self.after.ids, (number,) * len(self.after.ids))
        return replace(self, between=between, after=after, second_type=number)

    @property
    def n_types(self) -> int:
        """One more than the largest segment id."""
        pair = self.asking(())
        return 1 + int(max(self.plain.types(1).max(), pair.types(1).max(), self.first_type))


def _around(before: Part, content_type: int, after: Part, n_global: int = 0) -> SpecialTokens:
    return SpecialTokens(
        before.ids,
        after.ids,
        content_type,
        n_global,
        prefix_types=before.types if any(before.types) else (),
        suffix_types=after.types if {*after.types} - {content_type} else (),
    )


@dataclass(frozen=True, slots=True)
class Batch(Generic[ArrayT]):
    """Windows as input of an encoder.

    ``inputs`` are the arguments of ``Encoder.forward``, each ``(B, T)``, as arrays of numpy or tensors; ``firsts`` and
    ``lengths`` are the position and number of each window's own tokens in its row.
    """

    inputs: dict[str, ArrayT]
    firsts: tuple[int, ...]
    lengths: tuple[int, ...]

    def content(self, scores: np.ndarray) -> list[np.ndarray]:
        """The scores ``(length, L)`` of each window's own tokens, from ``scores`` ``(B, T, L)``."""
        rows = zip(scores, self.firsts, self.lengths, strict=True)
        return [row[first : first + length] for row, first, length in rows]

    @property
    def content_mask(self) -> np.ndarray:
        """True for windows' own tokens, false for special tokens and padding, bool ``(B, T)``."""
        ids: Any = self.inputs["input_ids"]
        position = np.arange(ids.shape[1])
        first, length = np.array(self.firsts)[:, None], np.array(self.lengths)[:, None]
        mask: np.ndarray = (position >= first) & (position < first + length)
        return mask


@dataclass(frozen=True, slots=True)
class InputForm:
    """What an encoder is given beside the tokens of a window."""

    template: Template
    n_types: int = 1
    """Number of segments that the encoder tells apart."""

    def batch(
        self,
        slices: Sequence[np.ndarray],
        specials: Sequence[SpecialTokens] | SpecialTokens | None = None,
        length: int = 0,
    ) -> Batch[np.ndarray]:
        """Windows with their special tokens, padded to the longest; without a mask if none is padded.

        Args:
            slices: token ids of each window, int ``(length,)``.
            specials: one for each window, or one for all; by default ``template.plain``.
            length: minimum length of the rows in tokens, to which they are padded, too.

        Returns:
            ``input_ids``, int64 ``(B, T)``; ``attention_mask``, bool ``(B, T)``, false at padding, if there is any;
            ``token_type_ids``, int64 ``(B, T)``, for encoders with several segments, unless all are 0; and
            ``global_mask``, bool ``(B, T)``, true for the tokens of questions, if there are any.
        """
        if specials is None or isinstance(specials, SpecialTokens):
            specials = [specials or self.template.plain] * len(slices)
        rows = [np.concatenate([f.prefix, s, f.suffix]).astype(np.int64) for s, f in zip(slices, specials, strict=True)]
        lengths = np.array(list(map(len, rows)))
        ids = np.full((len(rows), max(lengths.max(), length)), self.template.pad, dtype=np.int64)
        for target, row in zip(ids, rows, strict=True):
            target[: len(row)] = row
        position, firsts = np.arange(ids.shape[1]), np.array([len(special.prefix) for special in specials])
        inputs = {"input_ids": ids}
        if (lengths < ids.shape[1]).any():
            inputs["attention_mask"] = position < lengths[:, None]
        if self.n_types > 1 and any(s.content_type or s.prefix_types or s.suffix_types for s in specials):
            types = np.zeros_like(ids)
            for target, special, window in zip(types, specials, slices, strict=True):
                own = special.types(len(window))
                target[: len(own)] = own
            inputs["token_type_ids"] = types
        if any(special.n_global for special in specials):
            n_global = np.array([special.n_global for special in specials])[:, None]
            inputs["global_mask"] = position < n_global
        return Batch(inputs, tuple(firsts.tolist()), tuple(map(len, slices)))


def packed_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Batches of indices of similar ``lengths``, longest first, each of at most ``batch_tokens`` tokens.

    BERT computes no padding, but its heads do: up to as much again. A single index may exceed ``batch_tokens``.
    """
    batch: list[int] = []
    n_tokens = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        padded = lengths[batch[0]] * (len(batch) + 1) if batch else 0
        if batch and (n_tokens + lengths[index] > batch_tokens or padded > 2 * batch_tokens):
            yield batch
            batch, n_tokens = [], 0
        batch.append(index)
        n_tokens += lengths[index]
    if batch:
        yield batch


def length_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Batches of indices of similar ``lengths``, longest first, each of at most ``batch_tokens`` tokens with padding.

    A single index may exceed ``batch_tokens``.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        size = max(1, batch_tokens // max(lengths[order[0]], 1))
        yield order[:size]
        order = order[size:]


def rounded(n_tokens: int, *, step: int = 16) -> int:
    """A number of tokens to compute for ``n_tokens``: at most a sixteenth or ``step - 1`` more, and one of few."""
    step = max(step, 1 << max((n_tokens - 1).bit_length() - 5, 0))
    return -(-n_tokens // step) * step


def padded_length(length: int, longest: int) -> int:
    """The length that a window of ``length`` tokens is padded to: `rounded`, and not beyond ``longest``.

    It does not depend on the windows beside it, and so neither do the window's states on a CPU. Attention adds up in an
    order that follows the length of the rows; all other operations compute a token, or a row, by itself.
    """
    return min(rounded(length, step=4), max(longest, length))


def alike_batches(forms: Sequence[tuple[int, ...]], batch_tokens: int) -> Iterator[list[int]]:
    """Batches of indices of equal ``forms``, longest first, each of at most ``batch_tokens`` tokens with padding.

    The first number of a form is the length of a row with padding. A single index may exceed ``batch_tokens``.
    """
    order = sorted(range(len(forms)), key=lambda index: forms[index], reverse=True)
    for form, group in groupby(order, key=lambda index: forms[index]):
        alike, size = list(group), max(1, batch_tokens // max(form[0], 1))
        yield from (alike[first : first + size] for first in range(0, len(alike), size))
