"""Texts → rows for masked-language modelling.

    windows   [CLS] a a a a a a [SEP]          one piece of one text per row
    sparse    [CLS] a a a a a a a a a [SEP] [CLS] b b b [SEP] [CLS] c c c c c [SEP]

Rows for sparse attention are long and packed with pieces of several texts, which do not attend to each other. Letters
of shapes: ``T`` tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from tokenizers import Tokenizer

from longdoc.inputs import SpecialTokens, length_batches
from longdoc.training.masking import Vocabulary
from longdoc.training.texts import Text
from longdoc.windows import sentence_starts, split, split_with_random_lead, tokenize


@dataclass(frozen=True, slots=True)
class ReadText:
    """A tokenised text, without special tokens around it.

    ``ids`` int64 ``(T,)``; ``units`` int64 ``(T,)``, what is masked together, ascending, -1 for tokens that are never
    masked; ``characters`` int64 ``(T,)``, the number of characters of each token, white space not counted; ``cuts``
    int64, preferred cut points as ascending token indices.
    """

    name: str
    ids: np.ndarray
    units: np.ndarray
    characters: np.ndarray
    cuts: np.ndarray

    @classmethod
    def of(cls, text: Text, tokenizer: Tokenizer, vocabulary: Vocabulary, *, whole_words: bool) -> ReadText:
        """Tokenises a text; a unit is a word with ``whole_words``, else a token."""
        tokens = tokenize(text.text, tokenizer)
        units = tokens.words.astype(np.int64) if whole_words else np.arange(len(tokens))
        units = np.where(np.isin(tokens.ids, vocabulary.special), -1, units)
        characters = (tokens.offsets[:, 1] - tokens.offsets[:, 0]).astype(np.int64)
        cuts = sentence_starts(text.text, tokens.offsets)
        return cls(text.name, tokens.ids.astype(np.int64), units, characters, cuts)

    def first(self, n_characters: int) -> ReadText:
        """The longest prefix, in tokens, of at most ``n_characters`` characters."""
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
    """How texts are cut and packed into rows."""

    special: SpecialTokens
    window: int
    """Maximum number of positions in a row, special tokens included."""
    overlap: int
    """Tokens that neighbouring pieces of a text share."""
    period: int
    """0 for windows; for packed rows, the number of positions after which position ids repeat."""

    def pieces(self, text: ReadText, rng: np.random.Generator | None = None) -> Iterator[Piece]:
        """The pieces of a text that have something to mask; with ``rng`` the first one has a random length."""
        size, n_tokens = self.window - len(self.special), len(text.ids)
        if rng is None:
            windows = split(n_tokens, size=size, overlap=self.overlap, cuts=text.cuts)
        else:
            windows = split_with_random_lead(n_tokens, size=size, overlap=self.overlap, cuts=text.cuts, rng=rng)
        for window in windows:
            if (text.units[window.start : window.end] >= 0).any():
                yield Piece(text, window.start, window.end)

    def rows(self, pieces: Sequence[Piece]) -> list[Row]:
        """One row per piece; if packed, the longest pieces first, each in the first row with room for it."""
        if not self.period:
            return [(piece,) for piece in pieces]
        room = np.full(len(pieces), self.window)
        rows: list[list[Piece]] = [[] for _ in pieces]
        for piece in sorted(pieces, key=len, reverse=True):
            length = len(piece) + len(self.special)
            row = int(np.argmax(room >= length))
            rows[row].append(piece)
            room[row] -= length
        return [tuple(row) for row in rows if row]

    def batches(self, rows: Sequence[Row], batch_tokens: int) -> list[list[Row]]:
        """Batches of rows of similar lengths, the longest first."""
        lengths = [sum(len(piece) + len(self.special) for piece in row) for row in rows]
        return [[rows[index] for index in batch] for batch in length_batches(lengths, batch_tokens)]

    def ids(self, row: Row) -> np.ndarray:
        """Token ids of a row, int64 ``(T,)``: with the special tokens between its pieces, without those around it."""
        between = np.array([*self.special.suffix, *self.special.prefix], dtype=np.int64)
        return self._joined([piece.text.ids[piece.start : piece.end] for piece in row], between)

    def units(self, row: Row) -> np.ndarray:
        """Units of the tokens in ``ids``, int64 ``(T,)``, numbered through the whole row."""
        parts, n_units = [], 0
        for piece in row:
            units = piece.text.units[piece.start : piece.end]
            units = np.where(units < 0, -1, units - units[units >= 0][0] + n_units)
            n_units = int(units.max()) + 1
            parts.append(units)
        return self._joined(parts, np.full(len(self.special), -1))

    def characters(self, row: Row) -> np.ndarray:
        """Number of characters of each token in ``ids``, int64 ``(T,)``."""
        parts = [piece.text.characters[piece.start : piece.end] for piece in row]
        return self._joined(parts, np.zeros(len(self.special), dtype=np.int64))

    def documents(self, row: Row) -> np.ndarray:
        """Index of the piece to which each token of a row belongs, all special tokens included, int64 ``(T,)``."""
        return np.repeat(np.arange(len(row)), [len(piece) + len(self.special) for piece in row])

    def _joined(self, parts: Sequence[np.ndarray], between: np.ndarray) -> np.ndarray:
        return np.concatenate([one for part in parts for one in (between, part)][1:])
