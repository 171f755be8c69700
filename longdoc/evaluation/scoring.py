"""A pipeline on annotated documents → results, one a document: a function a kind of head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from longdoc import findings
from longdoc.datasets import Example, Question
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.evaluation.results import (
    AnswerResult,
    ClassResult,
    ClauseResult,
    EntityResult,
    InferenceResult,
    Kind,
    Result,
)
from longdoc.heads import ClassifyConfig, HeadConfig, NerConfig, NliConfig, QaConfig
from longdoc.labels import Answer, Entity, Inference
from longdoc.metrics import (
    Counts,
    answer_counts,
    class_counts,
    clause_results,
    exact_match,
    reliability,
    span_counts,
    token_f1,
)
from longdoc.pipeline import Pipeline
from longdoc.prediction import Prediction

CLAUSES = 20
"""Most answers to a category that are scored; CUAD's script scores 20."""
NAMES_IN_PARTS = "Parties"
"""The category whose answers may hold more than the name, as CUAD's script has it."""


@dataclass(frozen=True, slots=True)
class View:
    """A document as it is read: whole, or its first ``head`` characters, and those from ``tail`` on if it has some."""

    example: Example
    head: int | None = None
    tail: int | None = None

    @property
    def document(self) -> Document:
        """What a pipeline reads."""
        text = self.example.text
        if self.head is not None:
            text = text[: self.head] + ("" if self.tail is None else "\n" + text[self.tail :])
        return Document.from_text(text, name=self.example.id)

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """A range of what is read, as one of the whole document; none where it spans the cut."""
        if self.head is None or end <= self.head:
            return start, end
        if self.tail is None or start <= self.head:
            return None
        shift = self.tail - self.head - 1
        return start + shift, end + shift


Scorer: TypeAlias = Callable[[Pipeline, Sequence[View], set[str]], list[Any]]


def score(pipeline: Pipeline, kind: Kind, views: Sequence[View], labels: set[str]) -> list[Result]:
    """The results of each document.

    Args:
        pipeline: what reads.
        kind: what to score.
        views: the documents.
        labels: labels of entities and classes that the data marks.
    """
    return _SCORERS[kind](pipeline, views, labels)


def check(pipeline: Pipeline, kind: Kind, name: str, labels: set[str]) -> None:
    """Refuses data that no head of the model serves.

    Raises:
        ConfigError: naming the data and the heads.
    """
    try:
        if kind == "entities":
            taggers(pipeline, labels)
        elif kind == "classes":
            classifier(pipeline, labels)
        elif kind == "inferences":
            _serving(pipeline, NliConfig, labels)
        else:
            _serving(pipeline, QaConfig, set())
    except ConfigError as error:
        raise ConfigError(f"data {name!r} ({kind}): {error}") from error


def marked(kind: Kind, examples: Sequence[Example]) -> set[str]:
    """The labels in the data."""
    if kind == "entities":
        return {span.label for example in examples for span in example.spans}
    if kind == "classes":
        return {label for example in examples for label in example.labels}
    return {question.label for example in examples for question in example.questions if question.label}


def taggers(pipeline: Pipeline, labels: set[str]) -> list[str]:
    """Names of the heads that mark entities of these labels.

    Raises:
        ConfigError: a label is of no head.
    """
    found = {name: set(head.labels) for name, (_, head) in pipeline.heads.items() if isinstance(head, NerConfig)}
    if missing := labels - set().union(*found.values()):
        raise ConfigError(f"the model has no label {', '.join(sorted(missing))}; its heads: {_heads(pipeline)}")
    return [name for name, own in found.items() if own & labels]


def classifier(pipeline: Pipeline, labels: set[str]) -> str:
    """Name of the first head that tells all of these classes apart.

    Raises:
        ConfigError: none does.
    """
    return _serving(pipeline, ClassifyConfig, labels)


def _serving(pipeline: Pipeline, kind: type[Any], labels: set[str]) -> str:
    own: dict[str, HeadConfig] = {n: head for n, (_, head) in pipeline.heads.items() if isinstance(head, kind)}
    for name, head in own.items():
        if labels <= set(getattr(head, "labels", ())):
            return name
    what = kind.__dataclass_fields__["kind"].default
    wanted = f" with the labels {', '.join(sorted(labels))}" if labels else ""
    raise ConfigError(f"the model has no head of kind {what!r}{wanted}; its heads: {_heads(pipeline)}")


def _heads(pipeline: Pipeline) -> str:
    described = (
        f"{name} ({head.kind}{': ' if labels else ''}{', '.join(labels)})"
        for name, (_, head) in pipeline.heads.items()
        for labels in [getattr(head, "labels", ())]
    )
    return "; ".join(described) or "none"


# ------------------------------------------------------------------------------------------------------------ entities


def entities(pipeline: Pipeline, views: Sequence[View], labels: set[str]) -> list[EntityResult]:
    """Exact spans of these labels, and whether the scores of the found ones say how often they are right."""
    return tagged(pipeline, views, labels, taggers(pipeline, labels))


def tagged(pipeline: Pipeline, views: Sequence[View], labels: set[str], tasks: list[str]) -> list[EntityResult]:
    """The same of these tasks of the pipeline."""
    if not tasks:
        return [_entity_result(view.example, [], labels) for view in views]
    predictions = pipeline.pipe((view.document for view in views), tasks=tasks)
    pairs = zip(views, predictions, strict=True)
    return [_entity_result(view.example, _placed(view, prediction), labels) for view, prediction in pairs]


def _placed(view: View, prediction: Prediction) -> list[Entity]:
    pairs = ((entity, view.place(entity.start, entity.end)) for entity in prediction.entities)
    return [replace(entity, start=place[0], end=place[1]) for entity, place in pairs if place is not None]


def _entity_result(example: Example, found: Sequence[Entity], labels: set[str]) -> EntityResult:
    gold = {(span.start, span.end, span.label) for span in example.spans if span.label in labels}
    kept = [entity for entity in found if entity.label in labels]
    keys = [(entity.start, entity.end, entity.label) for entity in kept]
    scores = [entity.score for entity in kept]
    return EntityResult(reliability(scores, [key in gold for key in keys]), span_counts(gold, keys))


def entity_counts(example: Example, prediction: Prediction, labels: set[str]) -> dict[str, Counts]:
    """Exact-span counts of one document."""
    gold = [(span.start, span.end, span.label) for span in example.spans]
    found = [(e.start, e.end, e.label) for e in prediction.entities if e.label in labels]
    return span_counts(gold, found)


# ----------------------------------------------------------------------------------------------------------- questions


def best_answers(
    pipeline: Pipeline, document: Document, questions: Sequence[str], top_k: int
) -> Iterator[tuple[list[Answer], float]]:
    """The best answers to each question, however unlikely, and the score from which on the head gives one."""
    name = _serving(pipeline, QaConfig, set())
    reader, config = pipeline.heads[name]
    assert isinstance(config, QaConfig)
    readings = reader.ask(document, name, questions)
    reader.score(readings)
    anything = replace(config, min_score=0.0)
    for reading, text in zip(readings, questions, strict=True):
        yield findings.answers_of(reading, name, anything, text, top_k=top_k), config.min_score


def answers(pipeline: Pipeline, views: Sequence[View], labels: set[str]) -> list[AnswerResult]:
    """SQuAD's counts of the answers that are likely enough; an answer half of whose words are right has a fair score.

    The scores are judged on the best answer to every question, given or not.
    """
    return [_answer_result(pipeline, view) for view in views]


def _answer_result(pipeline: Pipeline, view: View) -> AnswerResult:
    result = AnswerResult()
    questions = view.example.questions
    found = best_answers(pipeline, view.document, [question.text for question in questions], 1)
    for question, (best, min_score) in zip(questions, found, strict=True):
        golds = _golds(view.example, question)
        given = next((answer.text for answer in best if answer.score >= min_score), "")
        right = [_is_right(answer.text, golds) for answer in best]
        scored = reliability([answer.score for answer in best], right)
        result += AnswerResult(scored, answer_counts(given, golds))
    return result


def _golds(example: Example, question: Question) -> list[str]:
    return list(dict.fromkeys(example.text[span.start : span.end] for span in question.answers))


def _is_right(text: str, golds: Sequence[str]) -> bool:
    return bool(golds) and (exact_match(text, golds) == 1 or token_f1(text, golds) >= 0.5)


def clauses(pipeline: Pipeline, views: Sequence[View], labels: set[str]) -> list[ClauseResult]:
    """CUAD's results by category; of several wordings of a category the first is asked.

    The scores are judged on the best answer to each question, right where it matches a clause.
    """
    return [_clause_result(pipeline, view) for view in views]


def _clause_result(pipeline: Pipeline, view: View) -> ClauseResult:
    result = ClauseResult()
    questions = asked(view.example.questions)
    found = best_answers(pipeline, view.document, [question.text for question in questions], CLAUSES)
    for question, (best, _) in zip(questions, found, strict=True):
        category, golds = question.category or question.text, _golds(view.example, question)
        in_parts = category == NAMES_IN_PARTS
        pairs = [(answer.text, answer.score) for answer in best]
        matched = [not clause_results([pair], golds, parts_count=in_parts).wrong for pair in pairs[:1]]
        scored = reliability([score for _, score in pairs[:1]], matched)
        result += ClauseResult(scored, {category: clause_results(pairs, golds, parts_count=in_parts)})
    return result


def asked(questions: Sequence[Question]) -> list[Question]:
    """The first wording of each category; questions without one are all asked."""
    first: dict[str, Question] = {}
    for question in questions:
        first.setdefault(question.category or question.id, question)
    return list(first.values())


# ---------------------------------------------------------------------------------------------- hypotheses and classes


def inferences(pipeline: Pipeline, views: Sequence[View], labels: set[str]) -> list[InferenceResult]:
    """Classes of hypotheses; of those that are decided, whether the named evidence meets the right one."""
    results = []
    for view in views:
        questions = view.example.questions
        found = pipeline.infer(view.document, [question.text for question in questions])
        padded: list[Inference | None] = [*found] if found else [None] * len(questions)
        pairs = zip(questions, padded, strict=True)
        results.append(sum((_inference_result(view, *pair) for pair in pairs), InferenceResult()))
    return results


def _inference_result(view: View, question: Question, found: Inference | None) -> InferenceResult:
    gold = {question.label} if question.label else set()
    predicted = {found.label} if found else set()
    scores = [found.score] if found else []
    decided = question.label != "not mentioned" and bool(question.answers)
    places = [view.place(part.start, part.end) for part in found.evidence] if found else []
    hit = any(
        place is not None and place[0] < span.end and span.start < place[1]
        for place in places
        for span in question.answers
    )
    scored = reliability(scores, [predicted == gold] * len(scores))
    return InferenceResult(scored, class_counts(predicted, gold), int(decided and hit), int(decided))


def classes(pipeline: Pipeline, views: Sequence[View], labels: set[str]) -> list[ClassResult]:
    """Classes of texts; where a head names the classes of sections, those of the first one."""
    name = classifier(pipeline, labels)
    predictions = pipeline.pipe((view.document for view in views), tasks=[name])
    pairs = zip(views, predictions, strict=True)
    other = getattr(pipeline.heads[name][1], "other", None)
    return [_class_result(view.example, prediction, other) for view, prediction in pairs]


def _class_result(example: Example, prediction: Prediction, other: str | None) -> ClassResult:
    _, end = next(iter(findings.parts(prediction.document, "section")), (0, 0))
    first = [label for label in prediction.labels if label.start is None or label.start < end]
    gold = set(example.labels)
    scored = reliability([label.score for label in first], [label.name in gold for label in first])
    names = [label.name for label in first] or ([] if other is None else [other])
    return ClassResult(scored, class_counts(names, gold))


_SCORERS: dict[Kind, Scorer] = {
    "entities": entities,
    "answers": answers,
    "clauses": clauses,
    "inferences": inferences,
    "classes": classes,
}
