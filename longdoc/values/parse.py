"""Parsing of one value of a given type from the text of an answer."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args

from longdoc.errors import ConfigError, did_you_mean
from longdoc.values.dates import find_dates
from longdoc.values.durations import Duration, find_durations, with_units
from longdoc.values.money import CURRENCY, Money, find_money, without_spaces
from longdoc.values.numbers import PRONOUN, Candidate, find_numbers, find_percents
from longdoc.values.spelled import NUMBER, normalize, spelled_to_figures

FieldType = Literal["text", "clause", "party", "place", "date", "money", "duration", "percent", "number"]

Value: TypeAlias = datetime.date | Money | Duration | Decimal
"""A percentage is a Decimal in percent, shown with its unit: ``5 %`` equals ``Decimal(5)``."""

_FINDERS: dict[str, Callable[[str], Iterator[Candidate]]] = {
    "date": find_dates,
    "money": find_money,
    "duration": find_durations,
    "percent": find_percents,
    "number": find_numbers,
}
_ACCOUNTING = re.compile(rf"\(((?:{CURRENCY} ?)?{NUMBER} ?(?:%|{CURRENCY})?)\)( ?%| ?{CURRENCY})?\.?", re.I)
"""A negative amount in the style of accountants, if it is the whole text."""
_CLOSELY = 20
"""Characters within which a value follows a word."""
_NEGATIVE_AFTER_SIGN = re.compile(rf"([$€£¥₹])\(({NUMBER})\)", re.I)


def parse_value(
    text: str, type: FieldType, *, near: Sequence[str] = (), never_after: Sequence[str] = ()
) -> Value | None:
    """Parses the value of the given type from a text.

    >>> term = "It renews for one year unless thirty days' notice is given."
    >>> str(parse_value(term, "duration")), str(parse_value(term, "duration", near=["notice"]))
    ('1 year', '30 days')

    Args:
        text: an answer, from one word to several sentences.
        type: the type to look for.
        near: word prefixes. If the text has several values, the one closest to a word with such a prefix is returned;
            if there is no such word, the first value.
        never_after: word prefixes; a value that closely follows a word with such a prefix is passed over.

    Returns:
        ``datetime.date`` for ``date``, :class:`Money`, :class:`Duration`, ``Decimal`` for ``percent`` (in percent)
        and ``number``; None if the text has no such value, and for ``text``, ``clause``, ``party`` and ``place``, whose
        value is the text itself.

    Raises:
        ConfigError: the type is unknown.
    """
    if type not in get_args(FieldType):
        allowed = get_args(FieldType)
        raise ConfigError(f"unknown type {type!r}{did_you_mean(type, allowed) or '.'} Types: {', '.join(allowed)}")
    if type not in _FINDERS:
        return None
    text = normalize(text)
    if type in ("money", "percent", "number"):
        alone = _ACCOUNTING.fullmatch(text)
        text = f"-{alone[1]}{alone[2] or ''}" if alone else _NEGATIVE_AFTER_SIGN.sub(r"\1-\2", text)
    if type == "number":  # "one" is usually a pronoun: it counts only if there is no other number
        value = _choose(PRONOUN.sub("one_", text), type, near, never_after)
        return _choose(text, type, near, never_after) if value is None else value
    return _choose(text, type, near, never_after)


def _choose(text: str, type: FieldType, near: Sequence[str], never_after: Sequence[str]) -> Value | None:
    figures = spelled_to_figures(text, ordinals=type == "date")
    figures = with_units(figures) if type == "duration" else without_spaces(figures) if type == "money" else figures
    found = list(_FINDERS[type](figures))
    if never_after:
        stops = [end for _, end in _cues(figures, never_after)]
        found = [item for item in found if not any(0 <= item[0] - end <= _CLOSELY for end in stops)]
    if not found:
        return None
    cues = _cues(figures, near) if near else []
    value: Value = min(found, key=lambda item: _distance(item, cues))[2]
    return value


def _cues(text: str, prefixes: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of the words with one of these prefixes."""
    words = "|".join(map(re.escape, prefixes))
    return [cue.span() for cue in re.finditer(rf"(?<![\w-])(?:{words})\w*", text, re.I)]


def alternative_of(value: Value | None) -> Value | None:
    """The other reading of a value that the text states in two ways; None if there is only one.

    >>> fee = parse_value("Five Hundred Dollars ($600)", "money")
    >>> str(fee), str(alternative_of(fee))
    ('USD 500', 'USD 600')
    """
    other: Value | None = getattr(value, "alternative", None)
    return other


def _distance(found: Candidate, cues: Sequence[tuple[int, int]]) -> tuple[int, bool]:
    """Characters between a value and the nearest cue; of two equally near, the value after its cue sorts first."""
    first, last, _ = found
    return min(((max(first - end, start - last, 0), start >= last) for start, end in cues), default=(0, False))


def to_plain(value: Value | str) -> Any:
    """Converts a value to what JSON can hold, without its alternative; money becomes strings, which keep every cent.

    A text, such as the name of a place, stays as it is.

    >>> to_plain(Money(Decimal("1000000.00"), "USD"))
    {'amount': '1000000.00', 'currency': 'USD'}
    >>> to_plain(Duration(Decimal(30), "day"))
    {'amount': 30, 'unit': 'day'}
    """
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Money):
        return {"amount": f"{value.amount:f}", "currency": value.currency}
    if isinstance(value, Duration):
        more = {"plus": to_plain(value.plus)} if value.plus else {}
        return {"amount": to_plain(value.amount), "unit": value.unit, **more}
    return int(value) if value == value.to_integral_value() else float(value)
