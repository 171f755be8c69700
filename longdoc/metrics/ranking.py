"""Retrieval metrics: the ranks of the relevant passages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.metrics.counts import add_fields, ratio


@dataclass(frozen=True, slots=True)
class RankingSums:
    """Sums over queries; add with ``+``.

    >>> (ranking_sums([0, 1, 0], 1) + ranking_sums([1], 1)).mrr
    0.75
    """

    gain: float = 0.0
    reciprocal_rank: float = 0.0
    queries: int = 0

    def __add__(self, other: RankingSums) -> RankingSums:
        return add_fields(self, other)

    @property
    def ndcg(self) -> float:
        """Mean normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002), linear in the relevance."""
        return ratio(self.gain, self.queries)

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank of the first relevant passage, which is 0 if none is found."""
        return ratio(self.reciprocal_rank, self.queries)


def ranking_sums(
    ranked: Sequence[float], n_relevant: int | None = None, *, ideal: Sequence[float] | None = None, k: int = 10
) -> RankingSums:
    """The sums of one query.

    Args:
        ranked: relevance of the retrieved passages, in the order of the ranking.
        n_relevant: the number of passages of relevance 1 in the collection, if relevance is binary.
        ideal: otherwise, the relevance of all passages in the collection.
        k: the cut-off rank.
    """
    best = sorted(ideal if ideal is not None else [1.0] * (n_relevant or 0), reverse=True)
    possible = _discounted(best[:k])
    gain = ratio(_discounted(ranked[:k]), possible)
    first = next((rank for rank, relevance in enumerate(ranked[:k], 1) if relevance > 0), None)
    return RankingSums(gain, 1 / first if first else 0.0, 1)


def _discounted(relevance: Sequence[float]) -> float:
    return math.fsum(value / math.log2(rank + 1) for rank, value in enumerate(relevance, 1))
