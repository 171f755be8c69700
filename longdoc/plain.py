"""Findings and records as what JSON can hold, and back."""

from __future__ import annotations

import datetime
import re
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from numbers import Real
from typing import Any, Union, get_args, get_origin, get_type_hints

from longdoc.document import Box
from longdoc.labels import Answer
from longdoc.values import Duration, Money, Value, alternative_of, to_plain, with_alternative

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


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


def restored(kind: Any, found: Any) -> Any:
    """The finding, record or part of one of a type that :func:`plain` has written.

    Args:
        kind: a dataclass, or the type of one of its fields.
        found: what :func:`plain` returned.

    Raises:
        ArithmeticError, AttributeError, KeyError, TypeError, ValueError: it is malformed.
    """
    if found is None:
        return None
    if get_origin(kind) in (Union, types.UnionType):
        return restored(next(each for each in get_args(kind) if each is not type(None)), found)
    if get_origin(kind) is tuple:
        return tuple(restored(get_args(kind)[0], each) for each in found)
    if kind is Answer:
        return _answer(found)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{**found, **{each.name: restored(hints[each.name], found[each.name]) for each in fields(kind)}})
    return Decimal(str(found)) if kind is Decimal else found


_hints = cache(get_type_hints)


def _answer(found: Mapping[str, Any]) -> Answer:
    written, other = found.get("value"), found.get("alternative")
    value = None if written is None else _value(written)
    if value is not None and other is not None:
        value = with_alternative(value, _value(other))
    own = {name: field for name, field in found.items() if name != "alternative"}
    return Answer(**{**own, "boxes": tuple(Box(**box) for box in found["boxes"]), "value": value})


def _value(written: Any) -> Value | str:
    """The inverse of :func:`longdoc.values.to_plain`."""
    match written:
        case {"amount": str(amount), "currency": currency}:
            return Money(Decimal(amount), currency)
        case {"amount": int() | float() as amount, "unit": unit}:
            plus = _value(written["plus"]) if "plus" in written else None
            return Duration(Decimal(str(amount)), unit, plus=plus if isinstance(plus, Duration) else None)
        case int() | float():
            return Decimal(str(written))
        case str():
            return datetime.date.fromisoformat(written) if _ISO_DATE.fullmatch(written) else written
    raise ValueError(f"{written!r} is not a value")
