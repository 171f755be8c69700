"""Filings of EDGAR, the archive of the SEC: the SGML tags around and in their documents, and the header of each."""

from __future__ import annotations

import re
from itertools import pairwise

_AROUND = r"</?(?:SEC-DOCUMENT|SEC-HEADER|IMS-DOCUMENT|IMS-HEADER|DOCUMENT|TEXT)>"
WRAPPER_TAG = (
    rf"{_AROUND}[^\n\r]*|(?i:{_AROUND})[ \t]*(?=[\n\r]|\Z)"
    r"|<(?:TYPE|SEQUENCE|FILENAME|DESCRIPTION|ACCEPTANCE-DATETIME)>[^\n\r]*"
)
"""Pattern of a line with a tag around a document, in small letters only if it is alone, or of a line of its header."""
TABLE_TAG = r"</?(?:TABLE|CAPTION|S|C|FN|F\d+)>"
"""Pattern of a tag in the tables of a plain-text document."""
ENTITY = (
    r"(?P<entity>&(?:amp|lt|gt|quot|apos|nbsp|sect|para|copy|reg|[lr][sd]quo|[mn]dash|bull"
    r"|#\d{2,5}|#x[0-9A-Fa-f]{2,5});)"
)
"""Pattern of a character that a plain-text document names rather than contains."""

_FIRST_TAG = re.compile(r"-----BEGIN PRIVACY|<(SEC|IMS)-DOCUMENT>|<DOCUMENT>\s*<TYPE>", re.IGNORECASE)
_HEADER_FIELD = re.compile(r"^[ \t]*<(TYPE|SEQUENCE|FILENAME|DESCRIPTION)>[ \t]*([^\n\r<]*)", re.MULTILINE)
_DOCUMENT = re.compile(r"^[ \t]*<DOCUMENT>(?=\s*<TYPE>)", re.IGNORECASE | re.MULTILINE)
_TEXT = re.compile(r"^[ \t]*<TEXT>", re.IGNORECASE | re.MULTILINE)
_TEXT_END = re.compile(r"</TEXT>", re.IGNORECASE)
_END = re.compile(r"</TEXT>\s*(?:</(?:SEC-|IMS-)?DOCUMENT>\s*|-----END PRIVACY[^\n]*(?:\n\s*|\Z))*\Z", re.IGNORECASE)
_CLOSED = re.compile(r"</(?:SEC-|IMS-)?DOCUMENT>\s*\Z", re.IGNORECASE)
_ENCODED = re.compile(r"\s*(?:<PDF>\s*)?begin \d{3,4} [^\r\n]+\r?\n", re.IGNORECASE)
_HTML_TAG = r"<(!doctype\s+html|html|head|body|div|p|br|font|tr)\b"
_HTML_IN_TEXT = re.compile(_HTML_TAG, re.IGNORECASE)
_HTML_IN_BYTES = re.compile(_HTML_TAG.encode(), re.IGNORECASE)


def is_filing(text: str) -> bool:
    """Whether a file starts like a filing."""
    return bool(_FIRST_TAG.match(text))


def contains_html(filing: str | bytes) -> bool:
    """Whether a filing, or one of its documents, is HTML: plain text has tags too, such as ``<TABLE>``."""
    return bool(_HTML_IN_TEXT.search(filing) if isinstance(filing, str) else _HTML_IN_BYTES.search(filing))


def header_fields(filing: str) -> dict[str, str]:
    """The fields in the header of the first document: ``"Type"``, ``"Sequence"``, ``"Filename"``, ``"Description"``."""
    fields: dict[str, str] = {}
    for key, value in _HEADER_FIELD.findall(filing):
        fields.setdefault(key.capitalize(), value.strip())
    return fields


def split_documents(filing: str) -> tuple[str, list[tuple[str, str]]]:
    """Splits a filing into the text before its first document, and the header and the body of each document."""
    starts = [match.start() for match in _DOCUMENT.finditer(filing)]
    documents = []
    for start, end in pairwise([*starts, len(filing)]):
        text = _TEXT.search(filing, start, end)
        ends = [match.start() for match in _TEXT_END.finditer(filing, start, end)]
        last = _END.match(filing, ends[-1], end) if ends else None
        last = last or _CLOSED.search(filing, start, end)
        at, until = (text.start(), text.end()) if text else (end, end)
        documents.append((filing[start:at], filing[until : max(until, last.start() if last else end)]))
    return filing[: starts[0]] if starts else filing, documents


def encoded_file(header: str, body: str) -> str:
    """What a document is that holds a file in letters, such as ``"GRAPHIC g1.jpg"``; empty for text."""
    if not _ENCODED.match(body):
        return ""
    fields = header_fields(header)
    return " ".join(filter(None, (fields.get("Type"), fields.get("Filename")))) or "a file"
