"""Scores of a whole document → labelled spans that may be long and overlap, such as clauses.

Dimensions: ``W`` words, ``L`` labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from longdoc.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRule:
    """How spans are cut from probabilities, by hysteresis: found where one is high, as long as it stays up."""

    floor: float = 0.02
    """A span is a run of words at or above this probability; of the whole run only what follows is kept."""
    gap: int = 8
    """Runs that are at most this many words apart are one."""
    split: float = 0.5
    """A run is divided where the probability that a span starts has a peak at or above this."""
    share: float = 0.35
    """A span reaches from the first to the last word at or above this share of its highest probability."""

    def __post_init__(self) -> None:
        for name in ("floor", "split", "share"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be above 0 and at most 1; got {getattr(self, name)}")
        if self.gap < 0:
            raise ConfigError(f"gap must be at least 0; got {self.gap}")


@dataclass(frozen=True, slots=True)
class WordSpan:
    """Words ``first`` to ``end``, half-open, of a label; ``score`` is the highest probability in it."""

    first: int
    end: int
    label: int
    score: float


def decode_spans(inside: np.ndarray, starts: np.ndarray, rule: SpanRule) -> list[WordSpan]:
    """Decodes the spans of a document, in the order of the text; those of one label do not overlap.

    Args:
        inside: the probability that a word is in a span of a label, float ``(W, L)``.
        starts: the probability that it is the first word of one, float ``(W, L)``.
        rule: how spans are cut.
    """
    found: list[WordSpan] = []
    for label in np.flatnonzero((inside >= rule.floor).any(axis=0)).tolist():
        column = inside[:, label]
        for first, end in _runs(column >= rule.floor, rule.gap):
            for piece_start, piece_end in _divided(first, end, starts[first:end, label], rule.split):
                piece = column[piece_start:piece_end]
                peak = float(piece.max())
                if peak >= rule.floor:
                    kept = np.flatnonzero(piece >= rule.share * peak)
                    found.append(WordSpan(piece_start + int(kept[0]), piece_start + int(kept[-1]) + 1, label, peak))
    return sorted(found, key=lambda span: (span.first, span.end, span.label))


def _runs(high: np.ndarray, gap: int) -> Iterator[tuple[int, int]]:
    """Half-open ranges of the words that are ``high``, bool ``(W,)``, with gaps of at most ``gap`` words closed."""
    at = np.flatnonzero(high)
    breaks = np.flatnonzero(np.diff(at) > gap + 1)
    firsts, lasts = at[np.append(0, breaks + 1)], at[np.append(breaks, len(at) - 1)]
    yield from zip(firsts.tolist(), (lasts + 1).tolist(), strict=True)


def _divided(first: int, end: int, starts: np.ndarray, split: float) -> Iterator[tuple[int, int]]:
    """The pieces of the run ``first:end``, divided at peaks of ``starts``, float ``(end - first,)``."""
    before, after = np.append(-1.0, starts[:-1]), np.append(starts[1:], -1.0)
    peaks = np.flatnonzero((starts >= split) & (starts > before) & (starts >= after))
    borders = [0, *peaks[peaks > 0].tolist(), end - first]
    for left, right in pairwise(borders):
        yield first + left, first + right
