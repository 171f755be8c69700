"""A model on labelled documents → a report: ``longdoc evaluate CONFIG``.

With several ``encoders`` the same weights read the same documents in each of these ways, and the report compares them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, Example, read_dataset
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.heads import NerConfig
from longdoc.metrics import Counts, add_counts, macro_f1, micro, span_counts
from longdoc.pipeline import Pipeline
from longdoc.prediction import Prediction
from longdoc.reader import EncoderKind, Precision
from longdoc.windows import tokenize


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
    output: str | None = None
    """JSON file for the counts."""

    def __post_init__(self) -> None:
        if not self.encoders or len(set(self.encoders)) < len(self.encoders):
            raise ConfigError(
                f"encoders must name each way once, at least one; got {', '.join(self.encoders) or 'none'}"
            )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a data set cost to read."""

    documents: int
    tokens: int
    """Of the documents themselves: what windows read twice counts once."""
    seconds: float
    megabytes: float | None
    """Peak of memory above what was held before; none where the system does not tell."""

    def __str__(self) -> str:
        memory = "" if self.megabytes is None else f"{self.megabytes:,.0f}"
        return f"{self.documents} | {self.tokens:,} | {self.tokens / self.seconds:,.0f} | {memory}"


@dataclass(frozen=True, slots=True)
class Report:
    """Exact-span counts of each label, and the cost of reading, by encoder and data set."""

    model: str
    counts: Mapping[str, Mapping[str, Mapping[str, Counts]]] = field(default_factory=dict)
    """Encoder: data: label: counts."""
    costs: Mapping[str, Mapping[str, Cost]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Markdown: for each encoder a row a label, then the averages; then the encoders side by side."""
        rows = ["| encoder | data | label | precision | recall | F1 | gold |", "|---|---|---|---:|---:|---:|---:|"]
        for encoder, datasets in self.counts.items():
            for name, table in datasets.items():
                rows += [_row(encoder, name, label, counts) for label, counts in table.items()]
                rows.append(_row(encoder, name, "**micro**", micro(table)))
                rows.append(f"| {encoder} | {name} | **macro** | | | {macro_f1(table):.3f} | |")
        header = "| data | encoder | micro F1 | documents | tokens | tokens/s | MB at the peak |"
        rows += ["", header, "|---|---|---:|---:|---:|---:|---:|"]
        for name in next(iter(self.counts.values()), {}):
            for encoder, datasets in self.counts.items():
                f1 = f"{micro(datasets[name]).f1:.3f}"
                rows.append(f"| {name} | {encoder} | {f1} | {self.costs[encoder][name]} |")
        return "\n".join(rows)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "encoders": {
                encoder: {
                    name: {
                        "counts": {
                            label: [c.true_positive, c.false_positive, c.false_negative] for label, c in table.items()
                        },
                        "documents": self.costs[encoder][name].documents,
                        "tokens": self.costs[encoder][name].tokens,
                        "seconds": round(self.costs[encoder][name].seconds, 3),
                        "megabytes": self.costs[encoder][name].megabytes,
                    }
                    for name, table in datasets.items()
                }
                for encoder, datasets in self.counts.items()
            },
        }


def evaluate(path: str | Path) -> Report:
    """Evaluates by a YAML file of :class:`EvaluationConfig`.

    Raises:
        ConfigError: the file has an unknown key, or a label the model does not have.
        DataError: a data set is missing or malformed.
    """
    config = load_yaml(EvaluationConfig, path)
    data = {name: read_dataset(dataset) for name, dataset in config.datasets.items()}
    counts: dict[str, dict[str, Mapping[str, Counts]]] = {}
    costs: dict[str, dict[str, Cost]] = {}
    for encoder in config.encoders:
        pipeline = Pipeline.from_pretrained(config.model, encoder=encoder, precision=config.precision)
        counts[encoder], costs[encoder] = {}, {}
        for name, dataset in config.datasets.items():
            labels = set(dataset.labels.values())
            counts[encoder][name], costs[encoder][name] = _evaluate_timed(pipeline, data[name], labels)
    report = Report(config.model, counts, costs)
    if config.output:
        Path(config.output).write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    return report


def _evaluate_timed(
    pipeline: Pipeline, examples: Sequence[Example], labels: set[str]
) -> tuple[dict[str, Counts], Cost]:
    """Counts, and what they cost; a first document is read beforehand, so that nothing is loaded or built meanwhile."""
    evaluate_entities(pipeline, [Example("", examples[0].text[:5000], ())], labels)
    tokens = sum(len(tokenize(example.text, pipeline.model.tokenizer)) for example in examples)
    with peak_memory(pipeline.readers[0].device) as peak:
        started_at = time.perf_counter()
        counts = evaluate_entities(pipeline, examples, labels)
        seconds = time.perf_counter() - started_at
    return counts, Cost(len(examples), tokens, seconds, peak.get("megabytes"))


def evaluate_entities(pipeline: Pipeline, examples: Sequence[Example], labels: set[str]) -> dict[str, Counts]:
    """Exact-span counts of these labels."""
    taggers = {name: head for name, (_, head) in pipeline.heads.items() if isinstance(head, NerConfig)}
    heads = [name for name, head in taggers.items() if labels & set(head.labels)]
    if missing := labels - {label for name in heads for label in taggers[name].labels}:
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


@contextmanager
def peak_memory(device: torch.device) -> Iterator[dict[str, float]]:
    """Afterwards the mapping holds ``megabytes``: the peak above what was held before. Empty where no one knows."""
    peak: dict[str, float] = {}
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device) / 2**20
        yield peak
        peak["megabytes"] = torch.cuda.max_memory_allocated(device) / 2**20 - before
    elif _reset_high_water_mark():
        before = _held("VmRSS")
        yield peak
        peak["megabytes"] = _held("VmHWM") - before
    else:
        yield peak


def _reset_high_water_mark() -> bool:
    """Sets what Linux counts as this process's peak to what it holds now; false where there is no such count."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return _held("VmHWM") > 0


def _held(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def _row(encoder: str, data: str, label: str, counts: Counts) -> str:
    ratios = f"{counts.precision:.3f} | {counts.recall:.3f} | {counts.f1:.3f}"
    return f"| {encoder} | {data} | {label} | {ratios} | {counts.true_positive + counts.false_negative} |"
