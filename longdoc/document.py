"""The result of loading: the text that a model reads, and the position of each of its characters on the page.

A :class:`Document` keeps the characters of its source unchanged (``raw_text``) and the :class:`Edits` that clean them.
``text`` is by definition ``raw_text`` with the edits applied, so every change can be traced and undone.

Offsets are half-open and count Python code points. Boxes are in PDF points (1/72 inch) with the origin at the top left
of the page as displayed.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from heapq import heappop, heappush
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from longdoc.arguments import check_type
from longdoc.document_json import check, plain, read_parts
from longdoc.edits import WHITE_SPACE, Edit, Edits, code_points
from longdoc.errors import CorruptDocumentError, LimitExceededError, UnsupportedFormatError, first_line
from longdoc.parts import (
    Annotation,
    Box,
    Cell,
    Definition,
    FormField,
    Furniture,
    Link,
    OutlineItem,
    Page,
    Reference,
    Section,
    Source,
    Table,
    Verdict,
)
from longdoc.stored import parse
from longdoc.titles import title_in

__all__ = [
    "Annotation",
    "Box",
    "Cell",
    "Definition",
    "Document",
    "FormField",
    "Furniture",
    "Link",
    "OutlineItem",
    "Page",
    "Reference",
    "Section",
    "Source",
    "Table",
    "Verdict",
]

T = TypeVar("T")

JSON_VERSION = 2
"""The format that :meth:`Document.to_json` writes. Format 1 had neither definitions, references, furniture, outline,
links, fields, annotations nor confidences."""

_NAMES_A_FILE = re.compile(
    r"(?i)^(untitled.*|microsoft word\b.*|adobe photoshop.*|new page \d*|(exhibit|ex)[\s.-]*\d[\w.()-]*"
    r"|(edgar |html |sec )?(document|filing|title|page)|converted by .*)$|\.[a-z]{3,4}$"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Document:
    """A loaded document: immutable, arrays included; equal to another if all of its parts are.

    The arrays passed to the constructor become read-only and are not copied.

    >>> document = Document.from_text("Lease between A and B.")
    >>> document.raw(6, 13), document.page_at(6).number, document.locate(6, 13)
    ('between', 1, ())
    """

    source: Source
    pages: tuple[Page, ...]
    raw_text: str
    """The characters of the source in reading order; white space only where the source has it."""
    boxes: NDArray[np.float32]
    """Shape ``(len(raw_text), 4)``, in points: ``x0, y0, x1, y1`` of each raw character, NaN if it has no geometry."""
    lines: NDArray[np.int32]
    """Shape ``(N, 2)``: offset into ``raw_text`` at which each line starts, and its page number; the first is at 0."""
    edits: Edits
    sections: tuple[Section, ...] = ()
    definitions: tuple[Definition, ...] = ()
    references: tuple[Reference, ...] = ()
    tables: tuple[Table, ...] = ()
    furniture: tuple[Furniture, ...] = ()
    outline: tuple[OutlineItem, ...] = ()
    links: tuple[Link, ...] = ()
    fields: tuple[FormField, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    confidences: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Shape ``(len(raw_text),)``: OCR confidence of each raw character, 0 to 1, NaN where OCR did not read it; shape
    ``(0,)`` if OCR read nothing."""
    warnings: tuple[str, ...] = ()
    text: str = field(init=False)
    """The text that models read."""
    origins: NDArray[np.int32] = field(init=False)
    """Shape ``(len(text), 2)``: the range of ``raw_text`` behind each character, empty where one was inserted."""
    path: Path | None = field(init=False, default=None)
    """The file that :func:`longdoc.load` was given, if it was one; neither written as JSON nor pickled."""
    _computed: dict[Callable[[Document], Any], Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        text, origins = self.edits.apply(self.raw_text)
        borders = [0, *(page.end for page in self.pages)]
        if [page.start for page in self.pages] != borders[:-1] or borders[-1] != len(text):
            raise ValueError(f"pages must partition the text of {len(text)} characters; their boundaries are {borders}")
        if self.boxes.shape != (len(self.raw_text), 4):
            raise ValueError(
                f"boxes must have shape {(len(self.raw_text), 4)}, one per raw character; got {self.boxes.shape}"
            )
        if len(self.confidences) not in (0, len(self.raw_text)):
            raise ValueError(
                f"{len(self.confidences)} confidences for {len(self.raw_text)} raw characters; give one each"
            )
        for array in (self.boxes, self.lines, self.confidences, origins, self.edits.ranges, self.edits.codes):
            array.flags.writeable = False
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "origins", origins)

    @classmethod
    def from_text(cls, text: str, *, name: str = "text", edits: Edits | None = None) -> Document:
        """Creates a document without geometry; a form feed ends a page.

        Args:
            text: the raw text.
            name: the value of ``source.name``.
            edits: edits to apply; by default lone surrogates, which UTF-8 cannot encode, become U+FFFD.
        """
        check_type("text", text, "a str; longdoc.load reads paths, bytes and files", str)
        if edits is None:
            lone = re.finditer("[\ud800-\udfff]", text)
            edits = Edits.of(Edit(match.start(), match.end(), "\ufffd", "unmapped") for match in lone)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        source = Source(name=name, media_type="text/plain", sha256=digest, loader="text", version="1")
        edited, _ = edits.apply(text)
        starts, raw_starts = ([0, *(m.end() for m in re.finditer("\f(?=.)", t, re.S))] for t in (edited, text))
        pages = tuple(
            Page(number=number, width=0, height=0, start=a, end=b, verdict="text" if edited[a:b].strip() else "empty")
            for number, (a, b) in enumerate(zip(starts, [*starts[1:], len(edited)], strict=True), 1)
        )
        lines = np.array([(start, number) for number, start in enumerate(raw_starts, 1)], np.int32)
        boxes = np.full((len(text), 4), np.nan, np.float32)
        return cls(source=source, pages=pages, raw_text=text, boxes=boxes, lines=lines, edits=edits)

    def locate(self, start: int, end: int) -> tuple[Box, ...]:
        """The boxes around ``text[start:end]``: one per line, in reading order; empty if there is no geometry."""
        first, last = self._raw_range(start, end)
        # Count where ranges open and close: raw characters that edits removed lie in none of them.
        opened, closed = (np.bincount(side - first, minlength=last - first) for side in self.origins[start:end].T)
        inside = np.cumsum(opened[: last - first] - closed[: last - first]) > 0
        glyphs = first + np.flatnonzero(inside & self.once(_has_box)[first:last])
        if not len(glyphs):
            return ()
        line = np.searchsorted(self.lines[:, 0], glyphs, side="right") - 1
        cuts = np.flatnonzero(np.diff(line, prepend=-1))
        low = np.minimum.reduceat(self.boxes[glyphs, :2], cuts).tolist()
        high = np.maximum.reduceat(self.boxes[glyphs, 2:], cuts).tolist()
        numbers = self.lines[line[cuts], 1].tolist()
        return tuple(Box(page, *a, *b) for page, a, b in zip(numbers, low, high, strict=True))

    def raw(self, start: int, end: int) -> str:
        """The characters of the source behind ``text[start:end]``, in reading order, before any edit."""
        first, last = self._raw_range(start, end)
        return self.raw_text[first:last]

    def confidence(self, start: int, end: int) -> float | None:
        """The lowest OCR confidence in ``text[start:end]``, 0 to 1; None if OCR read none of it."""
        first, last = self._raw_range(start, end)
        read = self.confidences[first:last]
        return None if np.isnan(read).all() else float(np.nanmin(read))

    def _raw_range(self, start: int, end: int) -> tuple[int, int]:
        """Half-open range of ``raw_text`` behind ``text[start:end]``; the whole raw text for the whole text."""
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"the range {start}:{end} is not within the text, 0:{len(self.text)}")
        if end - start == len(self.text):
            return 0, len(self.raw_text)
        return (int(self.origins[start, 0]), int(self.origins[end - 1, 1])) if start < end else (0, 0)

    def page_at(self, offset: int) -> Page:
        """The page of the character at ``offset``."""
        self._raw_range(offset, offset + 1)
        return self.pages[bisect_right(self.pages, offset, key=lambda page: page.end)]

    def section_at(self, offset: int) -> Section | None:
        """The innermost section around ``offset``, or None."""
        self._raw_range(offset, offset + 1)
        starts, innermost = self.once(_innermost_sections)
        index = bisect_right(starts, offset) - 1
        return innermost[index] if index >= 0 else None

    @property
    def title(self) -> str:
        """The title in the metadata, else a line at the top that names a type of document, else the first heading."""
        given = self.source.metadata.get("Title", "").strip()
        identifier = " " not in given and any(char.isdigit() or char == "_" for char in given)
        return given if given and not identifier and not _NAMES_A_FILE.search(given) else title_in(self.text) or given

    def once(self, compute: Callable[[Document], T]) -> T:
        """The result of a function of the document, which is called at the first time only and kept."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        result: T = self._computed[compute]
        return result

    def to_json(self) -> str:
        """Serialises the document to JSON; :meth:`from_json` restores an equal one, boxes bit for bit.

        Raises:
            LimitExceededError: `from_json` would refuse it, such as for the size of a table; the message says where.
        """
        try:
            check(self)
        except ValueError as error:
            remedy = "leave that part out, such as by dataclasses.replace(document, tables=())"
            raise LimitExceededError(f"{self.source.name}: not to be written as JSON: {error}; {remedy}") from error
        return self._as_json()

    def _as_json(self) -> str:
        record: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return json.dumps({"longdoc": JSON_VERSION, **record}, default=plain)

    @classmethod
    def from_json(cls, text: str) -> Document:
        """Restores a document from :meth:`to_json`, including the output of older versions of longdoc.

        Raises:
            UnsupportedFormatError: the document was written by a newer version of longdoc.
            CorruptDocumentError: the text is not a document in JSON; the message names the first place that is wrong.
        """
        try:
            record = parse(text)
            version = record.get("longdoc", 1) if isinstance(record, dict) else 1
            if not isinstance(version, int) or version < 1:
                raise ValueError(f"longdoc: expected the number of a format, got {version!r:.60}")
            if version > JSON_VERSION:
                raise UnsupportedFormatError(
                    f"the document has format {version}, written by a newer longdoc; this one reads formats 1 to "
                    f"{JSON_VERSION}: upgrade longdoc, or load the source again"
                )
            document = cls(**read_parts(record, size=len(text)))
            check(document)
        except (TypeError, ValueError) as error:
            raise CorruptDocumentError(f"not a document written by Document.to_json ({first_line(error)})") from error
        return document

    def __reduce__(self) -> tuple[partial[Document], tuple[()]]:
        # Pickled arrays come back writeable; the constructor makes them read-only, and derives text and origins.
        return partial(type(self), **{f.name: getattr(self, f.name) for f in fields(self) if f.init}), ()

    def __eq__(self, other: object) -> bool:
        return self._as_json() == other._as_json() if isinstance(other, Document) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.source.sha256, self.raw_text))

    def __repr__(self) -> str:
        return f"Document({self.source.name!r}, {len(self.pages)} pages, {len(self.text):,} characters)"

    def _repr_html_(self) -> str:
        warnings = "".join(f"<li>{escape(warning)}</li>" for warning in self.warnings)
        return f"<b>{escape(self.title)}</b><br>{escape(repr(self))}<ul>{warnings}</ul>"


def _has_box(document: Document) -> NDArray[np.bool_]:
    """Which characters of the raw text are seen in a box, other than as white space."""
    has_box: NDArray[np.bool_] = ~np.isin(code_points(document.raw_text), WHITE_SPACE) & ~np.isnan(document.boxes[:, 0])
    return has_box


def _innermost_sections(document: Document) -> tuple[list[int], list[Section | None]]:
    """The offsets at which sections start or end, ascending, and the innermost section from each on."""
    borders = sorted({border for section in document.sections for border in (section.start, section.end)})
    waiting = sorted(enumerate(document.sections), key=lambda each: each[1].start, reverse=True)
    around: list[tuple[int, int]] = []  # a heap: the deepest section on top, of those the first
    innermost: list[Section | None] = []
    for border in borders:
        while waiting and waiting[-1][1].start <= border:
            index, section = waiting.pop()
            heappush(around, (-section.level, index))
        while around and document.sections[around[0][1]].end <= border:
            heappop(around)
        innermost.append(document.sections[around[0][1]] if around else None)
    return borders, innermost
