"""Findings and records as what JSON can hold, and back."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from numbers import Real
from typing import Any, get_args

from longdoc.errors import first_line
from longdoc.labels import Answer
from longdoc.stored import Reader, expected
from longdoc.values import Duration, Money, Unit, Value, alternative_of, to_plain, with_alternative

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def plain(found: Any) -> Any:
    """A finding, a record or a part of one as what JSON can hold; inverse: :func:`restored`.

    Scores are rounded to 4 decimals, boxes to 0.01 points; the other reading of an uncertain value is its
    ``alternative``.
    """
    if is_dataclass(found) and not isinstance(found, type):
        written = {each.name: _plain_field(each.name, getattr(found, each.name)) for each in fields(found)}
        if isinstance(found, Answer):
            other = None if found.value is None else alternative_of(found.value)
            written |= {"value": None if found.value is None else to_plain(found.value)}
            written |= {"alternative": None if other is None else to_plain(other)}
        return written
    if isinstance(found, (tuple, list)):
        return [plain(each) for each in found]
    if isinstance(found, Decimal):
        return to_plain(found)
    return found


def _plain_field(name: str, value: Any) -> Any:
    if name == "value" and not isinstance(value, Answer):
        return value
    digits = {"score": 4, "x0": 2, "y0": 2, "x1": 2, "y1": 2}.get(name)
    return round(float(value), digits) if digits and isinstance(value, Real) else plain(value)


def restored(kind: Any, found: Any, where: str = "value") -> Any:
    """The finding, record or part of one of a type that :func:`plain` has written.

    Args:
        kind: a dataclass, or the type of one of its fields.
        found: what :func:`plain` returned.
        where: its place, for errors.

    Raises:
        ValueError: a key, a type or a number is wrong; the message starts with the place.
    """
    return _READER.read(kind, found, where)


def _answer(found: Any, where: str) -> Answer:
    if not isinstance(found, Mapping):
        expected("an object", found, where)
    written, other = found.get("value"), found.get("alternative")
    answer: Answer = _FIELDS.read(Answer, {name: each for name, each in found.items() if name != "alternative"}, where)
    try:
        value = None if written is None else _value(written)
        if value is not None and other is not None:
            value = with_alternative(value, _value(other))
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{where}.value: {first_line(error)}") from error
    return replace(answer, value=value)


def _decimal(found: Any, where: str) -> Decimal:
    return Decimal(str(_FIELDS.read(float, found, where)))


_FIELDS = Reader()
_READER = Reader({Answer: _answer, Decimal: _decimal})


def _value(written: Any) -> Value | str:
    """The inverse of :func:`longdoc.values.to_plain`."""
    match written:
        case {"amount": str(amount), "currency": str() | None as currency} if _AMOUNT.fullmatch(amount):
            return Money(Decimal(amount), currency)
        case {"amount": amount, "unit": unit, **more} if unit in get_args(Unit) and set(more) <= {"plus"}:
            plus = _value(more["plus"]) if more else None
            if isinstance(plus, Duration | None):
                return Duration(_decimal(amount, "amount"), unit, plus=plus)
        case bool():
            pass
        case int() | float():
            return _decimal(written, "number")
        case str():
            return datetime.date.fromisoformat(written) if _ISO_DATE.fullmatch(written) else written
    raise ValueError(f"{written!r:.60} is not a value")
