"""Filings of EDGAR, the archive of the SEC: the SGML tags around and in their documents, and the header of each."""

from __future__ import annotations

import re
from itertools import pairwise

WRAPPER_TAG = (
    r"</?(?:SEC-DOCUMENT|SEC-HEADER|IMS-DOCUMENT|IMS-HEADER|DOCUMENT|TEXT)>[^\n\r]*"
    r"|<(?:TYPE|SEQUENCE|FILENAME|DESCRIPTION|ACCEPTANCE-DATETIME)>[^\n\r]*"
)
"""Pattern of a line with a tag around a document, or of a line of its header."""
TABLE_TAG = r"</?(?:TABLE|CAPTION|S|C|FN|F\d+)>"
"""Pattern of a tag in the tables of a plain-text document."""

_FIRST_TAG = re.compile(r"-----BEGIN PRIVACY|<(SEC|IMS)-DOCUMENT>|<DOCUMENT>\s*<TYPE>", re.IGNORECASE)
_HEADER_FIELD = re.compile(r"^[ \t]*<(TYPE|SEQUENCE|FILENAME|DESCRIPTION)>[ \t]*([^\n\r<]*)", re.MULTILINE)
_DOCUMENT = re.compile(r"<DOCUMENT>", re.IGNORECASE)
_BODY = re.compile(r"<TEXT>|</TEXT>|</(?:SEC-|IMS-)?DOCUMENT>", re.IGNORECASE)
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
        header, *rest = _BODY.split(filing[start:end], maxsplit=1)
        documents.append((header, _BODY.sub("", rest[0]) if rest else ""))
    return filing[: starts[0]] if starts else filing, documents
