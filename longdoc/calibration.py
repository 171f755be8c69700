"""Calibrated scores: ``longdoc calibrate CONFIG``.

A head's raw scores are fitted to labelled documents that it did not learn from: on one half the two parameters of
:class:`longdoc.decode.Calibration` are fitted, on the other half the remaining calibration error is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from tqdm import tqdm

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, Example, first_wordings, read_dataset, yields
from longdoc.decode import Calibration
from longdoc.errors import ConfigError, DataError, require
from longdoc.evaluation.scoring import annotated_labels
from longdoc.heads import HeadConfig, kind_of
from longdoc.inputs import Precision
from longdoc.metrics import reliability
from longdoc.model import Model
from longdoc.pipeline import Pipeline
from longdoc.summary import count, shown

SPREAD = 1.0
"""How far labels of one head may differ, in log-odds: standard deviation of the prior of their biases."""
FLAT = Calibration(temperature=16.0)
"""Replaces a head's calibration while its scores are collected; scores up to ±500 keep their precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateConfig:
    """A model and the data to calibrate its heads on, as written in YAML."""

    model: str = "default"
    """``default`` or a model folder."""
    heads: dict[str, DatasetConfig | tuple[DatasetConfig, ...]]
    """Head: data set, or several read one after another. Every second document is held out; only the first wording of a
    question is asked."""
    output: str
    """Folder of the calibrated model."""
    quantize: bool = False
    """Store matrices as int8."""
    precision: Precision = "auto"
    """Number format of matrix products; ``auto`` is bfloat16 where the hardware supports it, ``int8`` is for CPUs."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One head's calibration, and the expected calibration error on the held-out half before and after."""

    head: str
    calibration: Calibration
    biases: dict[str, float] | None
    min_score: float | None
    findings: int
    before: float
    after: float

    def __str__(self) -> str:
        numbers = f"{self.calibration.temperature:.3f} | {self.calibration.bias:.3f}"
        threshold = "" if self.min_score is None else f"{self.min_score:.2f}"
        return f"| {self.head} | {numbers} | {threshold} | {self.findings} | {self.before:.3f} | {self.after:.3f} |"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The fits of all heads, and the folder of the calibrated model."""

    fits: tuple[Fit, ...]
    output: str

    def __str__(self) -> str:
        header = "| head | temperature | bias | threshold | held-out findings | error before | error after |"
        rows = [header, "|---|---:|---:|---:|---:|---:|---:|", *map(str, self.fits)]
        return "\n".join([*rows, f"The calibrated model is in {self.output}"])


@dataclass(frozen=True, slots=True)
class Scored:
    """Raw scores in log-odds, float ``(N,)``; correctness, bool ``(N,)``; and the number of findings in the data."""

    scores: np.ndarray
    correct: np.ndarray
    wanted: int
    labels: tuple[str, ...]
    """Of each finding; empty strings for heads that are calibrated as a whole."""


def calibrate(path: str | Path) -> Calibrated:
    """Calibrates a model as configured by a YAML file of :class:`CalibrateConfig`.

    Raises:
        ConfigError: the file has an unknown key, or names a head that the model lacks or that cannot be calibrated.
        DataError: the data is missing, or the findings are all correct or all wrong.
        MissingDependencyError: scikit-learn is not installed.
    """
    config = load_yaml(CalibrateConfig, path)
    require("sklearn.linear_model", extra="evaluate", needed_by="longdoc calibrate")
    model = Pipeline.from_pretrained(config.model, precision=config.precision).model
    data = {name: _read(model, name, dataset) for name, dataset in config.heads.items()}
    heads = dict(model.config.heads)
    model.config = replace(model.config, heads={name: _uncalibrated(head) for name, head in heads.items()})
    pipeline = Pipeline(model, precision=config.precision)
    fits = []
    for name, (examples, labels) in data.items():
        fitted, held_out = (_scored(pipeline, name, examples[half::2], labels) for half in (0, 1))
        fits.append(_fit(name, heads[name], fitted, held_out))
        changes = {"calibration": fits[-1].calibration, "min_score": fits[-1].min_score, "biases": fits[-1].biases}
        heads[name] = replace(cast(Any, heads[name]), **{key: v for key, v in changes.items() if v is not None})
    model.config = replace(model.config, heads=heads)
    model.save(config.output, quantize=config.quantize)
    return Calibrated(tuple(fits), config.output)


def _uncalibrated(head: HeadConfig) -> HeadConfig:
    """The head with scores from which the raw ones can be computed."""
    if kind_of(head).trials is None:
        return head
    flat: dict[str, Any] = {"calibration": FLAT, **({"biases": {}} if hasattr(head, "biases") else {})}
    changed: HeadConfig = replace(cast(Any, head), **flat)
    return changed


def _fit(name: str, head: HeadConfig, fitted: Scored, held_out: Scored) -> Fit:
    calibration = fit(fitted.scores, fitted.correct)
    biases = label_biases(calibration, fitted) if hasattr(head, "biases") else None
    threshold = None
    if hasattr(head, "min_score"):
        threshold = best_threshold(_probabilities(calibration, biases, fitted), fitted.correct, fitted.wanted)
    before, after = (
        reliability(probabilities, held_out.correct).expected_calibration_error
        for probabilities in (
            Calibration().probabilities(held_out.scores),
            _probabilities(calibration, biases, held_out),
        )
    )
    return Fit(name, calibration, biases, threshold, len(held_out.scores), before, after)


def _probabilities(calibration: Calibration, biases: Mapping[str, float] | None, found: Scored) -> np.ndarray:
    shift = np.array([(biases or {}).get(label, 0.0) for label in found.labels])
    return calibration.probabilities(found.scores - shift)


def label_biases(calibration: Calibration, found: Scored) -> dict[str, float]:
    """What to subtract from the scores of each label, so that they are as often correct as they say.

    The likeliest value for each label under a normal prior of width :data:`SPREAD` (in log-odds of the probability)
    around 0: a label with few findings stays close to the calibration of all.
    """
    biases = {}
    labels = np.array(found.labels)
    for label in sorted(set(found.labels)):
        own = labels == label
        logits = (found.scores[own] - calibration.bias) / calibration.temperature
        shift = 0.0
        for _ in range(50):  # Newton's method on a concave function of one variable
            shares = 1 / (1 + np.exp(-(logits - shift)))
            gradient = float((shares - found.correct[own]).sum()) - shift / SPREAD**2
            curvature = float((shares * (1 - shares)).sum()) + 1 / SPREAD**2
            shift += gradient / curvature
        biases[label] = round(shift * calibration.temperature, 4)
    return biases


def _read(
    model: Model, name: str, datasets: DatasetConfig | tuple[DatasetConfig, ...]
) -> tuple[list[Example], set[str]]:
    """Documents for a head, and the labels annotated in them; raises an error if the head cannot be calibrated."""
    heads = {n: h for n, h in model.config.heads.items() if kind_of(h).trials is not None}
    if name not in heads:
        raise ConfigError(f"heads names {name!r}; heads that can be calibrated: {', '.join(heads) or 'nothing'}")
    examples: list[Example] = []
    labels: set[str] = set()
    for dataset in datasets if isinstance(datasets, tuple) else (datasets,):
        annotation = yields(dataset)
        if annotation not in kind_of(heads[name]).scorers:
            kind = heads[name].kind
            raise ConfigError(f"heads.{name}: a head of kind {kind!r}, but the data annotates {annotation}")
        read = [replace(e, questions=tuple(first_wordings(e.questions))) for e in read_dataset(dataset)]
        labels |= set(dataset.labels.values()) | annotated_labels(annotation, read)
        examples += read
    if len(examples) < 2:
        raise DataError(
            f"heads.{name}: only {count(len(examples), 'document')}; "
            "at least two are needed, one to fit and one held out"
        )
    return examples, labels


def fit(scores: np.ndarray, correct: np.ndarray) -> Calibration:
    """Temperature and bias by logistic regression (Platt, 1999).

    Args:
        scores: raw scores in log-odds, float ``(N,)``.
        correct: bool ``(N,)``.

    Raises:
        DataError: the findings are all correct or all wrong, or findings with higher scores are not correct more often.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(correct)) < 2:
        raise DataError(
            f"all {len(correct)} findings are {'correct' if len(correct) and correct[0] else 'wrong'}; use more data"
        )
    regression = LogisticRegression(C=1e6).fit(scores[:, None], correct)
    slope, intercept = float(regression.coef_[0, 0]), float(regression.intercept_[0])
    if slope <= 0:
        raise DataError(
            "findings with higher scores are not correct more often on this data; use more data, "
            "or do not calibrate this head"
        )
    return Calibration(temperature=1 / slope, bias=-intercept / slope)


def best_threshold(probabilities: np.ndarray, correct: np.ndarray, wanted: int) -> float:
    """The threshold with the best F1, within 0.01..0.99.

    Args:
        probabilities: calibrated scores, float ``(N,)``.
        correct: bool ``(N,)``.
        wanted: number of findings in the data.
    """
    order = np.argsort(-probabilities)
    hits = np.cumsum(correct[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + wanted)
    return float(min(max(probabilities[order][int(f1.argmax())], 0.01), 0.99))


def _scored(pipeline: Pipeline, name: str, examples: Sequence[Example], labels: set[str]) -> Scored:
    trials = kind_of(pipeline.heads[name]).trials
    assert trials is not None
    bar = tqdm(examples, desc=shown(name), unit="document", delay=2, leave=False, disable=None)
    found = [trial for example in bar for trial in trials(pipeline, name, example, labels)]
    wanted = sum(
        len(example.spans) + sum(bool(question.answers) for question in example.questions) for example in examples
    )
    scores = [FLAT.score(trial.score) for trial in found]
    correct = np.array([trial.correct for trial in found], dtype=bool)
    return Scored(np.array(scores), correct, wanted, tuple(trial.label for trial in found))
