"""Medications in a note: names, each with its dose, route, frequency and what is done with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.record_types import Medication
from longdoc.records.evidence import cell
from longdoc.records.passages import Passage, Range, items, sentences, trim
from longdoc.records.wording import any_of, medication_words

_NOT_IN = (
    "results", "imaging", "family history", "allergies", "vital signs", "physical examination", "social history",
    "family and social history", "surgical history", "procedures", "immunizations", "references",
)  # fmt: skip
"""Kinds of section whose substances are no medication of the patient: measured, met or refused."""
_LISTS = ("medications", "discharge medications", "admission medications")
_NONE = re.compile(
    r"(?i)^(?:none\b.*|no\s+(?:current\s+|known\s+|regular\s+)?(?:medications?|meds)\b.*|n/?a|nil|\W*)$"
    r"|\bdenies\b.*\bmedications?\b"
)
_NUMBER = r"(?:\d[\d,]*(?:\.\d+)?(?:/\d+)?|\.\d+|½|one|two|three|half(?:\s+a)?|a)"
_LEAD = re.compile(
    r"(?i)^(?:(?:the\s+)?(?:patient|pt|he|she|mr\.?\s\w+|mrs\.?\s\w+|ms\.?\s\w+)\s+)?(?:(?:currently|also|still"
    r"|reports?|states|that|is|has|been"
    r"|occasionally|she|he|listed|as|include[sd]?|including|maintained|recently|finished|completed|medications?"
    r"|prescribed|were|was|are|the|following)[\s:]+)*"
    r"(?:(?:takes?|taking|uses?|using|utilizes?|on|use\s+of|receiving|of)\s+)?(?:(?:an?|some|occasional|his|her"
    r"|low-dose|daily)\s+)*"
)
_WORDS = re.compile(r"[A-Za-z][\w'’/-]*(?:\s+[A-Za-z][\w'’/-]*){0,3}")
_NO_DRUG = re.compile(
    r"(?i)\b(?:is|was|were|are|has|have|had|not|remember|which|who|will|can|know|names?|two|different"
    r"|medications?|over-the-counter|alternative|medicines?|significant"
    r"|treatment|chemotherapy|regularly|compliant|patient|none|unknown|discontinued|stopped|active|inactive|held|completed|oral|tablets?|capsules?|solution|being|morning|evening|lift|see|list"
    r"|reviewed|directions|status|dose)\b"
)
DRUGS = ("CHEMICAL", "DRUG", "MEDICATION")
"""Labels of entities that are medications, in upper case."""
_CODED = re.compile(r"([^\t:;\n]{2,80})(?:\t|: [^;\n]*;)")
"""A row of a table, or a coded entry: only what stands first is the name."""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    words = medication_words()
    units = "|".join(sorted(words.units, key=len, reverse=True))
    endings = "|".join(words.endings)
    names = any_of(words.names).pattern
    dose = (
        rf"(?<![\w.]){_NUMBER}(?:\s?(?:to|-|–)\s?\d[\d.]*)?[\s-]?(?:{units})(?![\w])(?!\s?/\s?(?:d?l|ml)\b)"
        rf"(?:\s?/\s?(?:kg|day|hr|hour|dose|min))*"
    )
    return {
        "name": re.compile(
            rf"(?:{names}|(?<![\w-])[A-Za-z][a-z]+(?:{endings}))(?:/[a-z]{{4,}})?(?:\s(?:ER|XR|SR|XL|CR|HCl|HCL))?(?![\w])",
            re.IGNORECASE,
        ),
        "not_name": any_of(words.not_names),
        "dose": re.compile(dose, re.IGNORECASE),
        "route": any_of(words.routes),
        "frequency": any_of(words.frequencies),
        "not_taken": any_of(words.not_taken),
        "unknown": re.compile(rf"(?<![\w-])([A-Za-z][a-z]{{3,}}(?:[\s-][A-Z][a-z]{{2,}})?),?\s+(?=(?i:{dose}))"),
        **{f"{status} before": any_of(said.before) for status, said in words.statuses.items()},
        **{f"{status} after": any_of(said.after, whole=False) for status, said in words.statuses.items()},
    }


def find_medications(
    document: Document, found: Sequence[Passage], entities: Iterable[Entity] = ()
) -> tuple[tuple[Medication, ...], Answer | None]:
    """The medications of a note, and the words that say there are none.

    Args:
        document: the note.
        found: its passages.
        entities: chemicals that a head found; they count in lists of medications and after words such as "continue".
    """
    mentions: list[Medication] = []
    none = None
    chemicals = [entity for entity in entities if entity.label.upper() in DRUGS]
    for passage in found:
        if passage.kind in _NOT_IN:
            continue
        for start, end in sentences(document.text, passage.start, passage.end):
            if passage.kind in _LISTS and _NONE.search(document.text[slice(*trim(document.text, start, end))]):
                none = none or cell(document, start, end, label="no medications", source=f"section {passage.kind}")
                continue
            names = list(_names_in(document.text, start, end, passage.kind in _LISTS, chemicals))
            mentions += _mentions(document, names, (start, end), passage)
    return _merged(mentions), none


def _names_in(text: str, start: int, end: int, is_list: bool, chemicals: Sequence[Entity]) -> Iterator[Range]:
    """The names of drugs in a sentence, in order, none of which overlap."""
    patterns = _patterns()
    found = [match.span() for match in patterns["name"].finditer(text, start, end)]
    if is_list:
        found += _listed(text, start, end)
        found += [match.span(1) for match in patterns["unknown"].finditer(text, start, end)]
    else:
        found += [
            match.span(1)
            for match in patterns["unknown"].finditer(text, start, end)
            if match[1][0].isupper() and match.start() > start
        ]
        found += [
            (e.start, e.end)
            for e in chemicals
            if start <= e.start and e.end <= end and _is_given(text[start : e.start])
        ]
    last, sure = start, [match.span() for match in patterns["name"].finditer(text, start, end)]
    found = [each for each in found if each in sure or not any(a < each[1] and each[0] < b for a, b in sure)]
    for a, b in sorted(set(found), key=lambda each: (each[0], -each[1])):
        if (
            a >= last
            and not patterns["not_name"].fullmatch(text[a:b])
            and ((a, b) in sure or not _NO_DRUG.search(text[a:b]))
        ):
            last = b
            yield a, b


def _is_given(before: str) -> bool:
    """Whether the words just before a substance say that it is taken or prescribed."""
    patterns = _patterns()
    near = before[-40:]
    return any(
        (match := list(patterns[f"{status} before"].finditer(near))) and len(near[match[-1].end() :].split()) <= 3
        for status in ("started", "changed", "current", "stopped")
    )


def _listed(text: str, start: int, end: int) -> Iterator[Range]:
    """What stands first in each item of a list of medications: a name, known or not."""
    patterns = _patterns()
    if coded := _CODED.match(text, start, end):
        end = coded.end(1)
    lead = _LEAD.match(text[start:end])
    for first, b in items(text, start + (lead.end() if lead else 0), end):
        lead = _LEAD.match(text[first:b])
        a = first + (lead.end() if lead else 0)
        stop = min(
            (m.start() for key in ("dose", "route", "frequency") for m in patterns[key].finditer(text, a, b)), default=b
        )
        reason = re.search(r"(?i)\s+(?:for|as|to)\s", text[a:b])
        stop = min(stop, a + reason.start()) if reason else stop
        words = _WORDS.match(text, a, min(b, stop))
        if words and len(text[a:b].split()) <= 12 and not patterns["name"].search(text, a, b):
            # "Lisinopril 10 MG", but no piece of a sentence: "at home", "twice".
            begin, last = trim(text, *words.span())
            if last - begin > 2 and len(text[begin:last].split()) <= 3:
                yield begin, last


def _mentions(document: Document, names: Sequence[Range], sentence: Range, passage: Passage) -> Iterator[Medication]:
    """The medications of a sentence; the regimen of each is between its name and the next."""
    text, patterns = document.text, _patterns()
    start, end = sentence
    source = passage.source
    for index, (a, b) in enumerate(names):
        before = text[start:a]
        refused = list(patterns["not_taken"].finditer(before))
        if refused and not re.search(
            r"(?i)\b(?:but|however|who|and\s+(?:is|takes|uses|will))\b", before[refused[-1].end() :]
        ):
            continue
        stop = names[index + 1][0] if index + 1 < len(names) else end
        score = 0.95 if passage.kind in _LISTS else 0.85
        name = cell(document, a, b, label="medication", source=source, score=score)
        parts = {key: _part(document, key, (a, b), stop, source, score) for key in ("dose", "route", "frequency")}
        if parts["dose"] is None and (
            given := re.search(rf"({patterns['dose'].pattern})\s+(?:of\s+)?$", text[start:a], re.IGNORECASE)
        ):
            parts["dose"] = cell(
                document, start + given.start(1), start + given.end(1), label="dose", source=source, score=score
            )
        is_bare = not passage.kind and not any(parts.values())
        if is_bare and document.source.loader == "fhir":
            continue  # a coded entry without a section may be an allergy
        first = names[index - 1][1] if index else start
        yield Medication(name, **parts, status=_status((text[first:a], before), text[b:stop], passage))


def _part(document: Document, key: str, name: Range, stop: int, source: str, score: float) -> Answer | None:
    """The dose, route or frequency after a name; of "from 10 mg to 20 mg" the second."""
    text, pattern = document.text, _patterns()[key]
    found = pattern.search(text, name[1], min(stop, name[1] + 160))
    if found and key == "dose" and re.search(r"(?i)\bfrom\s+$", text[name[1] : found.start()]):
        found = pattern.search(text, found.end(), stop) or found
    return cell(document, *found.span(), label=key, source=source, score=score) if found else None


def _status(before: tuple[str, str], after: str, passage: Passage) -> str:
    """What is done with a medication, by the words after its name, else by the last such words before it.

    Args:
        before: what stands between the name before and this one, and the whole sentence up to this one.
        after: what stands between this name and the next.
        passage: where it stands.
    """
    patterns = _patterns()
    for status in medication_words().statuses:
        if patterns[f"{status} after"].search(after):
            return status
    for words in before:
        said = {
            (match.end(), match.end() - match.start()): status
            for status in medication_words().statuses
            for match in patterns[f"{status} before"].finditer(words)
        }
        if said:  # the last words, and of "stopped taking" and "taking" the longer ones
            return said[max(said)]
    return "current" if passage.kind in _LISTS else ""


def _merged(mentions: Iterable[Medication]) -> tuple[Medication, ...]:
    """One medication for each name: what is said last counts, and is to be checked if current doses differ."""
    found: dict[str, Medication] = {}
    for new in mentions:
        key = re.sub(r"\s+", " ", new.name.text.lower())
        old = found.get(key)
        if old is None:
            found[key] = new
            continue
        differs = old.dose and new.dose and old.dose.text.lower() != new.dose.text.lower()
        dose, frequency = new.dose or old.dose, new.frequency or old.frequency
        if differs and new.status not in ("changed", "started", "stopped") and dose:
            dose = replace(dose, check=True)
        status = new.status or old.status
        found[key] = Medication(old.name, dose, new.route or old.route, frequency, status)
    return tuple(found.values())
