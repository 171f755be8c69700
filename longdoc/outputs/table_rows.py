"""Predictions → rows of tables, whose columns :mod:`longdoc.outputs.columns` describes; plain values.

Scores and boxes are rounded as ``Prediction.to_dict`` rounds them, so that tables and JSON lines say the same.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from longdoc.labels import Answer
from longdoc.outputs.format import PredictionLike, unsought
from longdoc.plain import plain
from longdoc.values import Duration, Money, alternative_of

if TYPE_CHECKING:
    from longdoc.document import Document

Row: TypeAlias = dict[str, Any]


def rows_of(prediction: PredictionLike) -> dict[str, Iterable[Row]]:
    """The rows of one document in all tables but ``documents``, without ``document_id``."""
    return {
        "pages": _page_rows(prediction.document),
        "sections": _section_rows(prediction.document),
        "entities": _entity_rows(prediction),
        "fields": _field_rows(prediction),
        "records": _record_rows(prediction),
        "labels": ({"label": label.name, **plain(label)} for label in prediction.labels),
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


def _entity_rows(prediction: PredictionLike) -> Iterator[Row]:
    for kind, found in (("entity", prediction.entities), ("span", prediction.spans)):
        for entity in found:
            yield {"kind": kind, **plain(entity)}


def _field_rows(prediction: PredictionLike) -> Iterator[Row]:
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


def _record_rows(prediction: PredictionLike) -> Iterator[Row]:
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
