"""Predictions → Arrow tables with stable schemas, in Parquet or CSV; ``longdoc.batch.columns`` describes the columns.

Scores and boxes are rounded as ``Prediction.to_dict`` rounds them, so that tables and JSON lines say the same. Text is
as in the document, white space and NUL included; what UTF-8 cannot hold is escaped, and counted in ``documents``.

>>> from longdoc.batch.status import Status
>>> status = Status(address="scan.pdf", id="", state="failed", reason="no text", error="NoTextLayerError")
>>> {name: table.num_rows for name, table in tables_of([(status, None)]).items() if table.num_rows}
{'documents': 1}
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from longdoc.batch.columns import TABLES, schemas
from longdoc.batch.status import Status
from longdoc.document import Document
from longdoc.errors import require
from longdoc.labels import Answer
from longdoc.outputs.csv import without_formula
from longdoc.outputs.format import unsought
from longdoc.outputs.surrogates import escaped, n_lone
from longdoc.plain import plain
from longdoc.prediction import Prediction
from longdoc.values import Duration, Money, alternative_of
from longdoc.version import __version__

if TYPE_CHECKING:
    import pyarrow

ROW_GROUP = 65_536
"""Rows of a Parquet file that are compressed together."""

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]
"""Rows by the name of their table."""


def tables_of(outcomes: Iterable[tuple[Status, Prediction | None]], *, model: str = "") -> dict[str, pyarrow.Table]:
    """The tables of some documents; a table without rows keeps its schema.

    Args:
        outcomes: of each input its status, and its prediction if there is one.
        model: the name of the model that read them.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    arrow = require("pyarrow", extra="parquet", needed_by="the tables of a batch")
    by_document = [_rows(status, prediction, model) for status, prediction in outcomes]
    try:
        return _built(arrow, by_document)
    except UnicodeEncodeError:  # rare, so that the texts are not searched before
        return _built(arrow, [_escaped(own) for own in by_document])


def write_table(table: pyarrow.Table, path: str | Path | IO[bytes]) -> None:
    """Writes a table as Parquet: the same rows give the same bytes, with the same version of pyarrow.

    Args:
        table: the table.
        path: the file to create or replace, or a stream. A crash leaves half a file: see ``longdoc.batch.journal``.
    """
    from pyarrow import parquet

    where = path if hasattr(path, "write") else str(path)
    # Chunks are an accident of how the table was put together, and would show in the file.
    parquet.write_table(table.combine_chunks(), where, compression="zstd", row_group_size=ROW_GROUP)


def write_csv(table: pyarrow.Table, path: str | Path | IO[bytes]) -> None:
    """Writes a table as CSV: lists as JSON, null as nothing, empty text as ``""``.

    A text that a spreadsheet would take for a formula has an apostrophe before it; see
    :func:`longdoc.outputs.csv.without_formula`. NUL, at which many readers stop, is written as U+FFFD.

    Args:
        table: the table.
        path: the file to create or replace, or a stream.
    """
    import pyarrow
    from pyarrow import csv

    flat = table.select(table.column_names)
    for at, own in enumerate(table.schema):
        if pyarrow.types.is_list(own.type) or pyarrow.types.is_string(own.type):
            cells = [None if cell is None else _csv_cell(cell) for cell in table.column(at).to_pylist()]
            flat = flat.set_column(at, own.name, pyarrow.array(cells, pyarrow.string()))
    csv.write_csv(flat, path if hasattr(path, "write") else str(path))


def _csv_cell(cell: str | list[Any]) -> str:
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return without_formula(cell.replace("\0", "\ufffd"))


def _built(arrow: Any, by_document: list[Rows]) -> dict[str, pyarrow.Table]:
    return {
        name: arrow.Table.from_pylist([row for own in by_document for row in own[name]], schema=schema)
        for name, schema in schemas().items()
    }


def _escaped(own: Rows) -> Rows:
    """The rows of one document with what UTF-8 cannot hold as escapes, which its row in ``documents`` counts."""
    rows: Rows = escaped(own)
    rows["documents"][0]["escaped"] = n_lone(own) - n_lone(own["documents"][0]["same_as"])
    return rows


def _rows(status: Status, prediction: Prediction | None, model: str) -> Rows:
    """The rows of one document in all tables."""
    rows: dict[str, Iterable[Row]] = {"documents": [_document_row(status, prediction, model)]}
    if prediction is not None:
        rows |= {
            "pages": _page_rows(prediction.document),
            "sections": _section_rows(prediction.document),
            "entities": _entity_rows(prediction),
            "fields": _field_rows(prediction),
            "records": _record_rows(prediction),
            "labels": ({"label": label.name, **plain(label)} for label in prediction.labels),
        }
    document_id = status.id or (prediction.document.source.sha256 if prediction else None)
    return {name: [{"document_id": document_id, **row} for row in rows.get(name, ())] for name in TABLES}


def _document_row(status: Status, prediction: Prediction | None, model: str) -> Row:
    return {
        "address": status.address,
        "state": status.state,
        "reason": status.reason or None,
        "error": status.error or None,
        "pages": status.pages or None,
        "tokens": status.tokens or None,
        "model": model or None,
        "longdoc_version": __version__,
        "escaped": 0,
        "same_as": status.same_as or None,
        **(_read(prediction) if prediction else {}),
    }


def _read(prediction: Prediction) -> Row:
    """What only a document that was read has in ``documents``."""
    document, source = prediction.document, prediction.document.source
    gaps = [{**dataclasses.asdict(gap), "page": document.page_at(gap.start).number} for gap in prediction.gaps]
    notices = [{**dataclasses.asdict(each), "field": each.field or None} for each in prediction.notices]
    return {
        "format": source.media_type,
        "loader": f"{source.loader} {source.version}",
        "pages": len(document.pages),
        "characters": len(document.text),
        "title": document.title or None,
        "kind": prediction.kind or None,
        "tasks": list(prediction.tasks),
        "coverage": round(prediction.coverage, 4),
        "gaps": gaps,
        "notices": notices,
        "warnings": list(document.warnings),
    }


def _page_rows(document: Document) -> Iterator[Row]:
    for page in document.pages:
        has_text = bool(document.text[page.start : page.end].strip())
        source = "page" if page.confidence is None else "OCR"
        length = page.end - page.start
        row = {"page": page.number, "characters": length, "text_source": source if has_text else None}
        yield {**dataclasses.asdict(page), **row}


def _section_rows(document: Document) -> Iterator[Row]:
    for index, section in enumerate(document.sections):
        first = min(section.start, len(document.text) - 1)
        page = document.page_at(first).number if document.text else None
        yield {"index": index, "page": page, **dataclasses.asdict(section)}


def _entity_rows(prediction: Prediction) -> Iterator[Row]:
    for kind, found in (("entity", prediction.entities), ("span", prediction.spans)):
        for entity in found:
            yield {"kind": kind, **plain(entity)}


def _field_rows(prediction: Prediction) -> Iterator[Row]:
    fields = prediction.fields
    rejected: dict[str, list[Answer]] = {}
    for answer in prediction.rejected:
        rejected.setdefault(answer.label or answer.question, []).append(answer)
    not_sought = unsought(prediction)
    for name in dict.fromkeys([*fields, *rejected]):
        common = {"field": name, "searched": _share(prediction.searched.get(name))}
        answers = fields.get(name, ())
        for index, answer in enumerate(answers):
            yield {**common, "state": "found", "index": index, **_cell(answer)}
        if not answers:
            reason = not_sought.get(name)
            yield {**common, "state": "not found" if reason is None else "not sought", "reason": reason}
        for answer in rejected.get(name, ()):
            yield {**common, "state": "rejected", **_cell(answer)}


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _record_rows(prediction: Prediction) -> Iterator[Row]:
    if prediction.record is not None:
        for path, fact in _facts(prediction.record, ()):
            yield {"record": prediction.kind, **_position(path), **_fact(fact)}


def _facts(part: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Everything that a record, or a part of it, states, with its path: cells, texts and numbers."""
    if isinstance(part, (tuple, list)):
        for index, each in enumerate(part):
            yield from _facts(each, (*path, index))
    elif dataclasses.is_dataclass(part) and not isinstance(part, (Answer, Money, Duration, type)):
        for own in dataclasses.fields(part):
            yield from _facts(getattr(part, own.name), (*path, own.name))
    elif part is not None:
        yield path, part


def _position(path: tuple[str | int, ...]) -> Row:
    """The columns that say where in a record a fact stands."""
    field, *inner = path
    names = [step for step in inner if isinstance(step, str)]
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in inner)
    return {
        "field": field,
        "index": inner[0] if inner and isinstance(inner[0], int) else None,
        "part": ".".join(names) or None,
        "path": f"{field}{''.join(steps)}",
    }


def _fact(fact: Any) -> Row:
    return {**_cell(fact), "label": fact.label or None} if isinstance(fact, Answer) else _value(fact)


def _cell(answer: Answer) -> Row:
    """The columns of an answer, or of a cell of a record."""
    row: Row = plain(dataclasses.replace(answer, value=None))
    return {**row, "question": answer.question or None, "source": answer.source or None, **_value(answer.value)}


def _value(value: Any) -> Row:
    """The columns of a typed value, exact as text and split for computing."""
    if value is None:
        return dict.fromkeys(("value", "value_type", "date", "number", "unit", "alternative"))
    other = alternative_of(value)
    row: Row = {"value": _exact(value), "alternative": None if other is None else _exact(other)}
    match value:
        case datetime.date():
            return {**row, "value_type": "date", "date": datetime.date(value.year, value.month, value.day)}
        case Money():
            return {**row, "value_type": "money", "number": _double(value.amount), "unit": value.currency}
        case Duration(plus=None):
            return {**row, "value_type": "duration", "number": _double(value.amount), "unit": value.unit}
        case Duration():
            return {**row, "value_type": "duration"}
        case bool():
            return {**row, "value_type": "other"}
        case Decimal() | int() | float():
            return {**row, "value_type": "number", "number": _double(value)}
    return {**row, "value_type": "text" if isinstance(value, str) else "other"}


def _exact(value: Any) -> str:
    """A value in words that it can be read back from; a percentage is a number."""
    # Through Decimal, since Python refuses to print integers of many digits.
    return str(Decimal(value)) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else str(value)


def _double(number: Decimal | int | float) -> float | None:
    """The nearest double; None if it is none, as of numbers beyond 1e308."""
    try:
        double = float(number)
    except OverflowError:
        return None
    return double if math.isfinite(double) else None
