"""Segments of a page, stretches of a line without a wide gap: what reading order moves."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import Glyphs, split_segments

NUMBERS, BODY, FOOTNOTES, FOOT, TURNED = range(5)
"""The parts of a page, in reading order: line numbers, body, footnotes, what is below all columns, turned text."""
MOST_SEGMENTS = 600  # of a page to be put in order: they are compared in pairs, and a page with more is a table
_WIDE = 1.2  # heights of a glyph


@dataclass(frozen=True, slots=True)
class Segments:
    """``S`` segments in the page's own order."""

    first: NDArray[np.int64]
    """Position of the first glyph; shape ``(S,)``."""
    box: NDArray[np.float32]
    """In points; shape ``(S, 4)``."""
    code: NDArray[np.uint32]
    """Code point of the first glyph; shape ``(S,)``."""
    size: NDArray[np.float32]
    """Width and height of the first glyph in points; shape ``(S, 2)``."""

    @classmethod
    def of(cls, glyphs: Glyphs) -> Segments:
        """Splits the lines of a page at wide gaps."""
        x0, y0, x1, y1 = glyphs.boxes.T
        first, box = split_segments(glyphs, x0[1:] - x1[:-1] > _WIDE * (y1 - y0)[1:])
        return cls(first, box, glyphs.codes[first], (glyphs.boxes[:, 2:] - glyphs.boxes[:, :2])[first])

    def take(self, which: NDArray[np.bool_]) -> Segments:
        """Selects segments by a mask of shape ``(S,)``."""
        return Segments(*(getattr(self, each.name)[which] for each in fields(self)))
