"""Superscripts above subscripts on a PDF page: pdfium reports each of the two as a word or a line of its own."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import NONE, SPACE, Glyphs, as_text, unturn

_ALIKE = 0.2  # of the height: how much the two parts of a stack may differ in it
_LEAST_APART, _MOST_APART = 0.3, 1.1  # of their height: between the two parts, from middle to middle
_NEAR = 0.35  # of their height: a wider gap is not within a word
_THIN = 0.15  # of the height of the base: a wider gap is a space
_TINY, _SMALL = 0.4, 0.87  # of the height of the base: that of the parts
_WITHIN = 0.4  # of the height of a part: how much of it is level with the base
_LONGEST = 8  # glyphs of a part
_WORD = re.compile(r"[^\W\d_]{2}")  # more than a variable: small text in two lines


def join_stacks(glyphs: Glyphs) -> NDArray[np.int64]:
    """Joins the two parts of each stack to each other and to the word they belong to, in place.

    Args:
        glyphs: the ``N`` glyphs of a page in the order of its content stream.

    Returns:
        Positions of the first glyphs of the second parts; shape ``(K,)``.
    """
    joined: list[int] = []
    boxes = unturn(glyphs.boxes, glyphs.turns)
    x0, y0, x1, y1 = boxes.T
    height, middle = np.maximum(y1 - y0, 0.1), (y0 + y1) / 2
    small, apart = np.minimum(height[1:], height[:-1]), np.abs(np.diff(middle))
    # A part starts where the other ends, or, before or after it, where the other starts.
    found = (glyphs.breaks[1:] != NONE) & (x0[1:] - x1[:-1] < _NEAR * small) & (x0[1:] - x1[:-1] > -_LONGEST * small)
    found &= (np.abs(np.diff(height)) < _ALIKE * small) & (apart > _LEAST_APART * small) & (apart < _MOST_APART * small)
    for at in (1 + np.flatnonzero(found)).tolist():
        first, end = _part_start(glyphs, boxes, at - 1), _part_end(glyphs, boxes, at)
        starts, ends = boxes[[first, at], 0], boxes[[at - 1, end - 1], 2]
        if min(abs(starts[1] - ends[0]), abs(starts[1] - starts[0]), abs(ends[1] - ends[0])) > _NEAR * small[at - 1]:
            continue
        parts = boxes[[first, at]]
        left, right = starts.min(), ends.max()
        if first and glyphs.breaks[first] == NONE and _holds(boxes[first - 1], parts):
            is_base = abs(left - boxes[first - 1, 2]) < _NEAR * height[first - 1]
        else:
            is_base = (
                end < len(boxes) and _holds(boxes[end], parts) and abs(boxes[end, 0] - right) < _NEAR * height[end]
            )
        if is_base and _are_scripts(glyphs, first, at, end):
            glyphs.breaks[at] = NONE
            joined.append(at)
            if end < len(boxes) and glyphs.breaks[end] == SPACE and boxes[end, 0] - right < _THIN * height[end]:
                glyphs.breaks[end] = NONE
    return np.array(joined, np.int64)


def _are_scripts(glyphs: Glyphs, first: int, at: int, end: int) -> bool:
    """Whether two parts are a superscript and a subscript, and not two lines of small text.

    Args:
        glyphs: the glyphs of a page.
        first: the first glyph of the first part.
        at: the first glyph of the second part, at which the first one ends.
        end: the position after the second part.
    """
    words = [bool(_WORD.search(as_text(glyphs.codes[slice(*part)]))) for part in ((first, at), (at, end))]
    return not any(words) or (not all(words) and first > 0 and chr(glyphs.codes[first - 1]).isalpha())


def _part_start(glyphs: Glyphs, boxes: NDArray[np.floating], at: int) -> int:
    """The first glyph of the part that ends with the glyph ``at``."""
    start = at
    while start and at - start < _LONGEST and glyphs.breaks[start] == NONE and _is_level(boxes[start - 1], boxes[at]):
        start -= 1
    return start


def _part_end(glyphs: Glyphs, boxes: NDArray[np.floating], at: int) -> int:
    """The position after the last glyph of the part that starts with the glyph ``at``."""
    end = at + 1
    while end < len(boxes) and end - at < _LONGEST and glyphs.breaks[end] == NONE and _is_level(boxes[end], boxes[at]):
        end += 1
    return end


def _is_level(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    """Whether two glyphs are as high as each other and on one line."""
    height = max(float(other[3] - other[1]), 0.1)
    return abs(float(one[3] - other[3])) < 0.1 * height and abs(float(one[1] - other[1])) < 0.1 * height


def _holds(base: NDArray[np.floating], parts: NDArray[np.floating]) -> bool:
    """Whether one part is in the upper half of a larger glyph, and the other one in its lower half.

    Args:
        base: box of the glyph; shape ``(4,)``.
        parts: boxes of a glyph of each part; shape ``(2, 4)``.
    """
    size, height = float(base[3] - base[1]), parts[:, 3] - parts[:, 1]
    level = np.minimum(base[3], parts[:, 3]) - np.maximum(base[1], parts[:, 1])
    off = (parts[:, 1] + parts[:, 3] - base[1] - base[3]) * [1, -1]
    is_smaller = bool((height > _TINY * size).all() and (height < _SMALL * size).all())
    return is_smaller and bool((level > _WITHIN * height).all()) and float(off[0] * off[1]) > 0
