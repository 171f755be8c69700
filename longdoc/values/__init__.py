"""Typed values in the text of an answer: dates, amounts of money, durations, percentages, numbers.

>>> parse_value("This Agreement shall commence on the 1st day of June, 2004 and continue for two years.", "date")
datetime.date(2004, 6, 1)
>>> parse_value("not to exceed US$ 5 million per year", "money")
Money(amount=Decimal('5000000'), currency='USD')
>>> str(parse_value("upon thirty (30) days' written notice", "duration"))
'30 days'

An answer may be a whole sentence: the first value of the asked type is taken, or the one closest to given words. Texts
are English, as written in American contracts, and what is ambiguous is read so:

- Dates need a day, a month and a year. ``3/4/2011`` is the 4th of March; ``13/4/2011`` and dates with points
  (``1.4.2011``) have the day first; ``2011-03-04`` is ISO. A year of two digits is one of 1950 to 2049.
- ``$`` alone is the US dollar, ``£`` the pound sterling and ``¥`` the yen.
- The comma divides thousands and the point is a decimal one, unless the number can only be written the other way
  (``12,5``, ``1.234,56``).
- Where words and figures differ, as in ``thirty (60) days``, words count; of a range, its end.
- A "perpetual" or "indefinite" term has no length, a blank (``____ days``) no number: neither is a value.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args

from longdoc.errors import ConfigError

FieldType = Literal["text", "clause", "party", "place", "date", "money", "duration", "percent", "number"]
Unit = Literal["minute", "hour", "day", "business day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money in whole units of its currency (dollars, not cents)."""

    amount: Decimal
    currency: str | None = None
    """ISO 4217 code, such as ``USD``."""

    def __str__(self) -> str:
        return f"{self.currency or ''} {self.amount:,f}".strip()


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as it was said: ``12 months`` and ``1 year`` are different durations."""

    amount: Decimal
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount:f} {self.unit}{'' if self.amount == 1 else 's'}"


Value: TypeAlias = datetime.date | Money | Duration | Decimal
"""A percentage is a Decimal too, in percent: ``5 %`` is ``Decimal(5)``."""

_Found: TypeAlias = tuple[int, int, Value]
"""A value, and where it starts and ends in the text it was looked for in (which is not the text as given)."""


def parse_value(text: str, type: FieldType, *, near: Sequence[str] = ()) -> Value | None:
    """The value of a type in a text.

    >>> term = "It renews for one year unless thirty days' notice is given."
    >>> str(parse_value(term, "duration")), str(parse_value(term, "duration", near=["notice"]))
    ('1 year', '30 days')

    Args:
        text: an answer, from a word to some sentences.
        type: what to look for.
        near: beginnings of words. Where the text holds several values and such a word, the value closest to one is
            taken; otherwise the first value.

    Returns:
        ``datetime.date`` for ``date``, :class:`Money`, :class:`Duration`, ``Decimal`` for ``percent`` (in percent)
        and ``number``; None where the text holds no such value, and for ``text``, ``clause``, ``party`` and ``place``,
        whose value is the text itself.

    Raises:
        ConfigError: there is no such type.
    """
    if type not in get_args(FieldType):
        raise ConfigError(f"unknown type {type!r}; types: {', '.join(get_args(FieldType))}")
    if type not in _FINDERS:
        return None
    text = _plain(text)
    if type == "number":  # "one" alone is a pronoun more often: it counts only where there is no other number
        value = _choose(_PRONOUN.sub("one_", text), type, near)
        return _choose(text, type, near) if value is None else value
    return _choose(text, type, near)


def _choose(text: str, type: FieldType, near: Sequence[str]) -> Value | None:
    figures = _figures(text, ordinals=type == "date")
    if type in ("duration", "percent", "number"):
        figures = _halves(figures)
    found = list(_FINDERS[type](figures))
    if not found:
        return None
    words = "|".join(map(re.escape, near))
    cues = [cue.span() for cue in re.finditer(rf"(?<![\w-])(?:{words})\w*", figures, re.I)] if near else []
    return min(found, key=lambda item: _distance(item, cues))[2]


def _distance(found: _Found, cues: Sequence[tuple[int, int]]) -> tuple[int, bool]:
    """Characters between a value and the nearest cue; at equal distances, a value after its cue is nearer."""
    first, last, _ = found
    return min(((max(first - end, start - last, 0), start >= last) for start, end in cues), default=(0, False))


def to_plain(value: Value) -> Any:
    """A value as JSON has it; amounts of money are strings, so that no cent is lost.

    >>> to_plain(Money(Decimal("1000000.00"), "USD"))
    {'amount': '1000000.00', 'currency': 'USD'}
    >>> to_plain(Duration(Decimal(30), "day"))
    {'amount': 30, 'unit': 'day'}
    """
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Money):
        return {"amount": f"{value.amount:f}", "currency": value.currency}
    if isinstance(value, Duration):
        return {"amount": to_plain(value.amount), "unit": value.unit}
    return int(value) if value == value.to_integral_value() else float(value)


# ------------------------------------------------------------------------------------------------------- words, figures

_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_NOTE_MARKS = re.compile("[¹²³⁰⁴-⁹\xad\u200b\u200c\u200d\u2060\ufeff]")
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "mm": 6, "mln": 6, "billion": 9, "bn": 9, "trillion": 12}
_LETTER_SCALES = {"k": 3, "m": 6, "b": 9}

# Thousands by comma (Indian ones too) or apostrophe, European grouping, a decimal comma or point, or digits alone.
_NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{2,3}){0,6},[0-9]{3}(?:\.[0-9]{1,10})?|[0-9]{1,3}(?:'[0-9]{3}){1,6}(?:\.[0-9]{1,10})?"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,6},[0-9]{1,2}|[0-9]{1,3}(?:\.[0-9]{3}){2,6}"
    r"|[0-9]{1,20},[0-9]{1,2}|[0-9]{0,20}\.[0-9]{1,10}|[0-9]{1,20})"
    r"(?![0-9]|[.,'][0-9]|e[+-]?[0-9])"
)
_START = r"(?<![\w.,/])"
_SCALED = re.compile(rf"(?<![0-9.,])({_NUMBER}) ?-?({'|'.join(_SCALES)})\b", re.I)
_ORDINALS = re.compile(r"\b(?!month\b)(\w*(?:first|second|third|th))\b", re.I)


def _plain(text: str) -> str:
    """The text with ASCII digits, dashes and apostrophes, single blanks, and no marks of footnotes."""
    text = _NOTE_MARKS.sub("", _VULGAR.sub(" ", text))
    text = re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit[0])), unicodedata.normalize("NFKC", text))
    text = re.sub("[\u2010-\u2015\u2212]", "-", re.sub("[‘’‛′]", "'", text))
    return " ".join(text.replace("\u2044", "/").split())


def _figures(text: str, *, ordinals: bool = False) -> str:
    """The text with spelt numbers as figures (``thirty (30)`` -> ``30 (30)``), ordinals too if asked for."""
    from number_parser import parse

    text = _SCALED.sub(lambda match: _scaled(match[1], _SCALES[match[2].lower()]), text)
    if not ordinals:
        text = _ORDINALS.sub(r"\1_", text)  # a word of its own: "the second year" is not two years
    return str(parse(text, language="en"))


def _scaled(number: str, power: int) -> str:
    return f"{(_decimal(number) * 10**power).normalize():f}"


def _halves(text: str) -> str:
    """The text with its small fractions as decimals: ``2 and a half``, ``1 1/2``, ``1 - half of 1 percent``."""
    text = re.sub(r"(?<![0-9])([0-9]{1,9}) and (?:an?|1) ?-? ?half\b", r"\1.5", text, flags=re.I)
    text = re.sub(r"\bhalf an? (?=year|month|day|hour)", "0.5 ", text, flags=re.I)
    text = re.sub(r"\bannual(?:ly)? (?=basis|ext|per|ren|term)", "yearly ", text, flags=re.I)
    text = re.sub(r"\b(?:(?:a|1) ?-? ?)?half of\b", "0.5 of", text, flags=re.I)
    text = re.sub(r"(?<![0-9/.,])(?:([0-9]{1,3})[ -])?([1-9])/([2-9])(?![0-9/])", _fraction, text)
    return re.sub(r"\b(0\.[0-9]{1,10}) of (?:a|1)(?= ?(?:per|%))", r"\1", text, flags=re.I)


def _fraction(match: re.Match[str]) -> str:
    return f"{Decimal(match[1] or 0) + Decimal(match[2]) / Decimal(match[3]):.4g}"


def _decimal(number: str) -> Decimal:
    """The value of a text that ``_NUMBER`` matches."""
    if re.search(r",[0-9]{1,2}$|\.[0-9]{3}\.", number):
        number = number.replace(".", "").replace(",", ".")
    return Decimal(re.sub("[,']", "", number))


# ---------------------------------------------------------------------------------------------------------------- dates

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


def _find_dates(text: str) -> Iterator[_Found]:
    last = 0
    for start, end, candidate, day_first in sorted(_date_candidates(text), key=lambda found: (found[0], -found[1])):
        if start >= last and (date := _read_date(candidate, day_first=day_first)):
            last = end
            yield start, end, date


def _date_candidates(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Where something like a date starts and ends, what to read, and whether its day comes first."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day, month, year = match.group("day", "month", "year")
            parts = (_four_digits(year), month, day) if month.isdecimal() else (day, month, _four_digits(year))
            yield *match.span(), "-".join(parts), False
    for match in _NUMERIC_DATE.finditer(text):
        first, mark, second, year = match.groups()
        if mark != "." or len(year) == 4:  # 3.1.12 is a section
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


# ---------------------------------------------------------------------------------------------------------------- money

# Beside its code, the names of each currency; those in capitals are written so in the text.
_CURRENCIES = {
    "USD": "$; US $; U.S. $; USD $; dollar; US dollar; U.S. dollar; United States dollar; American dollar",
    "CAD": "C$; CA$; Can$; CDN $; CDN; CAD $; Canadian dollar",
    "AUD": "A$; AU$; AUD $; Australian dollar",
    "NZD": "NZ$; New Zealand dollar",
    "HKD": "HK$; Hong Kong dollar",
    "SGD": "S$; SG$; Singapore dollar",
    "TWD": "NT$; NTD; New Taiwan dollar",
    "EUR": "€; euro",
    "GBP": "£; pound sterling; pounds sterling; British pound",
    "JPY": "¥; yen; Japanese yen",
    "CNY": "RMB; RMB ¥; yuan; renminbi; RMB yuan; Chinese yuan; yuan renminbi; yuan RMB",
    "CHF": "SFr.; Swiss franc",
    "INR": "₹; Rs.; Rs; rupee; Indian rupee",
    "KRW": "₩; Korean won",
    "ILS": "₪; NIS; shekel; New Israeli shekel",
    "SEK": "Swedish krona; Swedish kronor",
    "NOK": "Norwegian krone; Norwegian kroner",
    "DKK": "Danish krone; Danish kroner",
    "BRL": "R$; Brazilian real",
    "MXN": "MX$; Mexican peso",
    "ZAR": "South African rand",
    "RUB": "₽; ruble; rouble; Russian ruble",
}
_NAMES = {name.strip(): code for code, names in _CURRENCIES.items() for name in (code, *names.split(";"))}
_CODES = {name.replace(" ", "").lower(): code for name, code in _NAMES.items()}


def _currency_pattern() -> str:
    names: list[str] = []
    for name in sorted(_NAMES, key=len, reverse=True):
        pattern = re.escape(name).replace(r"\ ", " ?")
        names.append(f"(?-i:{pattern})" if name.isupper() else f"{pattern}s?" if name[-1].isalpha() else pattern)
    return rf"(?<![A-Za-z])(?:{'|'.join(names)})(?![A-Za-z])"


_CURRENCY = _currency_pattern()
_LETTER = r"(?: ?(?P<{}>[kmb])\b)?"
_MONEY = re.compile(
    rf"(?P<before>{_CURRENCY}) ?(?P<amount>{_NUMBER}){_LETTER.format('scale')}"
    rf"(?: ?\(?(?P<unit>{_CURRENCY}))?"
    rf"|{_START}(?P<figure>{_NUMBER}){_LETTER.format('letter')}(?: ?\([^()]{{1,30}}\))?"
    rf"(?: and (?:no|[0-9]{{1,2}})/100(?:ths)?)? ?(?P<after>(?![^ ]{{0,6}}[$£]){_CURRENCY})",
    re.I,
)


def _find_money(text: str) -> Iterator[_Found]:
    text = re.sub(r"(?<![0-9.,])[0-9]{1,3}(?: [0-9]{3}){1,6}(?![0-9])", lambda match: match[0].replace(" ", ""), text)
    for match in _MONEY.finditer(text):
        amount = _decimal(match["amount"] or match["figure"])
        if letter := match["scale"] or match["letter"]:
            amount *= 10 ** _LETTER_SCALES[letter.lower()]
        sign, unit = match["before"], match["unit"]
        name = (unit if sign in ("$", "¥") and unit else sign or match["after"]).replace(" ", "").lower()
        yield *match.span(), Money(amount, _CODES.get(name) or _CODES.get(name.removesuffix("s")))


# ------------------------------------------------------------------------------------------- durations, shares, numbers

_UNITS: dict[str, Unit] = {
    "mi": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
"""By the letters with which a unit or its abbreviation starts."""
_UNIT = r"(?P<unit>minute|hour|hr|day|week|wk|month|mo|year|yr)s?\b"
_DURATION = re.compile(
    rf"{_START}\(?\[?(?P<amount>{_NUMBER})[)\]]?(?: ?[(\[] ?[^()\[\]]{{1,12}}[)\]])?[ ~-]{{0,3}}"
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


def _find_durations(text: str) -> Iterator[_Found]:
    """The lengths in figures, then those without ("a year", "year to year"), which are lengths less surely."""
    for match in _DURATION.finditer(text):
        words = set(match["kind"].lower().split())
        if words <= _KINDS:
            unit = _unit(match["unit"])
            business = unit == "day" and words & _BUSINESS
            yield *match.span(), Duration(_decimal(match["amount"]), "business day" if business else unit)
    for match in _EVERY.finditer(text):
        yield *match.span(), Duration(Decimal(1), _unit(match[1] or match[2] or match[3]))


def _unit(name: str) -> Unit:
    return next(unit for start, unit in _UNITS.items() if name.lower().startswith(start))


_PERCENT = re.compile(
    rf"{_START}(?P<amount>{_NUMBER})(?: ?\([^()]{{1,12}}\))? ?"
    rf"(?P<unit>%|per ?cent(?:age points?)?\b|pct\b|basis points?\b|bps\b)"
    rf"(?: ?\( ?(?P<figure>{_NUMBER}) ?(?:%|per ?cent) ?\))?",
    re.I,
)


def _find_percents(text: str) -> Iterator[_Found]:
    for match in _PERCENT.finditer(text):
        amount = _decimal(match["figure"] or match["amount"])
        yield *match.span(), amount / 100 if match["unit"].lower().startswith("b") else amount


_FIGURE = re.compile(rf"(?:(?<=\s)|(?<=\()|^)-(?={_NUMBER})(?P<minus>{_NUMBER})|{_START}(?P<number>{_NUMBER})", re.I)
_PRONOUN = re.compile(r"\bone\b(?!-| hundred| thousand| million| billion| ?\()", re.I)


def _find_numbers(text: str) -> Iterator[_Found]:
    for match in _FIGURE.finditer(text):
        yield *match.span(), -_decimal(match["minus"]) if match["minus"] else _decimal(match["number"])


_FINDERS: dict[str, Callable[[str], Iterator[_Found]]] = {
    "date": _find_dates,
    "money": _find_money,
    "duration": _find_durations,
    "percent": _find_percents,
    "number": _find_numbers,
}
