"""The vectors of all passages in one file of float16, which is mapped into memory and searched exactly.

Dimensions: ``N`` passages, ``D`` width, ``K`` results.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from longdoc.errors import SearchError, require

_BLOCK = 1 << 16
"""Vectors that are compared at a time."""


def map_vectors(path: Path, count: int, width: int) -> np.ndarray:
    """The vectors of a file, float16 ``(N, D)``, mapped into memory; a longer file is being added to.

    Raises:
        SearchError: the file is missing or too short.
    """
    size = path.stat().st_size if path.exists() else 0
    if size < count * width * 2:
        raise SearchError(
            f"{path}: is damaged: {size:,} bytes, where {count:,} vectors of {width} should be; make it anew with "
            "`longdoc index`, by the command that made the index"
        )
    if not count:
        return np.zeros((0, width), dtype=np.float16)
    return np.memmap(path, dtype="<f2", mode="r", shape=(count, width))


def nearest(
    vectors: np.ndarray, query: np.ndarray, top_k: int, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The vectors with the largest products with a query, exactly, the largest first; of equal ones the first row.

    Args:
        vectors: float16 ``(N, D)``.
        query: float32 ``(D,)``.
        top_k: how many at most.
        rows: the rows to compare, ascending, int64; all by default.

    Returns:
        Rows, int64 ``(K,)``, and products, float32 ``(K,)``.
    """
    numkong = require("numkong", extra="search", needed_by="a search by vectors")
    # float16 has 11 bits: a number of float32 is the sum of two, to 22 bits.
    high = query.astype(np.float16)
    halves = np.stack([high, (query - high).astype(np.float16)])
    n = len(vectors) if rows is None else len(rows)
    best, scores = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    for start in range(0, n, _BLOCK):
        own = np.arange(start, min(start + _BLOCK, n)) if rows is None else rows[start : start + _BLOCK]
        block = np.ascontiguousarray(vectors[start : start + len(own)] if rows is None else vectors[own])
        found = np.asarray(numkong.cdist(halves, block, "dot")).sum(axis=0).astype(np.float32)
        best, scores = _largest(np.concatenate([best, own]), np.concatenate([scores, found]), top_k)
    return best, scores


def _largest(rows: np.ndarray, scores: np.ndarray, top_k: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows with the largest scores, the largest first; of equal ones the first."""
    if len(scores) > top_k:
        least = np.partition(scores, -top_k)[-top_k]
        kept = np.flatnonzero(scores >= least)
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:top_k]
    return rows[order], scores[order]
