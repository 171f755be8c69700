"""Amounts of money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from longdoc.values.numbers import Candidate, merged
from longdoc.values.spelled import AMOUNT, LETTER_SCALES, MINUS, START, WORDS, to_decimal
from longdoc.values.stated import agree, stated, with_alternative


@dataclass(frozen=True, slots=True, repr=False)
class Money:
    """An amount of money in whole units of its currency (dollars, not cents)."""

    amount: Decimal
    currency: str | None = None
    """ISO 4217 code, such as ``USD``."""
    alternative: Money | None = field(default=None, compare=False)
    """The other reading, if the text has two: figures that differ from the words, or the lower end of a range."""

    def __repr__(self) -> str:
        other = f", alternative={self.alternative!r}" if self.alternative else ""
        return f"Money(amount={self.amount!r}, currency={self.currency!r}{other})"

    def __str__(self) -> str:
        return f"{self.currency or ''} {self.amount:,f}".strip()


# The names of each currency, by its ISO 4217 code. Names in capitals are matched case-sensitively.
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


CURRENCY = _currency_pattern()
"""A currency's sign, code or name."""
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD"})
_CENT = Decimal("0.01")
_COINS = {"c": "USD", "¢": "USD", "p": "GBP"}
_LETTER = r"(?: ?(?P<{}>[kmb])\b)?"
_CENTS = (
    rf"(?:,? (?:and |& )?(?:(?P<hundredthsN>no|zero|xx|{WORDS}?[0-9]{{1,2}}) ?/ ?100(?:ths?)?\b"
    rf"|(?P<centsN>{AMOUNT})(?: ?\([^()]{{1,12}}\))? ?cents?\b))?"
)
"""The cents after whole dollars: ``and 50/100``, ``and no/100``, ``and fifty cents``."""
_AGAIN = rf"(?: only)?(?: ?\( ?(?P<again>{AMOUNT})(?: only)? ?\))?"
_MONEY = re.compile(
    rf"{MINUS}(?P<before>{CURRENCY}) ?(?P<minus_after>-)?(?P<amount>{AMOUNT}){_LETTER.format('scale')}"
    rf"(?:(?:-| to (?=[0-9]{{5}}))(?P<high>{AMOUNT}){_LETTER.format('high_scale')}(?![\w%-]| ?[a-z]+s\b))?"
    rf"(?: ?\((?P<unit_inside>{CURRENCY})\)| ?(?P<unit>{CURRENCY})(?! ?[0-9{WORDS}(-]))?"
    rf"{_CENTS.replace('N>', '1>')}{_AGAIN}"
    rf"|{MINUS.replace('minus>', 'negative>')}{START}(?P<figure>{AMOUNT}){_LETTER.format('letter')}"
    rf"(?: ?\( ?(?P<inner>[^()]{{1,30}}?) ?\))?{_CENTS.replace('N>', '2>')} ?"
    rf"(?P<after>(?![^ ]{{0,6}}[$£]){CURRENCY}){_CENTS.replace('N>', '3>')}{_AGAIN.replace('again', 'once_more')}"
    rf"|{START}(?P<coins>{AMOUNT})(?: ?\([^()]{{1,12}}\))? ?(?P<coin>cents?\b|¢|pence\b)",
    re.I,
)
_SPACED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?: [0-9]{3}){1,6}(?![0-9])")


def without_spaces(text: str) -> str:
    """Joins digits in groups of three: ``1 234,56 EUR``."""
    return _SPACED.sub(lambda match: match[0].replace(" ", ""), text)


def find_money(text: str) -> Iterator[Candidate]:
    """Yields start, end and value of each amount of money."""
    return merged(text, (_candidate(match) for match in _MONEY.finditer(text)), _amounts)


def _candidate(match: re.Match[str]) -> Candidate:
    if coins := match["coins"]:
        return *match.span(), Money(to_decimal(coins) * _CENT, _COINS[match["coin"][0].lower()])
    sign, unit = match["before"], match["unit"] or match["unit_inside"]
    name = (unit if sign in ("$", "¥") and unit else sign or match["after"]).replace(" ", "").lower()
    currency = _CODES.get(name) or _CODES.get(name.removesuffix("s"))
    amount, other = _stated(match, currency)
    factor = -1 if match["minus"] or match["minus_after"] or match["negative"] else 1
    value = Money(factor * amount, currency)
    return *match.span(), with_alternative(value, None if other is None else Money(factor * other, currency))


def _stated(match: re.Match[str], currency: str | None) -> tuple[Decimal, Decimal | None]:
    """The amount, cents included, and the other one that the text gives, if any."""
    number = match["amount"] or match["figure"]
    if currency not in _DOLLARS and re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", number):  # EUR 1.234
        return Decimal(round(to_decimal(number) * 1000)), to_decimal(number)
    found = stated(number, match["inner"])
    scale = 10 ** LETTER_SCALES.get((match["scale"] or match["letter"] or "").lower(), 0)
    amount = found.amount * scale + _cents(match)
    again = match["again"] or match["once_more"]
    if again and (WORDS in again) != (WORDS in number):
        figures_are_mark = WORDS in number and to_decimal(again) < 10 <= amount  # "Five Hundred Dollars (1)"
        words, figures = (amount, to_decimal(again)) if WORDS in number else (to_decimal(again), amount)
        return (amount, None) if figures_are_mark or agree(words, figures) else (words, figures)
    if high := match["high"]:
        high_scale = 10 ** LETTER_SCALES.get((match["high_scale"] or "").lower(), 0)
        low = amount * (high_scale if scale == 1 else 1)
        return to_decimal(high) * high_scale, low
    return amount, found.other


def _cents(match: re.Match[str]) -> Decimal:
    for number in "123":
        if hundredths := match[f"hundredths{number}"]:
            return to_decimal(hundredths) * _CENT if hundredths.removeprefix(WORDS).isdecimal() else Decimal(0)
        if cents := match[f"cents{number}"]:
            return to_decimal(cents) * _CENT
    return Decimal(0)


def _amounts(one: Money, two: Money) -> tuple[Decimal, Decimal] | None:
    """Amounts in the same currency; figures after a bare ``$`` may be any dollars."""
    is_same = one.currency == two.currency or {one.currency, two.currency} <= _DOLLARS
    return (one.amount, two.amount) if is_same else None
