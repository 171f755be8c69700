"""Columns of prose on a page: detection, and the order of segments that the page writes out of order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.pdf.segments import BODY, FOOT, FOOTNOTES, MOST_SEGMENTS, Segments

_FEWEST_LINES = 8  # of a column; with fewer, rows of a form or a signature block look the same
_FOOTNOTE_MARKS = np.array([ord(mark) for mark in "0123456789*†‡§¹²³[("], np.uint32)


def column_order(segments: Segments) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Puts the columns of a page in reading order.

    Args:
        segments: the segments of the body of the page.

    Returns:
        For each segment its part of the page, and its rank among all segments; both of shape ``(S,)``, int64. None if
        the page has no columns, or has them in the correct order.
    """
    if not 2 * _FEWEST_LINES <= len(segments.first) <= MOST_SEGMENTS:
        return None
    height = float(np.median(segments.size[:, 1]))
    if (np.diff(segments.box[:, 3]) > 0.3 * height).all():  # each line is below the one before
        return None
    set_off = _is_set_off(segments.box, height)
    gutters = _gutters(segments.box[~set_off], height)
    for chosen in (gutters, gutters[:1]):
        column = np.where(set_off, -1, _columns(segments.box, chosen))
        if chosen and _is_prose(segments, column, len(chosen) + 1) and _is_disordered(column, len(chosen) + 1):
            return _part_and_rank(segments, column, height)
    return None


def _is_set_off(box: NDArray[np.float32], height: float) -> NDArray[np.bool_]:
    """Which segments are in a topmost or lowest line set off from the rest, as running headers are; shape ``(S,)``.

    Args:
        box: boxes of the segments; shape ``(S, 4)``.
        height: usual height of a glyph, in points.
    """
    top, bottom = box[:, 1] <= box[:, 1].min() + 0.5 * height, box[:, 3] >= box[:, 3].max() - 0.5 * height
    set_off = np.zeros(len(box), bool)
    if not top.all() and box[~top, 1].min() > box[top, 3].max() + 0.3 * height:
        set_off |= top
    if not bottom.all() and box[~bottom, 3].max() < box[bottom, 1].min() - 0.3 * height:
        set_off |= bottom
    return set_off


def _gutters(box: NDArray[np.float32], height: float) -> list[float]:
    """Finds up to two gutters between columns, the clearest first; x of each in points.

    A gutter is where the most segments end to the left while the next one on their line starts to the right.

    Args:
        box: boxes of the segments; shape ``(S, 4)``.
        height: usual height of a glyph, in points.
    """
    x0, y0, x1, y1 = box.T
    level = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0) > 0.4 * height
    following = np.where(level & (x0 >= x1[:, None] - 1), x0, np.inf).min(axis=1, initial=np.inf)
    left, right = x1[np.isfinite(following)], following[np.isfinite(following)]
    found: list[float] = []
    while len(found) < 2 and len(left) >= _FEWEST_LINES:
        candidates = np.linspace(left.min(), right.max(), 400)
        count = ((left <= candidates[:, None]) & (right >= candidates[:, None])).sum(axis=1)
        best = candidates[count == count.max(initial=0)]
        if count.max(initial=0) < _FEWEST_LINES:
            break
        gutter = float(best[len(best) // 2])
        found.append(gutter)
        elsewhere = (left > gutter) | (right < gutter)
        left, right = left[elsewhere], right[elsewhere]
    return found


def _columns(box: NDArray[np.float32], gutters: list[float]) -> NDArray[np.int64]:
    """The column of each segment, from 0, or -1 across a gutter; shape ``(S,)``.

    Args:
        box: boxes of the segments; shape ``(S, 4)``.
        gutters: x of each gutter in points.
    """
    low, high = (np.searchsorted(np.sort(gutters), x) for x in (box[:, 0] + 1, box[:, 2] - 1))
    return np.where(low == high, low, -1)


def _is_prose(segments: Segments, column: NDArray[np.int64], n_columns: int) -> bool:
    """Whether columns are long, mostly filled, and similar or full of lines that continue a sentence.

    The columns of a form or a table of contents are not.

    Args:
        segments: the ``S`` segments.
        column: column of each segment, -1 across a gutter; shape ``(S,)``.
        n_columns: the number of columns.
    """
    boxes = [segments.box[column == i] for i in range(n_columns)]
    if min(map(len, boxes)) < _FEWEST_LINES:
        return False
    low = np.array([np.quantile(box[:, 0], 0.1) for box in boxes])
    high = np.array([np.quantile(box[:, 2], 0.9) for box in boxes])
    filled = np.array([np.median(box[:, 2] - box[:, 0]) for box in boxes]) / (high - low)
    full = filled.min() > 0.7 and float(np.max(low[1:] - high[:-1])) < 0.5 * float(np.min(high - low))
    alike = np.min(high - low) > 0.6 * np.max(high - low)
    lower = (segments.code >= ord("a")) & (segments.code <= ord("z"))
    continues = min(lower[column == i].mean() for i in range(n_columns)) > 0.3
    return bool(full and (alike or (continues and np.min(high - low) > 6 * np.median(segments.size[:, 1]))))


def _is_disordered(column: NDArray[np.int64], n_columns: int) -> bool:
    """Whether the page keeps changing between columns, or writes one before the one to its left.

    Args:
        column: column of each segment, -1 across a gutter; shape ``(S,)``.
        n_columns: the number of columns.
    """
    inside = column[column >= 0]
    fewest = np.bincount(inside, minlength=n_columns).min()
    usual = [float(np.median(np.flatnonzero(column == i))) for i in range(n_columns)]
    return bool((np.diff(inside) != 0).sum() > fewest or (np.diff(usual) < 0).any())


def _part_and_rank(
    segments: Segments, column: NDArray[np.int64], height: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part and rank of each segment: everything above a line across columns is read before it.

    Args:
        segments: the ``S`` segments.
        column: column of each segment, -1 across the gutters; shape ``(S,)``.
        height: usual height of a glyph, in points.

    Returns:
        Two arrays of shape ``(S,)``.
    """
    y = segments.box[:, [1, 3]].mean(axis=1)
    across = column < 0
    band = np.searchsorted(np.sort(y[across]) + 0.2 * height, y)
    part = np.full(len(y), BODY)
    for i in range(column.max() + 1):
        part[_footnotes(segments, np.flatnonzero((column == i) & (band == band[column >= 0].max())))] = FOOTNOTES
    part[across & (y > y[~across].max())] = FOOT
    # A column may be written in pieces: each piece stays whole, and the pieces are read from top to bottom.
    top = y.copy()
    for i in range(column.max() + 1):
        of_column = np.flatnonzero(column == i)
        piece = np.cumsum(np.diff(y[of_column], prepend=y[of_column[:1]]) < -height)
        top[of_column] = y[of_column][np.searchsorted(piece, piece)]
    rank = np.empty(len(y), np.int64)
    rank[np.lexsort((np.arange(len(y)), top, column, across, band))] = np.arange(len(y))
    return part, rank


def _footnotes(segments: Segments, column: NDArray[np.int64]) -> NDArray[np.int64]:
    """The segments of a column that are small, below all others and start with the mark of a footnote.

    Args:
        segments: the segments of the page.
        column: indices of the column's segments; shape ``(K,)``.

    Returns:
        Indices of the footnotes; shape ``(M,)``.
    """
    if not len(column):
        return column
    down = column[np.argsort(segments.box[column, 3], kind="stable")]
    small = segments.size[down, 1] < 0.92 * np.median(segments.size[down, 1])
    notes = down[np.flatnonzero(np.append(True, ~small))[-1] :]
    return notes if len(notes) and segments.code[notes[0]] in _FOOTNOTE_MARKS else notes[:0]
