"""Raw text and edits side by side, for the formats that say what is a paragraph, a table, a heading."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from longdoc.document import Annotation, Cell, Document, Furniture, Link, Page, Section, Source, Table
from longdoc.edits import Edit, Edits
from longdoc.errors import NoTextLayerError
from longdoc.loaders.limits import Limits

Separator = Literal["", " ", "\t", "\n", "\n\n"]
_KINDS = {"": "dropped", " ": "space", "\t": "cell", "\n": "line", "\n\n": "paragraph"}
_RANK = {separator: rank for rank, separator in enumerate(_KINDS)}
_ZERO_WIDTH = "\xad\u200b\u2060\ufeff"
_PIECES = re.compile(rf"(?P<ink>[^\s{_ZERO_WIDTH}]+(?: [^\s{_ZERO_WIDTH}]+)*)|(?P<space>\s+)|[{_ZERO_WIDTH}]+")
_MOST_SPAN = 1000  # the HTML standard's limit


@dataclass(slots=True)
class _Mark:
    """A range of the text that is being written; it starts with the first visible character after it was opened."""

    start: int = -1
    end: int = -1


@dataclass(slots=True)
class _OpenTable:
    mark: _Mark
    row: int = -1
    column: int = 0
    taken: dict[int, int] = field(default_factory=dict)
    """Column -> the first row that no cell above reaches into."""
    cells: list[tuple[_Mark, int, int, int, int]] = field(default_factory=list)


class Builder:
    r"""Writes a document without geometry, piece by piece.

    White space is collapsed and separators are held back until something visible follows, so that between two visible
    characters stands one edit at most, and no text starts or ends with white space.

    >>> builder = Builder("note.xml")
    >>> builder.write("A  lease")
    >>> builder.separate("\n\n")
    >>> builder.insert("1. ", "number")
    >>> builder.write(" Term ")
    >>> document = builder.document(media_type="text/xml", sha256="", loader="example")
    >>> document.text, document.raw_text
    ('A lease\n\n1. Term', 'A  lease Term ')
    """

    def __init__(self, name: str, limits: Limits | None = None) -> None:
        self.name, self.limits = name, limits or Limits()
        self._raw: list[str] = []
        self._text: list[str] = []
        self._raw_length = self._text_length = 0
        self._gap: list[str] = []  # raw pieces since the last visible character
        self._gap_length = 0
        self._separator: Separator = ""
        self._edits: list[Edit] = []
        self._waiting: list[_Mark] = []
        self._page_starts, self._pages_waiting = [(0, 0)], 0  # offsets into text and raw text
        self._furniture: list[Furniture] = []
        self._annotations: list[Annotation] = []
        self._headings: list[tuple[_Mark, int, str, str]] = []
        self._links: list[tuple[_Mark, str]] = []
        self._tables: list[tuple[_Mark, list[tuple[_Mark, int, int, int, int]]]] = []
        self._open_tables: list[_OpenTable] = []
        self._open_cells: list[tuple[_Mark, Separator]] = []  # and what was to come before it

    # ------------------------------------------------------------------------------------------------------- text

    def write(self, raw: str) -> None:
        """Add text of the source; runs of white space become one space."""
        for piece in _PIECES.finditer(raw):
            if piece.lastgroup == "ink":
                self._flush()
                self._add(piece[0], piece[0])
                continue
            if piece.lastgroup == "space":
                self.separate(" ")
            self._hold(piece[0])

    def write_lines(self, raw: str) -> None:
        """Add preformatted text of the source: its line breaks and spaces stay, blank lines part paragraphs."""
        for line in re.split(r"(\r\n?|\n)", raw):
            if not line.strip():
                self._hold(line)
                self.separate(
                    "\n"
                    if line in ("\r\n", "\r", "\n") and self._separator in ("", " ", "\t")
                    else "\n\n"
                    if line in ("\r\n", "\r", "\n")
                    else ""
                )
                continue
            self._flush()
            self._add(line, line)

    def insert(self, text: str, kind: str) -> None:
        """Add text that the source implies and does not hold, such as the number of a list item."""
        self._flush()
        self._edits.append(Edit(self._raw_length, self._raw_length, text, kind))
        self._add("", text)

    def drop(self, raw: str, kind: str) -> None:
        """Record text of the source that is no part of the running text: it becomes furniture of that kind."""
        start = self._raw_length + self._gap_length
        self._hold(raw)
        self._furniture.append(
            Furniture(
                kind=kind, text=" ".join(raw.split()), page=self.page_number, raw_start=start, raw_end=start + len(raw)
            )
        )

    def separate(self, separator: Separator) -> None:
        """Put at least this between what was written and what comes."""
        if self._open_cells and separator == "\n\n":
            separator = "\n"
        if _RANK[separator] > _RANK[self._separator]:
            self._separator = separator

    def start_page(self) -> None:
        """What comes stands on a new page."""
        self._pages_waiting += 1
        self.separate("\n")

    @property
    def page_number(self) -> int:
        return len(self._page_starts) + self._pages_waiting

    def _hold(self, raw: str) -> None:
        """Add raw text that is not visible to the gap after the last visible character."""
        self._gap.append(raw)
        self._gap_length += len(raw)

    def _flush(self) -> None:
        """Write the gap before something visible."""
        separator = self._separator if self._text_length else ""
        raw = "".join(self._gap)
        start = self._raw_length
        self._add(raw, separator)
        if raw != separator:
            self._edits.append(
                Edit(start, self._raw_length, separator, "page" if self._pages_waiting else _KINDS[separator])
            )
        self._gap, self._gap_length, self._separator = [], 0, ""
        self._page_starts += [(self._text_length, self._raw_length)] * self._pages_waiting
        self._pages_waiting = 0
        for mark in self._waiting:
            mark.start = self._text_length
        self._waiting = []

    def _add(self, raw: str, text: str) -> None:
        self._raw.append(raw)
        self._text.append(text)
        self._raw_length += len(raw)
        self._text_length += len(text)
        self.limits.check("characters", max(self._raw_length, self._text_length), self.name)

    # ------------------------------------------------------------------------------------- what stands in the text

    def _open(self) -> _Mark:
        mark = _Mark()
        self._waiting.append(mark)
        return mark

    def _close(self, mark: _Mark) -> None:
        if mark.start < 0:  # nothing visible came
            self._waiting = [other for other in self._waiting if other is not mark]
            mark.start = self._text_length
        mark.end = self._text_length

    def open_heading(self, level: int, *, kind: str = "heading", number: str = "") -> None:
        """What comes, up to :meth:`close_heading`, is the heading of a section."""
        self._headings.append((self._open(), level, kind, number))

    def close_heading(self) -> None:
        self._close(next(mark for mark, *_ in reversed(self._headings) if mark.end < 0))

    def open_link(self, uri: str) -> None:
        """What comes, up to :meth:`close_link`, links to ``uri``."""
        self._links.append((self._open(), uri))

    def close_link(self) -> None:
        self._close(next(mark for mark, _ in reversed(self._links) if mark.end < 0))

    def annotate(self, kind: str, text: str, *, author: str = "") -> None:
        """Record a comment on what was just written."""
        self._annotations.append(Annotation(kind=kind, text=text, page=self.page_number, author=author))

    def open_table(self) -> None:
        self.separate("\n\n")
        self._open_tables.append(_OpenTable(self._open()))

    def open_row(self) -> None:
        table = self._open_tables[-1]
        table.row, table.column = table.row + 1, 0
        self.separate("\n")

    def open_cell(self, *, row_span: int = 1, column_span: int = 1) -> None:
        """Start a cell in the next free column of the row."""
        table = self._open_tables[-1]
        row_span, column_span = (min(max(span, 1), _MOST_SPAN) for span in (row_span, column_span))
        while table.row < table.taken.get(table.column, 0):
            table.column += 1
        if table.column:
            self.separate("\t")
        if row_span > 1:
            for column in range(table.column, table.column + column_span):
                table.taken[column] = max(table.taken.get(column, 0), table.row + row_span)
        mark = self._open()
        self._open_cells.append((mark, self._separator))
        table.cells.append((mark, table.row, table.column, row_span, column_span))
        table.column += column_span

    def close_cell(self) -> None:
        mark, before = self._open_cells.pop()
        self._separator = before if mark.start < 0 else ""
        self._close(mark)

    def close_table(self) -> None:
        table = self._open_tables.pop()
        self._close(table.mark)
        if table.cells:
            self._tables.append((table.mark, table.cells))
        self.separate("\n\n")

    # --------------------------------------------------------------------------------------------------- the result

    def document(
        self, *, media_type: str, sha256: str, loader: str, metadata: dict[str, str] | None = None, **parts: Any
    ) -> Document:
        """The document written so far.

        Args:
            media_type: of the source, as its hash, for ``Document.source``.
            sha256: of the source's bytes.
            loader: what read it.
            metadata: what the source says of itself.
            parts: further fields of the Document, such as ``warnings``.

        Raises:
            NoTextLayerError: nothing visible was written.
        """
        if not self._text_length:
            raise NoTextLayerError(f"{self.name}: nothing but markup and white space; give a file with text in it")
        if self._gap:
            self._edits.append(Edit(self._raw_length, self._raw_length + self._gap_length, "", "dropped"))
        raw_text, text = "".join([*self._raw, *self._gap]), "".join(self._text)
        borders = [start for start, _ in self._page_starts] + [len(text)]
        tables = [
            Table(start=mark.start, end=mark.end, cells=tuple(_cell(text, *cell) for cell in cells))
            for mark, cells in self._tables
        ]
        return Document(
            source=Source(
                name=self.name,
                media_type=media_type,
                sha256=sha256,
                loader=loader,
                version="1",
                metadata=metadata or {},
            ),
            pages=tuple(
                Page(number=i + 1, width=0, height=0, start=a, end=b, verdict="text" if text[a:b].strip() else "empty")
                for i, (a, b) in enumerate(pairwise(borders))
            ),
            raw_text=raw_text,
            boxes=np.full((len(raw_text), 4), np.nan, np.float32),
            lines=np.array([(raw, i + 1) for i, (_, raw) in enumerate(self._page_starts)], np.int32),
            edits=Edits.of(self._edits),
            sections=_sections(self._headings, text),
            tables=tuple(sorted(tables, key=lambda table: (table.start, -table.end))),
            furniture=tuple(self._furniture),
            links=tuple(Link(start=mark.start, end=mark.end, uri=uri) for mark, uri in self._links),
            annotations=tuple(self._annotations),
            **parts,
        )


def _cell(text: str, mark: _Mark, row: int, column: int, row_span: int, column_span: int) -> Cell:
    return Cell(
        text=text[mark.start : mark.end],
        row=row,
        column=column,
        start=mark.start,
        end=mark.end,
        row_span=row_span,
        column_span=column_span,
    )


def _sections(headings: list[tuple[_Mark, int, str, str]], text: str) -> tuple[Section, ...]:
    """Each heading that says something, with the text down to the next one of its level or above."""
    headings = [heading for heading in headings if heading[0].start < heading[0].end]
    sections: list[Section] = []
    around: list[tuple[int, int]] = []  # position and level of the sections that are open
    ends = [len(text)] * len(headings)
    for position, (mark, level, kind, number) in enumerate(headings):
        while around and around[-1][1] >= level:
            ends[around.pop()[0]] = mark.start
        sections.append(
            Section(
                number=number,
                title=" ".join(text[mark.start : mark.end].split()),
                kind=kind,
                level=level,
                start=mark.start,
                end=len(text),
                parent=around[-1][0] if around else None,
            )
        )
        around.append((position, level))
    return tuple(replace(section, end=end) for section, end in zip(sections, ends, strict=True))
