"""Texts → rows with some of their words masked, and batches of them.

    windows   [CLS] a a a a a a [SEP]          a stretch of one text a row
    sparse    [CLS] a a a a a a a a a [SEP] [CLS] b b b [SEP] [CLS] c c c c c [SEP]

Rows for sparse attention are long and hold several texts, which do not see each other. Letters of shapes: ``B`` rows,
``T`` tokens, ``N`` masked tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import Dataset

from longdoc.encoders import Encoder, Frame, length_batches
from longdoc.training.masking import Vocabulary, choose, deal, exchange
from longdoc.training.texts import Text
from longdoc.windows import sentence_starts, split, tokenize


@dataclass(frozen=True, slots=True)
class ReadText:
    """A tokenised text, without the special tokens around it.

    ``ids`` int64 ``(T,)``; ``units`` int64 ``(T,)``, ascending, -1 for what is never masked; ``characters`` int64
    ``(T,)``, of each token, white space not counted; ``cuts``, where a window better ends.
    """

    name: str
    ids: np.ndarray
    units: np.ndarray
    characters: np.ndarray
    cuts: np.ndarray

    @classmethod
    def of(cls, text: Text, tokenizer: Tokenizer, vocabulary: Vocabulary, *, whole_words: bool) -> ReadText:
        """Tokenises a text; a unit is a word, or a token."""
        tokens = tokenize(text.text, tokenizer)
        units = tokens.words.astype(np.int64) if whole_words else np.arange(len(tokens))
        units = np.where(np.isin(tokens.ids, vocabulary.special), -1, units)
        characters = (tokens.offsets[:, 1] - tokens.offsets[:, 0]).astype(np.int64)
        cuts = sentence_starts(text.text, tokens.offsets)
        return cls(text.name, tokens.ids.astype(np.int64), units, characters, cuts)

    def first(self, n_characters: int) -> ReadText:
        """Its first tokens, those that make up at most so many characters."""
        n = int(np.searchsorted(self.characters.cumsum(), n_characters, side="right"))
        cuts = self.cuts[self.cuts < n]
        return ReadText(self.name, self.ids[:n], self.units[:n], self.characters[:n], cuts)


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens ``start`` to ``end``, half-open, of a text."""

    text: ReadText
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


Row: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowForm:
    """How texts become rows."""

    frame: Frame
    window: int
    """Most positions in a row, special tokens counted."""
    overlap: int
    """Tokens that neighbouring pieces of a text share."""
    period: int
    """0 for windows; for packed rows, how often positions repeat."""

    def pieces(self, text: ReadText, rng: np.random.Generator | None = None) -> Iterator[Piece]:
        """The pieces of a text with something to mask; with ``rng`` the first one ends anywhere."""
        size = self.window - len(self.frame)
        n_tokens = len(text.ids)
        lead = int(rng.integers(0, size - self.overlap)) if rng is not None and n_tokens > size else 0
        cuts = text.cuts[text.cuts > lead] - lead
        windows = split(n_tokens - lead, size=size, overlap=self.overlap, cuts=cuts)
        edges = [(0, min(lead + self.overlap, n_tokens))] if lead else []
        edges += [(window.start + lead, window.end + lead) for window in windows]
        for start, end in edges:
            if (text.units[start:end] >= 0).any():
                yield Piece(text, start, end)

    def rows(self, pieces: Sequence[Piece]) -> list[Row]:
        """A row for each piece; packed, each piece in the first row with room for it, the longest ones first."""
        if not self.period:
            return [(piece,) for piece in pieces]
        room = np.full(len(pieces), self.window)
        rows: list[list[Piece]] = [[] for _ in pieces]
        for piece in sorted(pieces, key=len, reverse=True):
            length = len(piece) + len(self.frame)
            row = int(np.argmax(room >= length))
            rows[row].append(piece)
            room[row] -= length
        return [tuple(row) for row in rows if row]

    def batches(self, rows: Sequence[Row], batch_tokens: int) -> list[list[Row]]:
        """Rows of like length together, the longest first."""
        lengths = [sum(len(piece) + len(self.frame) for piece in row) for row in rows]
        return [[rows[index] for index in batch] for batch in length_batches(lengths, batch_tokens)]

    def units(self, row: Row) -> np.ndarray:
        """Units of a row's tokens, those of different pieces different; its own special tokens around it left out."""
        parts, highest = [], 0
        for piece in row:
            units = piece.text.units[piece.start : piece.end]
            units = np.where(units < 0, -1, units - units[units >= 0][0] + highest)
            highest = int(units.max()) + 1
            parts.append(units)
        return self._joined(parts, np.full(len(self.frame), -1))

    def ids(self, row: Row) -> np.ndarray:
        """Ids of a row's tokens, the special ones between its pieces included and those around it left out."""
        between = np.array([*self.frame.suffix, *self.frame.prefix], dtype=np.int64)
        return self._joined([piece.text.ids[piece.start : piece.end] for piece in row], between)

    def characters(self, row: Row) -> np.ndarray:
        """How many characters each token of a row stands for, as in ``ids``."""
        parts = [piece.text.characters[piece.start : piece.end] for piece in row]
        return self._joined(parts, np.zeros(len(self.frame), dtype=np.int64))

    def _joined(self, parts: Sequence[np.ndarray], between: np.ndarray) -> np.ndarray:
        return np.concatenate([one for part in parts for one in (between, part)][1:])

    def documents(self, row: Row) -> np.ndarray:
        """Number of the piece that each token of a row belongs to, its special tokens included, int64 ``(T,)``."""
        return np.repeat(np.arange(len(row)), [len(piece) + len(self.frame) for piece in row])


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows and what is masked in them → the arguments of ``Learner.forward``, and the names of the texts."""

    encoder: Encoder
    head: str
    form: RowForm

    def __call__(
        self, rows: Sequence[Row], shown: Sequence[np.ndarray], chosen: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        """A batch.

        Args:
            rows: what is read.
            shown: ids of each row's tokens ``(T,)`` as the encoder sees them.
            chosen: bool ``(T,)``, those to predict.
        """
        batch = self.encoder.batch(shown, self.form.frame)
        shape = batch.inputs["input_ids"].shape
        masked, documents = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.int64)
        for number, (row, first, own) in enumerate(zip(rows, batch.firsts, chosen, strict=True)):
            masked[number, first : first + len(own)] = torch.from_numpy(own)
            numbers = torch.from_numpy(self.form.documents(row))
            documents[number] = numbers[-1]  # padding belongs to the last piece: numbers ascend
            documents[number, : len(numbers)] = numbers
        words = np.concatenate([self.form.ids(row)[own] for row, own in zip(rows, chosen, strict=True)])
        return {
            "inputs": batch.inputs | ({"document_ids": documents} if self.form.period else {}),
            "targets": {self.head: {"masked": masked, "words": torch.from_numpy(words)}},
            "weight": 1.0,
            "period": self.form.period,
            "documents": list(dict.fromkeys(piece.text.name for row in rows for piece in row)),
        }


@dataclass(frozen=True)
class MaskedBatches(Dataset[dict[str, Any]]):
    """Batches of a training run, in order. What is masked in one depends on ``seed`` and its number alone."""

    batches: Sequence[Sequence[Row]]
    numbers: Sequence[int]
    """Those of this process."""
    collator: Collator
    vocabulary: Vocabulary
    masked: float
    seed: int

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = self.numbers[index]
        rng = np.random.default_rng((self.seed, number))
        rows, form = self.batches[number], self.collator.form
        chosen = [choose(form.units(row), self.masked, rng) for row in rows]
        pairs = zip(rows, chosen, strict=True)
        return self.collator(rows, [exchange(form.ids(row), own, self.vocabulary, rng) for row, own in pairs], chosen)

    def share(self, rank: int, n_processes: int) -> MaskedBatches:
        """Every ``n_processes``-th batch; the first ones again where they do not divide evenly."""
        whole = [*self.numbers, *self.numbers[: -len(self.numbers) % n_processes]]
        return replace(self, numbers=whole[rank::n_processes])


def masked_batches(
    texts: Sequence[ReadText],
    collator: Collator,
    vocabulary: Vocabulary,
    *,
    passes: float,
    masked: float,
    batch_tokens: int,
    seed: int,
) -> MaskedBatches:
    """All batches of a training run in random order; each pass cuts the texts elsewhere and masks other words."""
    rng = np.random.default_rng(seed)
    form = collator.form
    rows: list[Row] = []
    for number in range(math.ceil(passes)):
        read = [text for text in texts if rng.random() < passes - number]
        rows += form.rows([piece for text in read for piece in form.pieces(text, rng)])
    rows = [rows[index] for index in rng.permutation(len(rows))]  # so that not all rows of a batch are of one text
    batches = form.batches(rows, batch_tokens)
    batches = [batches[index] for index in rng.permutation(len(batches))]
    return MaskedBatches(batches, range(len(batches)), collator, vocabulary, masked, seed)


@dataclass(frozen=True, slots=True)
class Cloze:
    """Texts held out, each of whose units is masked in one of ``n_passes`` passes, always the same one."""

    batches: Sequence[Sequence[Row]]
    collator: Collator
    mask: int
    n_passes: int

    def __len__(self) -> int:
        return len(self.batches) * self.n_passes

    def __iter__(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Batches as ``Learner.forward`` takes them, and how many characters are masked in each."""
        form = self.collator.form
        for number, rows in enumerate(self.batches):
            rng = np.random.default_rng(number)
            dealt = [deal(form.units(row), self.n_passes, rng) for row in rows]
            for own in range(self.n_passes):
                chosen = [passes == own for passes in dealt]
                shown = [np.where(c, self.mask, form.ids(row)) for row, c in zip(rows, chosen, strict=True)]
                n_characters = sum(int(form.characters(row)[c].sum()) for row, c in zip(rows, chosen, strict=True))
                if any(c.any() for c in chosen):
                    yield self.collator(rows, shown, chosen), n_characters


def cloze(
    texts: Sequence[ReadText], collator: Collator, mask: int, *, masked: float, n_characters: int, batch_tokens: int
) -> Cloze:
    """The beginnings of texts, of at most ``n_characters`` together, as equal as the texts' lengths let them be."""
    form = replace(collator.form, overlap=0)
    left, pieces = n_characters, []
    for number, text in enumerate(sorted(texts, key=lambda text: int(text.characters.sum()))):
        own = text.first(left // (len(texts) - number))
        left -= int(own.characters.sum())
        pieces += list(form.pieces(own))
    batches = form.batches(form.rows(pieces), batch_tokens)
    return Cloze(batches, replace(collator, form=form), mask, max(round(1 / masked), 1))
