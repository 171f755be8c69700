"""Fields of a schema: the findings of one reading of a document → answers, each with the source that gave it.

Every source of a field proposes answers; the first source in its order of trust with an answer that is likely enough
fills the field. What the other sources propose is compared: where values differ, the answer is marked for a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from longdoc.document import Document
from longdoc.document_type import Kind
from longdoc.findings import Searched
from longdoc.labels import DOUBTFUL, Answer, Entity
from longdoc.parts import Section
from longdoc.prediction import NOT_SEARCHED, Notice, Prediction
from longdoc.record_types import cells_by_field
from longdoc.records import RECORDS, record_for
from longdoc.records.evidence import cell, metadata_cell
from longdoc.records.meanings import meanings
from longdoc.rules import RULES
from longdoc.schema import Field, Schema, Source
from longdoc.summary import names_by_label
from longdoc.usable import Recorded, Usable

MAX_ANSWERS = 20
"""Answers to a question that are kept for a field that takes several; other sources have no limit."""
CANDIDATES_FOR_VALUE = 3
"""Answers to a question among which one with a value is preferred."""
NO_RECORD = "no record"
"""The reason for fields that would come from a record that the document does not have; why is said once."""
_TITLE_WORDS = 0.6
"""Score of a section that is found by words of its title only, which may be about something else."""
_LIKELY = 0.5
"""Score from which the answer of another source counts as disagreeing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one reading found in a document, for the sources of fields."""

    prediction: Prediction
    """Entities, and spans down to the lowest scores."""
    least: Mapping[str, float]
    """By source, such as "clause Governing Law", the score from which its answers are accepted; 0 for others."""
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    """By question, best first; of the questions that were asked."""
    record: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    """By field of the document's record."""

    @property
    def document(self) -> Document:
        """The document."""
        return self.prediction.document


@dataclass(frozen=True, slots=True)
class Filled:
    """The answers to the fields of a schema, and for each field without one the best proposal that was rejected."""

    answers: tuple[Answer, ...]
    rejected: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What a pipeline offers to fill fields."""

    usable: Usable
    recording: Callable[[Kind], Sequence[str]]
    """Kind of document → the tasks whose findings make its record, those that are not allowed, too."""
    see: Callable[[Sequence[str]], Prediction]
    """Reads the document with the named tasks; spans down to the lowest scores."""
    ask: Callable[[Mapping[str, Field]], list[Searched]]
    """Candidates for the answers to questions, each with its field, best first, however unlikely."""


def extract(document: Document, schema: Schema, sources: Sources) -> Prediction:
    """Fills the fields of a schema: first from one reading, then by questions where no other source gives an answer.

    Raises:
        ConfigError: see :meth:`Usable.tasks`.
    """
    tasks = sources.usable.tasks(schema)
    kind, no_record = record_for(document, schema.records) if schema.records else ("other", "")
    recorded = Recorded(kind, NO_RECORD if no_record else "", sources.recording(kind) if kind in RECORDS else ())
    tasks = [*dict.fromkeys([*tasks, *filter(sources.usable.may_run, recorded.tasks)])]
    seen = sources.see(tasks) if tasks else Prediction(document=document)
    found = Found(seen, sources.usable.least, record=_cells(seen, kind, sources.usable.least))
    gaps, asked = seen.gaps, dict[str, Searched]()
    cut: list[Notice] = []
    questions = questions_left(schema, found) if sources.usable.can_ask else {}
    if questions:
        asked = dict(zip(questions, sources.ask(questions), strict=True))
        least = sources.usable.least["question"]
        likely = {question: _likely(own.findings, least) for question, own in asked.items()}
        found = replace(found, answers={question: own[:MAX_ANSWERS] for question, own in likely.items()})
        cut = _cut(schema, likely)
        gaps = gaps or tuple(gap for gap in next(iter(asked.values())).gaps if gap.reason != NOT_SEARCHED)
    filled = fill(schema, found)
    unused = _unused(schema, sources.usable, recorded, filled)
    return Prediction(
        document=document,
        answers=tuple(answer for answer in filled.answers if answer.end > answer.start),
        beside=tuple(answer for answer in filled.answers if answer.end == answer.start),
        rejected=filled.rejected,
        notices=(*([Notice("", f"{NO_RECORD}: {no_record}")] if no_record else []), *unused, *cut),
        sought=tuple(schema.fields),
        searched=_searched(schema, asked),
        tasks=tuple(tasks),
        kind=kind if kind in RECORDS else "",
        gaps=gaps,
    )


def _unused(schema: Schema, usable: Usable, recorded: Recorded, filled: Filled) -> list[Notice]:
    """The fields without a source that can be used, and those not found with one that cannot."""
    answered = {answer.label for answer in filled.answers}
    partly = usable.sought_in_part(schema, recorded)
    return [
        *(Notice(name, reason) for name, reason in usable.unsought(schema, recorded).items()),
        *(Notice(name, reason, in_part=True) for name, reason in partly.items() if name not in answered),
    ]


def _cut(schema: Schema, asked: Mapping[str, Sequence[Answer]]) -> list[Notice]:
    """The questions with more answers than are kept."""
    reason = f"only the {MAX_ANSWERS} likeliest answers to the question are kept; a higher min_score leaves fewer"
    sources = [(name, source) for name, own in schema.fields.items() for source in own.trusted]
    left_out = {question: len(answers) - MAX_ANSWERS for question, answers in asked.items()}
    return [
        Notice(name, reason, left_out[source.name])
        for name, source in sources
        if source.kind == "question" and left_out.get(source.name, 0) > 0
    ]


def _likely(answers: Sequence[Answer], least: float) -> list[Answer]:
    """The answers with a score of at least ``least``; the best one, which will be rejected, if there are none."""
    return [answer for answer in answers if answer.score >= least] or [*answers[:1]]


def _searched(schema: Schema, asked: Mapping[str, Searched]) -> dict[str, float]:
    """The fields for which questions were asked, each with the smallest share of the text that was searched for one."""
    shares: dict[str, float] = {}
    for name, wanted in schema.fields.items():
        own = [asked[s.name].coverage for s in wanted.trusted if s.kind == "question" and s.name in asked]
        shares |= {name: min(own)} if own else {}
    return shares


def _cells(seen: Prediction, kind: Kind, least: Mapping[str, float]) -> dict[str, list[Answer]]:
    """The cells of the document's record, by field; none if there are no records of its kind."""
    if kind not in RECORDS:
        return {}
    likely = [span for span in seen.spans if span.score >= least[f"clause {span.label}"]]
    return cells_by_field(RECORDS[kind].make(seen.document, seen.entities, likely))


def fill(schema: Schema, found: Found) -> Filled:
    """Fills the fields of a schema."""
    proposed, chosen = _decided(schema, found)
    answers = tuple(replace(answer, label=name) for name, own in chosen.items() for answer in own)
    rejected = []
    for name, own in chosen.items():
        others = [answer for _, answers in proposed[name] for answer in answers if answer.end > answer.start]
        if not own and others:
            rejected.append(replace(max(others, key=lambda answer: answer.score), label=name, check=True))
    return Filled(answers, tuple(rejected))


def questions_left(schema: Schema, found: Found) -> dict[str, Field]:
    """The questions still to ask, with their fields: those of fields that no more trusted source fills."""
    questions: dict[str, Field] = {}
    _, chosen = _decided(schema, found)
    for name, wanted in schema.fields.items():
        asked = [source.name for source in wanted.trusted if source.kind == "question"]
        if asked and not _suits(chosen[name], wanted):
            questions |= dict.fromkeys(asked, wanted)
    return questions


def _decided(
    schema: Schema, found: Found
) -> tuple[dict[str, list[tuple[Source, list[Answer]]]], dict[str, list[Answer]]]:
    """By field, what each source proposes, and the answers."""
    proposed = {name: _proposals(wanted, found) for name, wanted in schema.fields.items()}
    chosen = {name: _chosen(wanted, proposed[name], found.least) for name, wanted in schema.fields.items()}
    _decide_together(schema, chosen)
    return proposed, chosen


def _suits(answers: Sequence[Answer], wanted: Field) -> bool:
    """Whether there are answers, and they have a value if the field has a type with values."""
    return any(answer.value is not None for answer in answers) if wanted.has_values else bool(answers)


def _proposals(wanted: Field, found: Found) -> list[tuple[Source, list[Answer]]]:
    """Of each source its answers, the best first, with their values."""
    proposals = []
    for source in wanted.trusted:
        answers = [_valued(answer, wanted, source) for answer in _PROPOSE[source.kind](source.name, found)]
        ranked = sorted(answers, key=lambda answer: -answer.score)
        proposals.append((source, [answer for answer in ranked if not wanted.refuses(answer.text)]))
    return proposals


def _valued(answer: Answer, wanted: Field, source: Source) -> Answer:
    value = wanted.value_of(answer.text, answer.value)
    given = f"{source}: {answer.source}" if answer.source else str(source)
    return replace(answer, value=value, source=given)


def _chosen(
    wanted: Field, proposals: Sequence[tuple[Source, list[Answer]]], least: Mapping[str, float]
) -> list[Answer]:
    """The answers of the first source that has any with a value, or any at all, in document order if there are several.

    An answer without a value to a field that has a type with values is marked.
    """
    likely = [[answer for answer in own if answer.score >= least[str(source)]] for source, own in proposals]
    position = next((at for at, own in enumerate(likely) if _suits(own, wanted)), None)
    if position is None:
        position = next((at for at, own in enumerate(likely) if own), None)
    if position is None:
        return []
    typed = [answer for answer in likely[position] if answer.value is not None]
    kept = likely[position] if wanted.many else (typed or likely[position])[:1]
    others = [own for at, (_, own) in enumerate(proposals) if at != position]
    differs = not wanted.many and _disagree(kept[0], others)
    lacking = [answer for answer in kept if wanted.has_values and answer.value is None]
    marked = [
        replace(answer, check=answer.check or differs or answer in lacking or answer.score < DOUBTFUL)
        for answer in kept
    ]
    return sorted(marked, key=lambda answer: answer.start)


def _disagree(answer: Answer, others: Iterable[Sequence[Answer]]) -> bool:
    """Whether the best typed answer of another source has another value."""
    if answer.value is None:
        return False
    best = [next((other for other in own if other.value is not None), None) for own in others]
    return any(other is not None and other.score >= _LIKELY and other.value != answer.value for other in best)


def _decide_together(schema: Schema, chosen: dict[str, list[Answer]]) -> None:
    """Where the same words fill two fields that exclude each other, keeps the likelier answer."""
    for one, other in combinations(schema.fields, 2):
        if one not in schema.fields[other].excludes and other not in schema.fields[one].excludes:
            continue
        for left in list(chosen[one]):
            for right in list(chosen[other]):
                if left in chosen[one] and left.start < right.end and right.start < left.end:
                    loser = one if left.score < right.score else other
                    chosen[loser].remove(left if loser == one else right)


# ------------------------------------------------------------------------------------------------------------- sources


def _clauses(label: str, found: Found) -> list[Answer]:
    return [_answer(span) for span in found.prediction.spans if span.label == label]


def _entities(label: str, found: Found) -> list[Answer]:
    return _names([e for e in found.prediction.entities if e.label == label and e.source != RULES])


def _rules(label: str, found: Found) -> list[Answer]:
    return _names([e for e in found.prediction.entities if e.label == label and e.source == RULES])


def _names(entities: Sequence[Entity]) -> list[Answer]:
    """The best mention of each name."""
    names = [name for own in names_by_label(entities).values() for name in own]
    return [_answer(max(name.mentions, key=lambda mention: mention.score)) for name in names]


def _sections(title: str, found: Found) -> list[Answer]:
    """The text of the sections of a title or a kind, or else with these words in their title, without the heading.

    Sections within one of them are part of its text.
    """
    document, wanted = found.document, title.casefold()
    words = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    alike = (
        [s for s in document.sections if s.title.casefold() == wanted]
        or [s for s in document.sections if s.kind == wanted]
        or [s for s in document.sections if words.search(s.title.casefold())]
    )
    is_named = any(wanted in (section.kind, section.title.casefold()) for section in alike)
    answers: list[Answer] = []
    for section in alike:
        is_inside = bool(answers) and section.start < answers[-1].end
        start = _body(document, section)
        if not is_inside and document.text[start : section.end].strip():
            score = 1.0 if is_named else _TITLE_WORDS
            answers.append(cell(document, start, section.end, label=title, source="", score=score))
    return answers


def _body(document: Document, section: Section) -> int:
    """Where the text of a section starts, after its number and title."""
    heading = document.text.find(section.title, section.start, section.end) if section.title else -1
    start = section.start + len(section.number) if heading < 0 else heading + len(section.title)
    text = document.text[start : section.end]
    return start + len(text) - len(text.lstrip(" \t\n.:)-\u2013\u2014"))


def _definitions(term: str, found: Found) -> list[Answer]:
    document = found.document
    defined = meanings(document, term)
    return [cell(document, start, end, label=term, source="", score=score) for start, end, score in defined]


def _metadata(key: str, found: Found) -> list[Answer]:
    document = found.document
    values = [value for name, value in document.source.metadata.items() if name.casefold() == key.casefold()]
    return [metadata_cell(document, value, label=key) for value in values if value.strip()]


def _answers(question: str, found: Found) -> list[Answer]:
    return list(found.answers.get(question, ()))


def _records(name: str, found: Found) -> list[Answer]:
    return list(found.record.get(name, ()))


_PROPOSE: Mapping[str, Callable[[str, Found], list[Answer]]] = {
    "clause": _clauses,
    "record": _records,
    "section": _sections,
    "entity": _entities,
    "rule": _rules,
    "definition": _definitions,
    "metadata": _metadata,
    "question": _answers,
}


def _answer(found: Entity) -> Answer:
    """An entity or a span as an answer."""
    shared = ("text", "start", "end", "score", "page", "boxes", "section")
    return Answer(**{name: getattr(found, name) for name in shared})
