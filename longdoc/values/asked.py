"""The kind of value that a question asks for: "How much notice …" wants a period of time.

>>> wanted = asked_for("How much is the monthly fee?")
>>> wanted is not None and wanted.suits("the Customer pays $450"), str(wanted.value("the Customer pays $450"))
(True, 'USD 450')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from longdoc.values.parse import FieldType, Value, parse_value

_UNITS = r"(?:minutes|hours|days|weeks|months|quarters|years|time)"
_AMOUNT = (
    r"(?:amount|charge|commission|compensation|cost|discount|fee|fine|interest|payment|penalty|premium|price|rate|rent|"
    r"royalty|salary|sum)s?"
)
_RATE = (
    r"(?:how much (?:of|more|less)|rates?|interest|percent\w*|commissions?|royalt\w+|discounts?|tax\w*|shares?|late\w*"
    r"|overdue|penalt\w+|fines?|increase\w*|raise\w*|mark-?up|margins?|equity|own\w*|stakes?)"
)
"""What is asked for may be a part of something, or what is due on a late payment."""
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
AROUND = 160
"""Characters before and after an answer that are looked at."""
_GOVERNS = re.compile(r"(?i)\b(?:govern|constru|interpret|enforce|controll?ed by|subject to)")
_SEATED = re.compile(
    r"(?i)\b(?:(?:re-?)?(?:organi[sz]|incorporat)(?:ed|ion)|formed|existing under|constituted|established|chartered"
    r"|registered|domiciled|headquartered|good standing|residing|(?:principal|head) offices?|place of business)\b"
)
_ENTITY = (
    r"(?i:(?:(?:limited|general|liability|statutory|business|professional|public|private|non-?profit|exempted|stock"
    r"|banking|close)\s+){0,3}(?:corporation|company|partnership|trust|association|bank|LLC|L\.L\.C\.|L\.?P\.?))(?!\w)"
)
_IS_ENTITY = re.compile(rf"\s+{_ENTITY}(?!\s+(?i:law|act|code|statute)s?\b)")
_NAMES_ENTITY = re.compile(
    rf"(?:[Aa]n?\s)?(?:(?:[A-Z][\w.]+|of)\s){{1,4}}?{_ENTITY}(?!\s+(?i:law|act|code|statute)s?\b)"
)
_FOUNDED = re.compile(
    r"(?i)\b(?:incorporated|organi[sz]ed|founded|formed|established|born|registered)\s(?:\w+\s){0,10}?"
    r"(?:on|in|since|as of)\s+(?:the\s+)?$"
)
_LATE = re.compile(
    r"(?i)\blate\s(?:fees?|charges?|payments?|penalt\w+|paid)\b|\b(?:overdue|past[- ]due|delinquen\w+|in arrears"
    r"|unpaid (?:amounts?|balances?|invoices?|sums?)|not (?:timely )?paid|paid late|bears?\sinterest"
    r"|interest (?:at|rate))\b"
)
_SIGNS = r"(?:sign|execut|made|enter|conclud|dat)\w*"
_OTHER_AGREEMENT = re.compile(
    r"(?i)\b(?:certain|prior|previous|original|existing|earlier|separate|underlying"
    r"|(?:pursuant to|under|amend\w*|supersed\w*|terminat\w*|replac\w*|restat\w*) (?:the|an?))\s(?:[\w-]+\s){0,6}?"
    r"(?:agreement|contract|lease|licen[cs]e|deed|note|indenture|plan|letter)\b"
    rf"(?:(?!\bthis\b)[^;\d]){{0,150}}\b(?:{_SIGNS}|as of|effective)\b(?:(?!\bthis\b)[^.;\d]){{0,40}}$"
)


_MADE = re.compile(
    rf"(?i)\b(?:{_SIGNS}|effective|commenc\w+|begin\w*|start\w*)\b(?:\b(?:and|entered|made|into|effective|on|as|of|from"
    r"|this|the|date|at|day|dated|executed|delivered)\b|[\s,()“”\"])*(?:(?:\d{1,2}(?:st|nd|rd|th)?|_+)\s+day\s+of\s+)?$"
)
_LASTS = re.compile(r"(?i)\b(?:until|through|thru|till|to|expir\w*|ends?|ending|terminat\w*|lapse\w*)\b")


_LASTING = re.compile(
    r"(?i)\b(?:until|through|expir\w*|ends?|ending|terminat\w*|lapse\w*|cease\w*)[\s,]+(?:\w+[\s,]+){0,3}$"
)


def _is_beginning(before: str, answer: str, after: str) -> bool:
    """Whether the first date in an answer is when an agreement was made or begins, and not when it ends."""
    first = re.search(rf"{_MONTH}|\d", answer)
    said = f"{before} {answer[: first.start() if first else None]}"
    made = _MADE.search(said)
    return made is not None and not _LASTS.search(answer) and not _LASTING.search(said[: made.start()])


def _is_seat(before: str, answer: str, after: str) -> bool:
    """Whether a place or a law in an answer is that under which a party is organised, or where it is."""
    said = [(match.start(), pattern) for pattern in (_GOVERNS, _SEATED) for match in pattern.finditer(before)]
    last = max(said, key=lambda each: each[0])[1] if said else None
    if last is _GOVERNS or _GOVERNS.search(answer):
        return False
    named = _NAMES_ENTITY.search(answer) or (answer[-1:].isalpha() and _IS_ENTITY.match(after))
    return last is _SEATED or bool(_SEATED.search(answer) or named)


def _is_of_another(before: str, answer: str, after: str) -> bool:
    """Whether the first date in an answer is that of another agreement, or when a party was founded."""
    first = re.search(rf"{_MONTH}|\d", answer)
    said = f"{before} {answer[: first.start() if first else None]}".lstrip()
    return bool(_FOUNDED.search(said) or _OTHER_AGREEMENT.search(said))


def _is_for_lateness(before: str, answer: str, after: str) -> bool:
    """Whether an amount is what is due when something is paid late."""
    first = re.search(r"[$€£¥\d]", answer)
    return _LATE.search(f"{before} {answer[: first.start() if first else None]}") is not None


def _never(before: str, answer: str, after: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for."""

    types: tuple[FieldType, ...]
    """The types of value that answer it, the likeliest first."""
    also: str = "(?!)"
    """A pattern of other words that answer it."""
    denies: Callable[[str, str, str], bool] = _never
    """Whether the words before, in and after an answer tell that it is about another thing."""
    second: tuple[FieldType, ...] = ()
    """The types of value that may answer it, too, but that others are preferred to: a percentage for a price."""

    def value(self, text: str, near: Sequence[str] = ()) -> Value | None:
        """The first value of the types in an answer, the one closest to words with the prefixes ``near``."""
        values = (parse_value(text, type, near=near) for type in (*self.types, *self.second))
        return next((value for value in values if value is not None), None)

    def is_second(self, text: str) -> bool:
        """Whether an answer has only a value that others are preferred to."""
        return bool(self.second) and not re.search(self.also, text) and replace(self, second=()).value(text) is None

    def suits(self, text: str, before: str = "", after: str = "") -> bool:
        """Whether an answer has such a value, or other words that answer the question.

        Args:
            text: the answer.
            before: the document before it; the words of its sentence may tell that it is about another thing.
            after: the document after it.
        """
        has_value = self.value(text) is not None or re.search(self.also, text) is not None
        return has_value and not self.denies(_sentence_before(before), text, after)


def _sentence_before(text: str) -> str:
    """What stands in the sentence before its end, on one line."""
    starts = [match.end() for match in re.finditer(r"(?<![A-Z])(?<!\b(?:No|Co))(?<!\b(?:Inc|Ltd))[.;]\s|\n\s*\n", text)]
    return " ".join(text[starts[-1] if starts else 0 :].split())


_AGREEMENT = r"(?:the|this) (?:[\w-]+ ){0,3}(?:agreement|contract|lease|deed|licen[cs]e|amendment)"
_ASKED: tuple[tuple[str, Asked], ...] = (
    (
        r"(?:(?:under|by) )?(?:what|which|whose) (?:\S+ ){0,4}?(?:laws?|state|jurisdiction) .*"
        r"(?:govern|appl|constru|interpret|control)\w*"
        r"|(?:what|which) (?:is|are) the (?:governing|applicable|controlling) law|(?:the )?governing law",
        Asked((), "", _is_seat),
    ),
    (
        rf"when (?:was|were|did|is) {_AGREEMENT} (?:been )?{_SIGNS}|(?:on|as of) (?:what|which) (?:day|date) "
        rf"(?:was|is) {_AGREEMENT} {_SIGNS}|when did the parties (?:sign|execute|enter)"
        rf"|what is the (?:agreement|signing) date|what is the date of {_AGREEMENT}",
        Asked(("date",), _MONTH, _is_of_another),
    ),
    (
        r"(?=.*\b(?:ends?|expir\w+|lapses?|run out|over|terminat\w+)\b)"
        r"(?:until when|when (?:do|does|will|is|shall|must|did)"
        r"|(?:on |at )?(?:what|which) (?:day|date)|what is the (?:\w+ ){0,2}date)",
        Asked(("date", "duration"), rf"{_MONTH}|(?i:\b(?:if|upon|within|after)\b)", _is_beginning),
    ),
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
        rf"(?=.*\b{_RATE}\b)(?:how (?:much|high|large)|(?:what|which) {_NOT_AMOUNT}(?:\w+ ){{0,4}}{_AMOUNT})",
        Asked(("money", "percent"), _DOSE),
    ),
    (
        rf"how (?:much|high|large)|(?:what|which) {_NOT_AMOUNT}(?:\w+ ){{0,4}}{_AMOUNT}",
        Asked(("money",), _DOSE, _is_for_lateness, second=("percent",)),
    ),
)
"""The start of a question → what it asks for; the first that matches counts."""


def asked_for(question: str) -> Asked | None:
    """What a question asks for; None if its words do not say that it is a value."""
    start = " ".join(question.casefold().split())
    return next((asked for pattern, asked in _ASKED if re.match(rf"(?:{pattern})\b", start)), None)


_REST = re.compile(
    r"(?:(?<=\d)[\d.,]*\d)?(?:\)?\s?(?:%|‰|per\s?-?cent(?:um)?\b|basis points\b|(?:hundred|thousand|million|billion)\b"
    r"|(?:U\.?S\.?\s)?(?:dollars|cents)\b|euros?\b|(?:USD|EUR|GBP|CAD|AUD|CHF|JPY)\b|€|£"
    r"|(?:(?:business|calendar|working)\s)?(?:minute|hour|day|week|month|quarter|year)s?\b|(?:mg|mcg|ml)\b)"
    r"(?:\s?\(\s?\d[\d.,]*\s?%?\s?\))?){0,3}(?:\s(?:per|an?|each|every)\s(?:annum|year|quarter|month|week|day|hour)\b)?"
)
"""What goes on with an amount after its first figures: their rest, the unit, and the time that it is for."""
_ENDS_IN_AMOUNT = re.compile(r"(?i)(?:\d\)?|[%‰$€£]|\b(?:percent|million|billion|thousand|dollars|[a-z]+ty))$")
_SIGN = re.compile(r"(?:(?:(?:US|C|A|CA|AU)\s?)?[$€£¥₹]\s?|\b(?:USD|EUR|GBP|CAD|AUD)\s?)?(?:\d[\d.,]*)?$")


def whole_amount(text: str, start: int, end: int) -> tuple[int, int]:
    """The range of an answer with the whole of the amounts at its ends: "1.5" is widened to "1.5% per month".

    >>> text = "The fee is $1,450 a month."
    >>> start, end = whole_amount(text, text.index("450"), text.index(" a month"))
    >>> text[start:end]
    '$1,450 a month'
    """
    said = text[start:end]
    if said[:1].isdigit() and (sign := _SIGN.search(text, max(0, start - AROUND), start)):
        start = sign.start()
    rest = _REST.match(text, end) if _ENDS_IN_AMOUNT.search(said) else None
    return start, rest.end() if rest else end
