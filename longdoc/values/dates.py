"""Dates that give a day, a month and a year."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?<![0-9.])(?P<day>[0-9]{1,2})(?![0-9])(?: ?(?:s ?t|n ?d|r ?d|t ?h)\b)?\)?(?: ?\([^()]{1,12}\))?"
_YEAR = r"(?P<year>[12][0-9]{3}|(?:19|20) [0-9]{2}|'[0-9]{2}|[0-9]{2}(?=\W*$))(?![0-9])"
_OF_YEAR = r"[ ,.-]{0,4}(?:(?:day )?of |in )?(?:the year )?(?:of our lord )?,? ?"
_DATES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b{_MONTH}[ ,.-]{{0,3}}(?:the )?{_DAY}(?: day)?{_OF_YEAR}{_YEAR}",
        rf"{_DAY}[ ,./-]{{0,3}}(?:day)?,? ?(?:of )?"
        rf"(?:the month of |[a-z]{{3,6}}day,? |-+ )?{_MONTH}[/]?{_OF_YEAR}{_YEAR}",
        r"(?<![0-9./-])(?P<year>[12][0-9]{3})([/.-])(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2})(?![0-9])",
    )
)
_NUMERIC_DATE = re.compile(
    r"(?<![0-9./-])([0-9]{1,2}) ?([/.-]) ?([0-9]{1,2}) ?\2 ?([0-9]{4}|[0-9]{2})(?![0-9]|[./-][0-9])"
)


def find_dates(text: str) -> Iterator[tuple[int, int, datetime.date]]:
    """Yields start, end and value of each date, from left to right; dates do not overlap."""
    last = 0
    for start, end, candidate, day_first in sorted(_date_candidates(text), key=lambda found: (found[0], -found[1])):
        if start >= last and (date := _read_date(candidate, day_first=day_first)):
            last = end
            yield start, end, date


def _date_candidates(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yields start, end, a string for dateutil and whether the day comes first, of what looks like a date."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day, month, year = match.group("day", "month", "year")
            parts = (_four_digits(year), month, day) if month.isdecimal() else (day, month, _four_digits(year))
            yield *match.span(), "-".join(parts), False
    for match in _NUMERIC_DATE.finditer(text):
        first, mark, second, year = match.groups()
        if mark != "." or len(year) == 4:  # 3.1.12 is a section number
            yield *match.span(), f"{first}/{second}/{_four_digits(year)}", mark == "."


def _read_date(candidate: str, *, day_first: bool) -> datetime.date | None:
    from dateutil.parser import parse

    try:
        date: datetime.date = parse(candidate, dayfirst=day_first).date()
    except (ValueError, OverflowError):
        return None
    return date


def _four_digits(year: str) -> str:
    year = year.strip("'").replace(" ", "")
    if len(year) == 4:
        return year
    return f"19{year}" if int(year) >= 50 else f"20{year}"
