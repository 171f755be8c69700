"""Which pairs of texts may say the same in other words: those whose vectors point the same way."""

from __future__ import annotations

import numpy as np

NEAREST = 20
"""Of each text at most so many pairs, those with the highest cosines."""
_ROWS = 256


def close_pairs(vectors: np.ndarray, min_cosine: float) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of vectors with at least this cosine, of each vector the ``NEAREST``; all pairs are looked at.

    Args:
        vectors: float32 ``(N, D)``, of length 1.
        min_cosine: from 0 to 1.

    Returns:
        The pairs, int64 ``(M, 2)``, ascending, the smaller number first; and their cosines, float32 ``(M,)``.
    """
    n = len(vectors)
    found: dict[int, float] = {}
    for first in range(0, n, _ROWS):
        block = vectors[first : first + _ROWS] @ vectors.T
        rows = np.arange(len(block))
        block[rows, first + rows] = -1.0
        if n > NEAREST:
            least = np.partition(block, n - NEAREST, axis=1)[:, n - NEAREST, None]
            block[block < least] = -1.0
        for row, column in np.argwhere(block >= min_cosine).tolist():
            low, high = sorted((first + row, column))
            found[low * n + high] = float(block[row, column])
    codes = np.array(sorted(found), np.int64)
    cosines = np.array([found[code] for code in codes.tolist()], np.float32)
    return np.stack(np.divmod(codes, max(n, 1)), axis=1), cosines
