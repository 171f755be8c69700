"""Whether a score of 0.8 is right four times in five."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True, slots=True)
class Reliability:
    """Findings by their score, in bins of equal width from 0 to 1; adds.

    ``counts``, ``scores`` and ``right``: number, sum of scores and number of right ones in each bin.
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
        """Mean distance of a bin's mean score and its share of right ones (Guo et al., 2017, arXiv:1706.04599)."""
        gaps = sum(abs(score - right) for score, right in zip(self.scores, self.right, strict=True))
        return gaps / sum(self.counts) if sum(self.counts) else 0.0

    @property
    def rows(self) -> list[tuple[float, float, int]]:
        """Mean score, share of right ones and number of findings of each bin that has some: a reliability plot."""
        bins = zip(self.counts, self.scores, self.right, strict=True)
        return [(score / count, right / count, count) for count, score, right in bins if count]


def reliability(scores: Sequence[float] | np.ndarray, right: Sequence[bool] | np.ndarray) -> Reliability:
    """The bins of findings with these scores, 0..1.

    >>> round(reliability([0.9, 0.9, 0.2], [True, False, False]).expected_calibration_error, 3)
    0.333
    """
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"scores must lie in 0..1; got {values.min()} to {values.max()}")
    place = np.minimum((values * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums, found = np.bincount(place, values, BINS), np.bincount(place, hits, BINS)
    return Reliability(tuple(counts.tolist()), tuple(sums.tolist()), tuple(map(int, found.tolist())))
