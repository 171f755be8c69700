"""The cells of a record: what stands in a document, where, what gave it, and whether a person should look at it."""

from __future__ import annotations

import re
from typing import Any

from longdoc.document import Document
from longdoc.document_type import DocumentType, document_type
from longdoc.errors import RecordError
from longdoc.findings import place, trimmed
from longdoc.labels import DOUBTFUL, Answer

_HINT = 2.0
"""Points for a kind at which a document of no certain kind may be of that kind."""
_NAMES = {"contract": "a contract", "paper": "a paper", "note": "a clinical note"}


def may_be(found: DocumentType, kind: str) -> bool:
    """Whether a document is of a kind, or of no certain kind with something that speaks for this one."""
    return found.kind == kind or (found.kind == "other" and found.points.get(kind, 0) >= _HINT)


def looks_like(found: DocumentType) -> str:
    """What a document looks like, in words."""
    return f"{_NAMES[found.kind]} ({', '.join(found.reasons[:3])})" if found.kind in _NAMES else "none of the kinds"


def require_type(document: Document, kind: str) -> None:
    """Checks that a document is of a kind, or of no certain kind with something that speaks for this one.

    Args:
        document: any document.
        kind: ``"contract"``, ``"paper"`` or ``"note"``.

    Raises:
        RecordError: it is not; the message says what the document looks like.
    """
    found = document_type(document)
    if may_be(found, kind):
        return
    looks = looks_like(found)
    remedy = f"ask for the record {found.kind!r}" if found.kind in _NAMES else f"records are for {', '.join(_NAMES)}"
    raise RecordError(f"{document.source.name}: not {_NAMES[kind]}, it looks like {looks}; {remedy}")


def cell(document: Document, start: int, end: int, *, label: str, source: str, **more: Any) -> Answer:
    """A cell that stands in the text at ``start:end``, without the white space around it.

    Args:
        document: the document.
        start: first character.
        end: one past the last character.
        label: name of the field.
        source: what gave the cell.
        more: other fields of :class:`~longdoc.labels.Answer`, such as ``score``, which is 1 by default.
    """
    start, end = trimmed(document.text, start, end)
    fields = {"score": 1.0, **more}
    check = fields.pop("check", False) or fields["score"] < DOUBTFUL
    return Answer(**place(document, start, end), label=label, source=source, check=check, **fields)


def metadata_cell(document: Document, text: str, *, label: str) -> Answer:
    """A cell that the metadata give: where the text says the same; else with ``start == end`` and without boxes."""
    pattern = r"\s+".join(map(re.escape, text.split()))
    found = re.search(rf"(?<!\w){pattern}(?!\w)", document.text[:20_000], re.IGNORECASE) if pattern else None
    if found:
        return cell(document, *found.span(), label=label, source="metadata")
    page = document.pages[0].number if document.pages else 1
    return Answer(text=text, label=label, start=0, end=0, page=page, score=1.0, source="metadata")
