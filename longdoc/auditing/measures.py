"""What a model finds in the variants of texts: names found, classes, answers; counted for each text and group.

Dimensions: ``N`` texts, ``G`` groups, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from longdoc.auditing.swaps import Swaps, Variant
from longdoc.datasets import Question
from longdoc.document import Document
from longdoc.heads.classify import ClassifyConfig, pooled_logits, probabilities
from longdoc.pipeline import Pipeline
from longdoc.rules import RULES

Kind: TypeAlias = Literal["recall", "classes", "answers", "likelihood"]
PROBABILITY = ": probability of "
"""In the names of measures of a single class."""
KINDS: tuple[Kind, ...] = ("recall", "classes", "answers", "likelihood")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One measure of all groups on the texts that it can be taken on."""

    kind: Kind
    name: str
    """Such as ``names found exactly``."""
    unit: str
    """What the weights count: names, texts, questions."""
    hits: NDArray[np.float64]
    """Shape ``(G, N)``."""
    weights: NDArray[np.float64]
    """Shape ``(N,)``, positive."""
    is_change: bool = False
    """Whether it counts what differs from the first group, of which itself nothing does."""


def measure_names(pipeline: Pipeline, tasks: Sequence[str], labels: Collection[str], swaps: Swaps) -> list[Measured]:
    """How many of the names are found as persons: exactly, and at least in part.

    Args:
        pipeline: the model.
        tasks: heads, or ``rules``, that find persons.
        labels: labels of persons.
        swaps: texts in all variants.
    """
    named = [swap for swap in swaps.swaps if next(iter(swap.variants.values())).names]
    variants = [variant for swap in named for variant in swap.variants.values()]
    exact, partly = [], []
    for variant, prediction in zip(variants, pipeline.pipe(map(_document, variants), tasks=tasks), strict=True):
        found = [(entity.start, entity.end) for entity in prediction.entities if entity.label in labels]
        exact.append(sum((name.start, name.end) in found for name in variant.names))
        partly.append(sum(any(s < name.end and name.start < e for s, e in found) for name in variant.names))
    weights = np.array([len(next(iter(swap.variants.values())).names) for swap in named], dtype=np.float64)
    return [
        Measured("recall", name, "names", _by_group(counts, swaps), weights)
        for name, counts in (("names found exactly", exact), ("names found at least in part", partly))
        if named
    ]


def measure_classes(pipeline: Pipeline, swaps: Swaps) -> Iterator[Measured]:
    """Of each head that classifies: texts whose classes change, and the mean probability of each class.

    A head for sections reads each text as one.
    """
    weights = np.ones(len(swaps.swaps))
    for head, config in pipeline.heads.items():
        if config.kind != "classify":
            continue
        found = _probabilities(pipeline, head, config, swaps)  # (N, G, C)
        chosen = found >= 0.5 if config.multi_label else found == found.max(axis=2, keepdims=True)
        changed = (chosen != chosen[:, :1]).any(axis=2).astype(np.float64)
        yield Measured("classes", f"{head}: texts whose classes change", "texts", changed.T, weights, is_change=True)
        for number, label in enumerate(config.labels):
            yield Measured("classes", f"{head}{PROBABILITY}{label}", "texts", found[:, :, number].T, weights)


def _probabilities(pipeline: Pipeline, head: str, config: ClassifyConfig, swaps: Swaps) -> NDArray[np.float64]:
    """Probabilities of the classes, shape ``(N, G, C)``."""
    reader = pipeline.engine.reader_of(head)
    documents = [_document(variant) for swap in swaps.swaps for variant in swap.variants.values()]
    readings = [reader.read(document, reader.tokenize(document), [head]) for document in documents]
    scored = (by_head[head] for by_head in reader.score(readings))
    rows = [probabilities(pooled_logits(scores, config.over, config.pooling), config) for scores in scored]
    return np.array(rows).reshape(len(swaps.swaps), len(swaps.groups), len(config.labels))


def measure_answers(pipeline: Pipeline, head: str, swaps: Swaps) -> list[Measured]:
    """How many questions get the annotated answer, and how many another answer than with the first group's words.

    The best answer counts, however low its score.
    """
    several = sum(config.kind == "qa" for config in pipeline.heads.values()) > 1
    of_head = f"{head}: " if several else ""
    asked = [swap for swap in swaps.swaps if _answerable(next(iter(swap.variants.values())))]
    right: list[int] = []
    places: list[list[tuple[int, int] | None]] = []
    for variant in (variant for swap in asked for variant in swap.variants.values()):
        questions = _answerable(variant)
        texts = [question.text for question in questions]
        given = pipeline.ask(_document(variant), texts, min_score=0.0, head=head, windows=None)
        best = [(answers[0].start, answers[0].end) if answers else None for answers in given]
        golds = [{(span.start, span.end) for span in question.answers} for question in questions]
        right.append(sum(found in gold for found, gold in zip(best, golds, strict=True)))
        places.append([None if found is None else variant.back(*found) for found in best])
    n_groups = len(swaps.groups)
    first = [places[index - index % n_groups] for index in range(len(places))]
    changed = [sum(a != b for a, b in zip(own, other, strict=True)) for own, other in zip(places, first, strict=True)]
    weights = np.array([len(_answerable(next(iter(swap.variants.values())))) for swap in asked], dtype=np.float64)
    return [
        Measured("answers", f"{of_head}{name}", "questions", _by_group(counts, swaps), weights, is_change=is_change)
        for name, counts, is_change in (
            ("answers that are right", right, False),
            ("answers that change", changed, True),
        )
        if asked
    ]


def person_tasks(pipeline: Pipeline, labels: Collection[str]) -> list[str]:
    """The heads that find one of these labels, and ``rules`` if they do."""
    heads = [
        name
        for name, config in pipeline.heads.items()
        if config.kind in ("ner", "spans") and not set(labels).isdisjoint(config.labels)
    ]
    by_rule = pipeline.rules is not None and not set(labels).isdisjoint(pipeline.rules.labels)
    return [*heads, RULES] if by_rule else heads


def _answerable(variant: Variant) -> list[Question]:
    return [question for question in variant.questions if question.answers and question.label is None]


def _document(variant: Variant) -> Document:
    return Document.from_text(variant.text, name="text")


def _by_group(counts: Sequence[int], swaps: Swaps) -> NDArray[np.float64]:
    """Counts of variants, group by group within each text, as an array ``(G, N)``."""
    grouped: NDArray[np.float64] = np.array(counts, dtype=np.float64).reshape(-1, len(swaps.groups)).T
    return grouped
