"""Fields of a schema: the findings of one reading of a document → answers, each with the source that gave it.

Every source of a field proposes answers; the first source in its order of trust with an answer that is likely enough
fills the field. What the other sources propose is compared: where values differ, the answer is marked for a person.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from longdoc.document import Document
from longdoc.document_type import Kind, document_type
from longdoc.errors import ConfigError, did_you_mean
from longdoc.findings import Searched
from longdoc.labels import DOUBTFUL, Answer, Entity
from longdoc.parts import Section
from longdoc.prediction import NOT_SEARCHED, Prediction
from longdoc.records import RECORDS
from longdoc.records.evidence import cell, cells_by_field, metadata_cell
from longdoc.rules import RULES, Rules
from longdoc.schema import Field, Schema, Source
from longdoc.summary import names_by_label

MAX_ANSWERS = 20
"""Answers to a field that takes several."""
CANDIDATES_FOR_VALUE = 3
"""Answers to a question among which one with a value is preferred."""


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
class Usable:
    """The sources that a pipeline has, by kind: their names. Kinds that do not depend on it are left out."""

    names: Mapping[str, Mapping[str, Sequence[str]]]
    """Kind of source → label → the tasks that find it."""
    least: Mapping[str, float] = field(default_factory=lambda: defaultdict(float))
    """By source, such as "clause Governing Law", the score from which its answers are accepted."""

    @classmethod
    def of(cls, heads: Mapping[str, Any], rules: Rules | None, min_score: float | None = None) -> Usable:
        """The sources of a pipeline.

        Args:
            heads: configurations of its heads by name.
            rules: its rules, if there are any.
            min_score: threshold of every answer; by default that of the head that gives it, and none for other sources.
        """
        names: dict[str, dict[str, list[str]]] = {"clause": {}, "entity": {}, "question": {}}
        kinds = {"spans": "clause", "ner": "entity", "qa": "question"}
        for name, config in heads.items():
            for label in getattr(config, "labels", ("",)) if config.kind in kinds else ():
                names[kinds[config.kind]].setdefault(label, []).append(name)
        names["rule"] = {label: [RULES] for label in (rules.labels if rules else ())}
        names["record"] = {each: [] for kind in RECORDS.values() for each in kind.fields}
        spans = [config for config in heads.values() if config.kind == "spans"]
        own = {f"clause {label}": config.min_score for config in spans for label in config.labels}
        own["question"] = min((config.min_score for config in heads.values() if config.kind == "qa"), default=0.0)
        return cls(names, defaultdict(float, own) if min_score is None else defaultdict(lambda: min_score))

    def tasks(self, schema: Schema) -> list[str]:
        """The tasks to run for the sources of a schema.

        Raises:
            ConfigError: a label belongs to no task, or a field has no source that this pipeline can use.
        """
        tasks: dict[str, None] = {}
        for name, own in schema.fields.items():
            if not any(self._has(source) for source in own.trusted):
                wanted = ", ".join(str(source) for source in own.trusted)
                raise ConfigError(f"fields.{name}: the model has no head for {wanted}; give the field another source")
            for source in own.trusted:
                labels = self.names.get(source.kind, {})
                if source.kind in ("clause", "entity", "rule", "record") and labels and source.name not in labels:
                    hint = did_you_mean(source.name, labels) or "."
                    raise ConfigError(
                        f"fields.{name}: no {source.kind} {source.name!r}{hint} It has: {', '.join(labels)}"
                    )
                tasks |= dict.fromkeys(labels.get(source.name, ()) if source.kind != "question" else ())
        return list(tasks)

    def _has(self, source: Source) -> bool:
        return bool(self.names[source.kind]) if source.kind in self.names else True


@dataclass(frozen=True, slots=True)
class Sources:
    """What a pipeline offers to fill fields."""

    usable: Usable
    recording: Callable[[Kind], Sequence[str]]
    """Kind of document → the tasks whose findings make its record."""
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
    kind = document_type(document).kind if schema.has_records else "other"
    if kind in RECORDS:
        tasks = [*dict.fromkeys([*tasks, *sources.recording(kind)])]
    seen = sources.see(tasks) if tasks else Prediction(document=document)
    found = Found(seen, sources.usable.least, record=_cells(seen, kind, sources.usable.least))
    gaps, asked = seen.gaps, dict[str, Searched]()
    if questions := questions_left(schema, found):
        asked = dict(zip(questions, sources.ask(questions), strict=True))
        least = sources.usable.least["question"]
        found = replace(found, answers={q: _likely(own.findings, least) for q, own in asked.items()})
        unseen = next(iter(asked.values())).gaps
        gaps = gaps or tuple(gap for gap in unseen if gap.reason != NOT_SEARCHED)
    filled = fill(schema, found)
    return Prediction(
        document=document,
        answers=filled.answers,
        rejected=filled.rejected,
        sought=tuple(schema.fields),
        searched=_searched(schema, asked),
        tasks=tuple(tasks),
        gaps=gaps,
    )


def _likely(answers: Sequence[Answer], least: float) -> list[Answer]:
    """The answers with a score of at least ``least``; the best one, which will be rejected, if there are none."""
    return [answer for answer in answers if answer.score >= least] or [*answers[:1]]


def _searched(schema: Schema, asked: Mapping[str, Searched]) -> dict[str, float]:
    """The fields for which questions were asked, each with the share of the text that was searched for all of them."""
    shares: dict[str, float] = {}
    for name, wanted in schema.fields.items():
        own = [asked[s.name].coverage for s in wanted.trusted if s.kind == "question" and s.name in asked]
        shares |= {name: max(own)} if own else {}
    return shares


def _cells(seen: Prediction, kind: Kind, least: Mapping[str, float]) -> dict[str, list[Answer]]:
    """The cells of the document's record, by field; none if there are no records of its kind."""
    if kind not in RECORDS:
        return {}
    likely = [span for span in seen.spans if span.score >= least[f"clause {span.label}"]]
    cells = cells_by_field(RECORDS[kind].make(seen.document, seen.entities, likely))
    return {name: [each for each in own if each.end > each.start] for name, own in cells.items()}


def fill(schema: Schema, found: Found) -> Filled:
    """Fills the fields of a schema."""
    proposed, chosen = _decided(schema, found)
    answers = tuple(replace(answer, label=name) for name, own in chosen.items() for answer in own)
    rejected = []
    for name, own in chosen.items():
        others = [answer for _, answers in proposed[name] for answer in answers]
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
    kept = likely[position][:MAX_ANSWERS] if wanted.many else (typed or likely[position])[:1]
    others = [own for at, (_, own) in enumerate(proposals) if at != position]
    differs = not wanted.many and _disagree(kept[0], others)
    lacks = wanted.has_values and not typed
    marked = [replace(answer, check=answer.check or differs or lacks or answer.score < DOUBTFUL) for answer in kept]
    return sorted(marked, key=lambda answer: answer.start)


def _disagree(answer: Answer, others: Iterable[Sequence[Answer]]) -> bool:
    """Whether the best typed answer of another source has another value."""
    if answer.value is None:
        return False
    best = [next((other for other in own if other.value is not None), None) for own in others]
    return any(other is not None and other.score >= DOUBTFUL and other.value != answer.value for other in best)


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
    """The text of the sections of a kind or title, or else with these words in their title, without the heading."""
    document, wanted = found.document, title.casefold()
    alike = [s for s in document.sections if wanted in (s.kind, s.title.casefold())]
    words = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
    alike = alike or [s for s in document.sections if words.search(s.title.casefold())]
    bodies = [(_body(document, section), section.end) for section in alike]
    return [
        cell(document, start, end, label=title, source="") for start, end in bodies if document.text[start:end].strip()
    ]


def _body(document: Document, section: Section) -> int:
    """Where the text of a section starts, after its number and title."""
    heading = document.text.find(section.title, section.start, section.end) if section.title else -1
    start = section.start + len(section.number) if heading < 0 else heading + len(section.title)
    text = document.text[start : section.end]
    return start + len(text) - len(text.lstrip(" \t\n.:)-\u2013\u2014"))


def _definitions(term: str, found: Found) -> list[Answer]:
    defined = [d for d in found.document.definitions if d.term.casefold() == term.casefold()]
    return [cell(found.document, each.start, each.end, label=term, source="") for each in defined]


def _metadata(key: str, found: Found) -> list[Answer]:
    document = found.document
    values = [value for name, value in document.source.metadata.items() if name.casefold() == key.casefold()]
    cells = [metadata_cell(document, value, label=key) for value in values if value.strip()]
    return [each for each in cells if each.end > each.start]


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
