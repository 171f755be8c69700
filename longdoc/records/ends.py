"""When a contract ends: as stated, or computed from its term."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.records.dates import NAMED_OTHER, dates_in
from longdoc.records.evidence import cell
from longdoc.records.openings import Range
from longdoc.summary import on_one_line
from longdoc.values import Duration, parse_value

_UNTIL = re.compile(
    r"(?i)\b(?:until|through|thru|expires?(?: on| as of| at)?|expiring(?: on)?|terminates?(?: on)?"
    r"|terminating(?: on)?|ending(?: on| as of)?|ends?(?: on)?|end on|expire(?:s|d)? (?:on|at)"
    r"|(?:expiration|expiry|termination) date\b[^.;\n]{0,30}?(?:is|means?|:|shall be|of)?|end date:?|conclud\w+(?: on)?"
    r"|to and including|up to and including|(?:no|not|in no event) later than|to)\b"
    r"[\s:,“”\"]*(?:[\w\s.:]{0,40}?\bon\b\s)?"
    r"(?:the )?(?:later of |earlier of )?(?:\(?[ai]\)\s)?"
)
_TERM_TALK = re.compile(
    r"(?i)\b(?:initial (?:term|period)|primary term|term (?:of|for) this|term of the (?:agreement|licen[cs]e"
    r"|lease)|the term\b|this (?:agreement|contract|lease|amendment|licen[cs]e)\b[^.;]{0,60}?\b(?:shall|will"
    r"|is|may)\b[^.;]{0,60}?"
    r"\b(?:continue|remain|expire|terminate|commence|begin|be effective|end|run|be in (?:full force|effect)"
    r"|valid|in force|be for|effective)|\bterms?\b[^.;:]{0,40}?(?:\b(?:is|shall|will|means?)\b|:)"
    r"|\b(?:term|duration|period|validity)\b[^.;]{0,40}?\bfrom\b(?=[\w\s,/-]{8,30}\s(?:to|until|through|till)\b)"
    r"|\b(?:expiration|expiry|termination|end) date\s{0,3}:|agreement (?:expires|terminates|commences|begins|continues"
    r"|is effective|is valid|ends)|validity|expiration date|expiry date"
    r"|period of (?:the|this) (?:agreement|contract)|(?:shall|will) (?:expire|terminate) (?:on|at|upon)"
    r"|duration of|sponsorship term|contract period|term[”\"]? shall|shall (?:continue|remain) in (?:full )?"
    r"(?:force|effect))"
)
_STRONG = re.compile(
    r"(?i)initial term|this (?:agreement|contract|lease)|term of th|primary term|term[”\"]? shall|expire on"
    r"|(?:expire|terminate)s? (?:on|upon)|duration|validity|agreement expires|the term\b|date\s{0,3}:"
    r"|\bterms?\b.*(?:\b(?:is|shall|will|means?)\b|:)|\bfrom$"
)
_OTHER_PERIOD = re.compile(
    r"[“\"](?!(?i:[^“”\"\n]{0,40}\b(?:term|period|expir\w+|terminat\w+|duration)\b))[^“”\"\n]{1,60}[”\"]\s(?:shall\s)?means?\b"
)
"""The definition of a quarter or a year of the contract, or of something else that is no term."""
_ANNIVERSARY = re.compile(
    r"(?i)\b(?P<n>\w{1,30}(?:[ -]\w{1,30})?)\s{0,20}(?:\(\s?\d+\s?(?:s\s?t|n\s?d|r\s?d|t\s?h)?\s?\)\s{0,20})?"
    r"(?:\(?\d*(?:st|nd|rd|th)\)?\s{0,20})?(?:year )?"
    r"anniversary\s{1,20}(?:date\s{1,20})?(?:of|from|following)\s{1,20}(?P<base>[^.;]{3,80})"
)
_DATE_AFTER = re.compile(
    r"(?i)\b(?:the|that)\s{1,20}(?:date|day)\s{1,20}(?:that|which)\s{1,20}(?:is|falls)\s{1,20}"
    r"(?P<length>[\w ()-]{3,40}?"
    r"(?:years?|months?|days))\s{1,20}(?:after|from|following)\s{1,20}(?P<base>[^.;]{3,80})"
)
"""The end as a date after another: "the date that is two (2) years after the date of this Agreement"."""
_NOT_AT = re.compile(r"(?i)(?<!day )\b(?:prior to|before|after|following)\s(?:the\s?)?\w{0,4}$")
_RUNS_FROM = re.compile(
    r"(?i)[\s,]{0,9}(?:\([^()]{0,60}\)[\s,]{0,9})?(?:from|after|following|commencing|beginning|starting"
    r"|of|as of|since|thereafter)\b"
    r"(?P<base>[^.;,(]{0,100})"
)
"""What a term that stands before it runs from."""
_BEGINS_ON = re.compile(r"(?i)\b(?:commenc|begin|start|effective|effect\b|valid\b)(?P<base>[^.;,(]{3,100})")
_BASE_ENDS = re.compile(r"(?i)\s(?:and|unless|until|with|which|or|provided|but|for|to)\s.*", re.DOTALL)


class _Base(NamedTuple):
    """The date that a term runs from."""

    day: datetime.date
    name: str
    is_said: bool
    """Whether the text says that the term runs from it."""
    is_doubtful: bool
    """Whether a person should look at it, and so at what is computed from it."""


def expiration_date(
    document: Document,
    agreed: Answer | None,
    effective: Answer | None,
    term: Answer | None = None,
    spans: Iterable[Entity] = (),
) -> Answer | None:
    """When the contract ends: as stated, else computed from its term, and then the source says from what.

    Args:
        document: the contract.
        agreed: when it was made.
        effective: when it takes effect.
        term: how long it runs at first, as :func:`~longdoc.records.terms.find_term` says.
        spans: clauses; the end is looked for in those labelled ``Expiration Date`` first.
    """
    text = document.text
    zones = [(s.start, s.end, 0.1) for s in sorted(spans, key=lambda s: -s.score) if s.label == "Expiration Date"]
    zones = zones or [(*zone, 0.0) for zone in _term_sentences(text)]
    cells = [_stated_end(document, *zone) for zone in zones]
    if not any(cells):
        cells += [_anniversary(document, *zone, agreed, effective) for zone in zones]
        cells.append(_computed_end(document, term, agreed, effective))
    for found in cells:
        if found is None:
            continue
        if found.value is None or effective is None or effective.value is None or found.value > effective.value:
            return found
        if effective.check:  # one of the two is wrong
            return replace(found, check=True)
    return None


def _sentence_start(text: str, at: int) -> int:
    starts = [match.end() for match in re.compile(r"[.;]\s+(?=[A-Z(\"“])|\n\n").finditer(text, max(0, at - 250), at)]
    return starts[-1] if starts else max(0, at - 250)


def _term_sentences(text: str) -> list[Range]:
    """The sentences about how long the contract lasts, those under a heading such as "Term" first."""
    found: dict[Range, float] = {}
    for match in _TERM_TALK.finditer(text):
        start = max(text.rfind(". ", 0, match.start()) + 2, text.rfind("\n", 0, match.start()) + 1, match.start() - 400)
        stop = re.compile(r"\.\s+(?=[A-Z(])|\n\n|;\s").search(text, match.end(), min(len(text), match.end() + 700))
        end = stop.start() if stop else min(len(text), match.end() + 500)
        heading = bool(
            re.search(
                r"(?i)(?<![a-z])(?:term|duration|period)\b[\s.:;\-–—]*(?:of (?:this )?agreement)?[^a-z]{0,12}$",
                text[max(0, start - 60) : start] + text[start : match.start()][:40],
            )
        )
        strong = bool(_STRONG.search(match[0])) and not _OTHER_PERIOD.match(text, start)
        if heading or strong:
            initial = 1.5 * bool(re.match(r"(?i)initial term|primary term|term of th", match[0]))
            found[start, end] = max(found.get((start, end), 0.0), heading + strong + initial)
    return [zone for zone, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))][:40]


def _stated_end(document: Document, start: int, end: int, bonus: float) -> Answer | None:
    text = document.text
    for match in _UNTIL.finditer(text, start, end):
        dated = next(dates_in(text, match.end(), min(len(text), match.end() + 40)), None)
        if (
            dated is None
            or dated.start - match.end() > 3
            or NAMED_OTHER.search(text[max(0, dated.start - 120) : dated.start])
        ):
            continue
        of_term = re.match(r"(?i)until|through|thru|expir", match[0]) and re.search(
            r"(?i)\bterm\b", text[start : match.start()]
        )
        begins = not of_term and re.search(
            r"(?i)\b(?:commenc\w*|begin\w*|start\w*|effective)\b[^,;]{0,15}$",
            text[max(0, match.start() - 25) : dated.start],
        )
        if begins or (
            match[0].lower().split()[0] == "to"
            and not re.search(r"\d{4}[\s,]{0,20}$", text[max(0, match.start() - 15) : match.start()])
        ):
            continue
        blank = dated.value is None
        return cell(
            document,
            dated.start,
            dated.end,
            label="expiration_date",
            source="stated, partly blank" if blank else "stated",
            score=0.5 if blank else 0.8 + bonus,
            value=dated.value,
        )
    return None


def _anniversary(
    document: Document, start: int, end: int, bonus: float, agreed: Answer | None, effective: Answer | None
) -> Answer | None:
    text = document.text
    for match in _ANNIVERSARY.finditer(text, start, end):
        ordinal = _ordinal(match["n"])
        if ordinal and not _NOT_AT.search(text, max(start, match.start() - 30), match.start("n") + 4):
            base = _base(text, match["base"], match.start("base"), agreed, effective)
            return _computed(document, match.span(), base, relativedelta(years=ordinal), bonus)
    for match in _DATE_AFTER.finditer(text, start, end):
        length = parse_value(match["length"], "duration")
        if isinstance(length, Duration) and (step := _step(length)):
            base = _base(text, match["base"], match.start("base"), agreed, effective)
            return _computed(document, match.span(), base, step, bonus)
    return None


def _computed_end(
    document: Document, term: Answer | None, agreed: Answer | None, effective: Answer | None
) -> Answer | None:
    """The end that follows from the term, where the text or the record says when it starts."""
    if term is None or not isinstance(term.value, Duration) or (step := _step(term.value)) is None:
        return None
    text = document.text
    begins = [*_BEGINS_ON.finditer(text, _sentence_start(text, term.start), term.start)]
    after = _RUNS_FROM.match(text, term.end)
    said = after if after and after["base"].strip() else begins[-1] if begins else None
    base = _base(text, said["base"] if said else "", said.start("base") if said else term.end, agreed, effective)
    bonus = 0.1 * term.source.startswith("clause")
    return _computed(document, (term.start, term.end), base, step, bonus)


def disagrees(term: Answer | None, effective: Answer | None, end: Answer | None) -> bool:
    """Whether a contract that takes effect and ends when it says lasts more than a month more, or less, than its term.

    Args:
        term: how long it runs at first.
        effective: when it takes effect.
        end: when it ends.
    """
    if not (term and effective and end) or not isinstance(term.value, Duration) or end.start == term.start:
        return False
    first, last, step = effective.value, end.value, _step(term.value)
    if step is None or not isinstance(first, datetime.date) or not isinstance(last, datetime.date):
        return False
    try:
        return abs((first + step - last).days) > 31
    except (OverflowError, ValueError):
        return False


def _ordinal(words: str) -> int | None:
    names = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
        fourteenth fifteenth""".split()
    tens = {
        "twentieth": 20,
        "thirtieth": 30,
        "fortieth": 40,
        "fiftieth": 50,
        "twenty-fifth": 25,
        "one": 1,
        "two": 2,
        "three": 3,
        "five": 5,
    }
    for word in reversed(re.split(r"\s", words.lower())):
        if word in names:
            return names.index(word) + 1
        if word in tens:
            return tens[word]
        if figure := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", word):
            return int(figure[1])
    return None


def _step(duration: Duration) -> relativedelta | None:
    amount = duration.amount
    if duration.unit in ("business day", "hour", "minute") or amount > 1200:
        return None
    if duration.unit == "year":
        return relativedelta(months=int(amount * 12))
    return {
        "month": relativedelta(months=int(amount)),
        "week": relativedelta(weeks=int(amount)),
        "day": relativedelta(days=int(amount)),
    }[duration.unit]


def _base(text: str, said: str, at: int, agreed: Answer | None, effective: Answer | None) -> _Base | None:
    """The date that a term runs from, as the text says, or else the record."""
    dates = dates_in(text, at, min(len(text), at + len(said) + 15))
    dated = next((d for d in dates if d.value and d.start < at + len(said)), None)
    if dated and dated.value:
        return _Base(dated.value, f"{dated.value}", is_said=True, is_doubtful=False)
    said = on_one_line(_BASE_ENDS.sub("", f" {said} ").split("(")[0])
    if re.search(
        r"(?i)launch|delivery|closing|approval|acceptance|commercial|first sale|opening|completion"
        r"|termination|expir|in-service|shipment",
        said,
    ):
        return None
    own_date = re.search(r"(?i)date hereof|date of (?:this|the) agreement|date first|execution|signature|signing", said)
    known = (agreed if own_date else None) or effective or agreed
    if known is None or not isinstance(known.value, datetime.date):
        return None
    same = bool(
        re.search(
            r"(?i)effective date|date hereof|date of this|date first|commencement date|execution|signature|signing",
            said,
        )
    )
    name = "effective date" if known is effective else "agreement date"
    return _Base(known.value, name, is_said=same, is_doubtful=known.check)


def _computed(
    document: Document,
    span: Range,
    base: _Base | None,
    step: relativedelta,
    bonus: float,
) -> Answer | None:
    if base is None:
        return None
    try:
        value = base.day + step
    except (OverflowError, ValueError):
        return None
    score = (0.75 if base.is_said else 0.6) + bonus
    return cell(
        document,
        *span,
        label="expiration_date",
        source=f"computed from the term and the {base.name}",
        score=score,
        value=value,
        check=base.is_doubtful,
    )
