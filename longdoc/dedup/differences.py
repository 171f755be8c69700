"""How a text differs from another: the words that are left out, and those that are added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longdoc.errors import require

_ISLAND = 2
"""A run of so many equal words at most, between changes of more words, is part of them: "of the" tells nothing."""
_MOST = 10**9
"""Words of one text times words of the other, at most: for each, the best alignment takes an eighth of a byte. Longer
texts are aligned in memory that grows with their length alone, and may show a few more words as changed."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of words that are the same in both, or that are left out, added, or both. Ranges of words, half-open."""

    is_same: bool
    usual: tuple[int, int]
    other: tuple[int, int]


def runs(usual: Sequence[str], other: Sequence[str]) -> list[Run]:
    """The runs that make the words of one text those of another, in order; equal and changed runs alternate.

    Raises:
        MissingDependencyError: rapidfuzz is not installed.
    """
    distance = require("rapidfuzz.distance", extra="dedup", needed_by="the differences of texts")
    align = distance.Indel if len(usual) * len(other) <= _MOST else distance.Levenshtein
    found: list[Run] = []
    for code in align.opcodes(usual, other):
        is_same = code.tag == "equal"
        run = Run(is_same, (code.src_start, code.src_end), (code.dest_start, code.dest_end))
        found.append(_joined(found.pop(), run) if found and found[-1].is_same == is_same else run)
    return list(_without_islands(found))


def _without_islands(found: Sequence[Run]) -> Iterator[Run]:
    waiting: Run | None = None
    for place, run in enumerate(found):
        is_island = run.is_same and _length(run) <= _ISLAND and 0 < place < len(found) - 1
        is_island = is_island and min(_length(found[place - 1]), _length(found[place + 1])) > _length(run)
        own = Run(run.is_same and not is_island, run.usual, run.other)
        if waiting is None or waiting.is_same != own.is_same:
            if waiting is not None:
                yield waiting
            waiting = own
        else:
            waiting = _joined(waiting, own)
    if waiting is not None:
        yield waiting


def _joined(one: Run, other: Run) -> Run:
    return Run(one.is_same, (one.usual[0], other.usual[1]), (one.other[0], other.other[1]))


def _length(run: Run) -> int:
    return max(run.usual[1] - run.usual[0], run.other[1] - run.other[0])
