"""The parts of a document: pages, sections, tables, and what stands on a page beside its running text.

Offsets are half-open and count Python code points. Boxes are in PDF points (1/72 inch) with the origin at the top left
of the page as displayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas

Verdict = Literal["text", "scanned", "garbled", "empty"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on one page, in points of 1/72 inch from its top left corner as displayed."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page and its part of the text; the pages of a document partition its text."""

    number: int
    """From 1, as in the source: a document loaded in part keeps the source's numbers."""
    width: float
    height: float
    start: int
    end: int
    verdict: Verdict
    """What the page was before any OCR: ``"scanned"`` and ``"garbled"`` pages have text only where OCR read them."""
    confidence: float | None = None
    """Mean confidence of the OCR that read it, 0 to 1; None where the page's own text was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and the text under it, down to the next heading of its level or above."""

    number: str
    """As printed and joined to its parents: ``"8.3(b)"``; empty where the heading has none."""
    title: str
    kind: str
    """``"article"``, ``"section"``, ``"exhibit"``, ``"recital"``, ``"heading"``, in notes ``"medications"`` ...."""
    level: int
    """From 1, the outermost."""
    start: int
    end: int
    parent: int | None = None
    """Position of the enclosing section in ``Document.sections``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A defined term and where it is defined: ``text[start:end]`` is the sentence or clause that says what it means."""

    term: str
    start: int
    end: int
    section: int | None = None
    """Position in ``Document.sections`` of the section that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A mention of a section of this document: ``text[start:end]`` is for example ``"Section 8.3(b)"``."""

    text: str
    start: int
    end: int
    section: int | None
    """Position in ``Document.sections`` of the section it points to; None where there is none of that number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A table cell: ``document.text[start:end] == text``. Rows and columns count from 0."""

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
        """How many rows and columns it has."""
        rows = max((cell.row + cell.row_span for cell in self.cells), default=0)
        return rows, max((cell.column + cell.column_span for cell in self.cells), default=0)

    def to_pandas(self) -> pandas.DataFrame:
        """One row a table row, columns numbered from 0; a spanning cell fills every place it covers.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install 'longdoc[interop]'") from error
        height, width = self.shape
        rows = [[""] * width for _ in range(height)]
        for cell in self.cells:
            for row in rows[cell.row : cell.row + cell.row_span]:
                row[cell.column : cell.column + cell.column_span] = [cell.text] * cell.column_span
        frame: pandas.DataFrame = pandas.DataFrame(rows)
        return frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """What stands on a page and is no part of the running text: it is kept out of ``text``, never out of ``raw_text``.

    ``raw_text[raw_start:raw_end]`` holds its characters.
    """

    kind: str
    """``"header"``, ``"footer"``, ``"page number"``, ``"line number"``, ``"stamp"``, ``"hidden"``, ``"deleted"``."""
    text: str
    page: int
    raw_start: int
    raw_end: int
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link over ``text[start:end]`` (empty where it covers no text): to an address, or to a page of this document."""

    start: int
    end: int
    uri: str = ""
    page: int | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineItem:
    """A bookmark, as the source's own table of contents lists it; ``level`` counts from 1."""

    title: str
    level: int
    page: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field of a form and what is filled in; where the page shows the value it is in the text too."""

    name: str
    kind: str
    """``"text"``, ``"checkbox"``, ``"radio"``, ``"choice"``, ``"button"`` or ``"signature"``."""
    value: str
    page: int
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A comment somebody attached to a page: not part of the text."""

    kind: str
    """Such as ``"note"``, ``"highlight"``, ``"comment"``."""
    text: str
    page: int
    author: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a document came from and what read it."""

    name: str
    media_type: str
    sha256: str
    loader: str
    version: str
    metadata: Mapping[str, str] = field(default_factory=dict)
