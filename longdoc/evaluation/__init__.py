"""A model on labelled documents → a report: ``longdoc evaluate CONFIG``.

Each data set is scored by what it annotates: entities, answers, clauses, inferences or classes. With several
``encoders`` the report compares the same weights on the same documents; with ``baselines`` it adds results that a model
must beat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, Example, first_wordings, read_dataset, yields
from longdoc.datasets.views import View
from longdoc.errors import ConfigError, DataError
from longdoc.evaluation.cost import Cost, peak_memory
from longdoc.evaluation.journal import SUFFIX, Journal, digest_of_model
from longdoc.evaluation.part import Part
from longdoc.evaluation.report import FORMS, Outcome, Report
from longdoc.evaluation.scoring import annotated_labels, check, score, serving
from longdoc.heads.ner import score_entities
from longdoc.inputs import EncoderKind, Precision
from longdoc.metrics import Counts, span_counts
from longdoc.metrics.results import (
    AnswerResult,
    ClassResult,
    ClauseResult,
    EntityResult,
    InferenceResult,
    Result,
    total,
)
from longdoc.pipeline import Pipeline
from longdoc.prediction import Prediction
from longdoc.version import __version__

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
    "state_file",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """A model and the data sets to evaluate it on, as written in YAML."""

    model: str = "default"
    """``default`` or a model folder."""
    encoders: tuple[EncoderKind, ...] = ("windows",)
    """Encoders to read the documents with; several are compared."""
    precision: Precision = "auto"
    """Number format of matrix products; ``auto`` is bfloat16 where the hardware supports it, ``int8`` is for CPUs."""
    datasets: dict[str, DatasetConfig]
    """Name in the report: data."""
    baselines: bool = False
    """Also score what needs no model, and the model on a part of each document."""
    output: str | None = None
    """File for the report: ``.json`` with the counts, ``.md`` or ``.html`` for people."""

    def __post_init__(self) -> None:
        if not self.encoders or len(set(self.encoders)) < len(self.encoders):
            raise ConfigError(f"encoders must be distinct, at least one; got {', '.join(self.encoders) or 'none'}")
        if not self.datasets:
            raise ConfigError("datasets is empty; name at least one")
        if self.output is not None and Path(self.output).suffix not in FORMS:
            raise ConfigError(f"output is {self.output!r}; its suffix must be one of {', '.join(FORMS)}")


def evaluate(path: str | Path, *, progress: bool | None = None, tell: Callable[[str], None] | None = None) -> Report:
    """Evaluates a model as configured by a YAML file of :class:`EvaluationConfig`.

    What is finished is kept in a file beside the report (see :func:`state_file`) until the report is complete: after an
    interruption the same call continues, unless the data, the weights or the settings have changed.

    Args:
        path: the YAML file.
        progress: show a bar of tokens and documents on standard error; by default only on a terminal.
        tell: called with a line about each result as it comes and, where no bar is shown, about the progress.

    Raises:
        ConfigError: the file has an unknown key, or a data set has a label or an annotation that no head of the model
            serves.
        DataError: a data set is missing or malformed.
    """
    config = load_yaml(EvaluationConfig, path)
    data = {name: LabelledData.read(name, dataset) for name, dataset in config.datasets.items()}
    journal = Journal(_state_file(path, config))
    results: dict[str, dict[str, Outcome]] = {}
    for encoder in config.encoders:
        pipeline = Pipeline.from_pretrained(config.model, encoder=encoder, precision=config.precision, progress=False)
        for own in data.values():
            check(pipeline, own.kind, own.name, own.labels)
        settings = f"{__version__} {encoder} {config.precision} {config.baselines} {digest_of_model(pipeline)}"
        results[encoder] = {}
        for name, own in data.items():
            part = Part(encoder, own, pipeline, journal, settings, with_baselines=config.baselines)
            results[encoder][name] = part.outcome(progress=progress, tell=tell)
            if tell is not None:
                tell(part.line(results[encoder][name]))
    report = Report(config.model, results)
    if config.output:
        report.save(config.output)
    journal.remove()
    return report


def state_file(path: str | Path) -> Path:
    """The file in which :func:`evaluate` keeps what is finished.

    It has the name of the report, or of the configuration if there is no report, with ``.partial`` added.

    Raises:
        ConfigError: the configuration is wrong.
    """
    return _state_file(path, load_yaml(EvaluationConfig, path))


def _state_file(path: str | Path, config: EvaluationConfig) -> Path:
    return Path(f"{config.output or path}{SUFFIX}")


@dataclass(frozen=True, slots=True)
class LabelledData:
    """The examples of a data set."""

    name: str
    kind: str
    """What it annotates."""
    examples: Sequence[Example]
    labels: set[str]

    @classmethod
    def read(cls, name: str, config: DatasetConfig) -> LabelledData:
        """Reads a data set.

        Raises:
            DataError: it is missing or malformed, or has no label to score.
        """
        kind, examples = yields(config), read_dataset(config)
        if kind == "clauses":
            examples = [replace(example, questions=tuple(first_wordings(example.questions))) for example in examples]
        labels = set(config.labels.values()) | annotated_labels(kind, examples)
        if not labels and kind in ("entities", "classes", "inferences"):
            raise DataError(f"data {name!r} ({kind}): nothing is labelled in {', '.join(config.files)}")
        return cls(name, kind, examples, labels)

    def result(self, pipeline: Pipeline) -> Result:
        """The result of a pipeline on it."""
        check(pipeline, self.kind, self.name, self.labels)
        return total(score(pipeline, self.kind, [View(example) for example in self.examples], self.labels))


def entity_counts(example: Example, prediction: Prediction, labels: set[str]) -> dict[str, Counts]:
    """Exact-span counts of one document, by label."""
    gold = [(span.start, span.end, span.label) for span in example.spans]
    return span_counts(gold, [(e.start, e.end, e.label) for e in prediction.entities if e.label in labels])


def evaluate_entities(pipeline: Pipeline, examples: Sequence[Example], labels: set[str]) -> dict[str, Counts]:
    """Exact-span counts of these labels, by label."""
    views = [View(example) for example in examples]
    results = score_entities(pipeline, serving(pipeline, "entities", labels), views, labels)
    return dict(total([EntityResult(), *results]).counts)
