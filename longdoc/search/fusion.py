"""Several rankings → one, by reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""

from __future__ import annotations

RANK_CONSTANT = 60
"""Of reciprocal rank fusion: how little the first ranks count more than the next ones."""


def fused(*lists: list[int]) -> dict[int, float]:
    """Row → the sum of its reciprocal ranks in several lists, each with ``RANK_CONSTANT`` added.

    >>> {row: round(score, 4) for row, score in fused([7, 3], [3]).items()}
    {7: 0.0164, 3: 0.0325}
    """
    scores: dict[int, float] = {}
    for rows in lists:
        for rank, row in enumerate(rows, 1):
            scores[row] = scores.get(row, 0.0) + 1 / (RANK_CONSTANT + rank)
    return scores
