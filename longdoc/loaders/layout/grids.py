"""Tables as grids of cells: their borders on the page, the order of their glyphs, and the Table they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import Edits
from longdoc.loaders.layout.glyphs import BLOCK, CELL, LINE, NONE, ROW, SPACE, Glyphs, is_white, unturn
from longdoc.loaders.layout.isolate import attempt
from longdoc.parts import Box, Cell, Table

DOUBLE_RULE = 5.0
"""Points: no text of the usual size fits between two rules this close."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """The position of a cell in its grid; rows and columns count from 0."""

    row: int
    column: int
    row_span: int
    column_span: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table on a page: ``C`` columns and ``R`` rows of cells."""

    x: NDArray[np.float64]
    """Borders of the columns from left to right, in points; shape ``(C + 1,)``."""
    y: NDArray[np.float64]
    """Borders of the rows from top to bottom, in points; shape ``(R + 1,)``."""
    cells: tuple[GridCell, ...]
    """Row by row."""
    turn: int = 0
    """Quarter turns by which the table is rotated on the page, anticlockwise; ``x`` and ``y`` are those of
    :func:`~longdoc.loaders.layout.glyphs.unturn`."""

    @classmethod
    def of(cls, boxes: Sequence[tuple[float, float, float, float]], double_rule: float = DOUBLE_RULE) -> Grid:
        """From the boxes of cells that share borders; one that covers several of them spans.

        Args:
            boxes: ``x0, y0, x1, y1`` of each, in points.
            double_rule: sides of cells this close are one border, in points; small print needs less.
        """
        sides = np.array(boxes)
        x, columns = _borders(sides[:, ::2], double_rule)
        y, rows = _borders(sides[:, 1::2], double_rule)
        spans = np.hstack([rows[:, :1], columns[:, :1], np.diff(rows), np.diff(columns)])
        spans = spans[(spans[:, 2:] > 0).all(axis=1)]
        return cls(x, y, tuple(GridCell(*cell) for cell in sorted(spans.tolist())))

    def box(self, page: int, cell: GridCell | None = None) -> Box:
        """The box of a cell, or of the whole table."""
        cell = cell or GridCell(0, 0, len(self.y) - 1, len(self.x) - 1)
        x0, x1 = float(self.x[cell.column]), float(self.x[cell.column + cell.column_span])
        y0, y1 = float(self.y[cell.row]), float(self.y[cell.row + cell.row_span])
        return Box(
            page, *unturn(np.array([[x0, y0, x1, y1]]), 4 - self.turn)[0].tolist() if self.turn else (x0, y0, x1, y1)
        )

    def cell_of(self, glyphs: Glyphs) -> NDArray[np.int64]:
        """The index in ``cells`` of the cell that contains the centre of each glyph, -1 outside; shape ``(N,)``."""
        owner = np.full((len(self.y) + 1, len(self.x) + 1), -1)
        for i, cell in enumerate(self.cells):
            rows = slice(cell.row + 1, cell.row + 1 + cell.row_span)
            owner[rows, cell.column + 1 : cell.column + 1 + cell.column_span] = i
        boxes = unturn(glyphs.boxes, self.turn)
        x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).T
        cells: NDArray[np.int64] = owner[np.searchsorted(self.y, y), np.searchsorted(self.x, x)]
        return cells


def _borders(sides: NDArray[np.float64], double_rule: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Merges the sides of cells into borders; the two lines of a double rule are one border.

    Args:
        sides: the two sides of each cell along one axis, in points; shape ``(K, 2)``.
        double_rule: the distance of its two lines, in points.

    Returns:
        The borders in ascending order, and the index of the border that each side is on, shape ``(K, 2)``.
    """
    values, which = np.unique(sides, return_inverse=True)
    number = np.cumsum(np.diff(values, prepend=-np.inf) > double_rule) - 1
    return np.bincount(number, values) / np.bincount(number), number[which].reshape(sides.shape)


@dataclass(frozen=True, slots=True)
class PlacedGrid:
    """A grid, and the glyphs of each of its cells."""

    grid: Grid
    ranges: NDArray[np.int64]
    """Half-open ranges of glyph positions on the page; shape ``(len(grid.cells), 2)``."""


def arrange(glyphs: Glyphs, grids: Sequence[Grid]) -> tuple[Glyphs, list[PlacedGrid]]:
    """Moves the glyphs of each table together, row by row and cell by cell, to where the first of them was.

    Glyphs outside tables keep their order, and so do those within a cell, but for the lines of a turned table.

    Args:
        glyphs: the ``N`` glyphs of one page.
        grids: its tables, disjoint.
    """
    n = len(glyphs.codes)
    table, cell, row, line = np.full(n, -1), np.full(n, -1), np.full(n, -1), np.zeros(n, np.int64)
    middle = _middle_of_word(glyphs)
    rank = np.arange(n)
    for i, grid in enumerate(grids):
        inside = grid.cell_of(glyphs)[middle]
        own = (inside >= 0) & (table < 0)
        table[own], cell[own] = i, inside[own]
        row[own] = np.array([each.row for each in grid.cells])[cell[own]]
        rank[own] = np.flatnonzero(own)[:1]
        if grid.turn and own.any():
            line[own] = _line_ranks(glyphs.take(np.flatnonzero(own)), grid.turn)
    order = np.lexsort((np.arange(n), line, cell, rank))
    table, row, cell = table[order], row[order], cell[order]
    breaks = _breaks(glyphs, order, table, row, cell)
    placed = [PlacedGrid(grid, _cell_ranges(table == i, cell, len(grid.cells))) for i, grid in enumerate(grids)]
    return replace(glyphs.take(order), breaks=breaks), placed


def _line_ranks(glyphs: Glyphs, turn: int) -> NDArray[np.int64]:
    """From which line of a turned table each of its ``N`` glyphs is, counted down the table; shape ``(N,)``."""
    boxes = unturn(glyphs.boxes, turn)
    starts = np.append(True, glyphs.breaks[1:] >= LINE)
    bottom = boxes[starts, 3]
    down = np.argsort(bottom, kind="stable")
    rank = np.empty(len(bottom), np.int64)
    rank[down] = np.cumsum(np.diff(bottom[down], prepend=bottom[down[0]]) > 0.5 * np.median(boxes[:, 3] - boxes[:, 1]))
    ranks: NDArray[np.int64] = rank[np.cumsum(starts) - 1]
    return ranks


def _middle_of_word(glyphs: Glyphs) -> NDArray[np.int64]:
    """The middle glyph of the word of each glyph: a word that crosses a border stays whole; shape ``(N,)``."""
    x0, y0, x1, y1 = unturn(glyphs.boxes, glyphs.turns).T
    spaced = np.abs(x0[1:] - x1[:-1]) > 0.25 * (y1 - y0)[1:]
    white = is_white(glyphs.codes)
    borders = np.append(True, spaced | (glyphs.breaks[1:] != NONE) | white[1:] | white[:-1])
    starts = np.flatnonzero(borders[: len(white)])
    ends = np.append(starts[1:], len(white))
    return np.repeat((starts + ends) // 2, ends - starts)


def _breaks(
    glyphs: Glyphs,
    order: NDArray[np.int64],
    table: NDArray[np.int64],
    row: NDArray[np.int64],
    cell: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """What separates each glyph from the one that now comes before it.

    Args:
        glyphs: the ``N`` glyphs in their old order.
        order: the new order; shape ``(N,)``.
        table: index of the table of each glyph in the new order, -1 outside; shape ``(N,)``.
        row: the same for its row.
        cell: the same for its cell.
    """
    moved = np.diff(order, prepend=-1) != 1
    _, y0, _, y1 = unturn(glyphs.boxes, glyphs.turns)[order].T
    overlap = np.minimum(y1[1:], y1[:-1]) - np.maximum(y0[1:], y0[:-1])
    alike = np.diff(glyphs.turns[order]) == 0
    beside = np.append(False, alike & (overlap > 0.5 * np.minimum(y1 - y0, np.roll(y1 - y0, 1))[1:]))
    breaks = np.where(moved, np.where(beside & (table >= 0), SPACE, LINE), glyphs.breaks[order])

    def changes(kind: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.append(True, kind[1:] != kind[:-1])[: len(kind)] & (table >= 0)

    breaks[changes(cell)] = CELL
    breaks[changes(row)] = ROW
    breaks[np.append(table[:1] >= 0, table[1:] != table[:-1])] = BLOCK
    return breaks.astype(np.uint8)


def _cell_ranges(inside: NDArray[np.bool_], cell: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The glyph positions of each cell of a table; an empty cell is at the end of the one before it.

    Args:
        inside: which glyphs belong to the table; shape ``(N,)``.
        cell: index of the cell of each glyph; shape ``(N,)``.
        count: number of cells.

    Returns:
        Half-open ranges; shape ``(count, 2)``.
    """
    sizes = np.bincount(cell[inside], minlength=count)
    first = int(np.argmax(inside)) if inside.any() else 0
    ends = first + np.cumsum(sizes)
    return np.stack([ends - sizes, ends], axis=1)


def build_tables(
    pages: Sequence[tuple[int, int, Sequence[PlacedGrid]]], raw_text: str, edits: Edits, failures: list[str]
) -> tuple[Table, ...]:
    """Builds the tables of a document, in reading order; a table that cannot be built is left out.

    Args:
        pages: for each page its number, the offset of its first glyph in ``raw_text``, and its grids.
        raw_text: the document's raw text.
        edits: the document's edits.
        failures: a warning about each table that is left out is added to it.
    """
    if not any(placed for _, _, placed in pages):
        return ()
    text, origins = edits.apply(raw_text)
    found = [(number, table.grid, table.ranges + start) for number, start, placed in pages for table in placed]
    tables = [
        attempt(
            f"a table of page {number}",
            partial(_table, number, grid, _text_ranges(ranges, origins), text),
            None,
            failures,
        )
        for number, grid, ranges in found
    ]
    return tuple(sorted((table for table in tables if table), key=lambda table: (table.start, table.end)))


def _text_ranges(raw: NDArray[np.int64], origins: NDArray[np.int32]) -> NDArray[np.int64]:
    """The characters of the text that come from within ranges of the raw text.

    Args:
        raw: half-open ranges of the raw text; shape ``(K, 2)``.
        origins: the range of the raw text behind each of the ``L`` characters of the text; shape ``(L, 2)``.

    Returns:
        Half-open ranges of the text; shape ``(K, 2)``.
    """
    start = np.searchsorted(origins[:, 0], raw[:, 0], side="left")
    end = np.searchsorted(origins[:, 1], raw[:, 1], side="right")
    return np.stack([start, np.maximum(start, end)], axis=1)


def _table(page: int, grid: Grid, ranges: NDArray[np.int64], text: str) -> Table:
    """Builds a table whose cells start and end at visible characters; an empty cell is at the end of the one before.

    Args:
        page: the page number.
        grid: the cells.
        ranges: half-open range of ``text`` of each cell; shape ``(len(grid.cells), 2)``.
        text: the document's text.
    """
    cells: list[Cell] = []
    for cell, (start, end) in zip(grid.cells, ranges.tolist(), strict=True):
        inner = text[start:end].strip()
        first = end - len(text[start:end].lstrip())
        if not inner:
            first = cells[-1].end if cells else int(ranges[0, 0])
        cells.append(
            Cell(
                text=inner,
                row=cell.row,
                column=cell.column,
                start=first,
                end=first + len(inner),
                row_span=cell.row_span,
                column_span=cell.column_span,
                box=grid.box(page, cell),
            )
        )
    filled = [cell for cell in cells if cell.text] or cells[:1]
    return Table(start=filled[0].start, end=filled[-1].end, cells=tuple(cells), box=grid.box(page))
