"""Builds documents from formats that mark up paragraphs, tables and headings: raw text, text and edits in parallel."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from longdoc.document import Annotation, Cell, Document, FormField, Furniture, Link, Page, Source, Table
from longdoc.edits import Edit, Edits
from longdoc.errors import NoTextLayerError
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.grid import MAX_SPAN, Grid
from longdoc.sections import Heading, nest

Separator = Literal["", " ", "\t", "\n", "\n\n"]
_EDIT_KINDS = {"": "dropped", " ": "space", "\t": "cell", "\n": "line", "\n\n": "paragraph"}
_RANK = {separator: rank for rank, separator in enumerate(_EDIT_KINDS)}
_ZERO_WIDTH = "\xad\u200b\u2060\ufeff"
_PIECES = re.compile(rf"(?P<visible>[^\s{_ZERO_WIDTH}]+(?: [^\s{_ZERO_WIDTH}]+)*)|(?P<space>\s+)|[{_ZERO_WIDTH}]+")
_LINE_BREAKS = ("\r\n", "\r", "\n")


@dataclass(slots=True)
class TextRange:
    """A range of the text being written; it starts at the first visible character after it was opened."""

    start: int = -1
    end: int = -1


@dataclass(slots=True)
class _Cell:
    range: TextRange
    row: int
    column: int
    row_span: int
    column_span: int
    separator: Separator
    """The separator that was pending before the cell."""


@dataclass(slots=True)
class _Table:
    range: TextRange
    grid: Grid = field(default_factory=Grid)
    cells: list[_Cell] = field(default_factory=list)


class Builder:
    r"""Builds a document without geometry, piece by piece.

    White space is collapsed, and separators are held back until visible text follows. So there is at most one edit
    between two visible characters, and the text neither starts nor ends with white space.

    >>> builder = Builder("note.xml")
    >>> builder.write("A  lease")
    >>> builder.separate("\n\n")
    >>> builder.insert("1. ", "number")
    >>> builder.write(" Term ")
    >>> document = builder.document(b"", media_type="text/xml", loader="example", metadata={})
    >>> document.text, document.raw_text
    ('A lease\n\n1. Term', 'A  lease Term ')
    """

    def __init__(self, name: str, limits: Limits | None = None) -> None:
        self.name, self.limits = name, limits or Limits()
        self.tables = TableBuilder(self)
        self.pending_separator: Separator = ""
        self._raw: list[str] = []
        self._text: list[str] = []
        self._raw_length = self._text_length = 0
        self._gap: list[str] = []  # raw pieces since the last visible character
        self._gap_length = 0
        self._edits: list[Edit] = []
        self._waiting: list[TextRange] = []  # ranges without a visible character yet
        self._page_starts, self._pending_pages = [(0, 0)], 0  # offsets into text and raw text
        self._furniture: list[Furniture] = []
        self._annotations: list[Annotation] = []
        self._annotated = 0  # characters
        self._headings: list[tuple[TextRange, int, str, str]] = []  # level, kind, number
        self._links: list[tuple[TextRange, str]] = []
        self._linked = 0  # characters of their addresses

    # ------------------------------------------------------------------------------------------------------- text

    def write(self, raw: str) -> None:
        """Adds text of the source; runs of white space become one space."""
        for piece in _PIECES.finditer(raw):
            if piece.lastgroup == "visible":
                self._flush()
                self._add(piece[0], piece[0])
                continue
            if piece.lastgroup == "space":
                self.separate(" ")
            self._hold(piece[0])

    def write_lines(self, raw: str) -> None:
        """Adds preformatted text of the source: line breaks and spaces are kept, blank lines separate paragraphs."""
        for line in re.split(r"(\r\n?|\n)", raw):
            if line.strip():
                self._flush()
                self._add(line, line)
                continue
            self._hold(line)
            if line in _LINE_BREAKS:
                self.separate("\n" if self.pending_separator in ("", " ", "\t") else "\n\n")
            elif line:
                self.separate(" ")

    def replace(self, raw: str, text: str, kind: str) -> None:
        """Adds visible text that stands for other characters of the source."""
        self._flush()
        self._edits.append(Edit(self._raw_length, self._raw_length + len(raw), text, kind))
        self._add(raw, text)

    def insert(self, text: str, kind: str) -> None:
        """Adds text that the source implies but does not contain, such as the number of a list item."""
        self._flush()
        self._edits.append(Edit(self._raw_length, self._raw_length, text, kind))
        self._add("", text)

    def close_up(self, text: str, kind: str) -> None:
        """Inserts text right after the last visible character, before the separator that is pending."""
        pending, self.pending_separator = self.pending_separator, ""
        self.insert(text, kind)
        self.separate(pending)

    def drop(self, raw: str, kind: str) -> None:
        """Records text of the source as furniture of this kind instead of adding it to the running text."""
        start = self._raw_length + self._gap_length
        self._hold(raw)
        self._furniture.append(
            Furniture(
                kind=kind, text=" ".join(raw.split()), page=self.page_number, raw_start=start, raw_end=start + len(raw)
            )
        )

    def separate(self, separator: Separator) -> None:
        """Puts at least this separator between the text so far and the text that follows."""
        if separator == "\n\n" and self.tables.in_cell:
            separator = "\n"
        if _RANK[separator] > _RANK[self.pending_separator]:
            self.pending_separator = separator

    def last_text(self, length: int = 40) -> str:
        """The end of the text on the current line, with the space after it; empty at the start of a line or a cell."""
        if self.pending_separator not in ("", " "):
            return ""
        last = ""
        for piece in reversed(self._text):
            last = piece + last
            if len(last) >= length:
                break
        return last[-length:].rpartition("\n")[2] + self.pending_separator

    def start_page(self) -> None:
        """Starts a new page."""
        self._pending_pages += 1
        self.limits.check("pages", self.page_number, self.name)
        self.separate("\n")

    @property
    def length(self) -> int:
        """The number of characters of text so far."""
        return self._text_length

    @property
    def page_number(self) -> int:
        return len(self._page_starts) + self._pending_pages

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def raw_text(self) -> str:
        """The characters of the source so far, those of furniture included."""
        return "".join([*self._raw, *self._gap])

    def _hold(self, raw: str) -> None:
        """Adds invisible raw text to the gap after the last visible character."""
        self._gap.append(raw)
        self._gap_length += len(raw)
        self.limits.check("characters", self._raw_length + self._gap_length, self.name)

    def _flush(self) -> None:
        """Writes the gap before visible text."""
        separator = self.pending_separator if self._text_length else ""
        raw = "".join(self._gap)
        start = self._raw_length
        self._add(raw, separator)
        if raw != separator:
            kind = "page" if self._pending_pages else _EDIT_KINDS[separator]
            self._edits.append(Edit(start, self._raw_length, separator, kind))
        self._gap, self._gap_length, self.pending_separator = [], 0, ""
        self._page_starts += [(self._text_length, self._raw_length)] * self._pending_pages
        self._pending_pages = 0
        for each in self._waiting:
            each.start = self._text_length
        self._waiting = []

    def _add(self, raw: str, text: str) -> None:
        self._raw.append(raw)
        self._text.append(text)
        self._raw_length += len(raw)
        self._text_length += len(text)
        self.limits.check("characters", max(self._raw_length, self._text_length), self.name)

    # ------------------------------------------------------------------------------------------------- annotations

    def open_range(self) -> TextRange:
        """A range that starts at the next visible character."""
        opened = TextRange()
        self._waiting.append(opened)
        return opened

    def close_range(self, opened: TextRange) -> None:
        """Ends a range at the last visible character; it is empty if there was none."""
        if opened.start < 0:
            self._waiting = [other for other in self._waiting if other is not opened]
            opened.start = self._text_length
        opened.end = self._text_length

    def open_heading(self, level: int, *, kind: str = "heading", number: str = "") -> None:
        """Starts the heading of a section; :meth:`close_heading` ends it."""
        self._headings.append((self.open_range(), level, kind, number))

    def close_heading(self) -> None:
        self.close_range(next(opened for opened, *_ in reversed(self._headings) if opened.end < 0))

    def open_link(self, uri: str) -> None:
        """Starts the text of a link; :meth:`close_link` ends it."""
        self._linked += len(uri)
        self.limits.check("characters", self._linked, f"{self.name}, addresses of links")
        self._links.append((self.open_range(), uri))

    def close_link(self) -> None:
        self.close_range(next(opened for opened, _ in reversed(self._links) if opened.end < 0))

    def annotate(self, kind: str, text: str, *, author: str = "") -> None:
        """Records a comment on the text before it."""
        self._annotated += len(text)
        self.limits.check("characters", self._annotated, f"{self.name}, comments")
        self._annotations.append(Annotation(kind=kind, text=text, page=self.page_number, author=author))

    # ------------------------------------------------------------------------------------------------- the document

    def document(
        self,
        data: bytes,
        *,
        media_type: str,
        loader: str,
        metadata: dict[str, str],
        fields: Sequence[FormField] = (),
        warnings: Sequence[str] = (),
    ) -> Document:
        """The document written so far.

        Args:
            data: the content of the file, for its hash in ``Document.source``.
            media_type: the media type of the file.
            loader: the name of the loader.
            metadata: the metadata of the file.
            fields: the form fields of the file.
            warnings: what was not read, or may have been read incorrectly.

        Raises:
            NoTextLayerError: nothing visible was written.
        """
        if not self._text_length:
            reason = f" ({warnings[0]})" if warnings else ""
            raise NoTextLayerError(f"{self.name}: only markup and white space{reason}; give a file that contains text")
        if self._gap:
            self._edits.append(Edit(self._raw_length, self._raw_length + self._gap_length, "", "dropped"))
        raw_text, text = self.raw_text, "".join(self._text)
        sha256 = hashlib.sha256(data).hexdigest()
        source = Source(
            name=self.name, media_type=media_type, sha256=sha256, loader=loader, version="1", metadata=metadata
        )
        return Document(
            source=source,
            pages=_pages(text, [start for start, _ in self._page_starts]),
            raw_text=raw_text,
            boxes=np.full((len(raw_text), 4), np.nan, np.float32),
            lines=np.array([(raw, i + 1) for i, (_, raw) in enumerate(self._page_starts)], np.int32),
            edits=Edits.of(self._edits),
            sections=nest(_headings(text, self._headings), len(text)),
            tables=self.tables.finished(text),
            furniture=tuple(self._furniture),
            links=tuple(Link(start=opened.start, end=opened.end, uri=uri) for opened, uri in self._links),
            fields=tuple(fields),
            annotations=tuple(self._annotations),
            warnings=(*warnings, *self.tables.warnings()),
        )


def _pages(text: str, starts: Sequence[int]) -> tuple[Page, ...]:
    return tuple(
        Page(number=number, width=0, height=0, start=a, end=b, verdict="text" if text[a:b].strip() else "empty")
        for number, (a, b) in enumerate(pairwise([*starts, len(text)]), 1)
    )


def _headings(text: str, opened: Sequence[tuple[TextRange, int, str, str]]) -> list[Heading]:
    """The headings that are not empty."""
    return [
        Heading(at.start, level, number, " ".join(text[at.start : at.end].split()), kind)
        for at, level, kind, number in opened
        if at.start < at.end
    ]


class TableBuilder:
    """Builds the tables of a document: rows and cells in reading order, tables within cells included."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._tables: list[_Table] = []
        self._open_tables: list[_Table] = []
        self._open_cells: list[_Cell] = []

    @property
    def in_cell(self) -> bool:
        return bool(self._open_cells)

    def open(self) -> None:
        """Starts a table."""
        self._builder.separate("\n\n")
        self._open_tables.append(_Table(self._builder.open_range()))

    def open_row(self) -> None:
        """Starts the next row of the innermost table."""
        self._open_tables[-1].grid.open_row()
        self._builder.separate("\n")

    def open_cell(self, *, row_span: int = 1, column_span: int = 1) -> None:
        """Starts a cell in the next free column of the row."""
        table = self._open_tables[-1]
        row_span, column_span = (min(max(span, 1), MAX_SPAN) for span in (row_span, column_span))
        row, column = table.grid.place(row_span=row_span, column_span=column_span)
        if column:
            self._builder.separate("\t")
        separator = self._builder.pending_separator
        cell = _Cell(self._builder.open_range(), row, column, row_span, column_span, separator)
        self._open_cells.append(cell)
        table.cells.append(cell)

    def close_cell(self) -> None:
        """Ends the innermost cell; the separators after its last visible character are discarded."""
        cell = self._open_cells.pop()
        self._builder.pending_separator = cell.separator if cell.range.start < 0 else ""
        self._builder.close_range(cell.range)

    def close(self) -> None:
        """Ends the innermost table."""
        table = self._open_tables.pop()
        self._builder.close_range(table.range)
        if table.cells:
            self._tables.append(table)
        self._builder.separate("\n\n")

    def warnings(self) -> list[str]:
        """What may be wrong in the tables."""
        count = sum(not table.grid.is_followed for table in self._tables)
        where = f"{count} tables" if count > 1 else "1 table"
        return [f"{where} with too many cells that span rows: columns may be wrong"] if count else []

    def finished(self, text: str) -> tuple[Table, ...]:
        """The tables in the order of the text, an outer table before the tables in it."""
        tables = (
            Table(
                start=table.range.start,
                end=table.range.end,
                cells=tuple(
                    Cell(
                        text=text[cell.range.start : cell.range.end],
                        row=cell.row,
                        column=cell.column,
                        start=cell.range.start,
                        end=cell.range.end,
                        row_span=cell.row_span,
                        column_span=cell.column_span,
                    )
                    for cell in table.cells
                ),
            )
            for table in self._tables
        )
        return tuple(sorted(tables, key=lambda table: (table.start, -table.end)))
