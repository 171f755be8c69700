"""Dates that give a day, a month and a year."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from longdoc.values.numbers import Candidate
from longdoc.values.spelled import WORDS
from longdoc.values.stated import stated, with_alternative

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = (
    rf"(?<![0-9.])(?P<day>{WORDS}?[0-9]{{1,2}})(?![0-9])(?: ?(?:s ?t|n ?d|r ?d|t ?h)\b)?\)?"
    r"(?: ?\((?P<again>[^()]{1,12})\))?"
)
_YEAR = rf"{WORDS}?(?P<year>[12][0-9]{{3}}|(?:19|20) {WORDS}?[0-9]{{2}}|'[0-9]{{2}}|[0-9]{{2}}(?=\W*$))(?![0-9])"
_OF_YEAR = r"[ ,.-]{0,4}(?:(?:day )?of |in )?(?:the year )?(?:of our lord |a\. ?d\.)?,? ?"
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


def find_dates(text: str) -> Iterator[Candidate]:
    """Yields start, end and value of each date, from left to right; dates do not overlap."""
    last = 0
    for start, end, date, other in sorted(_dates(text), key=lambda found: (found[0], -found[1])):
        if start >= last:
            last = end
            yield start, end, with_alternative(date, other)


def _dates(text: str) -> Iterator[tuple[int, int, datetime.date, datetime.date | None]]:
    """Yields start, end, value and other reading of what is a date."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month, year = parts["month"], _four_digits(parts["year"])
            day = stated(parts["day"], re.sub("[a-z]+$", "", parts.get("again") or "", flags=re.I))
            days = [str(each) for each in (day.amount, day.other) if each is not None]
            found = [
                _read_date(f"{year}-{month}-{each}" if month.isdecimal() else f"{each}-{month}-{year}") for each in days
            ]
            if found[0]:
                yield *match.span(), found[0], found[1] if len(found) > 1 else None
    for match in _NUMERIC_DATE.finditer(text):
        first, mark, second, year = match.groups()
        if mark != "." or len(year) == 4:  # 3.1.12 is a section number
            candidate = f"{first}/{second}/{_four_digits(year)}"
            if date := _read_date(candidate, day_first=mark == "."):
                yield *match.span(), date, _read_date(candidate, day_first=mark != ".")


def _read_date(candidate: str, *, day_first: bool = False) -> datetime.date | None:
    from dateutil.parser import parse

    try:
        date: datetime.date = parse(candidate, dayfirst=day_first).date()
    except (ValueError, OverflowError):
        return None
    return date


def _four_digits(year: str) -> str:
    year = re.sub(rf"[' {WORDS}]", "", year)
    if len(year) == 4:
        return year
    return f"19{year}" if int(year) >= 50 else f"20{year}"
