"""Lines that were written after others below them: moved to where they are on the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import BLOCK, LINE, SPACE, Glyphs, is_blank, split_segments

_WIDE = 1.2  # heights or widths of a glyph
_JUMP = 0.75  # heights of a line: cells centred beside one another are drawn half a line further up
_WIDEST_MARKER = 4.0  # heights of a line: the number or bullet before a line
_MOST_JUMPS = 200  # a page that jumps back up more often is a form or a drawing


def top_down(glyphs: Glyphs) -> Glyphs:
    """Sorts the lines of a page from top to bottom if some were written later than lines below them.

    Some writers put lists, or the numbers of clauses, after everything else on the page. A page keeps its own order if
    segments that were written separately are side by side, as in columns, a form or a signature block, unless the left
    one is the number or bullet of the right one.
    """
    x0, y0, x1, y1 = glyphs.boxes.T
    first, box = split_segments(glyphs, np.abs(x0[1:] - x1[:-1]) > _WIDE * np.maximum(y1 - y0, x1 - x0)[1:])
    if len(first) < 2 or (glyphs.breaks == BLOCK).any():  # reading_order has arranged the page already
        return glyphs
    height = float(np.maximum(np.median(x1 - x0), np.median(y1 - y0)))
    middle = (box[:, 1] + box[:, 3]) / 2
    jumps = np.diff(middle) < -_JUMP * height
    if not 0 < jumps.sum() <= _MOST_JUMPS or (box[:, 3] - box[:, 1] > 3 * height).any():
        return glyphs
    piece = np.append(0, np.cumsum(jumps))
    down = np.argsort(middle, kind="stable")
    line = np.empty(len(first), np.int64)
    line[down] = np.cumsum(np.diff(middle[down], prepend=middle[down[0]]) > 0.5 * height)
    seen = np.add.reduceat(~is_blank(glyphs.codes), first, dtype=np.int64) > 0
    if not _can_be_sorted(box[seen], line[seen], piece[seen], height):
        return glyphs
    order = np.lexsort((np.arange(len(first)), box[:, 0], line))
    sorted_glyphs, starts = glyphs.reorder(first, order)
    breaks = np.where(np.diff(line[order], prepend=-1) != 0, LINE, SPACE)
    moved = np.diff(order, prepend=-1) != 1
    sorted_glyphs.breaks[starts[moved]] = breaks[moved]
    return sorted_glyphs


def _can_be_sorted(box: NDArray[np.float32], line: NDArray[np.int64], piece: NDArray[np.int64], height: float) -> bool:
    """Whether neighbours on a line that were written separately are always a number or bullet and its text.

    Args:
        box: boxes of the segments; shape ``(S, 4)``.
        line: index of the line of each segment, from the top; shape ``(S,)``.
        piece: index of the run of segments that was written without jumping up the page; shape ``(S,)``.
        height: usual height of a glyph, in points.
    """
    order = np.lexsort((box[:, 0], line))
    left, right = order[:-1], order[1:]
    separate = (line[left] == line[right]) & (piece[left] != piece[right])
    leftmost = np.append(True, line[left] != line[right])[:-1]
    marker = leftmost & (box[left, 2] - box[left, 0] < _WIDEST_MARKER * height) & (box[left, 2] <= box[right, 0] + 1)
    return not (separate & ~marker).any()
