"""The lines of a document's text, each with its place on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from longdoc.edits import WHITE_SPACE, code_points

if TYPE_CHECKING:
    from longdoc.document import Document

Line = tuple[int, int, float, float, float, float]
"""Half-open range of the text, then ``x0, y0, x1, y1`` in points from the top left corner of the page."""


def lines_by_page(document: Document) -> dict[int, list[Line]]:
    """The lines of the text by the number of their page, in reading order; empty if the document has no geometry.

    A range begins and ends with a character that is seen on the page; between two lines the text has white space, or
    what has no place.
    """
    raw = document.origins[:, 0]
    is_seen = (document.origins[:, 1] > raw) & ~np.isin(code_points(document.text), WHITE_SPACE)
    seen = np.flatnonzero(is_seen)
    seen = seen[~np.isnan(document.boxes[raw[seen], 0])]
    if not len(seen):
        return {}
    line = np.searchsorted(document.lines[:, 0], raw[seen], side="right") - 1
    cuts = np.flatnonzero(np.diff(line, prepend=-1))
    glyphs = document.boxes[raw[seen]]
    low = np.minimum.reduceat(glyphs[:, :2], cuts).astype(float).round(2).tolist()
    high = np.maximum.reduceat(glyphs[:, 2:], cuts).astype(float).round(2).tolist()
    starts, ends = seen[cuts].tolist(), (seen[np.append(cuts[1:], len(seen)) - 1] + 1).tolist()
    found: dict[int, list[Line]] = {}
    for number, start, end, a, b in zip(document.lines[line[cuts], 1].tolist(), starts, ends, low, high, strict=True):
        found.setdefault(number, []).append((start, end, *a, *b))
    return found
