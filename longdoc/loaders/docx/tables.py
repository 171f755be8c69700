"""Tables of a Word document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from longdoc.loaders.docx.controls import Controls
from longdoc.loaders.docx.notes import Notes
from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.docx.package import child
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, tag_of, whole_number

_WRAPPERS = frozenset("sdt sdtcontent customxml ins del moveto movefrom smarttag".split())
"""Content controls and tracked changes, which may surround rows and cells."""


class Tables:
    """Writes tables; vertically merged cells become one cell."""

    def __init__(self, walk: Walk, notes: Notes, controls: Controls) -> None:
        self.walk, self.notes, self.controls = walk, notes, controls

    def table(self, element: Element) -> Steps:
        """A table, followed by its notes."""
        walk = self.walk
        outer, walk.joined = walk.joined, False
        walk.table_depth += 1
        walk.builder.tables.open()
        for tag in ("tblcaption", "tbldescription"):
            walk.aside(value_of(child(element, "tblpr"), tag), "alternative text")
        rows = _rows(element)
        spans = _row_spans(rows)
        for index, row in enumerate(rows):
            if walk.furniture or row.furniture:
                for cell, _ in row.cells.values():
                    yield walk.content_as(cell, row.furniture)
            else:
                yield self._row(rows, index, spans[index])
        walk.builder.tables.close()
        walk.table_depth -= 1
        walk.joined = outer
        yield self.notes.write_waiting()

    def _row(self, rows: list[_Row], index: int, spans: dict[int, int]) -> Steps:
        """A row; of vertically merged cells, Word shows the text of the first only."""
        tables = self.walk.builder.tables
        tables.open_row()
        column = 0
        for start, (cell, width) in rows[index].cells.items():
            if index and rows[index].continues(start) and rows[index - 1].merges(start):
                yield self.walk.content_as(cell, "hidden")
            else:
                if start > column:
                    tables.open_cell(column_span=start - column)
                    tables.close_cell()
                tables.open_cell(row_span=spans.get(start, 1), column_span=width)
                yield self.walk.content_as(cell, self.controls.cell(cell))
                tables.close_cell()
                self.walk.joined = False
            column = start + width


@dataclass(frozen=True, slots=True)
class _Row:
    cells: dict[int, tuple[Element, int]]
    """First column -> the cell, and the number of columns it spans."""
    furniture: str
    """``"deleted"`` or ``"hidden"`` if the row is not part of the text."""

    def merges(self, column: int) -> bool:
        """Whether the cell that starts there is vertically merged with others."""
        return column in self.cells and child(child(self.cells[column][0], "tcpr"), "vmerge") is not None

    def continues(self, column: int) -> bool:
        """Whether the cell that starts there continues the cell above."""
        return self.merges(column) and value_of(child(self.cells[column][0], "tcpr"), "vmerge") != "restart"


def _rows(table: Element) -> list[_Row]:
    rows = []
    for row in _within(table, "tr"):
        properties = child(row, "trpr")
        is_deleted = child(properties, "del") is not None
        furniture = "deleted" if is_deleted else "hidden" if is_on(properties, "hidden") else ""
        column, cells = whole_number(value_of(properties, "gridbefore") or "0"), {}
        for cell in _within(row, "tc"):
            width = max(whole_number(value_of(child(cell, "tcpr"), "gridspan") or "1"), 1)
            cells[column] = cell, width
            column += width
        rows.append(_Row(cells, furniture))
    return rows


def _within(element: Element, tag: str) -> Iterator[Element]:
    """The rows of a table or the cells of a row, also within content controls and tracked changes."""
    stack = list(reversed(element))
    while stack:
        inner = stack.pop()
        if tag_of(inner) == tag:
            yield inner
        elif tag_of(inner) in _WRAPPERS:
            stack += reversed(inner)


def _row_spans(rows: list[_Row]) -> list[dict[int, int]]:
    """For each row, the first column of each merged cell -> the rows that it spans, without deleted and hidden ones."""
    found: list[dict[int, int]] = []
    below: dict[int, int] = {}  # column -> the number of cells that continue the one above
    for row in reversed(rows):
        found.append({column: 1 + below.get(column, 0) for column in row.cells if row.merges(column)})
        if not row.furniture:
            below = {column: span for column, span in found[-1].items() if row.continues(column)}
    return found[::-1]
