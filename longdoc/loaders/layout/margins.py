"""The lines in the margins of pages, where running headers, footers and stamps are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.lines import Lines

MOST_ROWS = 6  # of furniture at either end of a page
_MARGIN = 0.14  # of the page's height, at the top and at the bottom; of its width, at the sides
_SHORTEST_TURNED = 30.0  # points


@dataclass(frozen=True, slots=True)
class MarginLine:
    """A line in the margin of a page."""

    at: int
    """Index of the line."""
    page: int
    """Index of the page."""
    text: str
    """With white space folded."""
    zone: str
    """``"header"``, ``"footer"``, or ``"side"`` for turned text."""
    row: int
    """Counted from the edge of the page, from 0."""


def margin_lines(lines: Lines, texts: Sequence[str], sizes: Sequence[tuple[float, float]]) -> list[MarginLine]:
    """Finds the outermost lines of each page within its margins, row by row.

    Args:
        lines: the ``N`` lines of the document.
        texts: the texts of the ``N`` lines.
        sizes: width and height of each page in points.
    """
    found: list[MarginLine] = []
    borders = np.searchsorted(lines.page, np.arange(len(sizes) + 1))
    width_of, height_of = (lines.box[:, 2:] - lines.box[:, :2]).T
    turned = height_of > np.maximum(3 * width_of, _SHORTEST_TURNED)
    for page, (width, height) in enumerate(sizes):
        of_page = np.arange(borders[page], borders[page + 1])
        centre = lines.box[of_page][:, ::2].mean(axis=1) / width
        beside = of_page[turned[of_page] & (np.abs(centre - 0.5) > 0.5 - _MARGIN)]
        found += [MarginLine(at, page, " ".join(texts[at].split()), "side", 0) for at in beside.tolist()]
        of_page = of_page[~turned[of_page]]
        middle = lines.box[of_page][:, 1::2].mean(axis=1)
        for zone, depth in (("header", middle), ("footer", height - middle)):
            rows = _outer_rows(lines, of_page, depth, _MARGIN * height)
            found += [MarginLine(at, page, " ".join(texts[at].split()), zone, row) for at, row in rows]
    return found


def _outer_rows(
    lines: Lines, at: NDArray[np.int64], depth: NDArray[np.floating], margin: float
) -> Iterator[tuple[int, int]]:
    """The lines of the outermost rows at one end of a page, each with its row, from 0.

    Args:
        lines: the lines of the document.
        at: indices of the lines of the page; shape ``(K,)``.
        depth: their distances from the edge of the page, in points; shape ``(K,)``.
        margin: the greatest distance of a line in the margin, in points.
    """
    row, edge = -1, -np.inf
    order = np.argsort(depth, kind="stable")
    for line, from_edge in zip(at[order].tolist(), depth[order].tolist(), strict=True):
        if from_edge > margin:
            return
        if from_edge > edge + 0.5 * lines.height[line]:
            row, edge = row + 1, from_edge
        if row == MOST_ROWS:
            return
        yield line, row
