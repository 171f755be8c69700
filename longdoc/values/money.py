"""Amounts of money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from longdoc.values.numbers import LETTER_SCALES, NUMBER, START, to_decimal


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money in whole units of its currency (dollars, not cents)."""

    amount: Decimal
    currency: str | None = None
    """ISO 4217 code, such as ``USD``."""

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


_CURRENCY = _currency_pattern()
_LETTER = r"(?: ?(?P<{}>[kmb])\b)?"
_MONEY = re.compile(
    rf"(?P<before>{_CURRENCY}) ?(?P<amount>{NUMBER}){_LETTER.format('scale')}"
    rf"(?: ?\(?(?P<unit>{_CURRENCY}))?"
    rf"|{START}(?P<figure>{NUMBER}){_LETTER.format('letter')}(?: ?\([^()]{{1,30}}\))?"
    rf"(?: and (?:no|[0-9]{{1,2}})/100(?:ths)?)? ?(?P<after>(?![^ ]{{0,6}}[$£]){_CURRENCY})",
    re.I,
)


def find_money(text: str) -> Iterator[tuple[int, int, Money]]:
    """Yields start, end and value of each amount of money."""
    text = re.sub(r"(?<![0-9.,])[0-9]{1,3}(?: [0-9]{3}){1,6}(?![0-9])", lambda match: match[0].replace(" ", ""), text)
    for match in _MONEY.finditer(text):
        amount = to_decimal(match["amount"] or match["figure"])
        if letter := match["scale"] or match["letter"]:
            amount *= 10 ** LETTER_SCALES[letter.lower()]
        sign, unit = match["before"], match["unit"]
        name = (unit if sign in ("$", "¥") and unit else sign or match["after"]).replace(" ", "").lower()
        yield *match.span(), Money(amount, _CODES.get(name) or _CODES.get(name.removesuffix("s")))
