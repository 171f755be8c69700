"""The tables of a PDF page: the grids that its ruling lines or aligned columns form.

The ruling lines come from pdfium, and pdfplumber's geometry makes cells of them, so that no page is parsed twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from longdoc.errors import MissingDependencyError, require
from longdoc.loaders.layout.glyphs import Glyphs, is_white, unturn
from longdoc.loaders.layout.grids import DOUBLE_RULE, Grid
from longdoc.loaders.pdf.joined_rows import split_rows
from longdoc.loaders.pdf.ruling_lines import TableError, read_rules
from longdoc.loaders.pdf.unruled_tables import find_aligned

_TOLERANCE = 3.0  # points: rules this close are one or meet, and glyphs this close are on one line
_LINE_SHARE = 0.6  # of the height of a small glyph: closer rules or glyphs than that are one or on one line
_ROW_SHARE = 0.8  # of the usual height of a glyph: between two rules closer than that fits no row
_MOST_CROSSINGS = 2500  # of rules; pdfplumber's time is quadratic in their number
_LONG_CELL = 600  # characters: cells with this many on average are framed paragraphs
_LONG_FRAME = 300  # characters: a cell with more, and most of the text, frames prose


def find_tables(page: pdfium.PdfPage, glyphs: Glyphs) -> list[Grid]:
    """Finds the tables of a page, disjoint.

    Frames around prose, forms, tables of contents and signature blocks are not tables.

    Args:
        page: the page, for its ruling lines.
        glyphs: the glyphs of the page.

    Raises:
        TableError: the page has more ruling lines, other lines or objects than a page with tables can have, or it has
            ruling lines and pdfplumber is not installed.
    """
    visible = glyphs.take(np.flatnonzero(~is_white(glyphs.codes)))
    used = np.zeros(len(visible.codes), bool)
    found: list[Grid] = []
    for grid in [*_ruled(page, visible), *_aligned(visible)]:
        inside = grid.cell_of(visible) >= 0
        if not (used & inside).any():
            found.append(grid)
            used |= inside
    return found


def _ruled(page: pdfium.PdfPage, visible: Glyphs) -> list[Grid]:
    """The tables of a page that have ruling lines, smallest first."""
    rules = read_rules(page)
    horizontal = rules[:, 2] - rules[:, 0] > rules[:, 3] - rules[:, 1]
    if horizontal.sum() < 2 or (~horizontal).sum() < 2:
        return []
    edges = [
        {"x0": x0, "x1": x1, "top": y0, "bottom": y1, "width": x1 - x0, "height": y1 - y0, "orientation": side}
        for (x0, y0, x1, y1), side in zip(rules.tolist(), np.where(horizontal, "h", "v").tolist(), strict=True)
    ]
    try:
        plumber = require("pdfplumber", extra="tables", needed_by="finding their cells").table
    except MissingDependencyError as error:
        raise TableError(str(error)) from error
    near = _tolerance(visible)
    edges = plumber.merge_edges(edges, near, near, near, near)
    edges = [edge for edge in edges if max(edge["width"], edge["height"]) >= near]
    crossings = plumber.edges_to_intersections(edges, near, near)
    if len(crossings) > _MOST_CROSSINGS:
        raise TableError(f"its rules cross more than {_MOST_CROSSINGS:,} times")
    cells = plumber.intersections_to_cells(crossings)
    grids = [_ruled_grid(np.array(boxes), visible) for boxes in plumber.cells_to_tables(cells)]
    found = [grid for grid in grids if grid]
    return sorted(found, key=lambda grid: (grid.x[-1] - grid.x[0]) * (grid.y[-1] - grid.y[0]))


def _aligned(visible: Glyphs) -> Iterator[Grid]:
    """The tables of a page that have no ruling lines, each of glyphs that are turned alike."""
    for turn in np.unique(visible.turns).tolist():
        alike = _unturned(visible.take(np.flatnonzero(visible.turns == turn)), turn)
        for boxes in find_aligned(alike):
            yield replace(Grid.of(boxes, double_rule=0), turn=turn)


def _unturned(glyphs: Glyphs, turn: int) -> Glyphs:
    """The same glyphs, with boxes as if the page were turned so that glyphs of this turn are upright."""
    return replace(glyphs, boxes=unturn(glyphs.boxes, turn))


def _tolerance(visible: Glyphs) -> float:
    """How close rules are one or meet, in points; less than usual if the page has small print."""
    boxes = unturn(visible.boxes, visible.turns)
    small = len(boxes) // 10
    height = np.partition(boxes[:, 3] - boxes[:, 1], small)[small] if len(boxes) else np.inf
    return min(_TOLERANCE, _LINE_SHARE * float(height))


def _ruled_grid(boxes: NDArray[np.float64], visible: Glyphs) -> Grid | None:
    """The table that cells between ruling lines form, turned as most of its glyphs are; None if it is not one.

    The two lines of a double rule are one border.

    Args:
        boxes: ``x0, y0, x1, y1`` of the cells, in points; shape ``(C, 4)``.
        visible: glyphs of the page that are not white space.
    """
    x0, y0, x1, y1 = visible.boxes.T
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    inside = (x0 < right) & (x1 > left) & (y0 < bottom) & (y1 > top)
    if not inside.any():
        return None
    turn = int(np.bincount(visible.turns[inside]).argmax())
    glyphs = _unturned(visible, turn)
    height = float(np.median((glyphs.boxes[:, 3] - glyphs.boxes[:, 1])[inside]))
    grid = Grid.of(unturn(boxes, turn).tolist(), min(DOUBLE_RULE, _ROW_SHARE * height))
    return replace(split_rows(grid, glyphs), turn=turn) if _is_table(grid, glyphs) else None


def _is_table(grid: Grid, visible: Glyphs) -> bool:
    """Whether a grid has rows and columns of text, not just one, mostly empty cells, or framed paragraphs."""
    cells = grid.cell_of(visible)
    sizes = np.bincount(cells[cells >= 0], minlength=len(grid.cells))
    filled = [cell for cell, size in zip(grid.cells, sizes.tolist(), strict=True) if size]
    rows, columns = {cell.row for cell in filled}, {cell.column for cell in filled}
    if len(rows) < 2 or len(columns) < 2 or len(filled) < max(4, 0.4 * len(grid.cells)):
        return False
    paired = sum(count > 1 for count in Counter(cell.row for cell in filled).values())
    prose = sizes.max() > _LONG_FRAME and sizes.max() > 0.7 * sizes.sum()
    return bool(paired >= 2 and not prose and sizes.sum() < _LONG_CELL * len(filled))
