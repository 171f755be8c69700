"""Lines that a writer put on the page after others that stand below them, in the order of the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.text import BLOCK, LINE, SPACE, Glyphs

_MARKER = 4.0  # heights of a line: how wide the number or bullet in front of a line may be
_MOST_JUMPS = 200  # a page that jumps more often is a form or a drawing


def top_down(glyphs: Glyphs) -> Glyphs:
    """The lines of a page from top to bottom, where some were written later than lines below them.

    Some writers put lists, or the numbers of clauses, after everything else on the page. A page on which lines written
    apart stand side by side, such as columns, a form or a signature block, keeps its own order, unless the left one is
    the number or bullet of the right one.
    """
    n = len(glyphs.codes)
    first = _stretches(glyphs)
    if len(first) < 2 or (glyphs.breaks == BLOCK).any():  # parts that were set apart on purpose stay apart
        return glyphs
    box = np.hstack([
        np.minimum.reduceat(glyphs.boxes[:, :2], first),
        np.maximum.reduceat(glyphs.boxes[:, 2:], first),
    ])  # fmt: skip
    height = float(np.median(glyphs.boxes[:, 2:] - glyphs.boxes[:, :2], axis=0).max())
    middle = (box[:, 1] + box[:, 3]) / 2
    jumps = np.diff(middle) < -0.5 * height
    if not 0 < jumps.sum() <= _MOST_JUMPS or (box[:, 3] - box[:, 1] > 3 * height).any():
        return glyphs
    piece = np.append(0, np.cumsum(jumps))
    down = np.argsort(middle, kind="stable")
    line = np.empty(len(first), np.int64)
    line[down] = np.cumsum(np.diff(middle[down], prepend=middle[down[0]]) > 0.5 * height)
    if not _can_be_sorted(box, line, piece, height):
        return glyphs
    order = np.lexsort((np.arange(len(first)), box[:, 0], line))
    sizes = np.diff(np.append(first, n))[order]
    starts = np.cumsum(sizes) - sizes
    sorted_glyphs = glyphs.take(np.repeat(first[order] - starts, sizes) + np.arange(n))
    least = np.where(np.diff(line[order], prepend=-1) != 0, LINE, SPACE)
    moved = np.diff(order, prepend=-1) != 1
    sorted_glyphs.breaks[starts[moved]] = least[moved]
    return sorted_glyphs


def _stretches(glyphs: Glyphs) -> NDArray[np.int64]:
    """Index of the first glyph of each stretch of a line without a wide gap."""
    x0, y0, x1, y1 = glyphs.boxes.T
    wide = np.append(True, np.abs(x0[1:] - x1[:-1]) > 1.2 * np.maximum(y1 - y0, x1 - x0)[1:])[: len(x0)]
    return np.flatnonzero(wide | (glyphs.breaks >= LINE))


def _can_be_sorted(box: NDArray[np.float32], line: NDArray[np.int64], piece: NDArray[np.int64], height: float) -> bool:
    """Whether stretches of one line that were written apart are a marker and what it marks, everywhere."""
    order = np.lexsort((box[:, 0], line))
    left, right = order[:-1], order[1:]
    apart = (line[left] == line[right]) & (piece[left] != piece[right])
    leftmost = np.append(True, line[left] != line[right])[:-1]
    marker = leftmost & (box[left, 2] - box[left, 0] < _MARKER * height) & (box[left, 2] <= box[right, 0] + 1)
    return not (apart & ~marker).any()
