"""The glyphs of a page: characters with boxes, and what separates each from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import WHITE_SPACE

NONE, SPACE, LINE, CELL, ROW, BLOCK = range(6)
"""What separates a glyph from the one before: nothing; a space; the end of a line, which the layout may join to the
next; the border of a table cell; of a table row; of a block, whose text is never joined to the next."""
RAISED, LOWERED, NUMERATOR, DENOMINATOR = 1, -1, 2, -2
"""How a glyph is set against its line: as a superscript, as a subscript, above or below the bar of a fraction."""
SOFT_HYPHEN = 0xAD
_ZERO_WIDTH = (0x200B, 0x2060, 0xFEFF)
_WHITE = np.zeros(0x10000, bool)  # by code point: a table is many times faster than np.isin
_WHITE[WHITE_SPACE] = True
_BLANK = _WHITE.copy()
_BLANK[list(_ZERO_WIDTH)] = True
_NEIGHBOURS, _OTHERS = 0.12, 0.2  # of the height: how far apart two glyphs can be that are the same one drawn twice
_FARTHEST = 100  # points between two that are the same one, however large
_PLAUSIBLE = 0.1  # of the height: a claimed width above this may be true


@dataclass(frozen=True, slots=True)
class Glyphs:
    """``N`` glyphs in reading order."""

    codes: NDArray[np.uint32]
    """Code points; shape ``(N,)``."""
    boxes: NDArray[np.float32]
    """``x0, y0, x1, y1`` in points from the top left of the page as displayed; shape ``(N, 4)``."""
    breaks: NDArray[np.uint8]
    """What separates each glyph from the one before: NONE, SPACE, LINE, CELL, ROW or BLOCK; shape ``(N,)``."""
    hidden: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """Which glyphs a reader of the page does not see; shape ``(N,)``. Default: none of them."""

    turns: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    """Quarter turns by which each is rotated on the page, anticlockwise; shape ``(N,)``. Default: none of them."""

    rises: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    """RAISED, LOWERED, NUMERATOR, DENOMINATOR or 0, on its line; shape ``(N,)``. Default: all on their lines."""

    def __post_init__(self) -> None:
        for name in ("hidden", "turns", "rises"):
            values = getattr(self, name)
            if len(values) != len(self.codes):
                object.__setattr__(self, name, np.zeros(len(self.codes), values.dtype))

    @classmethod
    def concatenate(cls, parts: Sequence[Glyphs]) -> Glyphs:
        """Joins the glyphs of at least one part, in new arrays."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))

    def take(self, index: NDArray[np.integer]) -> Glyphs:
        """Selects glyphs.

        Args:
            index: positions of the glyphs, in the new order; shape ``(M,)``.
        """
        return Glyphs(*(getattr(self, each.name)[index] for each in fields(self)))

    def reorder(self, first: NDArray[np.int64], order: NDArray[np.int64]) -> tuple[Glyphs, NDArray[np.int64]]:
        """Puts segments of glyphs into another order.

        Args:
            first: position of the first glyph of each segment, ascending from 0; shape ``(S,)``.
            order: permutation of the segments; shape ``(S,)``.

        Returns:
            The glyphs, and the new position of the first glyph of each segment in ``order``; shape ``(S,)``, int64.
        """
        sizes = np.diff(np.append(first, len(self.codes)))[order]
        starts = np.cumsum(sizes) - sizes
        return self.take(np.repeat(first[order] - starts, sizes) + np.arange(len(self.codes))), starts


def unturn(boxes: NDArray[np.floating], turns: NDArray[np.integer] | int) -> NDArray[np.floating]:
    """Turns boxes about the corner of the page, so that glyphs with these turns are upright.

    Args:
        boxes: ``x0, y0, x1, y1`` in points; shape ``(N, 4)``.
        turns: quarter turns, anticlockwise, of all boxes or of each; shape ``(N,)``.

    Returns:
        Boxes with other coordinates, of the same shape; ``unturn(result, 4 - turns)`` gives ``boxes`` back.
    """
    if not np.any(turns):
        return boxes
    x0, y0, x1, y1 = boxes.T
    which = np.broadcast_to(np.mod(turns, 4), len(boxes))
    sides = [(x0, y0, x1, y1), (-y1, x0, -y0, x1), (-x1, -y1, -x0, -y0), (y0, -x1, y1, -x0)]
    return np.choose(which[:, None], [np.stack(turned, axis=1) for turned in sides])


def as_text(codes: NDArray[np.uint32]) -> str:
    """Converts code points of shape ``(N,)``, which may include lone surrogates, to a string of ``N`` characters."""
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def split_segments(glyphs: Glyphs, wide_gaps: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Splits glyphs into segments: stretches of a line without a wide gap.

    Args:
        glyphs: the ``N`` glyphs.
        wide_gaps: whether a wide gap separates each glyph but the first from the one before; shape ``(N - 1,)``.

    Returns:
        Position of the first glyph of each segment, shape ``(S,)``, int64, and the bounding boxes, shape ``(S, 4)``,
        float32, in points.
    """
    starts = np.append(True, wide_gaps)[: len(glyphs.codes)] | (glyphs.breaks >= LINE)
    first = np.flatnonzero(starts)
    return first, bounding_boxes(glyphs.boxes, first)


def bounding_boxes(boxes: NDArray[np.float32], first: NDArray[np.int64]) -> NDArray[np.float32]:
    """Bounds consecutive groups of boxes.

    Args:
        boxes: shape ``(N, 4)``.
        first: position of the first box of each group, ascending; shape ``(S,)``.

    Returns:
        One box for each group; shape ``(S, 4)``.
    """
    if not len(first):
        return boxes[:0]
    return np.hstack([np.minimum.reduceat(boxes[:, :2], first), np.maximum.reduceat(boxes[:, 2:], first)])


def is_control(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which code points are control characters, as fonts without a character map yield; shape ``(N,)``."""
    return (codes < 0x20) | ((codes >= 0x7F) & (codes < 0xA0))


def is_blank(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which code points are white space or have no width; shape ``(N,)``."""
    blank: NDArray[np.bool_] = _BLANK[np.minimum(codes, len(_BLANK) - 1)]
    return blank


def is_white(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which code points are white space; shape ``(N,)``."""
    white: NDArray[np.bool_] = _WHITE[np.minimum(codes, len(_WHITE) - 1)]
    return white


def draws_ink(glyphs: Glyphs) -> NDArray[np.bool_]:
    """Which glyphs put ink on the page: no blanks, control characters or undrawn soft hyphens; shape ``(N,)``."""
    codes, boxes = glyphs.codes, glyphs.boxes
    # A soft hyphen within a line draws nothing unless its box has a width.
    drawn = boxes[:, 2] - boxes[:, 0] > 0.1 * (boxes[:, 3] - boxes[:, 1])
    soft = (codes == SOFT_HYPHEN) & ~drawn & (np.append(glyphs.breaks[1:], LINE) == NONE)
    ink: NDArray[np.bool_] = ~(is_control(codes) | is_blank(codes) | soft)
    return ink


def is_redrawn(glyphs: Glyphs) -> NDArray[np.bool_]:
    """Which glyphs of a page draw an earlier one again on the same spot, as some writers do for bold; shape ``(N,)``.

    Neighbours with the very same box are the letters of a ligature and do not count.
    """
    redrawn = _redrawn(glyphs, 0.0)
    # Rounding may part two that are at the same spot; where there are any, another rounding finds the rest.
    return redrawn | _redrawn(glyphs, 0.5) if redrawn.any() else redrawn


def _redrawn(glyphs: Glyphs, shift: float) -> NDArray[np.bool_]:
    """Which glyphs draw an earlier one again, of those next to one another by place; shape ``(N,)``.

    Args:
        glyphs: the ``N`` glyphs.
        shift: added to their places, in points, before these are rounded.
    """
    codes, boxes = glyphs.codes, glyphs.boxes
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    x, y = np.clip(np.round(middle + np.float32(shift)), 0, 2**13 - 1).astype(np.int64).T
    keys = ((codes.astype(np.int64) << 13) + y << 13) + x  # one key sorts three times as fast as three
    order = np.argsort(keys)
    beside = np.flatnonzero(np.diff(keys[order]) <= _FARTHEST)
    one, other = np.minimum(order[beside], order[beside + 1]), np.maximum(order[beside], order[beside + 1])
    close = np.abs(middle[one, 0] - middle[other, 0]) <= 1.01 * _OTHERS * size[one, 1]  # few are, and only they count
    one, other = one[close], other[close]
    across, down = np.abs(middle[one] - middle[other]).T
    width, height = size[one].T
    # A font may claim any width, so the height limits the distance too: less for neighbours, as in "ll".
    reach = np.where(other == one + 1, _NEIGHBOURS, _OTHERS) * height
    near = (across < np.where(width > _PLAUSIBLE * height, np.minimum(0.35 * width, reach), reach)) & (
        down < 0.15 * height
    )
    ligature = (other == one + 1) & (boxes[one] == boxes[other]).all(axis=1)
    near &= (codes[one] == codes[other]) & (glyphs.hidden[one] == glyphs.hidden[other])
    redrawn = np.zeros(len(codes), bool)
    redrawn[other[near & ~ligature]] = True
    return redrawn
