"""A pipeline on annotated documents → a result per document, by the kind of head scored on the annotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from longdoc.datasets import Example
from longdoc.datasets.views import View
from longdoc.errors import ConfigError
from longdoc.heads import HEADS, HeadKind
from longdoc.heads.kind import Reads
from longdoc.metrics.results import Result


def score(pipeline: Reads, annotation: str, views: Sequence[View], labels: set[str]) -> list[Result]:
    """Scores each document.

    Args:
        pipeline: the pipeline to evaluate.
        annotation: what the data annotates, such as ``"entities"``.
        views: the documents.
        labels: labels of entities and classes that the data annotates.

    Raises:
        ConfigError: no head can be scored on this annotation with these labels.
    """
    return _kind_for(pipeline, annotation, labels).scorers[annotation](
        pipeline, serving(pipeline, annotation, labels), views, labels
    )


def check(pipeline: Reads, annotation: str, name: str, labels: set[str]) -> None:
    """Raises an error for data that no head of the model can be scored on.

    Raises:
        ConfigError: no head can; the message names the data and the heads.
    """
    try:
        serving(pipeline, annotation, labels)
    except ConfigError as error:
        raise ConfigError(f"data {name!r} ({annotation}): {error}") from error


def serving(pipeline: Reads, annotation: str, labels: set[str]) -> list[str]:
    """Names of the heads that are scored on data with this annotation and these labels.

    Raises:
        ConfigError: there are none, or a label belongs to no head.
    """
    kind = _kind_for(pipeline, annotation, labels)
    own = {name: config for name, config in pipeline.heads.items() if config.kind == kind.name}
    if not kind.scored_together:
        return [_only(pipeline, kind, own, labels)]
    found = {name: set(getattr(config, "labels", ())) for name, config in own.items()}
    if missing := labels - set().union(*found.values()):
        raise ConfigError(f"the model has no label {', '.join(sorted(missing))}; its heads: {_described(pipeline)}")
    return [name for name, known in found.items() if known & labels]


def _only(pipeline: Reads, kind: HeadKind, own: dict[str, Any], labels: set[str]) -> str:
    for name, config in own.items():
        if labels <= set(getattr(config, "labels", labels)):
            return name
    wanted = f" with the labels {', '.join(sorted(labels))}" if labels else ""
    raise ConfigError(f"the model has no head of kind {kind.name!r}{wanted}; its heads: {_described(pipeline)}")


def _kind_for(pipeline: Reads, annotation: str, labels: set[str]) -> HeadKind:
    """The first kind of head scored on this annotation: preferably one of the model, and one that has the labels."""
    kinds = [kind for kind in HEADS.values() if annotation in kind.scorers]
    known: dict[str, set[str]] = {}
    for config in pipeline.heads.values():
        known.setdefault(config.kind, set()).update(getattr(config, "labels", labels))
    own = [kind for kind in kinds if kind.name in known]
    return next((kind for kind in own if labels <= known[kind.name]), (own or kinds)[0])


def annotated_labels(annotation: str, examples: Sequence[Example]) -> set[str]:
    """The labels in the data."""
    if annotation == "entities":
        return {span.label for example in examples for span in example.spans}
    if annotation == "classes":
        return {label for example in examples for label in example.labels}
    return {question.label for example in examples for question in example.questions if question.label}


def _described(pipeline: Reads) -> str:
    described = (
        f"{name} ({config.kind}{': ' if labels else ''}{', '.join(labels)})"
        for name, config in pipeline.heads.items()
        for labels in [getattr(config, "labels", ())]
    )
    return "; ".join(described) or "none"
