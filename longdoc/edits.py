"""The edit map: every change between the characters of a source and the text that a model reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WHITE_SPACE = np.array([code for code in range(0x3001) if chr(code).isspace()], np.uint32)


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of ``text``, lone surrogates included; shape ``(len(text),)``."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces ``raw_text[raw_start:raw_end]`` by ``text``; an empty range is an insertion."""

    raw_start: int
    raw_end: int
    text: str
    kind: str
    """The reason: ``"space"``, ``"line"``, ``"paragraph"``, ``"page"``, ``"hyphen"``, ``"ligature"``, ..."""


@dataclass(frozen=True, slots=True, eq=False)
class Edits:
    """Sorted, disjoint edits as arrays: a long contract has 50,000 of them, with few distinct replacements.

    >>> Edits.of([Edit(3, 4, " ", "space")])[0].kind
    'space'
    """

    ranges: NDArray[np.int32]
    """Shape ``(E, 2)``: half-open ranges of ``raw_text``."""
    codes: NDArray[np.int32]
    """Shape ``(E,)``: indices into ``replacements``."""
    replacements: tuple[tuple[str, str], ...]
    """``(text, kind)`` pairs."""

    def __post_init__(self) -> None:
        borders = self.ranges.ravel()
        if self.ranges.shape != (len(self.codes), 2) or (borders[1:] < borders[:-1]).any():
            raise ValueError("edits must be sorted and disjoint half-open ranges of the raw text, one code each")

    @classmethod
    def of(cls, edits: Iterable[Edit] = ()) -> Edits:
        """Collects single edits, which must be in order."""
        listed = list(edits)
        rank = {pair: code for code, pair in enumerate(dict.fromkeys((e.text, e.kind) for e in listed))}
        ranges = np.array([(e.raw_start, e.raw_end) for e in listed], np.int32).reshape(-1, 2)
        return cls(ranges, np.array([rank[e.text, e.kind] for e in listed], np.int32), tuple(rank))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: int) -> Edit:
        return Edit(*self.ranges[index].tolist(), *self.replacements[self.codes[index]])

    def __iter__(self) -> Iterator[Edit]:
        for (start, end), code in zip(self.ranges.tolist(), self.codes.tolist(), strict=True):
            yield Edit(start, end, *self.replacements[code])

    def apply(self, raw_text: str) -> tuple[str, NDArray[np.int32]]:
        """Applies the edits.

        Returns:
            the edited text, and an array of shape ``(len(text), 2)``: the range of ``raw_text`` behind each character.
        """
        if len(self) and not 0 <= self.ranges[0, 0] <= self.ranges[-1, 1] <= len(raw_text):
            raise ValueError(f"edits reach {self.ranges[-1, 1]} in a raw text of {len(raw_text)} characters")
        texts = [text for text, _ in self.replacements]
        borders = np.concatenate([[0], self.ranges.ravel(), [len(raw_text)]]).astype(np.int32)
        pieces = [raw_text[a:b] for a, b in borders.reshape(-1, 2).tolist()]
        replaced = [texts[code] for code in self.codes.tolist()]
        alternating = [""] * (len(borders) - 1)
        alternating[::2], alternating[1::2] = pieces, replaced
        text = "".join(alternating)
        # Pieces and replacements alternate: a character of a piece has its own range, those of a replacement share one.
        starts, ends = borders[:-1], borders[1:]
        lengths = ends - starts
        lengths[1::2] = [len(r) for r in replaced]
        copied = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
        first = np.repeat(starts, lengths)
        first[copied] += (np.arange(len(text), dtype=np.int32) - np.repeat(np.cumsum(lengths) - lengths, lengths))[
            copied
        ]
        last = np.repeat(ends, lengths)
        last[copied] = first[copied] + 1
        return text, np.stack([first, last], axis=1)

    def to_text(self, raw: NDArray[np.integer]) -> NDArray[np.int64]:
        """Maps ranges of the raw text to ranges of the text.

        Args:
            raw: shape ``(N, 2)``: half-open ranges of ``raw_text``.

        Returns:
            shape ``(N, 2)``: half-open ranges of the text. A range that starts or ends within an edit does not include
            the replacement; a range within one edit becomes empty.
        """
        lengths = np.array([len(text) for text, _ in self.replacements], np.int64)[self.codes]
        shifts = np.append(0, np.cumsum(lengths - np.diff(self.ranges, axis=1)[:, 0]))
        starts, ends = np.append(self.ranges, [[2**31 - 1, -1]], axis=0).T  # a sentinel beyond every range
        after = np.searchsorted(ends[:-1], raw[:, 0], side="right")  # the first edit that ends after the start
        start = raw[:, 0] + shifts[after]
        within = starts[after] < raw[:, 0]
        start[within] = (ends + np.append(shifts[1:], 0))[after[within]]
        before = np.searchsorted(starts[:-1], raw[:, 1], side="left") - 1  # the last edit that starts before the end
        end = raw[:, 1] + shifts[before + 1]
        within = ends[before] > raw[:, 1]
        end[within] = (starts[:-1] + shifts[:-1])[before[within]]
        return np.stack([start, np.maximum(start, end)], axis=1)
