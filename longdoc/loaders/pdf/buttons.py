"""Check boxes and radio buttons of a PDF form, as characters among the glyphs of their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from longdoc.document import FormField
from longdoc.loaders.layout.glyphs import LINE, SPACE, Glyphs, is_blank

_MARKED, _UNMARKED = "\u2612", "\u2610"
_BOXES = [0x2610, 0x25A1, 0x25A2, 0x25CB, 0xF06F, 0xF071, 0xF0A8]  # empty ones that a page draws under its buttons


def place_buttons(glyphs: Glyphs, buttons: Sequence[FormField]) -> Glyphs:
    """Puts a mark for each button before the word on its right, or after the nearest one on its left.

    An empty box that the page draws where the button is becomes hidden text.

    Args:
        glyphs: the ``N`` glyphs of a page.
        buttons: its check boxes and radio buttons.
    """
    n, boxes = len(glyphs.codes), glyphs.boxes
    seen = sorted(((button, button.box) for button in buttons if button.box), key=lambda each: each[1].x0)
    if not seen or not n:
        return glyphs
    sides = np.array([(box.x0, box.y0, box.x1, box.y1) for _, box in seen], np.float32)
    hidden = glyphs.hidden | _is_under(glyphs, sides)
    shown = np.flatnonzero(~hidden & ~is_blank(glyphs.codes))
    rank, breaks = np.arange(n + len(seen), dtype=np.float64), np.append(glyphs.breaks, np.full(len(seen), LINE))
    for i, side in enumerate(sides, n):
        at, before, height = _neighbour(boxes[shown], side)
        if at < 0:
            continue  # a line of its own at the end
        at = int(shown[at])
        rank[i] = at - 0.5 if before else at + 0.5
        after = at if before else at + 1
        breaks[i] = max(breaks[at], SPACE) if before else SPACE
        if after < n:
            breaks[after] = SPACE if before else max(breaks[after], SPACE)
        # A button is often higher than its line, which is measured by its glyphs.
        middle = (side[1] + side[3]) / 2
        side[1], side[3] = max(side[1], middle - height / 2), min(side[3], middle + height / 2)
    codes = [ord(_UNMARKED if button.value == "off" else _MARKED) for button, _ in seen]
    marks = Glyphs(np.array(codes, np.uint32), sides, np.full(len(seen), LINE, np.uint8))
    together = replace(Glyphs.concatenate([replace(glyphs, hidden=hidden), marks]), breaks=breaks.astype(np.uint8))
    return together.take(np.argsort(rank, kind="stable"))


def _is_under(glyphs: Glyphs, sides: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which glyphs are empty boxes under one of the buttons with these boxes; shape ``(N,)``."""
    under = np.zeros(len(glyphs.codes), bool)
    empty = np.flatnonzero(np.isin(glyphs.codes, _BOXES))
    x, y = (glyphs.boxes[empty, :2] + glyphs.boxes[empty, 2:]).T / 2
    for x0, y0, x1, y1 in sides.tolist():
        under[empty[(x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)]] = True
    return under


def _neighbour(boxes: NDArray[np.float32], side: NDArray[np.float32]) -> tuple[int, bool, float]:
    """The glyph beside a button that is nearest to it.

    Args:
        boxes: boxes of glyphs, in points; shape ``(N, 4)``.
        side: that of the button; shape ``(4,)``.

    Returns:
        The position of the glyph, -1 if none is near; whether the button comes before it; and the glyph's height.
    """
    x0, y0, x1, y1 = boxes.T
    middle, height = (side[1] + side[3]) / 2, y1 - y0
    level = (np.minimum(y1, side[3]) - np.maximum(y0, side[1])) > 0.4 * np.minimum(height, side[3] - side[1])
    level |= (y0 <= middle) & (middle <= y1)
    right = np.where(level & (x0 >= side[2] - 1), x0 - side[2], np.inf)
    left = np.where(level & (x1 <= side[0] + 1), side[0] - x1, np.inf)
    if not len(boxes) or not min(right.min(), left.min()) < np.inf:
        return -1, False, 0.0
    before = bool(right.min() < left.min())
    at = int((right if before else left).argmin())
    return at, before, float(height[at])
