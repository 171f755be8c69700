"""The glyphs of a page after which the text of its fields and annotations is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import LINE, SPACE


def anchors(boxes: NDArray[np.float32], drawn: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The glyph after which each of several drawn glyphs is read: its left neighbour, or else one of the line above.

    Time is near linear in the number of glyphs.

    Args:
        boxes: boxes of the page's own glyphs; shape ``(N, 4)``, N > 0.
        drawn: boxes of the drawn glyphs; shape ``(R, 4)``.

    Returns:
        The positions of the glyphs, -1 for before all others, and the breaks before the drawn ones, SPACE or LINE; each
        of shape ``(R,)``.
    """
    left = _left_neighbours(boxes, drawn)
    above = _last_above(boxes[:, 3], drawn)
    return np.where(left >= 0, left, above), np.where(left >= 0, SPACE, LINE)


def _left_neighbours(boxes: NDArray[np.float32], drawn: NDArray[np.float32]) -> NDArray[np.int64]:
    """The glyph that ends last of those on the line that end before each drawn one, the first of equals; -1 for none.

    A sweep down the page: the glyphs at the height of a drawn one are in ``beside``, by rank of where they end.
    """
    _, top, right, bottom = boxes.T
    middle = (drawn[:, 1] + drawn[:, 3]) / 2
    by_end = np.lexsort((-np.arange(len(boxes)), right))
    rank = np.empty(len(boxes), np.int64)
    rank[by_end] = np.arange(len(boxes))
    ended = np.searchsorted(right[by_end], drawn[:, 0] + 1, side="right")
    tall = np.flatnonzero(top <= bottom)
    starting = tall[np.argsort(top[tall], kind="stable")]
    ending = tall[np.argsort(bottom[tall], kind="stable")]
    started = np.searchsorted(top[starting], middle, side="right").tolist()
    gone = np.searchsorted(bottom[ending], middle, side="left").tolist()
    starting_ranks, ending_ranks = rank[starting].tolist(), rank[ending].tolist()
    found = np.full(len(drawn), -1, np.int64)
    beside, n_started, n_gone = _Ranks(len(boxes)), 0, 0
    for run in np.argsort(middle, kind="stable").tolist():
        while n_started < started[run]:
            beside.count(starting_ranks[n_started], 1)
            n_started += 1
        while n_gone < gone[run]:
            beside.count(ending_ranks[n_gone], -1)
            n_gone += 1
        last = beside.last_before(int(ended[run]))
        found[run] = by_end[last] if last >= 0 else -1
    return found


def _last_above(bottom: NDArray[np.float32], drawn: NDArray[np.float32]) -> NDArray[np.int64]:
    """The last glyph of the lowest line above the middle of each drawn one; -1 for none."""
    middle, half = (drawn[:, 1] + drawn[:, 3]) / 2, (drawn[:, 3] - drawn[:, 1]) / 2
    order = np.argsort(bottom, kind="stable")
    n_above = np.searchsorted(bottom[order], middle, side="right")
    lowest = bottom[order[np.maximum(n_above - 1, 0)]]
    first = np.minimum(np.searchsorted(bottom[order], lowest - half, side="right"), n_above - 1)
    last = [order]  # of 1, 2, 4 ... glyphs of ``order`` from each on, the last on the page
    while 2 ** len(last) <= len(order):
        width = 2 ** (len(last) - 1)
        last.append(np.maximum(last[-1][:-width], last[-1][width:]))
    found = np.full(len(drawn), -1, np.int64)
    for run in np.flatnonzero(n_above):
        level = int(n_above[run] - first[run]).bit_length() - 1
        found[run] = max(last[level][first[run]], last[level][n_above[run] - 2**level])
    return found


class _Ranks:
    """A set of numbers below N as a Fenwick tree: changes and look-ups take logarithmic time."""

    def __init__(self, size: int) -> None:
        self._counts = [0] * (size + 1)

    def count(self, number: int, change: int) -> None:
        """Adds a number (1) or removes it (-1)."""
        at = number + 1
        while at < len(self._counts):
            self._counts[at] += change
            at += at & -at

    def last_before(self, limit: int) -> int:
        """The highest number below a limit; -1 if there is none."""
        wanted, at = 0, limit
        while at:
            wanted += self._counts[at]
            at -= at & -at
        if not wanted:
            return -1
        at, step = 0, 1 << (len(self._counts) - 1).bit_length()
        while step:
            if at + step < len(self._counts) and self._counts[at + step] < wanted:
                at += step
                wanted -= self._counts[at]
            step >>= 1
        return at
