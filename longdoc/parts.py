"""The parts of a document: pages, sections, tables, and what a page contains besides its running text.

Offsets are half-open and count Python code points. Boxes are in PDF points (1/72 inch) with the origin at the top left
of the page as displayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from longdoc.errors import require

if TYPE_CHECKING:
    import pandas

Verdict = Literal["text", "scanned", "garbled", "empty"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points (1/72 inch) from the top left corner of the page as displayed."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page and its range of the text; the pages of a document partition the text."""

    number: int
    """From 1, as in the source, even if only some pages were loaded."""
    width: float
    """In points, like the height."""
    height: float
    start: int
    end: int
    verdict: Verdict
    """State of the page before OCR: ``"scanned"`` and ``"garbled"`` pages have text only if OCR read them."""
    confidence: float | None = None
    """Mean OCR confidence, 0 to 1; None if the text of the page itself was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and the text up to the next heading of the same or a higher level."""

    number: str
    """Full number as printed, with those of its parents: ``"8.3(b)"``; empty if the heading has none."""
    title: str
    kind: str
    """Such as ``"article"``, ``"section"``, ``"exhibit"``, ``"recital"``, ``"heading"``; ``"medications"`` in notes."""
    level: int
    """From 1, the outermost level."""
    start: int
    end: int
    parent: int | None = None
    """Index of the enclosing section in ``Document.sections``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A defined term: ``text[start:end]`` is the sentence or clause that defines it."""

    term: str
    start: int
    end: int
    section: int | None = None
    """Index in ``Document.sections`` of the section that contains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference to a section of this document: ``text[start:end]`` is for example ``"Section 8.3(b)"``."""

    text: str
    start: int
    end: int
    section: int | None
    """Index in ``Document.sections`` of the section referred to; None if no section has that number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A table cell: ``document.text[start:end] == text``. Rows and columns are numbered from 0."""

    text: str
    row: int
    column: int
    start: int
    end: int
    row_span: int = 1
    column_span: int = 1
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table and its cells, row by row."""

    start: int
    end: int
    cells: tuple[Cell, ...]
    box: Box | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        rows = max((cell.row + cell.row_span for cell in self.cells), default=0)
        return rows, max((cell.column + cell.column_span for cell in self.cells), default=0)

    def to_pandas(self) -> pandas.DataFrame:
        """Converts the table to a data frame with columns numbered from 0; a spanning cell fills all its positions.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        pd = require("pandas", extra="interop", needed_by="to_pandas()")
        height, width = self.shape
        rows = [[""] * width for _ in range(height)]
        for cell in self.cells:
            for row in rows[cell.row : cell.row + cell.row_span]:
                row[cell.column : cell.column + cell.column_span] = [cell.text] * cell.column_span
        frame: pandas.DataFrame = pd.DataFrame(rows)
        return frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """Text on a page that is not running text: removed from ``text``, kept as ``raw_text[raw_start:raw_end]``."""

    kind: str
    """On pages ``"header"``, ``"footer"``, ``"page number"``, ``"line number"``, ``"stamp"``, ``"hidden"``; in markup
    also ``"deleted"``, ``"alternative text"``, ``"field code"``, ``"placeholder"``, ``"chart"``, ``"coded entry"`` …"""
    text: str
    page: int
    raw_start: int
    raw_end: int
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link on ``text[start:end]`` (empty if it covers no text) to a URI or to a page of this document."""

    start: int
    end: int
    uri: str = ""
    page: int | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineItem:
    """An entry in the outline (bookmarks) of the source; ``level`` is 1 for the outermost."""

    title: str
    level: int
    page: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A form field and its value; a value that is visible on the page is also in the text."""

    name: str
    kind: str
    """``"text"``, ``"checkbox"``, ``"radio"``, ``"choice"``, ``"button"`` or ``"signature"``."""
    value: str
    page: int
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A comment attached to a page; not part of the text."""

    kind: str
    """Such as ``"note"``, ``"highlight"``, ``"comment"``."""
    text: str
    page: int
    author: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The origin of a document, and the loader that read it."""

    name: str
    media_type: str
    sha256: str
    loader: str
    version: str
    metadata: Mapping[str, str] = field(default_factory=dict)
