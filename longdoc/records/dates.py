"""The dates of a contract: when it was made, and when it takes effect."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.records.evidence import cell
from longdoc.records.openings import Range
from longdoc.values import parse_value

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_BLANK = r"(?<![_*.●•])(?:_{2,60}(?:\s_{1,60}){0,4}|\[[\s●•*_\w]{0,12}\]|[●•]{1,9}|\*{2,20}|\.{3,60})"
_DAY = r"\(?(?:\d{1,2}|[a-z]{3,7}(?:th|st|nd|rd)|(?:twenty|thirty)[ -][a-z]{3,7})\s?(?:s\s?t|n\s?d|r\s?d|t\s?h)?\)?"
_YEAR = (
    r"(?:[12]\d{3}|two thousand(?: and)?(?: [a-z]+)?(?:[ -][a-z]+)?|nineteen (?:hundred(?: and)? )?[a-z-]+"
    r"(?: [a-z]+)?)"
)
_COMMA = r"[\s,]{0,20}"
_SPACES = r"\s{0,20}"
_OF = r"(?:\s?day)?(?:\s?,)?(?:\s{1,20}of)?[\s,-]{0,20}"
_DATE = re.compile(
    rf"(?i)(?<![A-Za-z\d])(?:{_MONTH}{_COMMA}(?:the\s)?{_DAY}{_COMMA}(?:of\s)?(?:in the year\s)?{_YEAR}(?!\d)"
    rf"|{_DAY}{_OF}{_MONTH}{_COMMA}(?:of\s)?(?:in the year\s)?(?:of our lord\s)?{_YEAR}(?!\d)"
    rf"|\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})(?![\d/]|\.\d)|[12]\d{{3}}-\d{{1,2}}-\d{{1,2}}(?!\d))"
)
_PARTLY_BLANK = re.compile(
    rf"(?i)(?:(?:{_BLANK}\s?(?:s\s?t|n\s?d|r\s?d|t\s?h)?\s?)?\bday\s?(?:of)?{_SPACES}(?:{_BLANK}|{_MONTH}\b)?{_COMMA}"
    rf"(?:\d{{4}}\b|(?:20|19)\d?{_BLANK}|(?:20|19)\d?\b|{_BLANK})"
    rf"|{_BLANK}\s?(?:day\s?(?:of)?)?{_SPACES}(?:{_BLANK}|{_MONTH})?{_COMMA}(?:of\s)?\d{{4}}\b"
    rf"|\b{_MONTH}{_SPACES}{_BLANK}{_COMMA}(?:(?:20|19)\d\d|(?:20|19)?{_BLANK}|(?=\W))"
    rf"|\b{_MONTH}{_SPACES},{_SPACES}\d{{4}}\b|(?<=\bas of)\s{{1,20}},{_SPACES}(?:19|20)\d\d\b|(?<=as of ){_BLANK}"
    rf"|{_BLANK}(?=\s?\(?(?:the )?[“\"]Effective Date))"
)
_ANOTHER = re.compile(
    r"(?i)(?:\b(?:that|an?) certain\b|\boriginal(?:ly)?\b|\bas amended\b|\bfiled\b"
    r"|\bsecurities and exchange\b|\bsource:|\bpursuant to\b|\bamends\b"
    r"|\bamend(?:ed|ing|ment)?\b.{0,60}\bto\b|\bprevious\b|\bprior\b|\bin accordance with\b|\bunder the\b"
    r"|\bsubject to\b|\brefer(?:s|red|ence)\b"
    r"|\bamended as of\b|\bhaving an?\b|\bparties to\b|\bwhereas\b|\bset forth in\b|\bextension\b"
    r"|\bregistration\b|\bform\b|\bact of\b|\breport\b|\bwas effective\b|\b(?:an?|the) (?:[a-z]+ ){1,3}"
    r"(?:memorandum|agreement|letter|contract) dated)[^.;]{0,120}$"
)
_OWN_VERB = re.compile(
    r"(?i)(?:\b(?:is|are|was|been|be)\s{1,20}(?:hereby\s{1,20})?|[,)]\s{0,20}|\bthis\s{1,20}\w+\s{1,20})(?:made"
    r"|entered into|effective|dated|executed)\b[^.;,]{0,45}$"
)
"""What a document says of itself before its date; another one is "the Agreement dated", without a comma."""
NAMED_OTHER = re.compile(
    r"\b(?:an?|the)\s{1,20}(?:[A-Z][\w&-]*\s{1,20}){1,6}(?:Agreement|Contract|Plan|Lease|License)\s(?:[^.;,]{0,30}\s)?"
    r"(?:dated|entered into|effective)\b[^.;,]{0,20}$"
)
"""Another document, named with its date."""
_NOT_OWN = re.compile(r"(?i)\b(?:that|an?) certain\b|\boriginal|\bprior\b")
_ITSELF = re.compile(
    r"(?i)\b(?:this|the present)\b[^.;]{0,160}$|\b(?:entered into|made|executed|dated|effective"
    r"|agreement date|as of)\b[^.;]{0,40}$"
)
_ONLY_EFFECTIVE = re.compile(
    r"(?i)(?<!made )(?<!made and )(?<!into )(?<!into and )(?<!dated )(?<!dated and )\beffective(?: date)?"
    r"(?: as)?(?: of| on)?:?\s{0,20}$"
)
_TOP = 4000
_EFFECTIVE = re.compile(
    r"(?i)\beffective\s{1,20}(?:date\b[^.;\n]{0,80}?(?:mean\w*|is|shall be|of|:|as of|,|-)?|as\s{1,20}of|on|from"
    r"|beginning|commencing|date:)\s{0,20}(?:and as of )?(?:the )?(?=\S)"
    r"|\bdated effective\s{1,20}(?=\S)|\bshall (?:commence|begin|take effect|become effective|be effective"
    r"|start)\b[^.;\n]{0,40}?\b(?:on|as of|from)\s{1,20}(?:the )?"
    r"|\b(?:commencement|start|starting|beginning) date\b[^.;\n]{0,40}?(?:mean\w*|is|shall be|:|of|,)\s{0,20}(?:the )?"
    r"|\b(?:commenc\w+|begins|beginning|starts|starting|effective)\s{1,20}(?:on|as of|from|with)?\s{0,20}(?:the )?"
    r"|\bwith effect (?:from|as of)\s{1,20}(?:the )?"
    r"|\b(?:takes? effect|(?:comes?|enters?) into (?:effect|force)) (?:on|from|as of)\s{1,20}(?:the )?"
)
_ENDS = re.compile(r"(?i)\b(?:expir\w*|terminat\w*|ends?|ending|until|through|continu\w*|conclud\w*)\b")
"""What makes the date after it that of the end."""
_THIS = re.compile(r"(?i)\bthis\b[^.;]{0,50}\b(?:agreement|amendment|contract|lease|letter|addendum)\b")
_CALLED_EFFECTIVE = re.compile(
    r"(?i)^[\s,]{0,20}(?:\d{4}[\s,]{0,20})?[(\[]?[^()]{0,30}?[“\"'‘(]\s?(?:\w+ )?(?:Effective|Commencement) Date"
)
_SAME_DATE = re.compile(
    r"(?i)(?:date (?:first )?(?:above|set forth above|written above|hereof|of (?:this agreement|its execution"
    r"|execution|signature|signing|last signature|the last signature))"
    r"|date first|above date|signing|signature|execution|last (?:party|of the parties) (?:to sign|signs))"
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date in the text; the value is None if a part of it is blank."""

    start: int
    end: int
    value: datetime.date | None


def dates_in(text: str, start: int, end: int) -> Iterator[Dated]:
    """The dates in a range, those with blanks included, in order; they do not overlap."""
    matches = [*_DATE.finditer(text, start, end), *_PARTLY_BLANK.finditer(text, start, end)]
    last = start
    for match in sorted(matches, key=lambda m: (m.start(), -m.end())):
        if match.start() < last:
            continue
        whole = match.re is _DATE
        value = parse_value(re.sub(r"(?<=\d)t h\b", "th", match[0]), "date") if whole else None
        if whole and not isinstance(value, datetime.date):
            continue
        last = match.end()
        yield Dated(*match.span(), value if isinstance(value, datetime.date) else None)


def agreement_date(document: Document, opening: Range | None, entities: Iterable[Entity] = ()) -> Answer | None:
    """When the contract was made: as its opening says, else its first page, else its signatures."""
    text = document.text
    votes = [e for e in entities if e.label == "AGREEMENT_DATE" and e.score >= 0.5]
    found = _opening_date(text, opening)
    if found is None:
        found = _signed_date(text)
    if found is None:
        return _voted(document, votes, "agreement_date")
    dated, source, score = found
    agrees = any(vote.start < dated.end and dated.start < vote.end for vote in votes)
    score = min(0.98, score + 0.08 * agrees)
    source = f"{source}, entity AGREEMENT_DATE" if agrees else source
    if dated.value is None:
        source, score = f"{source}, partly blank", min(score, 0.6)
    return cell(document, dated.start, dated.end, label="agreement_date", source=source, score=score, value=dated.value)


def _opening_date(text: str, opening: Range | None) -> tuple[Dated, str, float] | None:
    """The date in the paragraph that names the parties, else the first date of the contract's own at its top."""
    near = list(dates_in(text, max(0, opening[0] - 500), min(len(text), opening[1] + 250))) if opening else []
    top = list(dates_in(text, 0, min(len(text), max(_TOP, opening[1] if opening else 0))))
    said_later = [
        d
        for d in dates_in(text, 0, min(len(text), 20_000))
        if re.search(
            r"(?i)\bthis (?:\w+ ){0,4}(?:agreement|contract|amendment) is (?:made|dated|entered)[^.;]{0,40}$",
            text[max(0, d.start - 120) : d.start],
        )
    ]
    for dates, source, score in (
        (near, "opening paragraph", 0.9),
        (top, "first page", 0.75),
        (said_later, "first pages", 0.75),
    ):
        own = [dated for dated in dates if not _is_of_another(text, dated)]
        said = [dated for dated in own if _ITSELF.search(text[max(0, dated.start - 200) : dated.start])]
        if said or own:
            chosen = (said or own)[0]
            only_effective = _ONLY_EFFECTIVE.search(text[max(0, chosen.start - 60) : chosen.start])
            beside = not said and re.search(
                r"(?i)\b(?:title|name|date|its)\b[^.]{0,40}$", text[max(0, chosen.start - 60) : chosen.start]
            )
            if (only_effective or beside) and (signed := _signed_date(text)) and signed[0].value:
                return signed
            return chosen, source, score if said else score - 0.15
    return None


def _is_of_another(text: str, dated: Dated) -> bool:
    """Whether a date is that of another document, a filing or a law."""
    before = text[max(0, dated.start - 250) : dated.start]
    sentence = re.split(r"(?<=[.;])\s+(?=[A-Z])|\n\n", before)[-1]
    own = _OWN_VERB.search(sentence)
    if (
        own
        and not (own[0][0] == ")" and re.search(r"(?i)\bto (?:the|that) ", sentence))
        and not _NOT_OWN.search(sentence[-140:])
    ):
        return False
    return bool(
        _ANOTHER.search(sentence)
        or NAMED_OTHER.search(sentence)
        or re.search(r"\d+-[A-Z]\w*,?\s{0,20}$|Source:", before[-60:])
    )


def _signed_date(text: str) -> tuple[Dated, str, float] | None:
    """The last date beside the signatures."""
    marks = [
        m.start()
        for m in re.finditer(
            r"(?i)in\s{1,20}witness\s{1,20}whereof|\bBy:|\bdate:|\bdated:|\b(?:thus done and )?signed (?:at"
            r"|and effective|this|as of|on)\b|printed name",
            text,
        )
    ]
    if not marks:
        return None
    start = next((m.start() for m in re.finditer(r"(?i)in\s{1,20}witness\s{1,20}whereof", text)), marks[0])
    dates = [
        d
        for d in dates_in(text, start, min(len(text), start + 2500))
        if (
            re.search(r"(?i)(?:dated?|as of|this|on|:)[\s:]{0,20}(?:the )?$", text[max(0, d.start - 25) : d.start])
            or re.search(r"(?i)\bdates?\b", text[max(0, d.start - 40) : d.end + 25])
        )
        and not _is_of_another(text, d)
    ]
    whole = [d for d in dates if d.value]
    if whole:
        return max(whole, key=lambda d: d.value or datetime.date.min), "signature block", 0.65
    return (dates[0], "signature block", 0.5) if dates else None


def _voted(document: Document, votes: Sequence[Entity], label: str) -> Answer | None:
    for vote in sorted(votes, key=lambda vote: -vote.score):
        dates = list(dates_in(document.text, max(0, vote.start - 2), min(len(document.text), vote.end + 12)))
        if dates and dates[0].value:
            return cell(
                document,
                dates[0].start,
                dates[0].end,
                label=label,
                source=f"entity {vote.label}",
                score=min(0.6, vote.score),
                value=dates[0].value,
            )
    return None


def effective_date(
    document: Document,
    opening: Range | None,
    agreed: Answer | None,
    entities: Iterable[Entity] = (),
    spans: Iterable[Entity] = (),
) -> Answer | None:
    """When the contract takes effect: as it says, else when it was made, to be checked."""
    text, votes = document.text, [e for e in entities if e.label == "EFFECTIVE_DATE" and e.score >= 0.5]
    zones = [(s.start, min(len(text), s.end + 20)) for s in spans if s.label == "Effective Date"]
    best: tuple[float, Dated | None, str] = (0.0, None, "")
    for start, end in [*zones, (0, len(text))]:
        for base, each, source in _effective_in(text, start, end):
            score = base + 0.05 * any(vote.start < each.end and each.start < vote.end for vote in votes)
            if score > best[0]:
                best = (score, each, source)
        if best[1]:
            break
    score, dated, source = best
    if dated:
        blank = dated.value is None
        return cell(
            document,
            dated.start,
            dated.end,
            label="effective_date",
            source=f"{source}, partly blank" if blank else source,
            score=min(0.6, score) if blank else score,
            value=dated.value,
        )
    if agreed is None:
        return _voted(document, votes, "effective_date")
    return replace(
        agreed,
        label="effective_date",
        source=f"agreement date ({agreed.source})",
        check=True,
        score=min(agreed.score, 0.65),
    )


def _effective_in(text: str, start: int, end: int) -> Iterator[tuple[float, Dated, str]]:
    for dated in dates_in(text, start, min(end, 25_000)):
        if _CALLED_EFFECTIVE.match(text[dated.end : dated.end + 90]) and not _is_of_another(text, dated):
            yield 0.93 - dated.start / 1e6, dated, "defined as the effective date"
    for match in _EFFECTIVE.finditer(text, start, end):
        words = match[0].lower()
        gap = 25 if words.startswith(("effective date", "commencement", "start")) else 2
        found = next(dates_in(text, match.end(), min(len(text), match.end() + 45)), None)
        if found is None or found.start - match.end() > gap:
            continue
        if _is_of_another(text, replace(found, start=match.start())) or _ENDS.search(text, match.start(), found.start):
            continue
        strong = words.startswith("effective date") or bool(
            _THIS.search(text[max(0, match.start() - 120) : match.start()])
        )
        base = (
            0.9
            if words.startswith("effective") and strong
            else 0.8
            if words.startswith(("effective as", "effective on", "shall", "with effect", "take", "come", "enter"))
            else 0.6
        )
        if match.start() > _TOP and not strong:
            base -= 0.2
        yield base - match.start() / 1e6, found, "effective as of" if words.startswith("effective") else "commencement"
