"""Calibration: whether findings with a score of 0.8 are correct 80 percent of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longdoc.metrics.counts import ratio

BINS = 15


@dataclass(frozen=True, slots=True)
class Reliability:
    """Findings in 15 bins of equal width by score, 0 to 1; add with ``+``.

    ``counts``, ``scores`` and ``right`` are the number, the sum of the scores and the number of correct findings of
    each bin.
    """

    counts: tuple[int, ...] = (0,) * BINS
    scores: tuple[float, ...] = (0.0,) * BINS
    right: tuple[int, ...] = (0,) * BINS

    def __add__(self, other: Reliability) -> Reliability:
        pairs = [zip(getattr(self, n), getattr(other, n), strict=True) for n in ("counts", "scores", "right")]
        counts, scores, right = (tuple(a + b for a, b in pair) for pair in pairs)
        return Reliability(counts, scores, right)

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance between the mean score and the accuracy of a bin (Guo et al., 2017, arXiv:1706.04599)."""
        gaps = sum(abs(score - right) for score, right in zip(self.scores, self.right, strict=True))
        return ratio(gaps, sum(self.counts))

    @property
    def rows(self) -> list[tuple[float, float, int]]:
        """Mean score, accuracy and number of findings of each non-empty bin, for a reliability diagram."""
        bins = zip(self.counts, self.scores, self.right, strict=True)
        return [(score / count, right / count, count) for count, score, right in bins if count]


def reliability(scores: Sequence[float] | NDArray[Any], right: Sequence[bool] | NDArray[np.bool_]) -> Reliability:
    """Sorts findings into bins.

    >>> round(reliability([0.9, 0.9, 0.2], [True, False, False]).expected_calibration_error, 3)
    0.333

    Args:
        scores: shape ``(N,)``: scores of N findings, 0 to 1.
        right: shape ``(N,)``: whether each finding is correct.
    """
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"scores must be between 0 and 1; got {values.min()} to {values.max()}")
    bins = np.minimum((values * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums, found = np.bincount(bins, values, BINS), np.bincount(bins, hits, BINS)
    return Reliability(tuple(counts.tolist()), tuple(sums.tolist()), tuple(map(int, found.tolist())))
