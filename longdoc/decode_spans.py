"""Scores of a whole document → labelled spans that may be long and overlap, such as clauses.

Dimensions: ``W`` words, ``L`` labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from longdoc.errors import ConfigError

_NEAR = 2  # words


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRule:
    """How spans are cut from probabilities: runs of likely words, and of each run the range that overlaps best."""

    floor: float = 0.05
    """A run has words at or above this probability."""
    gap: int = 1
    """Runs that are at most this many words apart are one."""
    split: float = 0.5
    """A run is divided where the probability that a span starts has a peak at or above this."""
    sentence_split: float = 0.02
    """A run is also divided at a sentence where a word beside its start has this probability to start a span."""

    def __post_init__(self) -> None:
        for name in ("floor", "split", "sentence_split"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be above 0 and at most 1; got {getattr(self, name)}")
        if self.gap < 0:
            raise ConfigError(f"gap must be at least 0; got {self.gap}")


@dataclass(frozen=True, slots=True)
class WordSpan:
    """Words ``first`` to ``end``, half-open, of a label.

    ``score`` is the highest probability in it, times the Jaccard overlap with the true span that is expected if there
    is one.
    """

    first: int
    end: int
    label: int
    score: float


def decode_spans(inside: np.ndarray, starts: np.ndarray, sentences: np.ndarray, rule: SpanRule) -> list[WordSpan]:
    """Decodes the spans of a document, in the order of the text; those of one label do not overlap.

    A span that would start one or two words after the start of a sentence starts with the sentence.

    Args:
        inside: the probability that a word is in a span of a label, float ``(W, L)``.
        starts: the probability that it is the first word of one, float ``(W, L)``.
        sentences: whether it is the first word of a sentence, bool ``(W,)``.
        rule: how spans are cut.
    """
    found: list[WordSpan] = []
    for label in np.flatnonzero((inside >= rule.floor).any(axis=0)).tolist():
        column, taken = inside[:, label], 0
        for first, end in _runs(column >= rule.floor, rule.gap):
            for piece_start, piece_end in _divided(first, starts[first:end, label], sentences[first:end], rule):
                piece = column[piece_start:piece_end]
                peak = float(piece.max())
                if peak >= rule.floor:
                    left, right, overlap = best_range(piece / peak)
                    start, taken = _at_sentence(piece_start + left, sentences, taken), piece_start + right
                    found.append(WordSpan(start, taken, label, peak * overlap))
    return sorted(found, key=lambda span: (span.first, span.end, span.label))


def _at_sentence(first: int, sentences: np.ndarray, taken: int) -> int:
    """The start of the sentence, if it is close before the first word of a span; not before the word ``taken``."""
    near = range(first, max(first - _NEAR, taken) - 1, -1)
    return next((word for word in near if sentences[word]), first)


def best_range(shares: np.ndarray) -> tuple[int, int, float]:
    """The range with the highest expected Jaccard overlap with a span of which each word is part so probably.

    The overlap of a range is the sum of its shares, divided by its length and the sum of the shares outside. It is at
    least ``t`` where the sum of ``(1 + t) * share - t`` is at least ``t`` times the sum of all shares: the range with
    the largest such sum has a higher overlap, until ``t`` is the highest (Dinkelbach, 1967).

    Args:
        shares: float ``(N,)``, with at least one above 0.

    Returns:
        First word, one past the last, and the overlap.
    """
    total = float(shares.sum())
    left, right, overlap = 0, len(shares), total / len(shares)
    while True:
        sums = np.append(0.0, np.cumsum((1 + overlap) * shares - overlap))
        end = int((sums[1:] - np.minimum.accumulate(sums)[:-1]).argmax()) + 1
        first = int(sums[:end].argmin())
        within = float(shares[first:end].sum())
        better = within / (end - first + total - within)
        if better <= overlap:
            return left, right, overlap
        left, right, overlap = first, end, better


def _runs(high: np.ndarray, gap: int) -> Iterator[tuple[int, int]]:
    """Half-open ranges of the words that are ``high``, bool ``(W,)``, with gaps of at most ``gap`` words closed."""
    at = np.flatnonzero(high)
    breaks = np.flatnonzero(np.diff(at) > gap + 1)
    firsts, lasts = at[np.append(0, breaks + 1)], at[np.append(breaks, len(at) - 1)]
    yield from zip(firsts.tolist(), (lasts + 1).tolist(), strict=True)


def _divided(first: int, starts: np.ndarray, sentences: np.ndarray, rule: SpanRule) -> Iterator[tuple[int, int]]:
    """The pieces of the run of ``N`` words from ``first``: ``starts`` is float, ``sentences`` bool ``(N,)``."""
    before, after = np.append(-1.0, starts[:-1]), np.append(starts[1:], -1.0)
    at_sentences = sentences & (np.maximum(starts, np.maximum(before, after)) >= rule.sentence_split)
    peaks = (starts >= rule.split) & (starts > before) & (starts >= after)
    for shift in range(1, _NEAR + 1):  # a peak beside the start of a sentence means that start
        peaks[shift:] &= ~at_sentences[:-shift]
        peaks[:-shift] &= ~at_sentences[shift:]
    borders = np.flatnonzero(at_sentences | peaks)
    yield from pairwise([first, *(first + borders[borders > 0]).tolist(), first + len(starts)])
