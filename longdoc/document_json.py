"""A document as JSON, and back: what is read is checked before it is used, since files come from anywhere."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import Edits
from longdoc.parts import (
    Annotation,
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
)
from longdoc.stored import Reader, expected

MOST_LEVELS = 1_000
"""Levels of sections and of the outline."""
MOST_PLACES = 10_000_000
"""Rows times columns of a table."""
_PARTS: dict[str, Any] = {
    "source": Source,
    "pages": tuple[Page, ...],
    "raw_text": str,
    "sections": tuple[Section, ...],
    "definitions": tuple[Definition, ...],
    "references": tuple[Reference, ...],
    "tables": tuple[Table, ...],
    "furniture": tuple[Furniture, ...],
    "outline": tuple[OutlineItem, ...],
    "links": tuple[Link, ...],
    "fields": tuple[FormField, ...],
    "annotations": tuple[Annotation, ...],
    "warnings": tuple[str, ...],
}
_ARRAYS = {"boxes": (np.float32, 4), "lines": (np.int32, 2), "confidences": (np.float32, 1)}
"""Name → type of the numbers, and how many there are in a row."""
_LATER = ("definitions", "references", "furniture", "outline", "links", "fields", "annotations", "confidences")
"""What documents of format 1 do not have."""


class DocumentLike(Protocol):
    """The part of :class:`longdoc.document.Document` that is checked; that module imports this one."""

    @property
    def text(self) -> str: ...
    @property
    def raw_text(self) -> str: ...
    @property
    def pages(self) -> Sequence[Page]: ...
    @property
    def lines(self) -> NDArray[np.int32]:
        """The start and the page of each line, int32 ``(N, 2)``."""
        ...

    @property
    def sections(self) -> Sequence[Section]: ...
    @property
    def definitions(self) -> Sequence[Definition]: ...
    @property
    def references(self) -> Sequence[Reference]: ...
    @property
    def tables(self) -> Sequence[Table]: ...
    @property
    def furniture(self) -> Sequence[Furniture]: ...
    @property
    def outline(self) -> Sequence[OutlineItem]: ...
    @property
    def links(self) -> Sequence[Link]: ...
    @property
    def fields(self) -> Sequence[FormField]: ...
    @property
    def annotations(self) -> Sequence[Annotation]: ...


def plain(value: Any) -> Any:
    """Converts one level of a value that JSON cannot hold."""
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<")).tobytes()
        return {"dtype": value.dtype.name, "base64": base64.b64encode(little).decode("ascii")}
    if isinstance(value, Edits):
        return {"ranges": value.ranges, "codes": value.codes, "replacements": value.replacements}
    return asdict(value)


def read_parts(record: Any, *, size: int) -> dict[str, Any]:
    """The arguments of a document.

    Args:
        record: what the JSON holds.
        size: the length of the JSON, to which the text is proportionate.

    Raises:
        ValueError: a key, a type or a number is wrong; the message names the place.
    """
    if not isinstance(record, dict):
        expected("an object", record, "the document")
    known = ("longdoc", *_PARTS, *_ARRAYS, "edits")
    for name in record:
        if name not in known:
            raise ValueError(f"unknown key {name!r:.80}; allowed: {', '.join(known)}")
    for name in known[1:]:
        if name not in record and name not in _LATER:
            raise ValueError(f"missing key {name!r}")
    reader = Reader()
    parts = {name: reader.read(kind, record[name], name) for name, kind in _PARTS.items() if name in record}
    for name, (kind, width) in _ARRAYS.items():
        if name in record:
            array = _array(record[name], kind, name)
            parts[name] = _rows(array, width, name) if width > 1 else array
    return {**parts, "edits": _edits(record["edits"], reader, size)}


def _array(record: Any, kind: type[Any], where: str) -> NDArray[Any]:
    """The array that :func:`plain` converted, flattened."""
    if not isinstance(record, dict) or set(record) != {"dtype", "base64"}:
        expected("an object with dtype and base64", record, where)
    allowed = ("float32", "float64") if issubclass(kind, np.floating) else ("int32", "int64")
    if record["dtype"] not in allowed:
        expected(f"one of {', '.join(allowed)}", record["dtype"], f"{where}.dtype")
    try:
        data = base64.b64decode(record["base64"], validate=True)
        stored = np.frombuffer(data, np.dtype(record["dtype"]).newbyteorder("<"))
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"{where}.base64: {error}") from error
    if np.isinf(stored).any() or (stored != stored.astype(kind))[~np.isnan(stored)].any():
        raise ValueError(f"{where}: a number is out of the range of {np.dtype(kind).name}")
    return stored.astype(kind)


def _rows(array: NDArray[Any], width: int, where: str) -> NDArray[Any]:
    if len(array) % width:
        raise ValueError(f"{where}: {len(array)} numbers, which are no rows of {width}")
    return array.reshape(-1, width)


def _edits(record: Any, reader: Reader, size: int) -> Edits:
    if not isinstance(record, dict) or set(record) != {"ranges", "codes", "replacements"}:
        expected("an object with ranges, codes and replacements", record, "edits")
    replacements = reader.read(tuple[tuple[str, str], ...], record["replacements"], "edits.replacements")
    codes = _array(record["codes"], np.int32, "edits.codes")
    if len(codes) and not 0 <= codes.min() <= codes.max() < len(replacements):
        raise ValueError(
            f"edits.codes: from {codes.min()} to {codes.max()}; there are {len(replacements)} replacements"
        )
    inserted = np.array([len(text) for text, _ in replacements], np.int64)[codes].sum() if len(codes) else 0
    if inserted > 4 * size:
        raise ValueError(f"edits: they insert {inserted:,} characters, out of proportion to {size:,} of JSON")
    return Edits(_rows(_array(record["ranges"], np.int32, "edits.ranges"), 2, "edits.ranges"), codes, replacements)


def check(document: DocumentLike) -> None:
    """Checks that the parts of a document fit its text and each other.

    Raises:
        ValueError: they do not; the message names the first place.
    """
    for where, problem in _problems(document):
        raise ValueError(f"{where}: {problem}")


def _problems(document: DocumentLike) -> Iterator[tuple[str, str]]:
    yield from _pages(document)
    yield from _sections(document)
    yield from _tables(document)
    yield from _ranges(document)
    for number, entry in enumerate(document.outline):
        if not 1 <= entry.level <= MOST_LEVELS:
            yield f"outline[{number}].level", f"{entry.level}; allowed: 1 to {MOST_LEVELS:,}"
    for name in ("furniture", "outline", "links", "fields", "annotations", "tables"):
        for number, each in enumerate(getattr(document, name)):
            box = getattr(each, "box", None)
            for page in (getattr(each, "page", None), box and box.page):
                if page is not None and page < 1:
                    yield f"{name}[{number}].page", f"{page}; allowed: from 1"


def _ranges(document: DocumentLike) -> Iterator[tuple[str, str]]:
    length = len(document.text)
    for name in ("definitions", "references", "links"):
        for number, each in enumerate(getattr(document, name)):
            yield from _range(f"{name}[{number}]", each.start, each.end, 0, length)
            section = getattr(each, "section", None)
            if section is not None and not 0 <= section < len(document.sections):
                yield f"{name}[{number}].section", f"{section} is none of {len(document.sections)} sections"
    for number, item in enumerate(document.furniture):
        yield from _range(f"furniture[{number}]", item.raw_start, item.raw_end, 0, len(document.raw_text))


def _pages(document: DocumentLike) -> Iterator[tuple[str, str]]:
    before = 0
    for number, page in enumerate(document.pages):
        where = f"pages[{number}]"
        yield from _range(where, page.start, page.end, 0, len(document.text))
        if page.number <= before:
            yield f"{where}.number", f"{page.number} after {before}; numbers of pages rise from 1"
        before = page.number
        if page.width < 0 or page.height < 0:
            yield where, f"a size of {page.width} × {page.height} points"
        if page.confidence is not None and not 0 <= page.confidence <= 1:
            yield f"{where}.confidence", f"{page.confidence}; allowed: 0 to 1"
    offsets, numbers = document.lines.T
    if (np.diff(offsets) < 0).any() or (len(offsets) and not offsets[0] == 0 <= offsets[-1] <= len(document.raw_text)):
        yield "lines", f"offsets rise from 0 to at most {len(document.raw_text)}, the length of the raw text"
    if strange := set(numbers.tolist()) - {page.number for page in document.pages}:
        yield "lines", f"there is no page {min(strange)}"


def _sections(document: DocumentLike) -> Iterator[tuple[str, str]]:
    for number, section in enumerate(document.sections):
        where = f"sections[{number}]"
        yield from _range(where, section.start, section.end, 0, len(document.text))
        if not 1 <= section.level <= MOST_LEVELS:
            yield f"{where}.level", f"{section.level}; allowed: 1 to {MOST_LEVELS:,}"
        if section.parent is None:
            continue
        if not 0 <= section.parent < number:
            yield f"{where}.parent", f"{section.parent}; allowed: a section before it"
        parent = document.sections[section.parent]
        yield from _range(where, section.start, section.end, parent.start, parent.end)


def _tables(document: DocumentLike) -> Iterator[tuple[str, str]]:
    for number, table in enumerate(document.tables):
        where = f"tables[{number}]"
        yield from _range(where, table.start, table.end, 0, len(document.text))
        for index, cell in enumerate(table.cells):
            place = f"{where}.cells[{index}]"
            yield from _range(place, cell.start, cell.end, 0, len(document.text))
            if min(cell.row, cell.column) < 0 or min(cell.row_span, cell.column_span) < 1:
                yield place, "its row and column count from 0, its spans from 1"
            if document.text[cell.start : cell.end] != cell.text:
                yield f"{place}.text", "it is not what the text has there"
        rows, columns = table.shape
        if rows * columns > MOST_PLACES:
            yield where, f"{rows:,} rows × {columns:,} columns; allowed: {MOST_PLACES:,} places"


def _range(where: str, start: int, end: int, low: int, high: int) -> Iterator[tuple[str, str]]:
    if not low <= start <= end <= high:
        yield where, f"the range {start}:{end} is not within {low}:{high}"
