"""Scores of windows → findings with their positions on the page: what every kind of head needs for decoding.

Dimensions: ``T`` tokens of the document, ``L`` labels, ``D`` width, ``N`` parts of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from longdoc.document import Document
from longdoc.edits import WHITE_SPACE, code_points
from longdoc.errors import ConfigError
from longdoc.prediction import Gap
from longdoc.sentences import sentences
from longdoc.windows import MergeRule, Tokens, Window, stitch, unreadable, unseen

DROPPED = "characters that the model's tokenizer drops"
UNKNOWN = "unknown to the tokenizer's vocabulary"
# Characters without a shape of their own, such as soft hyphens and zero-width spaces (Default_Ignorable_Code_Point of
# Unicode 15), and accents after their letter, which models in lower case leave out as they do those of "é".
_SHAPELESS_RANGES = (
    (0xAD, 0xAD), (0x300, 0x36F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_SHAPELESS = np.concatenate([np.arange(first, last + 1) for first, last in _SHAPELESS_RANGES])

Unit: TypeAlias = Literal["document", "section", "sentence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowScores:
    """One head's scores of one text, window by window.

    ``scores`` holds one float32 array per window: ``(len(window), L)`` from heads that score tokens, ``(1, L)`` from
    heads that score windows.
    """

    document: Document
    tokens: Tokens
    windows: Sequence[Window]
    lengths: tuple[int, ...]
    """Positions of each window, special tokens and question included."""
    scores: Sequence[np.ndarray]
    merge: MergeRule
    question: str | None = None

    def merged(self) -> np.ndarray:
        """Scores of the tokens, float32 ``(T, L)``, merged over the windows that see each token."""
        return stitch(self.scores, self.windows, len(self.tokens), self.merge)

    def stacked(self) -> np.ndarray:
        """Scores of the windows, float32 ``(number of windows, L)``."""
        return np.concatenate(self.scores)

    @property
    def extent(self) -> tuple[int, int]:
        """Half-open character range from the first token to the last."""
        return int(self.tokens.offsets[0, 0]), int(self.tokens.offsets[-1, 1])


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of the parts of a document: float32 ``(N, D)``, and the half-open character range of each."""

    vectors: np.ndarray
    ranges: tuple[tuple[int, int], ...]


class Searched(NamedTuple):
    """What was found for a question, and how much of the document was searched."""

    findings: list[Any]
    gaps: tuple[Gap, ...]
    """What of the text the model did not see for this question."""
    coverage: float
    """The share of the text that it saw; 0 without any token."""


def place(document: Document, start: int, end: int) -> dict[str, Any]:
    """The fields that an entity and an answer share: text, offsets, page, boxes and section."""
    return {
        "text": document.text[start:end],
        "start": start,
        "end": end,
        "page": document.page_at(start).number,
        "boxes": document.locate(start, end),
        "section": section_name(document, start),
    }


def section_name(document: Document, start: int) -> str | None:
    """Number of the section at a character offset, or its title if it has no number."""
    section = document.section_at(start)
    return None if section is None else section.number or section.title


def gaps_of(document: Document, tokens: Sequence[Tokens]) -> tuple[Gap, ...]:
    """The characters that no model sees: that none of the tokens contains, or that tokens contain in vain.

    White space, and characters without a shape, such as zero-width spaces, are not missed.
    """
    text = document.text
    offsets = np.concatenate([np.zeros((0, 2), dtype=np.int32), *(part.offsets for part in tokens)])
    is_unknown = np.concatenate([np.zeros(0, dtype=bool), *(part.ids == part.unknown for part in tokens)])
    deleted = "".join(sorted({character for part in tokens for character in part.deleted}))
    together = Tokens(is_unknown.astype(np.int32), offsets, np.zeros(len(offsets), np.int32), 1, deleted)
    missed = np.zeros(len(text), dtype=np.int8)  # 1: dropped, 2: unknown
    for start, end in unseen(text, together):
        missed[start:end] = 1
    in_unknown, in_vain = unreadable(text, together)
    missed[in_vain] = 1
    missed[in_unknown] = 2
    if not missed.any():
        return ()
    codes = code_points(text)
    missed[np.isin(codes, WHITE_SPACE)] = 0
    visible = np.append(0, np.cumsum(~np.isin(codes, _SHAPELESS)))
    borders = [0, *(np.flatnonzero(np.diff(missed)) + 1).tolist(), len(text)]
    return tuple(
        Gap(start, end, UNKNOWN if missed[start] == 2 else DROPPED)
        for start, end in pairwise(borders)
        if missed[start] and visible[end] > visible[start]
    )


def parts(document: Document, unit: Unit) -> list[tuple[int, int]]:
    """Half-open character ranges of the whole document, its sections or its sentences, trimmed of white space.

    A section extends to the start of the next one. Each section is split into sentences by itself.

    Raises:
        ConfigError: unknown unit.
    """
    if unit not in get_args(Unit):
        raise ConfigError(f"unknown unit {unit!r}; allowed: {', '.join(get_args(Unit))}")
    text = document.text
    borders = [0, len(text)] if unit == "document" else sorted({0, len(text), *(s.start for s in document.sections)})
    ranges = [trimmed(text, start, end) for start, end in pairwise(borders)]
    ranges = [(start, end) for start, end in ranges if start < end]
    return list(_sentences(text, tuple(ranges))) if unit == "sentence" else ranges


@lru_cache(maxsize=4)  # several hypotheses about a document split it once, however many sections it has
def _sentences(text: str, ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Half-open character ranges of the sentences in ranges of a text."""
    found = [
        trimmed(text, start + first, start + last)
        for start, end in ranges
        for first, last in sentences(text[start:end])
    ]
    return tuple((first, last) for first, last in found if first < last)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range ``start:end`` without white space at its ends."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return (start + left, start + left + len(piece.strip()))
