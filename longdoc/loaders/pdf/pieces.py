"""Pieces of a page, in the order in which they were drawn: stretches that run to the right along one line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import LINE, Glyphs, as_text, bounding_boxes

_GAP = 0.5  # heights of a glyph: a wider gap may be filled by another piece
_SHIFT = 0.5  # heights of a glyph: text shifted further is on another line
_LEVEL = 0.3  # heights of a glyph: pieces whose lower edges are this close are on one line
_TALLEST = 2.0  # heights of a glyph: taller segments are turned text, or initials
_FEWEST_DOTS = 4  # of a dotted line


@dataclass(frozen=True, slots=True)
class Pieces:
    """The ``P`` pieces of a page and their ``S`` segments, in the order in which they were drawn."""

    codes: NDArray[np.uint32]
    """The code points of the page; shape ``(N,)``."""
    first: NDArray[np.int64]
    """Position of the first glyph of each segment; shape ``(S,)``."""
    segments: NDArray[np.float32]
    """Box of the visible glyphs of each segment, in points; shape ``(S, 4)``."""
    blank: NDArray[np.bool_]
    """Which segments are lines to write on, of underscores or dots; shape ``(S,)``."""
    starts: NDArray[np.int64]
    """Index of the first segment of each piece, and ``S``; shape ``(P + 1,)``."""
    box: NDArray[np.float32]
    """Box of each piece in points; shape ``(P, 4)``."""
    row: NDArray[np.int64]
    """Index of the line that each piece is on, from the top of the page; shape ``(P,)``."""
    height: float
    """Usual height of a glyph in points."""

    @classmethod
    def of(cls, glyphs: Glyphs, ink: NDArray[np.int64]) -> Pieces:
        """Splits the glyphs of a page.

        Args:
            glyphs: the glyphs.
            ink: positions of the ``V`` visible ones, at least one; shape ``(V,)``.
        """
        boxes = glyphs.boxes[ink]
        x0, y0, x1, y1 = boxes.T
        gap = _GAP * (y1 - y0)[1:]
        blank = _is_blank_line(glyphs.codes[ink])
        cut = _is_stacked(boxes) | (x0[1:] - x1[:-1] > gap) | (x1[1:] < x0[:-1] - gap) | (blank[1:] != blank[:-1])
        starts = np.flatnonzero(np.append(True, cut) | (breaks_before(glyphs, ink) >= LINE))
        segments = bounding_boxes(boxes, starts)
        first = ink[starts]
        first[0] = 0
        height = float(np.median(y1 - y0))
        left, _, right, bottom = segments.T
        further = np.abs(np.diff(bottom)) > _SHIFT * height
        borders = np.flatnonzero(np.append(True, further | (left[1:] < right[:-1] - _SHIFT * height)))
        box = bounding_boxes(segments, borders)
        apart = (box[:, 3] - box[:, 1] > _TALLEST * height) | glyphs.hidden[first[borders]]
        return cls(
            first=first,
            segments=segments,
            blank=blank[starts],
            codes=glyphs.codes,
            starts=np.append(borders, len(first)),
            box=box,
            row=_rows(box[:, 3], apart, height),
            height=height,
        )

    def members(self, piece: int) -> range:
        """The segments of a piece."""
        return range(int(self.starts[piece]), int(self.starts[piece + 1]))

    def text(self, piece: int) -> str:
        """The text of a piece."""
        ends = np.append(self.first, len(self.codes))[self.starts[piece : piece + 2]]
        return as_text(self.codes[ends[0] : ends[1]]).strip()


def _is_stacked(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which upright glyphs but the first are above or below the one before; shape ``(V - 1,)``.

    pdfium joins single digits below one another as if they were turned text.

    Args:
        boxes: boxes of the visible glyphs; shape ``(V, 4)``.
    """
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    upright = width < height
    shifted = np.abs(np.diff(boxes[:, 3])) > _SHIFT * np.minimum(height[1:], height[:-1])
    beside = np.abs(np.diff(boxes[:, 0])) < width[1:]
    stacked: NDArray[np.bool_] = shifted & beside & upright[1:] & upright[:-1]
    return stacked


def breaks_before(glyphs: Glyphs, ink: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The strongest break between each visible glyph and the one before; shape ``(V,)``.

    Args:
        glyphs: the glyphs of a page.
        ink: positions of its ``V`` visible glyphs, at least one; shape ``(V,)``.
    """
    breaks: NDArray[np.uint8] = np.maximum.reduceat(glyphs.breaks[: ink[-1] + 1], np.append(0, ink[:-1] + 1))
    return breaks


def _is_blank_line(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which glyphs are part of a line to write on; shape ``(V,)``."""
    blank: NDArray[np.bool_] = codes == ord("_")
    dot = codes == ord(".")
    if dot.sum() >= _FEWEST_DOTS:
        ends = np.flatnonzero(np.convolve(dot, np.ones(_FEWEST_DOTS, int))[: len(codes)] == _FEWEST_DOTS)
        blank[(ends[:, None] - np.arange(_FEWEST_DOTS)).ravel()] = True
    return blank


def _rows(bottom: NDArray[np.float32], apart: NDArray[np.bool_], height: float) -> NDArray[np.int64]:
    """The line that each piece is on; each of those that stay apart is on its own; shape ``(P,)``.

    Args:
        bottom: lower edge of each piece in points; shape ``(P,)``.
        apart: which pieces stay apart; shape ``(P,)``.
        height: usual height of a glyph in points.
    """
    row = np.empty(len(bottom), np.int64)
    level = np.flatnonzero(~apart)
    level = level[np.argsort(bottom[level], kind="stable")]
    row[level] = np.cumsum(np.diff(bottom[level], prepend=-np.inf) > _LEVEL * height)
    row[apart] = len(bottom) + 1 + np.arange(apart.sum())
    return row
