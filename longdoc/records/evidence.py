"""The cells of a record: what stands in a document, where, what gave it, and whether a person should look at it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from longdoc.document import Document
from longdoc.document_type import DocumentType, document_type
from longdoc.errors import RecordError
from longdoc.findings import place, trimmed
from longdoc.labels import Answer
from longdoc.summary import on_one_line
from longdoc.values import to_plain

SURE = 0.7
"""A cell with a lower score asks for a look."""
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
    check = fields.pop("check", False) or fields["score"] < SURE
    return Answer(**place(document, start, end), label=label, source=source, check=check, **fields)


def metadata_cell(document: Document, text: str, *, label: str) -> Answer:
    """A cell that the metadata give: where the text says the same; else with ``start == end`` and without boxes."""
    pattern = r"\s+".join(map(re.escape, text.split()))
    found = re.search(rf"(?<!\w){pattern}(?!\w)", document.text[:20_000], re.IGNORECASE) if pattern else None
    if found:
        return cell(document, *found.span(), label=label, source="metadata")
    page = document.pages[0].number if document.pages else 1
    return Answer(text=text, label=label, start=0, end=0, page=page, score=1.0, source="metadata")


def plain(record: Any) -> Any:
    """A record, or a part of it, as what JSON can hold: scores rounded to 4 decimals, boxes to 0.01 points."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: _plain_field(f.name, getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        return {key: plain(value) for key, value in record.items()}
    if isinstance(record, (tuple, list)):
        return [plain(each) for each in record]
    if isinstance(record, Decimal):
        return to_plain(record)
    return round(record, 2) if isinstance(record, float) else record


def _plain_field(name: str, value: Any) -> Any:
    if name == "value" and value is not None and not isinstance(value, Answer):
        return to_plain(value)
    return round(float(value), 4) if name == "score" else plain(value)


def joined(texts: Iterable[str | None]) -> str:
    """Texts in one column of a table: each on one line, separated by semicolons, none twice."""
    return "; ".join(dict.fromkeys(on_one_line(text) for text in texts if text and text.strip()))


def all_cells(record: Any) -> Iterator[Answer]:
    """Every cell in a record, or in a part of it, those of its parts included."""
    if isinstance(record, Answer):
        yield record
    elif dataclasses.is_dataclass(record) and not isinstance(record, type):
        for each in dataclasses.fields(record):
            yield from all_cells(getattr(record, each.name))
    elif isinstance(record, (tuple, list)):
        for part in record:
            yield from all_cells(part)


def needs_check(record: Any) -> bool:
    """Whether any cell in a record, or in a part of it, asks for a look."""
    return any(cell.check for cell in all_cells(record))


def cells_by_field(record: Any) -> dict[str, list[Answer]]:
    """The cells of a record, by field; of parties, medications and the like, their names.

    A cell that only the metadata say is not in the text: its ``start`` is its ``end``.
    """
    found: dict[str, list[Answer]] = {}
    for each in dataclasses.fields(record):
        value = getattr(record, each.name)
        parts = value if isinstance(value, tuple) else (value,)
        heads = [part if isinstance(part, Answer) else _name_of(part) for part in parts]
        found[each.name] = [cell for cell in heads if cell is not None]
    return found


def _name_of(part: Any) -> Answer | None:
    """The first cell of a part of a record, which names it; its value is the name with the part's ``remark``."""
    if not dataclasses.is_dataclass(part):
        return None
    values = (getattr(part, each.name) for each in dataclasses.fields(part))
    cell = next((value for value in values if isinstance(value, Answer)), None)
    if cell is None or not (remark := getattr(part, "remark", "")):
        return cell
    return dataclasses.replace(cell, value=f"{on_one_line(cell.text)} ({remark})")
