"""What a note says that the patient does not have, and what relatives have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from longdoc.document import Document
from longdoc.record_types import Problem
from longdoc.records.passages import Passage, Range, items, sentences
from longdoc.records.problems import HISTORY, STORY, distinct, problem, without
from longdoc.records.wording import problem_patterns

_DENIED = (*STORY, *HISTORY, "review of systems")
_FAMILY = ("family history", "family and social history")


def find_negated(document: Document, found: Sequence[Passage]) -> tuple[Problem, ...]:
    """The findings that the note denies."""
    denied = []
    for passage in (each for each in found if each.kind in _DENIED):
        for sentence in sentences(document.text, passage.start, passage.end):
            denied += [problem(document, *each, passage, "negated") for each in _denied(document.text, sentence)]
    return tuple(distinct(denied))


def _denied(text: str, sentence: Range) -> Iterator[Range]:
    """The items after words such as "denies" in a sentence, unless it is about a relative."""
    patterns, (start, end), done = problem_patterns(), sentence, 0
    for match in patterns["denies"].finditer(text, start, end):
        if match.start() < done:
            continue  # "no fever, no chills" is one list
        stop = patterns["denial end"].search(text, match.end(), end)
        done = stop.start() if stop else end
        for first, last in items(text, match.end(), done):
            begin, finish = without(text, first, last, "fillers")
            dangling = patterns["dangling"].search(text[begin:finish])
            finish = begin + dangling.start() if dangling else finish
            words = text[begin:finish]
            is_short = begin < finish and len(words.split()) <= 6
            if (
                is_short
                and not patterns["no finding"].search(words)
                and not patterns["relative"].search(text[start:begin])
            ):
                yield begin, finish


def find_family(document: Document, found: Sequence[Passage]) -> tuple[Problem, ...]:
    """The conditions of relatives, where the section of the family history or the story names them."""
    known: list[Problem] = []
    for passage in (each for each in found if each.kind in (*_FAMILY, *STORY, *HISTORY)):
        for sentence in sentences(document.text, passage.start, passage.end):
            known += _of_relatives(document, sentence, passage)
    return tuple(distinct(known))


def _of_relatives(document: Document, sentence: Range, passage: Passage) -> Iterator[Problem]:
    """The conditions of relatives that a sentence names; without a relative only in the section for them."""
    text, patterns, (start, end) = document.text, problem_patterns(), sentence
    is_family, relative = passage.kind == "family history", patterns["relative"].search(text, start, end)
    is_told = is_family or patterns["family verb"].search(text, start, end)
    if patterns["family denial"].search(text, start, end) or not is_told or not (relative or is_family):
        return
    if relative:
        has = patterns["has"].search(text, relative.end(), min(end, relative.end() + 60))
        begin = has.end() if has else end
    else:
        lead = patterns["lead"].match(text[start:end])
        begin = start + (lead.end() if lead else 0)
    for first, last in items(text, begin, end):
        own, stop = without(text, first, last, "before")
        where = text.find(" in h", own, stop)  # "melanoma in her mother"
        stop = stop if where < 0 else where
        words = text[own:stop]
        is_short = own < stop and len(words.split()) <= 5
        if is_short and not any(patterns[each].search(words) for each in ("relative", "verbs", "not condition")):
            yield problem(document, own, stop, passage, "family", relative.group() if relative else "")
