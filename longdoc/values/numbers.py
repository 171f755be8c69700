"""Numbers and percentages, and the normalisation of text before any value is parsed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_NOTE_MARKS = re.compile("[¹²³⁰⁴-⁹\xad\u200b\u200c\u200d\u2060\ufeff]")
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "mm": 6, "mln": 6, "billion": 9, "bn": 9, "trillion": 12}
LETTER_SCALES = {"k": 3, "m": 6, "b": 9}

# Thousands separated by commas (also the Indian way) or apostrophes; European grouping; decimal comma or point; digits.
NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{2,3}){0,6},[0-9]{3}(?:\.[0-9]{1,10})?|[0-9]{1,3}(?:'[0-9]{3}){1,6}(?:\.[0-9]{1,10})?"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,6},[0-9]{1,2}|[0-9]{1,3}(?:\.[0-9]{3}){2,6}"
    r"|[0-9]{1,20},[0-9]{1,2}|[0-9]{0,20}\.[0-9]{1,10}|[0-9]{1,20})"
    r"(?![0-9]|[.,'][0-9]|e[+-]?[0-9])"
)
START = r"(?<![\w.,/])"
_SCALED = re.compile(rf"(?<![0-9.,])({NUMBER}) ?-?({'|'.join(_SCALES)})\b", re.I)
_ORDINALS = re.compile(r"\b(?!month\b)(\w*(?:first|second|third|th))\b", re.I)


def normalize(text: str) -> str:
    """Converts digits, dashes and apostrophes to ASCII, collapses white space, and drops footnote marks."""
    text = _NOTE_MARKS.sub("", _VULGAR.sub(" ", text))
    text = re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit[0])), unicodedata.normalize("NFKC", text))
    text = re.sub("[\u2010-\u2015\u2212]", "-", re.sub("[‘’‛′]", "'", text))
    return " ".join(text.replace("\u2044", "/").split())


def spelled_to_figures(text: str, *, ordinals: bool = False) -> str:
    """Writes spelled-out numbers as figures (``thirty (30)`` -> ``30 (30)``), optionally ordinals as well."""
    from number_parser import parse

    text = _SCALED.sub(lambda match: _scaled(match[1], _SCALES[match[2].lower()]), text)
    if not ordinals:
        text = _ORDINALS.sub(r"\1_", text)  # the mark stops the parser: "the second year" is not two years
    return str(parse(text, language="en"))


def _scaled(number: str, power: int) -> str:
    return f"{(to_decimal(number) * 10**power).normalize():f}"


def fractions_to_decimals(text: str) -> str:
    """Writes small fractions as decimals: ``2 and a half``, ``1 1/2``, ``1 - half of 1 percent``."""
    text = re.sub(r"(?<![0-9])([0-9]{1,9}) and (?:an?|1) ?-? ?half\b", r"\1.5", text, flags=re.I)
    text = re.sub(r"\bhalf an? (?=year|month|day|hour)", "0.5 ", text, flags=re.I)
    text = re.sub(r"\bannual(?:ly)? (?=basis|ext|per|ren|term)", "yearly ", text, flags=re.I)
    text = re.sub(r"\b(?:(?:a|1) ?-? ?)?half of\b", "0.5 of", text, flags=re.I)
    text = re.sub(r"(?<![0-9/.,])(?:([0-9]{1,3})[ -])?([1-9])/([2-9])(?![0-9/])", _fraction, text)
    return re.sub(r"\b(0\.[0-9]{1,10}) of (?:a|1)(?= ?(?:per|%))", r"\1", text, flags=re.I)


def _fraction(match: re.Match[str]) -> str:
    return f"{Decimal(match[1] or 0) + Decimal(match[2]) / Decimal(match[3]):.4g}"


def to_decimal(number: str) -> Decimal:
    """Converts text that ``NUMBER`` matched."""
    if re.search(r",[0-9]{1,2}$|\.[0-9]{3}\.", number):
        number = number.replace(".", "").replace(",", ".")
    return Decimal(re.sub("[,']", "", number))


_PERCENT = re.compile(
    rf"{START}(?P<amount>{NUMBER})(?: ?\([^()]{{1,12}}\))? ?"
    rf"(?P<unit>%|per ?cent(?:age points?)?\b|pct\b|basis points?\b|bps\b)"
    rf"(?: ?\( ?(?P<figure>{NUMBER}) ?(?:%|per ?cent) ?\))?",
    re.I,
)


def find_percents(text: str) -> Iterator[tuple[int, int, Decimal]]:
    """Yields start, end and value of each percentage; 50 basis points are 0.5 percent."""
    for match in _PERCENT.finditer(text):
        amount = to_decimal(match["figure"] or match["amount"])
        yield *match.span(), amount / 100 if match["unit"].lower().startswith("b") else amount


_FIGURE = re.compile(rf"(?:(?<=\s)|(?<=\()|^)-(?={NUMBER})(?P<minus>{NUMBER})|{START}(?P<number>{NUMBER})", re.I)
PRONOUN = re.compile(r"\bone\b(?!-| hundred| thousand| million| billion| ?\()", re.I)
"""The word "one" where it is more likely a pronoun than a number."""


def find_numbers(text: str) -> Iterator[tuple[int, int, Decimal]]:
    """Yields start, end and value of each number; a leading minus counts only after white space or a bracket."""
    for match in _FIGURE.finditer(text):
        yield *match.span(), -to_decimal(match["minus"]) if match["minus"] else to_decimal(match["number"])
