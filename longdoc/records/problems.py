"""Problems in a note: those that are assessed, listed in the history, or told as diagnosed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from longdoc.document import Document
from longdoc.labels import Entity
from longdoc.record_types import Problem
from longdoc.records.evidence import cell
from longdoc.records.passages import Passage, Range, items, lines, sentences, trim
from longdoc.records.wording import contexts_of, problem_patterns

ASSESSED = (
    *("assessment", "assessment and plan", "diagnosis", "impression", "problems", "health concerns"),
    *("discharge diagnosis", "admission diagnosis", "postoperative diagnosis"),
)
"""Kinds of section that name the problems of the visit."""
HISTORY = ("medical history", "past medical history")
STORY = (
    *("history of present illness", "hospital course", "subjective", "chief complaint", "reason for visit", "heading"),
    "",
)
"""Kinds of section that tell in sentences what the patient has; ``""`` is the text before the first heading."""
_CODED = ("problems", "health concerns")
DISEASES = ("DISEASE", "PROBLEM", "DISORDER", "CONDITION", "DIAGNOSIS")
"""Labels of entities that are problems, in upper case."""
_SCORES = {"present": 0.9, "past": 0.85, "negated": 0.85, "family": 0.8, "possible": 0.45}
_LABEL = re.compile(r"[^:.]{2,40}:(?=\s|$)")
_OWN_LABEL = re.compile(r"(?i)(?:diagnos[ie]s|assessment|impression|problems?)\b")
_DETAIL = re.compile(r"\t|:\s|\s-\s|;\s|\s\(")
_REFUTED = re.compile(r"(?i)\b(?:refuted|entered-in-error|negated|ruled out)\b")
_OVER = re.compile(r"(?i)\b(?:resolved|inactive|remission|abated|completed)\b")
_PART = re.compile(
    r"(?i)(medical|surgical|procedures?|medications?|social|hospitalizations?|family|allergies)(?:\s+history)?[:.]?"
)
_HISTORY_LABEL = re.compile(r"(?i)(?!.*\b(?:surg|psych|family|social|allerg|medications))[\w ]{3,40}:\s+(?=\S)")


def find_problems(document: Document, found: Sequence[Passage], entities: Iterable[Entity] = ()) -> tuple[Problem, ...]:
    """The problems of the assessment, the history and the story, with their statuses; each name once.

    Args:
        document: the note.
        found: its passages.
        entities: diseases that a head found; in an assessment of prose, which lists nothing, they are the problems.
    """
    diseases = [entity for entity in entities if entity.label.upper() in DISEASES]
    problems: list[Problem] = []
    for passage in (each for each in found if each.kind in ASSESSED):
        listed = list(_assessed(document, passage))
        problems += listed or [p for e in diseases if (p := _of_entity(document, passage, e))]
    for passage in (each for each in found if each.kind in HISTORY):
        problems += _history(document, passage)
    for passage in (each for each in found if each.kind in (*STORY, *ASSESSED, *HISTORY)):
        problems += _told(document, passage)
    return tuple(distinct(problems))


def distinct(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: under its first name, and as the first that is said of it.

    "Diabetes" and "type 2 diabetes" are one; what is denied and what is present are two.
    """
    found: dict[tuple[bool, frozenset[str]], Problem] = {}
    for new in problems:
        words = frozenset(re.findall(r"\w+", new.name.text.lower().replace("type ii", "type 2")))
        is_absent = new.status in ("negated", "family")
        if not any(is_absent == absent and (words <= known or known <= words) for absent, known in found):
            found[is_absent, words] = new
    return list(found.values())


def problem(document: Document, start: int, end: int, passage: Passage, status: str, relative: str = "") -> Problem:
    """A problem at ``start:end`` of a passage; possible ones ask for a look."""
    name = cell(document, start, end, label="problem", source=passage.source, score=_SCORES[status])
    return Problem(name, status, relative)


def without(text: str, start: int, end: int, lead: str) -> Range:
    """A range without the words before its name; ``lead`` names their pattern."""
    match = problem_patterns()[lead].match(text[start:end])
    return trim(text, start + (match.end() if match else 0), end)


def _assessed(document: Document, passage: Passage) -> Iterator[Problem]:
    """The lines of an assessment that name a problem: short, and no sentence."""
    text = document.text
    for line in lines(text, passage.start, passage.end):
        for start, end in _numbered(text, *line):
            label = _LABEL.match(text, start, end)
            if label is None or passage.kind in _CODED:
                yield from _named(document, start, end, passage)
            elif _OWN_LABEL.match(text, start, end):
                yield from _named(document, label.end(), end, passage)


def _numbered(text: str, start: int, end: int) -> Iterator[Range]:
    """The numbered items on one line, or the line."""
    starts = [start, *(m.end() for m in re.finditer(r"\s(?=\d{1,2}[.)]\s+[A-Z])", text[start:end]))]
    starts = [start, *(start + at for at in starts[1:])]
    for begin, stop in zip(starts, [*starts[1:], end], strict=True):
        number = re.match(r"\d{1,2}[.)]\s+", text[begin:stop])
        yield begin + (number.end() if number else 0), stop


def _named(document: Document, start: int, end: int, passage: Passage) -> Iterator[Problem]:
    """The problem that a line names, and the cause that it supposes."""
    text, patterns, coded = document.text, problem_patterns(), ""
    start, end = trim(text, start, end)
    if passage.kind in _CODED and (detail := _DETAIL.search(text, start, end)):
        said = text[detail.start() : end]
        coded = "negated" if _REFUTED.search(said) else "past" if _OVER.search(said) else ""
        end = detail.start()
    end = next((stop for _, stop in sentences(text, start, end)), end)  # the name, before what is said of it
    start, end = trim(text, start, end)
    listed = list(items(text, start, end)) if text.count(",", start, end) > 1 else []
    if len(listed) > 2 and all(_may_be_problem(text[slice(*each)], most=5) for each in listed):
        yield from _listed(document, start, end, (start, end), passage, "present")
        return
    cause = patterns["causes"].search(text, start, end)
    parts = [(start, cause.start()), (cause.end(), end)] if cause and cause.start() > start else [(start, end)]
    for number, (begin, stop) in enumerate(parts):
        own, last = without(text, begin, _before_quality(text, begin, stop), "before")
        if _may_be_problem(text[own:last], most=12):
            said_of = contexts_of(text[start : end if number else stop], own - start, last - start)
            told = next((each for each in ("negated", "possible", "past") if each in said_of), "present")
            told = "possible" if number and told != "negated" else told
            yield problem(document, own, last, passage, coded or told)


def _before_quality(text: str, start: int, end: int) -> int:
    """Where the name of a problem ends, before what is said of it."""
    quality = problem_patterns()["qualities"].search(text[start:end])
    return start + quality.start() if quality else end


def _may_be_problem(words: str, *, most: int) -> bool:
    """Whether words are as the names of problems are: few, and no sentence."""
    patterns = problem_patterns()
    is_short = len(words) > 2 and len(words.split()) <= most and words[0].isalnum()
    return is_short and not patterns["verbs"].search(words) and not patterns["not problems"].match(words)


def _history(document: Document, passage: Passage) -> Iterator[Problem]:
    """The conditions that the medical history lists, in lines or in sentences."""
    text, patterns, is_medical = document.text, problem_patterns(), True
    for first, end in sentences(text, passage.start, passage.end):
        if part := _PART.fullmatch(text, first, end):
            is_medical = part[1].lower() == "medical"
            continue
        label = _HISTORY_LABEL.match(text, first, end)
        start = label.end() if label else first
        lead = patterns["lead"].match(text[start:end])
        begin = start + (lead.end() if lead else 0)
        stop = patterns["list end"].search(text, begin, end)
        last = stop.start() if stop else end
        is_subject = stop is not None and bool(stop["verb"])
        is_told = bool(patterns["history of"].search(text[start : begin + 1]))  # read by the rule for stories
        is_nobody = not patterns["person"].fullmatch(text[start:begin])
        if (
            is_medical
            and is_nobody
            and not is_subject
            and not is_told
            and not patterns["verbs"].search(text[begin:last])
        ):
            yield from _listed(document, begin, last, (start, end), passage)


def _told(document: Document, passage: Passage) -> Iterator[Problem]:
    """The conditions after words such as "history significant for" and "diagnosed with"."""
    text, patterns = document.text, problem_patterns()
    for start, end in sentences(text, passage.start, passage.end):
        for match in patterns["history of"].finditer(text, start, end):
            stop = patterns["list end"].search(text, match.end(), end)
            yield from _listed(document, match.end(), stop.start() if stop else end, (start, end), passage)


def _listed(
    document: Document, start: int, stop: int, sentence: Range, passage: Passage, status: str = "past"
) -> Iterator[Problem]:
    """The conditions of a list, of one status unless the sentence says another."""
    text = document.text
    for first, last in items(text, start, stop):
        begin = without(text, first, last, "before")[0]
        cut = problem_patterns()["item cut"].search(text[begin:last])
        end = begin + cut.start() if cut else last
        begin, end = without(text, begin, _before_quality(text, begin, end), "before")
        if begin < end and _may_be_problem(text[begin:end], most=8):
            said = contexts_of(text[slice(*sentence)], begin - sentence[0], end - sentence[0])
            told = next((each for each in ("family", "negated", "possible") if each in said), status)
            yield problem(document, begin, end, passage, told)


def _of_entity(document: Document, passage: Passage, entity: Entity) -> Problem | None:
    """A disease that a head found in an assessment."""
    text = document.text
    around = next((s for s in sentences(text, passage.start, passage.end) if s[0] <= entity.start < s[1]), None)
    if around is None:
        return None
    said = contexts_of(text[slice(*around)], entity.start - around[0], entity.end - around[0])
    status = next((each for each in ("negated", "family", "possible", "past") if each in said), "present")
    score = _SCORES[status] * entity.score
    return Problem(cell(document, entity.start, entity.end, label="problem", source=entity.source, score=score), status)
