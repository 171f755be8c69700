"""Reading order of pages with two columns whose lines were written across both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders._layout import LINE, Glyphs

_FEWEST_LINES = 8  # per column; with fewer, rows of a form or a signature block look the same


def order_columns(glyphs: Glyphs) -> Glyphs:
    """The glyphs of a page column by column, where its two columns were clearly written line by line across both."""
    cuts, box = _segments(glyphs)
    if len(cuts) < 2 * _FEWEST_LINES:
        return glyphs
    gutter = _gutter(box)
    left, right = box[:, 2] <= gutter, box[:, 0] >= gutter
    if not _interleaved(left, right) or not _is_prose(box[left], box[right]):
        return glyphs
    band = np.cumsum(~(left | right))  # a line across both columns closes what stands above it
    order = np.lexsort((np.arange(len(cuts)), right, left | right, band))
    sizes = np.diff(np.append(cuts, len(glyphs.codes)))[order]
    index = np.repeat(cuts[order] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(glyphs.codes))
    breaks = glyphs.breaks.copy()
    breaks[cuts] = LINE
    return Glyphs(glyphs.codes[index], glyphs.boxes[index], breaks[index])


def _segments(glyphs: Glyphs) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Stretches of a line without a wide gap: index of the first glyph, shape ``(S,)``, and box, shape ``(S, 4)``."""
    x0, y0, x1, y1 = glyphs.boxes.T
    wide = np.append(True, (x0[1:] - x1[:-1] > 1.2 * (y1 - y0)[1:])) if len(x0) else np.zeros(0, bool)
    cuts = np.flatnonzero(wide | (glyphs.breaks == LINE))
    if not len(cuts):
        return cuts, glyphs.boxes
    low, high = np.minimum.reduceat(glyphs.boxes[:, :2], cuts), np.maximum.reduceat(glyphs.boxes[:, 2:], cuts)
    return cuts, np.hstack([low, high])


def _gutter(box: NDArray[np.float32]) -> float:
    """The place in the middle third of the text that the fewest segments cross."""
    low, high = float(box[:, 0].min()), float(box[:, 2].max())
    places = np.linspace(low + (high - low) / 3, high - (high - low) / 3, 60)
    crossing = ((box[:, 0] < places[:, None]) & (box[:, 2] > places[:, None])).sum(axis=1)
    free = places[crossing == crossing.min()]
    return float(free[len(free) // 2])


def _interleaved(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    """Whether the segments keep changing sides, and few of them cross the gutter."""
    sides = right[left | right]
    fewest = min(int(left.sum()), int(right.sum()))
    return fewest >= max(_FEWEST_LINES, 0.35 * len(left)) and int((np.diff(sides) != 0).sum()) > fewest


def _is_prose(left: NDArray[np.float32], right: NDArray[np.float32]) -> bool:
    """Whether two columns are about as wide, close together and mostly filled, unlike those of a form or a contents."""
    widths = [float(box[:, 2].max() - box[:, 0].min()) for box in (left, right)]
    filled = [float(np.median(box[:, 2] - box[:, 0])) for box in (left, right)]
    close = right[:, 0].min() - left[:, 2].max() < 0.5 * min(widths)
    return bool(close and min(widths) > 0.6 * max(widths) and min(filled) > 0.7 * max(widths))
