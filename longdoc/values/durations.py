"""Durations in a calendar unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from longdoc.values.numbers import INNER, LOW, Candidate, in_range, merged
from longdoc.values.spelled import AMOUNT, START, WORDS, to_decimal
from longdoc.values.stated import stated, with_alternative

Unit = Literal["minute", "hour", "day", "business day", "week", "month", "year"]


@dataclass(frozen=True, slots=True, repr=False)
class Duration:
    """A length of time in the unit of the text: ``12 months`` and ``1 year`` are different durations."""

    amount: Decimal
    unit: Unit
    plus: Duration | None = None
    """What is added in a smaller unit that the first cannot be converted to: ``a year and a day``."""
    alternative: Duration | None = field(default=None, compare=False)
    """The other reading, if the text has two: figures that differ from the words, or the lower end of a range."""

    def __str__(self) -> str:
        more = f" and {self.plus}" if self.plus else ""
        return f"{self.amount:f} {self.unit}{'' if self.amount == 1 else 's'}{more}"

    def __repr__(self) -> str:
        optional = "".join(f", {name}={part!r}" for name in ("plus", "alternative") if (part := getattr(self, name)))
        return f"Duration(amount={self.amount!r}, unit={self.unit!r}{optional})"


_UNITS: dict[str, Unit] = {
    "mi": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
"""Keys are the letters with which the unit and its abbreviations start."""
_IN_SMALLER: dict[tuple[Unit, Unit], int] = {
    ("year", "month"): 12,
    ("week", "day"): 7,
    ("day", "hour"): 24,
    ("hour", "minute"): 60,
}
_ORDER: tuple[Unit, ...] = ("minute", "hour", "day", "week", "month", "year")
_UNIT = r"(?P<unit>minute|hour|hr|day|week|wk|month|mo|year|yr)s?\b"
_DURATION = re.compile(
    rf"{LOW}{START}\(?\[?(?P<amount>{AMOUNT})[)\]]?{INNER}[ ~-]{{0,3}}(?P<kind>(?:[a-z]+ ){{0,2}}?){_UNIT}",
    re.I,
)
_EVERY = re.compile(
    r"(?:^|\b(?:of|for|within|by|least) )an? (?:full |further |additional )?(week|month|year)\b"
    r"|\b(year|month|week)[ -]to[ -]\2\b|\b(year|month|week)ly (?:basis|extension|period|renewal|term)s?\b",
    re.I,
)
_AND = re.compile(r",? (?:and )?", re.I)
_IS_OTHER = re.compile(r"'|,? (?:[\w-]+ )?(?:notice|prior|before|after|from)\b", re.I)
_ONE_AND_ONE = re.compile(r"\ban? (?=(?:year|month|week|day)s? and an? (?:month|week|day|hour)\b)", re.I)
_AND_A_HALF = re.compile(rf"(?:\ban?|({AMOUNT})) (year|month|week|day|hour)s? and {WORDS}0\.5(?![0-9])", re.I)
_KINDS = frozenset(
    """additional calendar consecutive contract continuous contiguous extra full further fiscal more other renewal short
    successive solid business working banking trading""".split()
)
_BUSINESS = frozenset("business working banking trading".split())


def with_units(text: str) -> str:
    """Writes what is as good as an amount or a unit as one: ``a year and a day``, ``annual term``."""
    text = re.sub(r"(?<=[a-z] and )an? (?=(?:month|week|day|hour)\b)", "1 ", _ONE_AND_ONE.sub("1 ", text))
    text = _AND_A_HALF.sub(lambda match: f"{to_decimal(match[1] or '1') + Decimal('0.5')} {match[2]}s", text)
    return re.sub(r"\bannual(?:ly)? (?=basis|ext|per|ren|term)", "yearly ", text, flags=re.I)


def find_durations(text: str) -> Iterator[Candidate]:
    """Yields start, end and value of each duration: first those in figures, then weaker ones such as "a year"."""
    last: Candidate | None = None
    for item in merged(text, _durations(text), _amounts):
        sum_ = _sum(text, last, item) if last else None
        if last and not sum_:
            yield last
        last = sum_ or item
    if last:
        yield last
    for match in _EVERY.finditer(text):
        yield *match.span(), Duration(Decimal(1), _unit(match[1] or match[2] or match[3]))


def _durations(text: str) -> Iterator[Candidate]:
    for match in _DURATION.finditer(text):
        words = set(match["kind"].lower().split())
        if words <= _KINDS:
            unit = _unit(match["unit"])
            own: Unit = "business day" if unit == "day" and words & _BUSINESS else unit
            found = stated(match["amount"], match["inner"])
            other = in_range(found.amount, match["low"]) if found.other is None else found.other
            duration = Duration(found.amount, own)
            yield *match.span(), with_alternative(duration, None if other is None else Duration(other, own))


def _amounts(one: Duration, two: Duration) -> tuple[Decimal, Decimal] | None:
    return (one.amount, two.amount) if one.unit == two.unit else None


def _sum(text: str, one: Candidate, two: Candidate) -> Candidate | None:
    """Two durations of which the second, in a smaller unit, is added to the first: ``one year and six months``."""
    large, small = one[2], two[2]
    if large.alternative or small.alternative or large.plus or "business day" in (large.unit, small.unit):
        return None
    if not _AND.fullmatch(text[one[1] : two[0]]) or _ORDER.index(small.unit) >= _ORDER.index(large.unit):
        return None
    if _IS_OTHER.match(text, two[1]) or text[one[1] : one[1] + 1] == "'":
        return None
    factor = _IN_SMALLER.get((large.unit, small.unit))
    if factor:
        return one[0], two[1], Duration(large.amount * factor + small.amount, small.unit)
    return one[0], two[1], Duration(large.amount, large.unit, plus=small)


def _unit(name: str) -> Unit:
    return next(unit for start, unit in _UNITS.items() if name.lower().startswith(start))
