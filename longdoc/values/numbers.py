"""Numbers and percentages, and what all values in figures have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from longdoc.values.spelled import AMOUNT, MINUS, NUMBER, START, WORDS, to_decimal
from longdoc.values.stated import Percentage, agree, stated, with_alternative

Candidate: TypeAlias = tuple[int, int, Any]
"""Start and end in the normalised text, and a value."""

INNER = r"(?: ?[(\[] ?(?P<inner>[^()\[\]]{1,12}?) ?[)\]])?"
"""What stands in brackets between an amount and its unit: the amount once more, or a remark."""
LOW = (
    rf"(?:(?:(?P<between>between )|{START})(?P<low>{AMOUNT})(?: ?\([^()]{{1,12}}\))? ?"
    r"(?(between)and|(?:-|to\b|or\b)) ?)?"
)
"""The lower end of a range that shares its unit with the upper end."""

_OPENING = re.compile(r",? ?(?:only ?)?[(\[] ?(?:(?:or|being|say|i\.e\.,?) )?", re.I)
_CLOSING = re.compile(r" ?(?:only ?)?[)\]]", re.I)
_TO = re.compile(r" ?(?:(?P<dash>-)|to(?: up to)?|(?P<and>and)) ?", re.I)
_REFERENCE = re.compile(r"(?:\b(?:section|article|clause|paragraph|rule|page|year|figure|table|item)s?\.?|§) ?$", re.I)


def in_range(value: Decimal, low: str | None) -> Decimal | None:
    """The lower end of a range, if it is below the value that it precedes."""
    return to_decimal(low) if low and to_decimal(low) < value else None


def merged(
    text: str, found: Iterable[Candidate], amount_of: Callable[[Any, Any], tuple[Decimal, Decimal] | None]
) -> Iterator[Candidate]:
    """Joins a value with its repetition in brackets, and the two ends of a range.

    Args:
        text: the text of the offsets.
        found: values from left to right.
        amount_of: the amounts of two values if they can be compared, that is, have the same unit.
    """
    last: Candidate | None = None
    for item in found:
        joined = _joined(text, last, item, amount_of) if last else None
        if last and not joined:
            yield last
        last = joined or item
    if last:
        yield last


def _joined(
    text: str, one: Candidate, two: Candidate, amount_of: Callable[[Any, Any], tuple[Decimal, Decimal] | None]
) -> Candidate | None:
    between = text[one[1] : two[0]]
    amounts = amount_of(one[2], two[2]) if len(between) < 16 else None
    if amounts is None:
        return None
    first, second = text[one[0] : one[1]], text[two[0] : two[1]]
    if _OPENING.fullmatch(between) and _CLOSING.match(text, two[1]) and (WORDS in first) != (WORDS in second):
        words, figures = (one[2], two[2]) if WORDS in first else (two[2], one[2])
        same = agree(*amounts) if WORDS in first else agree(*reversed(amounts))
        return one[0], two[1] + 1, one[2] if same else with_alternative(words, figures)
    if (mark := _TO.fullmatch(between)) and amounts[0] < amounts[1]:
        is_chain = "-" in text[max(one[0] - 1, 0) : one[0] + 1] + text[two[1] : two[1] + 1]  # a number of a telephone
        is_between = text[: one[0]].lower().endswith("between ")
        is_reference = _REFERENCE.search(text[max(one[0] - 12, 0) : one[0]])
        if bool(mark["and"]) == is_between and not (mark["dash"] and is_chain) and not is_reference:
            return one[0], two[1], with_alternative(two[2], one[2])
    return None


def same_unit(one: Decimal, two: Decimal) -> tuple[Decimal, Decimal]:
    """Numbers can always be compared."""
    return one, two


_PERCENT = re.compile(
    rf"{LOW}{MINUS}{START}(?P<amount>{AMOUNT}){INNER} ?"
    r"(?P<unit>%|‰|per ?-?cent(?:um|age points?)?\b|pct\b|basis points?\b|bps?\b)(?: ?\( ?(?P<again>[^()]{1,12}) ?\))?",
    re.I,
)
_PER = re.compile(
    r",? ?(?:(?:per|an?|each|every) (annum|year|quarter|month|week|day)|(p\.?a|annually|yearly|monthly))\b", re.I
)
_TIMES = {"annum": "year", "p.a": "year", "pa": "year", "annually": "year", "yearly": "year", "monthly": "month"}
_PERCENT_IN_BRACKETS = re.compile(rf"({NUMBER}) ?(%|per ?-?cent(?:um)?)?", re.I)


def find_percents(text: str) -> Iterator[Candidate]:
    """Yields start, end and value of each percentage; 50 basis points are 0.5 percent."""
    for start, end, value in merged(text, _percents(text), same_unit):
        per = _PER.match(text, end)
        time = next((each for each in per.groups() if each), "").lower() if per else ""
        yield start, end, Percentage.of(value, _TIMES.get(time, time))


def _percents(text: str) -> Iterator[Candidate]:
    for match in _PERCENT.finditer(text):
        unit = match["unit"].lower()
        divisor = 100 if unit.startswith("b") else 10 if unit == "‰" else 1
        found = stated(match["amount"], match["inner"])
        amount, other = found.amount / divisor, found.other and found.other / divisor
        again = _PERCENT_IN_BRACKETS.fullmatch((match["again"] or "").strip())
        if again and (again[2] or WORDS in match["amount"]) and (divisor > 1 or WORDS in match["amount"]):
            figures = to_decimal(again[1])
            other = other if agree(amount, figures) else figures
        low = in_range(found.amount, match["low"])
        other = low / divisor if low is not None and other is None else other
        sign = -1 if match["minus"] else 1
        yield *match.span(), with_alternative(sign * amount, None if other is None else sign * other)


_FIGURE = re.compile(
    rf"{MINUS}(?:(?<=-)[$€£¥₹] ?)?{START}(?P<number>{AMOUNT})(?: ?[(\[] ?(?P<inner>{AMOUNT}) ?[)\]])?", re.I
)
PRONOUN = re.compile(r"\bone\b(?!-| hundred| thousand| million| billion| ?\()", re.I)
"""The word "one" where it is more likely a pronoun than a number."""


def find_numbers(text: str) -> Iterator[Candidate]:
    """Yields start, end and value of each number."""
    return merged(text, _numbers(text), same_unit)


def _numbers(text: str) -> Iterator[Candidate]:
    for match in _FIGURE.finditer(text):
        found = stated(match["number"], match["inner"])
        sign = -1 if match["minus"] else 1
        other = None if found.other is None else sign * found.other
        yield *match.span(), with_alternative(sign * found.amount, other)
