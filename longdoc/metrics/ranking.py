"""Retrieval: how high the relevant passages stand in a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RankingSums:
    """Sums over queries; adds.

    >>> (ranking_sums([0, 1, 0], 1) + ranking_sums([1], 1)).mrr
    0.75
    """

    gain: float = 0.0
    reciprocal_rank: float = 0.0
    queries: int = 0

    def __add__(self, other: RankingSums) -> RankingSums:
        return RankingSums(
            self.gain + other.gain,
            self.reciprocal_rank + other.reciprocal_rank,
            self.queries + other.queries,
        )

    @property
    def ndcg(self) -> float:
        """Mean normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002), linear in the relevance."""
        return self.gain / self.queries if self.queries else 0.0

    @property
    def mrr(self) -> float:
        """Mean of one over the rank of the first relevant passage, 0 where none is found."""
        return self.reciprocal_rank / self.queries if self.queries else 0.0


def ranking_sums(
    ranked: Sequence[float], n_relevant: int | None = None, *, ideal: Sequence[float] | None = None, k: int = 10
) -> RankingSums:
    """The sums of one query.

    Args:
        ranked: relevance of the passages, the best ranked first.
        n_relevant: how many passages of relevance 1 there are, found or not.
        ideal: the relevance of all passages there are, instead.
        k: look no further down.
    """
    best = sorted(ideal if ideal is not None else [1.0] * (n_relevant or 0), reverse=True)
    possible = _discounted(best[:k])
    gain = _discounted(ranked[:k]) / possible if possible else 0.0
    first = next((rank for rank, relevance in enumerate(ranked[:k], 1) if relevance > 0), None)
    return RankingSums(gain, 1 / first if first else 0.0, 1)


def _discounted(relevance: Sequence[float]) -> float:
    return math.fsum(value / math.log2(rank + 1) for rank, value in enumerate(relevance, 1))
