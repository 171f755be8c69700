"""Plain text: UTF-8, UTF-16 with a byte order mark, else Windows-1252; with the tags of EDGAR's text filings."""

from __future__ import annotations

import codecs
import hashlib
import re
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise

import numpy as np

from longdoc.document import Document, Furniture, Source
from longdoc.edits import Edit, Edits
from longdoc.errors import NoTextLayerError
from longdoc.loaders.limits import Limits

_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_WRAPPER = (
    r"</?(?:SEC-DOCUMENT|SEC-HEADER|IMS-DOCUMENT|IMS-HEADER|DOCUMENT|TEXT)>[^\n\r]*"
    r"|<(?:TYPE|SEQUENCE|FILENAME|DESCRIPTION|ACCEPTANCE-DATETIME)>[^\n\r]*"
)
HEADER_FIELD = re.compile(r"^[ \t]*<(TYPE|SEQUENCE|FILENAME|DESCRIPTION)>[ \t]*([^\n\r<]*)", re.MULTILINE)
"""A line of the header that EDGAR puts before each document of a filing."""
_MARKS = re.compile(
    r"(?P<page>^[ \t]*</?PAGE>[ \t]*\d*[ \t]*(?:\r\n?|\n|\Z))"
    rf"|(?P<markup>^[ \t]*(?:{_WRAPPER})|</?(?:TABLE|CAPTION|S|C|FN|F\d+)>)"
    r"|(?P<line>\r\n?)",
    re.MULTILINE,
)
_NUMBER = re.compile(r"[ \t]*(?:[-–—][ \t]*)?(?:[Pp]age[ \t]+)?(\d{1,4})(?:[ \t]*[-–—])?[ \t]*")
_TEXTS = {"page": "\f", "markup": "", "line": "\n"}


def load_text(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads plain text; a form feed or a line ``<PAGE>`` ends a page, lines stay as they are.

    Carriage returns become line feeds, and EDGAR's tags and the page numbers beside page borders are taken out, all
    through edits.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        NoTextLayerError: it holds nothing but white space.
        LimitExceededError: it is longer than the limits allow.
    """
    text, encoding = decode(data)
    limits.check("characters", len(text), name)
    edits = _marks(text)
    if not edits.apply(text)[0].strip():
        raise NoTextLayerError(f"{name}: {len(data)} bytes of nothing but white space; give a file with text in it")
    source = Source(
        name=name,
        media_type="text/plain",
        sha256=hashlib.sha256(data).hexdigest(),
        loader="text",
        version="1",
        metadata={"encoding": encoding, **header_fields(text)},
    )
    warnings = ("not UTF-8: read as Windows-1252, check accents and quotation marks",) if encoding == "cp1252" else ()
    document = Document.from_text(text, edits=edits)
    starts = [0] + [int(document.origins[page.start, 0]) for page in document.pages[1:]]
    lines = np.array([(start, number) for number, start in enumerate(starts, 1)], np.int32)
    limits.check("pages", len(starts), name)
    numbers = _page_numbers(text, edits, starts)
    if numbers:
        document = Document.from_text(text, edits=_without(edits, numbers))
    furniture = tuple(
        Furniture(kind="page number", text=text[a:b].strip(), page=bisect_right(starts, a), raw_start=a, raw_end=b)
        for a, b in numbers
    )
    return replace(document, source=source, warnings=warnings, lines=lines, furniture=furniture)


def decode(data: bytes) -> tuple[str, str]:
    """The text, and the encoding that gave it."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "cp1252"


def header_fields(text: str) -> dict[str, str]:
    """What the header of the first document in an EDGAR filing says of it."""
    fields: dict[str, str] = {}
    for key, value in HEADER_FIELD.findall(text):
        fields.setdefault(key.capitalize(), value.strip())
    return fields


def _marks(text: str) -> Edits:
    found = [(match, match.lastgroup or "") for match in _MARKS.finditer(text)]
    return Edits.of(Edit(*match.span(), _TEXTS[kind], kind) for match, kind in found)


def _page_numbers(text: str, edits: Edits, starts: list[int]) -> list[tuple[int, int]]:
    """Lines beside page borders that hold a number which counts up from page to page."""
    away = {edit.raw_start: edit.raw_end for edit in edits if edit.kind != "line"}
    found: list[tuple[int, int]] = []
    for last in (True, False):
        numbered = [_number(text, a, b, away, last=last) for a, b in pairwise([*starts, len(text)])]
        kept: set[tuple[int, int]] = set()
        for one, other in pairwise(numbered):
            if one and other and other[0] == one[0] + 1:
                kept |= {one[1], other[1]}
        found += [span for span in kept if span not in found]
    return sorted(found)


def _number(text: str, start: int, end: int, away: dict[int, int], *, last: bool) -> tuple[int, tuple[int, int]] | None:
    """The number alone on the last or first line of a page, and where it stands."""
    lines = [
        line
        for line in re.finditer(r"[^\r\n\f]+", text[start:end])
        if line[0].strip() and start + line.start() not in away
    ]
    line = lines[-1 if last else 0] if lines else None
    number = _NUMBER.fullmatch(line[0]) if line else None
    if not line or not number or len(lines) == 1:
        return None
    return int(number[1]), (start + line.start(), start + line.end())


def _without(edits: Edits, spans: list[tuple[int, int]]) -> Edits:
    return Edits.of(sorted([*edits, *(Edit(*span, "", "page number") for span in spans)], key=lambda e: e.raw_start))
