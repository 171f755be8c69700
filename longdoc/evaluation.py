"""A model on labelled documents → a report: ``longdoc evaluate CONFIG``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, Example, read_dataset
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.metrics import Counts, add_counts, macro_f1, micro, span_counts
from longdoc.pipeline import Pipeline
from longdoc.prediction import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """What to evaluate on what, as written in YAML."""

    model: str = "default"
    """``default`` or a model folder."""
    datasets: dict[str, DatasetConfig]
    """Name in the report: data."""
    output: str | None = None
    """JSON file for the counts."""


@dataclass(frozen=True, slots=True)
class Report:
    """Exact-span counts of each label in each data set."""

    model: str
    counts: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)

    def __str__(self) -> str:
        """A Markdown table: a row a label, then the micro and macro averages."""
        rows = ["| data | label | precision | recall | F1 | gold |", "|---|---|---:|---:|---:|---:|"]
        for name, table in self.counts.items():
            rows += [_row(name, label, counts) for label, counts in table.items()]
            rows.append(_row(name, "**micro**", micro(table)))
            rows.append(f"| {name} | **macro** | | | {macro_f1(table):.3f} | |")
        return "\n".join(rows)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "data": {
                name: {label: [c.true_positive, c.false_positive, c.false_negative] for label, c in table.items()}
                for name, table in self.counts.items()
            },
        }


def evaluate(path: str | Path) -> Report:
    """Evaluates by a YAML file of :class:`EvaluationConfig`.

    Raises:
        ConfigError: the file has an unknown key, or a label the model does not have.
        DataError: a data set is missing or malformed.
    """
    config = load_yaml(EvaluationConfig, path)
    pipeline = Pipeline.from_pretrained(config.model)
    report = Report(
        config.model,
        {
            name: evaluate_entities(pipeline, read_dataset(data), set(data.labels.values()))
            for name, data in config.datasets.items()
        },
    )
    if config.output:
        Path(config.output).write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    return report


def evaluate_entities(pipeline: Pipeline, examples: Sequence[Example], labels: set[str]) -> dict[str, Counts]:
    """Exact-span counts of these labels."""
    heads = [name for name, head in pipeline.model.config.heads.items() if labels & set(head.labels)]
    if missing := labels - {label for name in heads for label in pipeline.model.config.heads[name].labels}:
        raise ConfigError(
            f"the model has no label {', '.join(sorted(missing))}; its heads: {', '.join(pipeline.tasks)}"
        )
    documents = (Document.from_text(example.text, name=example.id) for example in examples)
    predictions = pipeline.pipe(documents, tasks=heads)
    pairs = zip(examples, predictions, strict=True)
    return add_counts(entity_counts(example, prediction, labels) for example, prediction in pairs)


def entity_counts(example: Example, prediction: Prediction, labels: set[str]) -> dict[str, Counts]:
    """Counts of one document."""
    gold = [(span.start, span.end, span.label) for span in example.spans]
    found = [(e.start, e.end, e.label) for e in prediction.entities if e.label in labels]
    return span_counts(gold, found)


def _row(data: str, label: str, counts: Counts) -> str:
    ratios = f"{counts.precision:.3f} | {counts.recall:.3f} | {counts.f1:.3f}"
    return f"| {data} | {label} | {ratios} | {counts.true_positive + counts.false_negative} |"
