"""Reading order of a page: line numbers, the body, footnotes, the foot of the page, then turned text.

The page's own order of segments is kept where it is correct, as it is on nearly all pages. Only columns of prose that
were clearly written line by line across each other, or from right to left, are reordered, and blocks that were written
after all the blocks below them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import BLOCK, LINE, Glyphs
from longdoc.loaders.pdf.columns import column_order
from longdoc.loaders.pdf.segments import BODY, MOST_SEGMENTS, NUMBERS, TURNED, Segments
from longdoc.loaders.pdf.short_columns import short_columns

_FEWEST_NUMBERS = 8  # of the lines of a page


def order(glyphs: Glyphs) -> Glyphs:
    """Puts the glyphs of a page in reading order, each once.

    Line numbers come first, each on its own line; footnotes of columns follow all columns. BLOCK separates such parts.
    """
    segments = Segments.of(glyphs)
    n = len(segments.first)
    part, rank = np.full(n, BODY), np.arange(n)
    part[_turned(segments)] = TURNED
    part[_line_numbers(glyphs, segments)] = NUMBERS
    body = part == BODY
    in_columns = column_order(segments.take(body))
    if in_columns is not None:
        part[body], rank[body] = in_columns
        index = np.lexsort((rank, part))
    else:
        index = rank.copy()
        of_body = rank[body][np.argsort(short_columns(glyphs, segments, rank[body]), kind="stable")]
        index[body] = of_body[_down_the_page(segments.box[of_body])]
        index = index[np.argsort(part[index] != NUMBERS, kind="stable")]
    if (part == BODY).all() and (index == np.arange(n)).all():
        return glyphs
    return _rearrange(glyphs, segments.first, index, part)


def _rearrange(glyphs: Glyphs, first: NDArray[np.int64], index: NDArray[np.int64], part: NDArray[np.int64]) -> Glyphs:
    """Reorders the segments of a page and separates them again.

    Args:
        glyphs: the glyphs of the page.
        first: position of the first glyph of each segment; shape ``(S,)``.
        index: the segments in their new order; shape ``(S,)``.
        part: the part of the page of each segment; shape ``(S,)``.
    """
    rearranged, starts = glyphs.reorder(first, index)
    part = part[index]
    moved, changes = np.diff(index, prepend=-1) != 1, np.diff(part, prepend=part[:1]) != 0
    breaks = np.where(changes, BLOCK, np.where(moved | (part == NUMBERS), LINE, 0))
    rearranged.breaks[starts] = np.maximum(rearranged.breaks[starts], breaks)
    return rearranged


def _turned(segments: Segments) -> NDArray[np.bool_]:
    """Which segments run up or down the page: much taller than their first glyph, but no wider; shape ``(S,)``."""
    width, height = (segments.box[:, 2:] - segments.box[:, :2]).T
    turned: NDArray[np.bool_] = (height > 2.5 * segments.size[:, 1]) & (width < 1.5 * segments.size[:, 0])
    return turned


def _line_numbers(glyphs: Glyphs, segments: Segments) -> NDArray[np.bool_]:
    """Which segments number the lines to the right of them, as in a transcript; shape ``(S,)``."""
    numbers = np.zeros(len(segments.first), bool)
    if ((segments.code >= ord("0")) & (segments.code <= ord("9"))).sum() < _FEWEST_NUMBERS:
        return numbers
    digit = (glyphs.codes >= ord("0")) & (glyphs.codes <= ord("9"))
    other = ~digit & (glyphs.codes != ord(" "))
    digits, others = (np.add.reduceat(which.astype(int), segments.first) for which in (digit, other))
    found = np.flatnonzero((digits > 0) & (digits <= 3) & (others == 0))
    if len(found) < _FEWEST_NUMBERS:
        return numbers
    middle = (segments.box[found, 0] + segments.box[found, 2]) / 2
    margin = np.median(segments.box[found, 2])
    found = found[np.abs(middle - np.median(middle)) < np.median(segments.size[found, 1])]
    found = found[np.argsort(segments.box[found, 1], kind="stable")]
    ends = np.append(segments.first, len(glyphs.codes))
    texts = [glyphs.codes[ends[i] : ends[i + 1]][digit[ends[i] : ends[i + 1]]] for i in found.tolist()]
    values = np.array([int("".join(map(chr, text))) for text in texts])
    numbers[found] = True
    if len(found) < _FEWEST_NUMBERS or np.mean(np.diff(values) == 1) < 0.9 or numbers.all():
        return np.zeros_like(numbers)
    return numbers if np.mean(segments.box[~numbers, 0] > margin) > 0.95 else np.zeros_like(numbers)


def _down_the_page(box: NDArray[np.float32]) -> NDArray[np.int64]:
    """The order of segments in which no block is wholly above an earlier one, as a text box drawn first would be.

    Blocks are consecutive in the page's own order too, so that columns beside one another are one block.

    Args:
        box: boxes of the segments in their own order; shape ``(S, 4)``.

    Returns:
        A permutation; shape ``(S,)``.
    """
    upward = box[1:, 3] < box[:-1, 1]
    if not upward.any() or len(box) > MOST_SEGMENTS:
        return np.arange(len(box))
    height = float(np.median(box[:, 3] - box[:, 1]))
    runs = np.flatnonzero(np.append(True, upward | (box[1:, 1] > box[:-1, 3] + height)))
    tops, bottoms = np.minimum.reduceat(box[:, 1], runs).tolist(), np.maximum.reduceat(box[:, 3], runs).tolist()
    blocks: list[tuple[float, float, int]] = []  # top, bottom and first segment
    for block in zip(tops, bottoms, runs.tolist(), strict=True):
        blocks.append(block)
        while (first := _first_beside_last(blocks)) < len(blocks) - 1:
            top, bottom, _ = zip(*blocks[first:], strict=True)
            blocks[first:] = [(min(top), max(bottom), blocks[first][2])]
    ends = [*(start for _, _, start in blocks[1:]), len(box)]
    in_order = sorted((*block, end) for block, end in zip(blocks, ends, strict=True))
    return np.concatenate([np.arange(start, end) for _, _, start, end in in_order])


def _first_beside_last(blocks: list[tuple[float, float, int]]) -> int:
    """Index of the first block at the height of the last one, which may be the last one itself.

    Args:
        blocks: top, bottom and first segment of each.
    """
    last_top, last_bottom, _ = blocks[-1]
    beside = [top < last_bottom and last_top < bottom for top, bottom, _ in blocks[:-1]]
    return [*beside, True].index(True)
