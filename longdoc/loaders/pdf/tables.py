"""Tables of a PDF page: the grids that rules or aligned columns make, and the text of their cells.

Ruling lines come from pdfium, in the coordinates of the glyphs, so no page is parsed twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from longdoc.edits import WHITE_SPACE, Edits
from longdoc.loaders.layout.text import BLOCK, CELL, LINE, NONE, ROW, SPACE, Glyphs
from longdoc.loaders.pdf.lattice import find_cells, find_crossings, group_cells
from longdoc.loaders.pdf.ruling_lines import TableError, read_rules
from longdoc.loaders.pdf.unruled_tables import find_aligned
from longdoc.parts import Box, Cell, Table

_MOST_CROSSINGS = 2500  # of ruling lines; a page with tables has a few hundred
_DOUBLE_RULE = 5.0  # points: two rules no further apart hold no text
_LONG_CELL = 600  # characters; where cells hold this much on average, the boxes stand around paragraphs


@dataclass(frozen=True, slots=True)
class GridCell:
    """Where a cell stands in its grid; rows and columns count from 0."""

    row: int
    column: int
    row_span: int
    column_span: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table on a page: its borders in points from the top left of the page as displayed, and its cells in order."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    cells: tuple[GridCell, ...]

    @classmethod
    def of(cls, boxes: Sequence[tuple[float, float, float, float]]) -> Grid:
        """From the boxes of cells that share borders; one that covers several of them spans."""
        sides = np.array(boxes)
        x, columns = _borders(sides[:, ::2])
        y, rows = _borders(sides[:, 1::2])
        spans = np.hstack([rows[:, :1], columns[:, :1], np.diff(rows), np.diff(columns)])
        spans = spans[(spans[:, 2:] > 0).all(axis=1)]
        return cls(x, y, tuple(GridCell(*cell) for cell in sorted(spans.tolist())))

    def box(self, page: int, cell: GridCell | None = None) -> Box:
        """The box of a cell, or of the whole table."""
        cell = cell or GridCell(0, 0, len(self.y) - 1, len(self.x) - 1)
        x0, x1 = float(self.x[cell.column]), float(self.x[cell.column + cell.column_span])
        return Box(page, x0, float(self.y[cell.row]), x1, float(self.y[cell.row + cell.row_span]))

    def cell_of(self, glyphs: Glyphs) -> NDArray[np.int64]:
        """Position in ``cells`` of the cell that holds the centre of each glyph, -1 where none does."""
        owner = np.full((len(self.y) + 1, len(self.x) + 1), -1)
        for i, cell in enumerate(self.cells):
            rows = slice(cell.row + 1, cell.row + 1 + cell.row_span)
            owner[rows, cell.column + 1 : cell.column + 1 + cell.column_span] = i
        x, y = ((glyphs.boxes[:, :2] + glyphs.boxes[:, 2:]) / 2).T
        cells: NDArray[np.int64] = owner[np.searchsorted(self.y, y), np.searchsorted(self.x, x)]
        return cells


def _borders(sides: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distinct borders, in order, and which of them each side is: the two lines of a double rule are one border."""
    values, which = np.unique(sides, return_inverse=True)
    number = np.cumsum(np.diff(values, prepend=-np.inf) > _DOUBLE_RULE) - 1
    return np.bincount(number, values) / np.bincount(number), number[which].reshape(sides.shape)


@dataclass(frozen=True, slots=True)
class Placed:
    """A grid and the glyphs of its cells, by their place on the page, half-open; shape ``(len(grid.cells), 2)``."""

    grid: Grid
    ranges: NDArray[np.int64]


def find_tables(page: pdfium.PdfPage, glyphs: Glyphs) -> list[Grid]:
    """The tables of a page, disjoint; boxes around prose, forms, contents and signature blocks are none.

    Raises:
        TableError: the page has more rules or drawn lines than one with tables can have.
    """
    visible = glyphs.take(np.flatnonzero(~np.isin(glyphs.codes, WHITE_SPACE)))
    taken = np.zeros(len(visible.codes), bool)
    found: list[Grid] = []
    for grid in [*_ruled(page, visible), *(Grid.of(boxes) for boxes in find_aligned(visible))]:
        inside = grid.cell_of(visible) >= 0
        if not (taken & inside).any():
            found.append(grid)
            taken |= inside
    return found


def _ruled(page: pdfium.PdfPage, visible: Glyphs) -> list[Grid]:
    """Grids drawn with rules, smallest first."""
    rules = read_rules(page)
    crossings = find_crossings(rules)
    if len(crossings) > _MOST_CROSSINGS:
        raise TableError(f"its rules cross more than {_MOST_CROSSINGS:,} times")
    grids = [Grid.of(boxes) for boxes in group_cells(find_cells(crossings))]
    grids.sort(key=lambda grid: (grid.x[-1] - grid.x[0]) * (grid.y[-1] - grid.y[0]))
    return [_split_rows(grid, visible) for grid in grids if _is_table(grid, visible)]


def _split_rows(grid: Grid, visible: Glyphs) -> Grid:
    """A row ruled only every few lines, cut where the same lines stand in every one of its cells.

    Three lines in three cells are the least: two are words that were wrapped. Upright text stands one glyph a line.
    """
    owner = grid.cell_of(visible)
    middle = (visible.boxes[:, 1] + visible.boxes[:, 3]) / 2
    boxes: list[tuple[float, float, float, float]] = []
    for row in range(len(grid.y) - 1):
        numbers = [i for i, cell in enumerate(grid.cells) if cell.row == row]
        lines = [_line_middles(middle[owner == i]) for i in numbers]
        lines = [found for found in lines if found]
        borders = [float(grid.y[row]), float(grid.y[row + 1])]
        single = all(grid.cells[i].row_span == 1 for i in numbers)
        upright = np.isin(owner, numbers).sum() < 1.2 * sum(map(len, lines))
        if single and not upright and len(lines) >= 3 <= len(lines[0]) and all(_same(lines[0], li) for li in lines):
            borders[1:1] = [(a + b) / 2 for a, b in pairwise(lines[0])]
        for i in numbers:
            box = grid.box(0, grid.cells[i])
            parts = pairwise(borders) if len(borders) > 2 else [(box.y0, box.y1)]
            boxes += [(box.x0, top, box.x1, bottom) for top, bottom in parts]
    return Grid.of(boxes)


def _line_middles(middles: NDArray[np.floating]) -> list[float]:
    """Heights of the lines that glyphs with these middles stand on."""
    ordered = np.sort(middles)
    return [float(line.mean()) for line in np.split(ordered, np.flatnonzero(np.diff(ordered) > 3) + 1) if len(line)]


def _same(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(abs(a - b) < 3 for a, b in zip(one, other, strict=True))


def _is_table(grid: Grid, visible: Glyphs) -> bool:
    """Whether a grid has rows and columns of text: not one row or column, mostly empty cells, or framed paragraphs."""
    cells = grid.cell_of(visible)
    sizes = np.bincount(cells[cells >= 0], minlength=len(grid.cells))
    filled = [cell for cell, size in zip(grid.cells, sizes.tolist(), strict=True) if size]
    rows, columns = {cell.row for cell in filled}, {cell.column for cell in filled}
    if len(rows) < 2 or len(columns) < 2 or len(filled) < max(4, 0.4 * len(grid.cells)):
        return False
    paired = sum(count > 1 for count in Counter(cell.row for cell in filled).values())
    prose = sizes.max() > 300 and sizes.max() > 0.7 * sizes.sum()
    return bool(paired >= 2 and not prose and sizes.sum() < _LONG_CELL * len(filled))


def arrange(glyphs: Glyphs, grids: Sequence[Grid]) -> tuple[Glyphs, list[Placed]]:
    """Puts the glyphs of each table together, row by row and cell by cell, where the first of them stood.

    Glyphs outside of tables keep their order, and so do those within a cell.
    """
    n = len(glyphs.codes)
    table, cell = np.full(n, -1), np.full(n, -1)
    middle = _middle_of_word(glyphs)
    for i, grid in enumerate(grids):
        inside = grid.cell_of(glyphs)[middle]
        mine = (inside >= 0) & (table < 0)
        table[mine], cell[mine] = i, inside[mine]
    place = np.arange(n)
    for i in range(len(grids)):
        place[table == i] = np.flatnonzero(table == i)[:1]
    order = np.lexsort((np.arange(n), cell, place))
    arranged = glyphs.take(order)
    table, cell = table[order], cell[order]
    row = np.full(n, -1)
    for i, grid in enumerate(grids):
        row[table == i] = np.array([c.row for c in grid.cells])[cell[table == i]]
    breaks = _breaks(glyphs, order, table, row, cell)
    placed = [Placed(grid, _ranges(table == i, cell, len(grid.cells))) for i, grid in enumerate(grids)]
    return replace(arranged, breaks=breaks), placed


def _middle_of_word(glyphs: Glyphs) -> NDArray[np.int64]:
    """For each glyph the middle one of its word: words that reach over a border stay whole; shape ``(n,)``."""
    x0, y0, x1, y1 = glyphs.boxes.T
    apart = np.abs(x0[1:] - x1[:-1]) > 0.25 * (y1 - y0)[1:]
    white = np.isin(glyphs.codes, WHITE_SPACE)
    starts = np.flatnonzero(np.append(True, apart | (glyphs.breaks[1:] != NONE) | white[1:] | white[:-1])[: len(white)])
    ends = np.append(starts[1:], len(white))
    return np.repeat((starts + ends) // 2, ends - starts)


def _breaks(
    glyphs: Glyphs,
    order: NDArray[np.int64],
    table: NDArray[np.int64],
    row: NDArray[np.int64],
    cell: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """What separates each glyph from the one now before it."""
    moved = np.diff(order, prepend=-1) != 1
    _, y0, _, y1 = glyphs.boxes[order].T
    overlap = np.minimum(y1[1:], y1[:-1]) - np.maximum(y0[1:], y0[:-1])
    beside = np.append(False, overlap > 0.5 * np.minimum(y1 - y0, np.roll(y1 - y0, 1))[1:])
    breaks = np.where(moved, np.where(beside & (table >= 0), SPACE, LINE), glyphs.breaks[order])

    def changes(kind: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.append(True, kind[1:] != kind[:-1])[: len(kind)] & (table >= 0)

    breaks[changes(cell)] = CELL
    breaks[changes(row)] = ROW
    breaks[np.append(table[:1] >= 0, table[1:] != table[:-1])] = BLOCK
    return breaks.astype(np.uint8)


def _ranges(mine: NDArray[np.bool_], cell: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Where the glyphs of each cell of a table stand: an empty cell at the end of the one before; shape (count, 2)."""
    sizes = np.bincount(cell[mine], minlength=count)
    first = int(np.argmax(mine)) if mine.any() else 0
    ends = first + np.cumsum(sizes)
    return np.stack([ends - sizes, ends], axis=1)


def build_tables(pages: Sequence[tuple[int, int, Sequence[Placed]]], raw_text: str, edits: Edits) -> tuple[Table, ...]:
    """The tables of a document.

    Args:
        pages: page number, offset into ``raw_text`` of its first glyph, and its tables; of each page.
        raw_text: of the document.
        edits: of the document.
    """
    if not any(placed for _, _, placed in pages):
        return ()
    text, origins = edits.apply(raw_text)
    found = [(number, table.grid, table.ranges + start) for number, start, placed in pages for table in placed]
    return tuple(_table(number, grid, _text_ranges(ranges, origins), text) for number, grid, ranges in found)


def _text_ranges(raw: NDArray[np.int64], origins: NDArray[np.int32]) -> NDArray[np.int64]:
    """The characters of the text that come from within ranges of the raw text."""
    start = np.searchsorted(origins[:, 0], raw[:, 0], side="left")
    end = np.searchsorted(origins[:, 1], raw[:, 1], side="right")
    return np.stack([start, np.maximum(start, end)], axis=1)


def _table(page: int, grid: Grid, ranges: NDArray[np.int64], text: str) -> Table:
    """A table whose cells start and end at visible characters; an empty one stands at the end of the one before."""
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
