"""The kind of value that a question asks for: "How much notice …" wants a period of time.

>>> wanted = asked_for("How much is the monthly fee?")
>>> wanted is not None and wanted.suits("the Customer pays $450"), str(wanted.value("the Customer pays $450"))
(True, 'USD 450')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.values.parse import FieldType, Value, parse_value

_UNITS = r"(?:minutes|hours|days|weeks|months|quarters|years|time)"
_AMOUNT = (
    r"(?:amount|charge|commission|compensation|cost|discount|fee|fine|interest|payment|penalty|premium|price|rate|rent|"
    r"royalty|salary|sum)s?"
)
_NOT_AMOUNT = (
    r"(?!(?:party|parties|company|side|one|happens|triggers|causes|currency|kinds?|types?|of)\b)"
    r"(?!.*\b(?:heart|pulse|respiratory|infection|mutation|survival|response|error) rate)"
)
"""What is asked for is not the amount that is named: "Which party pays the fee?"."""
_DOSE = r"(?i:\d\s?(?:mg|mcg|g|kg|ml|units?)\b)"
_FREQUENCY = r"(?i:\b(?:daily|nightly|weekly|monthly|quarterly|annual(?:ly)?|yearly|once|twice|every|each|times)\b)"
_MONTH = (
    r"(?i:January|February|March|April|June|July|August|September|October|November|December)|"
    r"\bMay\b|\b(?:1[89]|20)\d\d\b"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for."""

    types: tuple[FieldType, ...]
    """The types of value that answer it, the likeliest first."""
    also: str = "(?!)"
    """A pattern of other words that answer it."""

    def value(self, text: str, near: Sequence[str] = ()) -> Value | None:
        """The first value of the types in an answer, the one closest to words with the prefixes ``near``."""
        values = (parse_value(text, type, near=near) for type in self.types)
        return next((value for value in values if value is not None), None)

    def suits(self, text: str) -> bool:
        """Whether an answer has such a value, or other words that answer the question."""
        return self.value(text) is not None or re.search(self.also, text) is not None


_ASKED: tuple[tuple[str, Asked], ...] = (
    (rf"how (?:much|many)\b.*\b(?:notice|warning)|how (?:many|much) (?:\w+ )?{_UNITS}", Asked(("duration",))),
    (r"how (?:often|frequently)", Asked(("duration",), _FREQUENCY)),
    (r"(?:for )?how long|how (?:soon|quickly|early|late)", Asked(("duration", "date"), _MONTH)),
    (r"(?:until|since|from|by|till) when", Asked(("date", "duration"), _MONTH)),
    (
        r"when (?:did|does|do|is|was|will|must|shall|can) .*",
        Asked(("date", "duration"), rf"{_MONTH}|(?i:\b(?:if|upon|within|after)\b)"),
    ),
    (r"(?:\w+ )?(?:what|which) (?:day|date)|what is the (?:\w+ )?date", Asked(("date",), _MONTH)),
    (r"(?:what|which) (?:percentage|share)", Asked(("percent",))),
    (r"how many", Asked(("number",))),
    (
        rf"how (?:much|high|large)|(?:what|which) {_NOT_AMOUNT}(?:\w+ ){{0,4}}{_AMOUNT}",
        Asked(("money", "percent"), _DOSE),
    ),
)
"""The start of a question → what it asks for; the first that matches counts."""


def asked_for(question: str) -> Asked | None:
    """What a question asks for; None if its words do not say that it is a value."""
    start = " ".join(question.casefold().split())
    return next((asked for pattern, asked in _ASKED if re.match(rf"(?:{pattern})\b", start)), None)
