"""Two rankings → one, and the query that both are for."""

from __future__ import annotations

from longdoc.arguments import check_type
from longdoc.errors import ConfigError

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


def check_query(query: object) -> None:
    """Checks that a query is a text with words, of characters that a model can read.

    Raises:
        ConfigError: it is not.
    """
    check_type("query", query, "a text", str)
    if not str(query).strip():
        raise ConfigError("the query is empty; give some words, such as 'assignment without consent'")
    try:
        str(query).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"the query has {str(query)[error.start]!a}, which is no character; leave it out") from error
