"""Reading order of a page: columns one after the other, then footnotes; line numbers and turned text apart.

A page is cut into segments, stretches of a line without a wide gap. The page's own order of segments is kept where it
is right, which is nearly everywhere: only columns of prose that were clearly written across each other, or from right
to left, are put in order, and blocks that stand wholly above others but were written after them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.text import BLOCK, LINE, Glyphs

_FEWEST_LINES = 8  # per column; with fewer, rows of a form or a signature block look the same
_MOST_SEGMENTS = 600  # of a page to be put in order; they are compared in pairs, and a page with more is a table
_FOOTNOTE_MARKS = np.array([ord(mark) for mark in "0123456789*†‡§¹²³[("], np.uint32)
_NUMBERS, _BODY, _FOOTNOTES, _FOOT, _TURNED = range(5)  # the parts of a page, in their order


@dataclass(frozen=True, slots=True)
class _Segments:
    """Segments in the page's own order, ``S`` of them."""

    first: NDArray[np.int64]
    """Index of the first glyph."""
    box: NDArray[np.float32]
    """Shape ``(S, 4)``."""
    code: NDArray[np.uint32]
    """Of the first glyph."""
    size: NDArray[np.float32]
    """Shape ``(S, 2)``: width and height of the first glyph."""

    def take(self, which: NDArray[np.bool_]) -> _Segments:
        return _Segments(self.first[which], self.box[which], self.code[which], self.size[which])


def order(glyphs: Glyphs) -> Glyphs:
    """The glyphs of a page in reading order, each once.

    Line numbers come first, each a line, footnotes of columns after all columns; BLOCK separates such parts.
    """
    segments = _segments(glyphs)
    n = len(segments.first)
    part, place = np.full(n, _BODY), np.arange(n)
    part[_turned(segments)] = _TURNED
    part[_numbers(glyphs, segments)] = _NUMBERS
    body = part == _BODY
    in_columns = _column_order(segments.take(body))
    if in_columns is not None:
        part[body], place[body] = in_columns
        index = np.lexsort((place, part))
    else:
        index = place.copy()
        index[body] = place[body][_down_the_page(segments.box[body])]
        index = index[np.argsort(part[index] != _NUMBERS, kind="stable")]
    if (part == _BODY).all() and (index == np.arange(n)).all():
        return glyphs
    return _arranged(glyphs, segments.first, index, part)


def line_numbers(glyphs: Glyphs) -> NDArray[np.bool_]:
    """Which glyphs of a page are the numbers of its lines, as in the margin of a transcript; shape ``(n,)``."""
    segments = _segments(glyphs)
    return np.repeat(_numbers(glyphs, segments), _sizes(glyphs, segments.first))


def _segments(glyphs: Glyphs) -> _Segments:
    x0, y0, x1, y1 = glyphs.boxes.T
    wide = np.append(True, x0[1:] - x1[:-1] > 1.2 * (y1 - y0)[1:])[: len(x0)]
    first = np.flatnonzero(wide | (glyphs.breaks >= LINE))
    box = glyphs.boxes[first]
    if len(first):
        box[:, :2] = np.minimum.reduceat(glyphs.boxes[:, :2], first)
        box[:, 2:] = np.maximum.reduceat(glyphs.boxes[:, 2:], first)
    return _Segments(first, box, glyphs.codes[first], (glyphs.boxes[:, 2:] - glyphs.boxes[:, :2])[first])


def _sizes(glyphs: Glyphs, first: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(np.append(first, len(glyphs.codes)))


def _arranged(glyphs: Glyphs, first: NDArray[np.int64], index: NDArray[np.int64], part: NDArray[np.int64]) -> Glyphs:
    """The glyphs with their segments in the order of ``index``, and what now separates them."""
    sizes, part = _sizes(glyphs, first)[index], part[index]
    starts = np.cumsum(sizes) - sizes
    arranged = glyphs.take(np.repeat(first[index] - starts, sizes) + np.arange(len(glyphs.codes)))
    moved, changes = np.diff(index, prepend=-1) != 1, np.diff(part, prepend=part[:1]) != 0
    least = np.where(changes, BLOCK, np.where(moved | (part == _NUMBERS), LINE, 0))
    arranged.breaks[starts] = np.maximum(arranged.breaks[starts], least)
    return arranged


def _turned(segments: _Segments) -> NDArray[np.bool_]:
    """Segments that run up or down the page: much taller than their first glyph, and no wider."""
    width, height = (segments.box[:, 2:] - segments.box[:, :2]).T
    turned: NDArray[np.bool_] = (height > 2.5 * segments.size[:, 1]) & (width < 1.5 * segments.size[:, 0])
    return turned


def _numbers(glyphs: Glyphs, segments: _Segments) -> NDArray[np.bool_]:
    """Segments that number the lines to the right of them, one more each."""
    none = np.zeros(len(segments.first), bool)
    if ((segments.code >= ord("0")) & (segments.code <= ord("9"))).sum() < _FEWEST_LINES:
        return none
    digit = (glyphs.codes >= ord("0")) & (glyphs.codes <= ord("9"))
    strange = ~digit & (glyphs.codes != ord(" "))
    digits, others = (np.add.reduceat(which.astype(int), segments.first) for which in (digit, strange))
    found = np.flatnonzero((digits > 0) & (digits <= 3) & (others == 0))
    if len(found) < _FEWEST_LINES:
        return none
    middle = (segments.box[found, 0] + segments.box[found, 2]) / 2
    margin = np.median(segments.box[found, 2])
    found = found[np.abs(middle - np.median(middle)) < np.median(segments.size[found, 1])]
    found = found[np.argsort(segments.box[found, 1], kind="stable")]
    ends = np.append(segments.first, len(glyphs.codes))
    texts = [glyphs.codes[ends[i] : ends[i + 1]][digit[ends[i] : ends[i + 1]]] for i in found.tolist()]
    values = np.array([int("".join(map(chr, text))) for text in texts])
    rest = np.ones(len(none), bool)
    rest[found] = False
    if len(found) < _FEWEST_LINES or np.mean(np.diff(values) == 1) < 0.9 or not rest.any():
        return none
    return ~rest if np.mean(segments.box[rest, 0] > margin) > 0.95 else none


def _down_the_page(box: NDArray[np.float32]) -> NDArray[np.int64]:
    """The order of segments in which no block of them stands wholly above an earlier one, as a text box drawn first.

    Blocks follow one another in the page's own order too, so that columns beside one another are one block.
    """
    upward = box[1:, 3] < box[:-1, 1]
    if not upward.any() or len(box) > _MOST_SEGMENTS:
        return np.arange(len(box))
    height = float(np.median(box[:, 3] - box[:, 1]))
    runs = np.flatnonzero(np.append(True, upward | (box[1:, 1] > box[:-1, 3] + height)))
    tops, bottoms = np.minimum.reduceat(box[:, 1], runs).tolist(), np.maximum.reduceat(box[:, 3], runs).tolist()
    blocks: list[tuple[float, float, int]] = []  # top, bottom and first segment
    for block in zip(tops, bottoms, runs.tolist(), strict=True):
        blocks.append(block)
        while (first := _beside_last(blocks)) < len(blocks) - 1:
            top, bottom, _ = zip(*blocks[first:], strict=True)
            blocks[first:] = [(min(top), max(bottom), blocks[first][2])]
    ends = [*(start for _, _, start in blocks[1:]), len(box)]
    placed = sorted((*block, end) for block, end in zip(blocks, ends, strict=True))
    return np.concatenate([np.arange(start, end) for _, _, start, end in placed])


def _beside_last(blocks: list[tuple[float, float, int]]) -> int:
    """The first of the blocks that stands beside the last one, which does so itself."""
    last_top, last_bottom, _ = blocks[-1]
    beside = [top < last_bottom and last_top < bottom for top, bottom, _ in blocks[:-1]]
    return [*beside, True].index(True)


def _column_order(segments: _Segments) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Part and place of each segment on a page whose columns are not in order, None on any other page."""
    if not 2 * _FEWEST_LINES <= len(segments.first) <= _MOST_SEGMENTS:
        return None
    height = float(np.median(segments.size[:, 1]))
    if (np.diff(segments.box[:, 3]) > 0.3 * height).all():  # one line under the other
        return None
    alone = _alone(segments.box, height)
    gutters = _gutters(segments.box[~alone], height)
    for chosen in (gutters, gutters[:1]):
        column = np.where(alone, -1, _columns(segments.box, chosen))
        if chosen and _is_prose(segments, column, len(chosen) + 1) and _is_disordered(column, len(chosen) + 1):
            return _places(segments, column, height)
    return None


def _alone(box: NDArray[np.float32], height: float) -> NDArray[np.bool_]:
    """Segments of the topmost and of the lowest line where these stand off from the rest: running headers, footers."""
    top, bottom = box[:, 1] <= box[:, 1].min() + 0.5 * height, box[:, 3] >= box[:, 3].max() - 0.5 * height
    alone = np.zeros(len(box), bool)
    if not top.all() and box[~top, 1].min() > box[top, 3].max() + 0.3 * height:
        alone |= top
    if not bottom.all() and box[~bottom, 3].max() < box[bottom, 1].min() - 0.3 * height:
        alone |= bottom
    return alone


def _gutters(box: NDArray[np.float32], height: float) -> list[float]:
    """Up to two places between columns, the clearest first: where most segments end left and the next starts right."""
    x0, y0, x1, y1 = box.T
    level = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0) > 0.4 * height
    following = np.where(level & (x0 >= x1[:, None] - 1), x0, np.inf).min(axis=1, initial=np.inf)
    left, right = x1[np.isfinite(following)], following[np.isfinite(following)]
    found: list[float] = []
    while len(found) < 2 and len(left) >= _FEWEST_LINES:
        places = np.linspace(left.min(), right.max(), 400)
        parted = ((left <= places[:, None]) & (right >= places[:, None])).sum(axis=1)
        best = places[parted == parted.max(initial=0)]
        if parted.max(initial=0) < _FEWEST_LINES:
            break
        gutter = float(best[len(best) // 2])
        found.append(gutter)
        elsewhere = (left > gutter) | (right < gutter)
        left, right = left[elsewhere], right[elsewhere]
    return found


def _columns(box: NDArray[np.float32], gutters: list[float]) -> NDArray[np.int64]:
    """The column of each segment, from 0; -1 across a gutter."""
    low, high = (np.searchsorted(np.sort(gutters), x) for x in (box[:, 0] + 1, box[:, 2] - 1))
    return np.where(low == high, low, -1)


def _is_prose(segments: _Segments, column: NDArray[np.int64], n_columns: int) -> bool:
    """Whether columns are long, mostly filled, and alike or full of lines that go on from the one above.

    Those of a form or a contents are not.
    """
    boxes = [segments.box[column == i] for i in range(n_columns)]
    if min(map(len, boxes)) < _FEWEST_LINES:
        return False
    low = np.array([np.quantile(box[:, 0], 0.1) for box in boxes])
    high = np.array([np.quantile(box[:, 2], 0.9) for box in boxes])
    filled = np.array([np.median(box[:, 2] - box[:, 0]) for box in boxes]) / (high - low)
    lines = filled.min() > 0.7 and float(np.max(low[1:] - high[:-1])) < 0.5 * float(np.min(high - low))
    alike = np.min(high - low) > 0.6 * np.max(high - low)
    lower = (segments.code >= ord("a")) & (segments.code <= ord("z"))
    goes_on = min(lower[column == i].mean() for i in range(n_columns)) > 0.3
    return bool(lines and (alike or (goes_on and np.min(high - low) > 6 * np.median(segments.size[:, 1]))))


def _is_disordered(column: NDArray[np.int64], n_columns: int) -> bool:
    """Whether the page keeps changing between columns, or writes one before that to its left."""
    inside = column[column >= 0]
    fewest = np.bincount(inside, minlength=n_columns).min()
    usual = [float(np.median(np.flatnonzero(column == i))) for i in range(n_columns)]
    return bool((np.diff(inside) != 0).sum() > fewest or (np.diff(usual) < 0).any())


def _places(
    segments: _Segments, column: NDArray[np.int64], height: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part and place of each segment: a line across columns closes what stands above it."""
    y = segments.box[:, [1, 3]].mean(axis=1)
    across = column < 0
    band = np.searchsorted(np.sort(y[across]) + 0.2 * height, y)
    part = np.full(len(y), _BODY)
    for i in range(column.max() + 1):
        part[_footnotes(segments, np.flatnonzero((column == i) & (band == band[column >= 0].max())))] = _FOOTNOTES
    part[across & (y > y[~across].max())] = _FOOT
    # A column that was written in pieces: each piece stays whole, and they follow one another down the page.
    top = y.copy()
    for i in range(column.max() + 1):
        of_column = np.flatnonzero(column == i)
        piece = np.cumsum(np.diff(y[of_column], prepend=y[of_column[:1]]) < -height)
        top[of_column] = y[of_column][np.searchsorted(piece, piece)]
    place = np.empty(len(y), np.int64)
    place[np.lexsort((np.arange(len(y)), top, column, across, band))] = np.arange(len(y))
    return part, place


def _footnotes(segments: _Segments, column: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of a column's segments that are small, below all others and marked as notes."""
    if not len(column):
        return column
    down = column[np.argsort(segments.box[column, 3], kind="stable")]
    small = segments.size[down, 1] < 0.92 * np.median(segments.size[down, 1])
    notes = down[np.flatnonzero(np.append(True, ~small))[-1] :]
    return notes if len(notes) and segments.code[notes[0]] in _FOOTNOTE_MARKS else notes[:0]
