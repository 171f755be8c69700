"""Shares of two groups on the same texts: their difference, its confidence interval, and whether it is clear.

A group's value is a ratio, such as names found of all names, summed over texts. The interval comes from the bootstrap:
texts are drawn again with replacement, the same ones for both groups, since each text has a variant for each. With many
groups some differences look large by chance: :func:`holm` says which are clear among all that were looked at.

Dimensions: ``N`` texts, ``G`` groups, ``R`` resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
_AT_ONCE = 50
"""Resamples of which the numbers of all texts are in memory."""
LEAST = 50
"""Texts below which nothing is said of a group: the interval would rest on few sentences."""
CLEAR = 0.05
"""A difference is clear if its p-value, adjusted for all comparisons, is below this."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The value of a group, less that of the first one."""

    value: float
    gap: float
    low: float
    high: float
    """The interval that holds 95 % of the resampled gaps."""
    p: float
    """How likely as large a gap would be by chance, if there were none; not adjusted for other comparisons."""


def differences(hits: NDArray[np.float64], weights: NDArray[np.float64], seed: int) -> list[Difference]:
    """Compares groups with the first one, on the same texts.

    Args:
        hits: shape ``(G, N)``: for instance the number of names found in each text.
        weights: shape ``(N,)``, positive: for instance the number of names in each text.
        seed: of the resampling.

    Returns:
        ``G`` differences; that of the first group is zero.
    """
    n_texts = len(weights)
    random, even = np.random.default_rng(seed), np.full(n_texts, 1 / n_texts)
    blocks = []
    for first in range(0, RESAMPLES, _AT_ONCE):
        counts = random.multinomial(n_texts, even, size=min(_AT_ONCE, RESAMPLES - first)).astype(np.float64)
        blocks.append((counts @ hits.T) / (counts @ weights)[:, None])
    values = hits.sum(axis=1) / weights.sum()
    resampled = np.concatenate(blocks)  # (R, G)
    gaps = resampled - resampled[:, :1]
    found = []
    for value, own in zip(values.tolist(), gaps.T, strict=True):
        gap = value - float(values[0])
        low, high = np.quantile(own, (0.025, 0.975)).tolist()
        found.append(Difference(value, gap, low, high, p_value(gap, float(own.std(ddof=1)))))
    return found


def p_value(gap: float, error: float) -> float:
    """How likely a gap of this size or more is by chance, given its standard error; by the normal distribution.

    >>> round(p_value(0.196, 0.1), 3)
    0.05
    """
    if error < 1e-12:
        return 1.0 if abs(gap) < 1e-12 else 0.0
    return math.erfc(abs(gap) / error / math.sqrt(2))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number (Holm, 1979): one below 0.05 is clear among all of them.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted
