"""Durations in a calendar unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from longdoc.values.numbers import NUMBER, START, to_decimal

Unit = Literal["minute", "hour", "day", "business day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in the unit of the text: ``12 months`` and ``1 year`` are different durations."""

    amount: Decimal
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount:f} {self.unit}{'' if self.amount == 1 else 's'}"


_UNITS: dict[str, Unit] = {
    "mi": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
"""Keys are the letters with which the unit and its abbreviations start."""
_UNIT = r"(?P<unit>minute|hour|hr|day|week|wk|month|mo|year|yr)s?\b"
_DURATION = re.compile(
    rf"{START}\(?\[?(?P<amount>{NUMBER})[)\]]?(?: ?[(\[] ?[^()\[\]]{{1,12}}[)\]])?[ ~-]{{0,3}}"
    rf"(?P<kind>(?:[a-z]+ ){{0,2}}?){_UNIT}",
    re.I,
)
_EVERY = re.compile(
    r"(?:^|\b(?:of|for|within|by|least) )an? (?:full |further |additional )?(week|month|year)\b"
    r"|\b(year|month|week)[ -]to[ -]\2\b|\b(year|month|week)ly (?:basis|extension|period|renewal|term)s?\b",
    re.I,
)
_KINDS = frozenset(
    """additional calendar consecutive contract continuous contiguous extra full further fiscal more other renewal short
    successive solid business working banking trading""".split()
)
_BUSINESS = frozenset("business working banking trading".split())


def find_durations(text: str) -> Iterator[tuple[int, int, Duration]]:
    """Yields start, end and value of each duration: first those in figures, then weaker ones such as "a year"."""
    for match in _DURATION.finditer(text):
        words = set(match["kind"].lower().split())
        if words <= _KINDS:
            unit = _unit(match["unit"])
            business = unit == "day" and words & _BUSINESS
            yield *match.span(), Duration(to_decimal(match["amount"]), "business day" if business else unit)
    for match in _EVERY.finditer(text):
        yield *match.span(), Duration(Decimal(1), _unit(match[1] or match[2] or match[3]))


def _unit(name: str) -> Unit:
    return next(unit for start, unit in _UNITS.items() if name.lower().startswith(start))
