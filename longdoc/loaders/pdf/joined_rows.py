"""Rows of a ruled table that have no rule between them: found by the lines that their cells share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from longdoc.loaders.layout.glyphs import Glyphs, as_text
from longdoc.loaders.layout.grids import Grid
from longdoc.loaders.pdf.unruled_tables import NUMBER

_NEAR = 0.4  # heights of a glyph: centres of glyphs this close are on one line
_TWO_LINES = 1.6  # heights of a glyph: a lower row has one line
_FEWEST = 3  # cells with the same lines, or lines of a cell: two of either may be wrapped text


@dataclass(frozen=True, slots=True)
class _CellLines:
    """The lines of a cell, from top to bottom."""

    heights: list[float]
    """The y of the centre of each, in points."""
    texts: list[str]

    @property
    def is_numeric(self) -> bool:
        return all(NUMBER.fullmatch(text) for text in self.texts)

    def is_level(self, heights: list[float], near: float) -> bool:
        """Whether each line is at one of these heights."""
        return all(min(abs(own - other) for other in heights) < near for own in self.heights)


def split_rows(grid: Grid, visible: Glyphs) -> Grid:
    """Splits rows between two rules that are several rows, as their cells show; a cell beside them spans them.

    Args:
        grid: the table.
        visible: glyphs of the page that are not white space.
    """
    owner = grid.cell_of(visible)
    visible, owner = visible.take(np.flatnonzero(owner >= 0)), owner[owner >= 0]
    height = float(np.median(visible.boxes[:, 3] - visible.boxes[:, 1])) if len(owner) else 0.0
    near = _NEAR * height
    boxes: list[tuple[float, float, float, float]] = []
    for row in range(len(grid.y) - 1):
        of_row = [i for i, cell in enumerate(grid.cells) if cell.row == row]
        cells: dict[int, _CellLines] = {}
        if grid.y[row + 1] - grid.y[row] > _TWO_LINES * height:
            single = [i for i in of_row if grid.cells[i].row_span == 1]
            cells = {i: _lines(visible.take(np.flatnonzero(owner == i)), near) for i in single}
        heights = _row_heights([cell for cell in cells.values() if cell.heights], near)
        top, bottom = float(grid.y[row]), float(grid.y[row + 1])
        borders = [top, *((a + b) / 2 for a, b in pairwise(heights)), bottom]
        for i in of_row:
            box = grid.box(0, grid.cells[i])
            splits = i in cells and len(heights) > 1 and _has_rows(cells[i], heights, near)
            parts = pairwise(borders) if splits else [(box.y0, box.y1)]
            boxes += [(box.x0, y0, box.x1, y1) for y0, y1 in parts]
    return Grid.of(boxes, double_rule=0)


def _lines(glyphs: Glyphs, near: float) -> _CellLines:
    """The lines of the glyphs of a cell whose centres are further apart than ``near`` points."""
    middles = (glyphs.boxes[:, 1] + glyphs.boxes[:, 3]) / 2
    down = np.argsort(middles, kind="stable")
    found = np.split(down, np.flatnonzero(np.diff(middles[down]) > near) + 1) if len(down) else []
    heights = [float(middles[line].mean()) for line in found]
    return _CellLines(heights, [as_text(glyphs.codes[np.sort(line)]) for line in found])


def _row_heights(cells: list[_CellLines], near: float) -> list[float]:
    """The heights of the rows that cells between two rules have; empty if they are one row.

    Rows are cells with the same lines, at least three of both, or columns of numbers, which no cell wraps. A cell with
    fewer lines, such as the name of a group, may stand beside them.

    Args:
        cells: the cells that are not empty.
        near: how close two lines are level, in points.
    """
    most = max((len(cell.heights) for cell in cells), default=0)
    longest = [cell for cell in cells if len(cell.heights) == most]
    if most < 2 or not all(cell.is_level(longest[0].heights, near) for cell in longest):
        return []
    numeric = sum(cell.is_numeric for cell in longest)
    if len(longest) < len(cells):
        enough = numeric > 1 or (numeric == 1 and len(longest) >= _FEWEST <= most)
    else:
        wraps = any(text[:1].islower() for cell in longest for text in cell.texts[1:])
        enough = len(longest) >= _FEWEST <= most or numeric > 1 or (numeric == 1 and len(longest) > 1 and not wraps)
    return longest[0].heights if enough else []


def _has_rows(cell: _CellLines, heights: list[float], near: float) -> bool:
    """Whether the lines of a cell belong to rows, rather than to all of them as the name of a group does."""
    if not cell.heights or len(cell.heights) == len(heights):
        return True
    middle = heights[len(heights) // 2] if len(heights) % 2 else None
    centred = len(cell.heights) == 1 and middle is not None and abs(cell.heights[0] - middle) < near
    return cell.is_level(heights, near) and cell.is_numeric and not centred
