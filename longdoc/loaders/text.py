"""Plain text, including the text filings of EDGAR with their tags."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from dataclasses import replace
from html import unescape
from itertools import pairwise

import numpy as np

from longdoc.document import Document, Furniture, Source
from longdoc.edits import Edit, Edits
from longdoc.errors import NoTextLayerError
from longdoc.loaders.edgar import ENTITY, TABLE_TAG, WRAPPER_TAG, header_fields, is_filing
from longdoc.loaders.encoding import check_size, decode
from longdoc.loaders.options import Options
from longdoc.loaders.signatures import is_mail, xml_root

_PAGE_OR_LINE = (
    r"(?P<page>^[ \t]*</?PAGE>[ \t]*(?:\d+[ \t]*)?(?:\r\n?|\n|\Z))"
    r"|(?P<line>\r\n?)"
)
_ENCODED = r"(?P<encoded>^begin \d{3,4} [^\r\n]+\r?\n(?:[ -`]{1,62}\r?\n)*?[ `]?\r?\n?end[ \t]*$)"
_PLAIN = re.compile(_PAGE_OR_LINE, re.MULTILINE)
_TABLES = re.compile(rf"(?P<markup>{TABLE_TAG})|{_PAGE_OR_LINE}", re.MULTILINE)
_FILING = re.compile(
    rf"(?P<markup>^[ \t]*(?:{WRAPPER_TAG})|{TABLE_TAG})|{_ENCODED}|{ENTITY}|{_PAGE_OR_LINE}", re.MULTILINE
)
_HAS_TABLES = re.compile(r"^[ \t]*<TABLE>[ \t]*\r?$", re.MULTILINE)
_REPLACEMENTS = {"page": "\f", "markup": "", "encoded": "", "line": "\n"}
_NUMBER = re.compile(r"[ \t]*(?:[-–—][ \t]*)?(?:[Pp]age[ \t]+)?(\d{1,4})(?:[ \t]*[-–—])?[ \t]*")


def load_text(data: bytes, *, name: str, options: Options) -> Document:
    """Reads plain text. A form feed or a line ``<PAGE>`` ends a page; line breaks are kept.

    Edits replace carriage returns by line feeds, and remove EDGAR's tags and the page numbers next to page breaks.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.

    Raises:
        NoTextLayerError: it contains only white space.
        LimitExceededError: it is longer than the limits allow.
    """
    check_size(data, name, options.limits)
    text, encoding, warnings = decode(data)
    options.limits.check("characters", len(text), name)
    options.limits.check("pages", text.count("\f") + 1, name)
    edits = _cleaning(text)
    if not edits.apply(text)[0].strip():
        raise NoTextLayerError(f"{name}: {len(data)} bytes of white space; give a file that contains text")
    source = Source(
        name=name,
        media_type="text/plain",
        sha256=hashlib.sha256(data).hexdigest(),
        loader="text",
        version="1",
        metadata={"encoding": encoding, **(header_fields(text) if is_filing(text.lstrip()) else {})},
    )
    warnings = (*warnings, *_not_read(data, text))
    document = Document.from_text(text, edits=edits)
    starts = [0] + [int(document.origins[page.start, 0]) for page in document.pages[1:]]
    lines = np.array([(start, number) for number, start in enumerate(starts, 1)], np.int32)
    options.limits.check("pages", len(starts), name)
    numbers = _page_numbers(text, edits, starts)
    if numbers:
        document = Document.from_text(text, edits=_without(edits, numbers))
    furniture = tuple(
        Furniture(kind="page number", text=text[a:b].strip(), page=bisect_right(starts, a), raw_start=a, raw_end=b)
        for a, b in numbers
    )
    return replace(document, source=source, warnings=warnings, lines=lines, furniture=furniture)


def _cleaning(text: str) -> Edits:
    """The edits for page breaks, carriage returns, the tags of a filing and the files encoded in it."""
    is_tagged = is_filing(text.lstrip())
    pattern = _FILING if is_tagged else _TABLES if _HAS_TABLES.search(text) else _PLAIN
    found = [(match, match.lastgroup or "") for match in pattern.finditer(text)]
    return Edits.of(Edit(*match.span(), _replacement(match, kind), kind) for match, kind in found)


def _replacement(match: re.Match[str], kind: str) -> str:
    if kind != "entity":
        return _REPLACEMENTS[kind]
    named = unescape(match[0])
    return " " if named.isspace() else named


def _not_read(data: bytes, text: str) -> list[str]:
    """Warnings about what the text contains only in encoded form."""
    encoded = re.findall(r"^begin \d{3,4} ([^\r\n]+)", text, re.MULTILINE) if is_filing(text.lstrip()) else []
    warnings = (
        [f"files in the filing are not read: {', '.join(encoded[:5])}; load them by themselves"] if encoded else []
    )
    if not is_filing(text.lstrip()) and (root := xml_root(text)):
        warnings.append(f"XML of an unknown kind, with the root element {root!r}: its tags are read as text")
    if is_mail(data):
        warnings.append("an e-mail: its header is part of the text")
    return warnings


def _page_numbers(text: str, edits: Edits, starts: list[int]) -> list[tuple[int, int]]:
    """The ranges of lines next to page breaks whose numbers count up from page to page.

    Args:
        text: the raw text.
        edits: the edits so far.
        starts: offset of the start of each page.
    """
    removed = {edit.raw_start for edit in edits if edit.kind != "line"}
    found: list[tuple[int, int]] = []
    for last in (True, False):
        numbered = [_number(text, start, end, removed, last=last) for start, end in pairwise([*starts, len(text)])]
        kept: set[tuple[int, int]] = set()
        for one, other in pairwise(numbered):
            if one and other and other[0] == one[0] + 1:
                kept |= {one[1], other[1]}
        found += kept - {*found}
    return sorted(found)


def _number(text: str, start: int, end: int, removed: set[int], *, last: bool) -> tuple[int, tuple[int, int]] | None:
    """The number that is alone on the last or first line of a page, and the range of that line."""
    lines = [
        line
        for line in re.finditer(r"[^\r\n\f]+", text[start:end])
        if line[0].strip() and start + line.start() not in removed
    ]
    line = lines[-1 if last else 0] if lines else None
    number = _NUMBER.fullmatch(line[0]) if line else None
    if not line or not number or len(lines) == 1:
        return None
    return int(number[1]), (start + line.start(), start + line.end())


def _without(edits: Edits, spans: list[tuple[int, int]]) -> Edits:
    """The edits, and one for each page number to remove."""
    return Edits.of(sorted([*edits, *(Edit(*span, "", "page number") for span in spans)], key=lambda e: e.raw_start))
