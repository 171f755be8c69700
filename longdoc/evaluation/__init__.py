"""A model on labelled documents → a report: ``longdoc evaluate CONFIG``.

Each data set is scored by what it annotates: entities, answers, clauses, inferences or classes. With several
``encoders`` the same weights read the same documents in each of these ways, and the report compares them; with
``baselines`` it sets beside them what a reading has to be better than.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, Example, read_dataset, yields
from longdoc.errors import ConfigError
from longdoc.evaluation.baselines import baselines_of
from longdoc.evaluation.cost import Cost, peak_memory
from longdoc.evaluation.report import FORMS, Outcome, Report
from longdoc.evaluation.results import (
    AnswerResult,
    ClassResult,
    ClauseResult,
    EntityResult,
    InferenceResult,
    Kind,
    Result,
    total,
)
from longdoc.evaluation.scoring import View, asked, check, entities, entity_counts, marked, score
from longdoc.metrics import Counts
from longdoc.pipeline import Pipeline
from longdoc.reader import EncoderKind, Precision
from longdoc.windows import tokenize

__all__ = [
    "AnswerResult",
    "ClassResult",
    "ClauseResult",
    "Cost",
    "EntityResult",
    "EvaluationConfig",
    "InferenceResult",
    "LabelledData",
    "Outcome",
    "Report",
    "Result",
    "entity_counts",
    "evaluate",
    "evaluate_entities",
    "peak_memory",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """What to evaluate on what, as written in YAML."""

    model: str = "default"
    """``default`` or a model folder."""
    encoders: tuple[EncoderKind, ...] = ("windows",)
    """Ways to read the documents, compared where there are several."""
    precision: Precision = "auto"
    datasets: dict[str, DatasetConfig]
    """Name in the report: data."""
    baselines: bool = False
    """Whether to score what needs no model, and the model on a part of each document, as well."""
    output: str | None = None
    """File for the report: ``.json`` for the counts, ``.md`` or ``.html`` to be read."""

    def __post_init__(self) -> None:
        if not self.encoders or len(set(self.encoders)) < len(self.encoders):
            raise ConfigError(
                f"encoders must name each way once, at least one; got {', '.join(self.encoders) or 'none'}"
            )
        if not self.datasets:
            raise ConfigError("datasets is empty; name at least one")
        if self.output is not None and Path(self.output).suffix not in FORMS:
            raise ConfigError(f"output is {self.output!r}; its suffix must be one of {', '.join(FORMS)}")


def evaluate(path: str | Path) -> Report:
    """Evaluates by a YAML file of :class:`EvaluationConfig`.

    Raises:
        ConfigError: the file has an unknown key, a data set has a label the model does not have, or it is of a kind
            that no head of the model serves.
        DataError: a data set is missing or malformed.
    """
    config = load_yaml(EvaluationConfig, path)
    data = {name: LabelledData.read(name, dataset) for name, dataset in config.datasets.items()}
    results: dict[str, dict[str, Outcome]] = {}
    for encoder in config.encoders:
        pipeline = Pipeline.from_pretrained(config.model, encoder=encoder, precision=config.precision)
        for own in data.values():
            check(pipeline, own.kind, own.name, own.labels)
        results[encoder] = {name: _outcome(pipeline, own, config.baselines) for name, own in data.items()}
    report = Report(config.model, results)
    if config.output:
        report.save(config.output)
    return report


@dataclass(frozen=True, slots=True)
class LabelledData:
    """A data set, read."""

    name: str
    kind: Kind
    examples: Sequence[Example]
    labels: set[str]

    @classmethod
    def read(cls, name: str, config: DatasetConfig) -> LabelledData:
        """Reads a data set."""
        kind, examples = yields(config), read_dataset(config)
        if kind == "clauses":
            examples = [replace(example, questions=tuple(asked(example.questions))) for example in examples]
        return cls(name, kind, examples, set(config.labels.values()) | marked(kind, examples))

    def result(self, pipeline: Pipeline) -> Result:
        """What a pipeline makes of it."""
        check(pipeline, self.kind, self.name, self.labels)
        return total(score(pipeline, self.kind, [View(example) for example in self.examples], self.labels))


def _outcome(pipeline: Pipeline, data: LabelledData, with_baselines: bool) -> Outcome:
    """Results, and what they cost; one document is read beforehand, so that nothing is loaded or built meanwhile."""
    questions = tuple(replace(question, answers=()) for question in data.examples[0].questions[:1])
    first = replace(data.examples[0], text=data.examples[0].text[:5000], spans=(), questions=questions)
    score(pipeline, data.kind, [View(first)], data.labels)
    tokens = sum(
        len(tokenize(example.text, pipeline.model.tokenizer)) * max(len(example.questions), 1)
        for example in data.examples
    )
    with peak_memory(pipeline.readers[0].device) as peak:
        started_at = time.perf_counter()
        results = score(pipeline, data.kind, [View(example) for example in data.examples], data.labels)
        seconds = time.perf_counter() - started_at
    cost = Cost(len(data.examples), tokens, seconds, peak.get("megabytes"))
    beside = baselines_of(pipeline, data.kind, data.examples, data.labels, results) if with_baselines else {}
    return Outcome(total(results), cost, beside)


def evaluate_entities(pipeline: Pipeline, examples: Sequence[Example], labels: set[str]) -> dict[str, Counts]:
    """Exact-span counts of these labels."""
    results = entities(pipeline, [View(example) for example in examples], labels)
    return dict(total([EntityResult(), *results]).counts)
