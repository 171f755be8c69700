"""Scores that mean what they say: ``longdoc calibrate CONFIG``.

A head's raw scores are fitted to labelled documents that it did not learn from: half of them give the two numbers of
:class:`longdoc.decode.Calibration`, the other half tells the calibration error that is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tqdm import tqdm

from longdoc import findings
from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig, Example, Question, read_dataset, yields
from longdoc.decode import Calibration, decode_answers
from longdoc.document import Document
from longdoc.errors import ConfigError, DataError
from longdoc.evaluation.scoring import asked, marked
from longdoc.heads import HeadConfig, NerConfig, NerHead, QaConfig, QaHead
from longdoc.labels import Span
from longdoc.metrics import reliability
from longdoc.model import Model
from longdoc.pipeline import Pipeline
from longdoc.reader import Precision, Reading

OVERLAP = 0.5
"""Share of characters (Jaccard) from which on an answer is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateConfig:
    """What to calibrate on what, as written in YAML."""

    model: str = "default"
    """``default`` or a model folder."""
    heads: dict[str, DatasetConfig]
    """Head: documents, of which every second one is held out; of several wordings of a question the first is asked."""
    output: str
    """Folder of the calibrated model."""
    quantize: bool = False
    """Whether to store matrices as int8."""
    precision: Precision = "auto"


@dataclass(frozen=True, slots=True)
class Fit:
    """One head's calibration and the expected calibration error on the held-out half, before and after."""

    head: str
    calibration: Calibration
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
    """The fits of all heads, and where the model is."""

    fits: tuple[Fit, ...]
    output: str

    def __str__(self) -> str:
        header = "| head | temperature | bias | least score | held-out findings | error before | error after |"
        rows = [header, "|---|---:|---:|---:|---:|---:|---:|", *map(str, self.fits)]
        return "\n".join([*rows, f"The calibrated model is in {self.output}"])


@dataclass(frozen=True, slots=True)
class Scored:
    """Raw scores in log-odds ``(N,)``, whether each finding is right, and how many right ones there were to find."""

    scores: np.ndarray
    right: np.ndarray
    wanted: int


def calibrate(path: str | Path) -> Calibrated:
    """Calibrates by a YAML file of :class:`CalibrateConfig`.

    Raises:
        ConfigError: the file has an unknown key, or names a head that the model lacks or that has no such scores.
        DataError: the data are missing, or all findings are right or all wrong.
    """
    config = load_yaml(CalibrateConfig, path)
    if find_spec("sklearn") is None:
        raise ImportError("calibration needs scikit-learn: pip install 'longdoc[evaluate]'")
    pipeline = Pipeline.from_pretrained(config.model, precision=config.precision)
    model = pipeline.model
    fits, heads = [], dict(model.config.heads)
    data = {name: _read(model, name, dataset) for name, dataset in config.heads.items()}
    for name, (examples, labels) in data.items():
        fitted, held = (_scored(pipeline, name, examples[half::2], labels) for half in (0, 1))
        calibration = fit(fitted.scores, fitted.right)
        least = None
        if isinstance(heads[name], QaConfig):
            least = best_threshold(calibration.probabilities(fitted.scores), fitted.right, fitted.wanted)
        before = reliability(Calibration().probabilities(held.scores), held.right).expected_calibration_error
        after = reliability(calibration.probabilities(held.scores), held.right).expected_calibration_error
        fits.append(Fit(name, calibration, least, len(held.scores), before, after))
        heads[name] = _changed(heads[name], calibration, least)
    model.config = replace(model.config, heads=heads)
    model.save(config.output, quantize=config.quantize)
    return Calibrated(tuple(fits), config.output)


def _read(model: Model, name: str, dataset: DatasetConfig) -> tuple[list[Example], set[str]]:
    """Documents for a head, and the labels that they mark; whatever would be refused later is refused here."""
    heads = {n: h for n, h in model.config.heads.items() if isinstance(model.heads[n], (NerHead, QaHead))}
    if name not in heads:
        raise ConfigError(f"heads names {name!r}; what can be calibrated here is {', '.join(heads) or 'nothing'}")
    kind = yields(dataset)
    if kind not in (("answers", "clauses") if isinstance(heads[name], QaConfig) else ("entities",)):
        raise ConfigError(f"heads.{name}: a head of kind {heads[name].kind!r}, and the data mark {kind}")
    examples = [replace(e, questions=tuple(asked(e.questions))) for e in read_dataset(dataset)]
    if len(examples) < 2:
        raise DataError(f"heads.{name}: one document; at least one is fitted and one held out")
    return examples, set(dataset.labels.values()) | marked(kind, examples)


def _changed(head: HeadConfig, calibration: Calibration, least: float | None) -> HeadConfig:
    if isinstance(head, QaConfig):
        return replace(head, calibration=calibration, min_score=head.min_score if least is None else least)
    assert isinstance(head, NerConfig)
    return replace(head, calibration=calibration)


def fit(scores: np.ndarray, right: np.ndarray) -> Calibration:
    """Temperature and bias by logistic regression (Platt, 1999).

    Raises:
        DataError: the findings are all right or all wrong, or a higher score does not mean a better finding.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(right)) < 2:
        raise DataError(
            f"all {len(right)} findings are {'right' if len(right) and right[0] else 'wrong'}; use more data"
        )
    regression = LogisticRegression(C=1e6).fit(scores[:, None], right)
    slope, intercept = float(regression.coef_[0, 0]), float(regression.intercept_[0])
    if slope <= 0:
        raise DataError("higher scores are no better on these data; there is nothing to calibrate")
    return Calibration(temperature=1 / slope, bias=-intercept / slope)


def best_threshold(probabilities: np.ndarray, right: np.ndarray, wanted: int) -> float:
    """The least probability of a finding to keep for the best F1; ``wanted`` is how many there were to find."""
    order = np.argsort(-probabilities)
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + wanted)
    return float(min(max(probabilities[order][int(f1.argmax())], 0.01), 0.99))


def _scored(pipeline: Pipeline, name: str, examples: Sequence[Example], labels: set[str]) -> Scored:
    found = list(_findings(pipeline, name, examples, labels))
    wanted = sum(
        len(example.spans) + sum(bool(question.answers) for question in example.questions) for example in examples
    )
    return Scored(np.array([score for score, _ in found]), np.array([right for _, right in found], dtype=bool), wanted)


def _findings(
    pipeline: Pipeline, name: str, examples: Sequence[Example], labels: set[str]
) -> Iterator[tuple[float, bool]]:
    """Each finding's raw score in log-odds, and whether it is right: an entity exactly, an answer by its overlap.

    Entities of labels that the data do not mark are neither. A name counts once a document, by its best mention: one
    that stands there 250 times is no 250 independent trials.
    """
    reader, config = pipeline.heads[name]
    for example in tqdm(examples, desc=name, unit="document", delay=2, leave=False, disable=None):
        document = Document.from_text(example.text, name=example.id)
        if isinstance(config, NerConfig):
            gold = {(span.start, span.end, span.label) for span in example.spans}
            raw = replace(config, calibration=Calibration())
            reading = reader.read(document, reader.tokenize(document), [name])
            reader.score([reading])
            found = findings.entities_of(reading, name, raw, reader.model.config.windows.merge)
            for entity in {(e.label, e.text): e for e in sorted(found, key=lambda e: e.score)}.values():
                if entity.label in labels:
                    yield findings.log_odds(entity.score), (entity.start, entity.end, entity.label) in gold
        elif isinstance(config, QaConfig):
            readings = reader.ask(document, name, [question.text for question in example.questions])
            reader.score(readings)
            for reading, question in zip(readings, example.questions, strict=True):
                yield from _best(reading, name, config, question)


def _best(reading: Reading, name: str, config: QaConfig, question: Question) -> Iterator[tuple[float, bool]]:
    """The best answer, if there is one."""
    limits = {"n_best": config.n_best, "max_tokens": config.max_answer_tokens}
    offsets = reading.tokens.offsets
    for best in decode_answers(reading.scores[name], reading.windows, len(reading.tokens), **limits)[:1]:
        yield best.score, _overlaps(int(offsets[best.first, 0]), int(offsets[best.last, 1]), question.answers)


def _overlaps(start: int, end: int, gold: Sequence[Span]) -> bool:
    shared = ((min(end, g.end) - max(start, g.start), max(end, g.end) - min(start, g.start)) for g in gold)
    return any(inside >= OVERLAP * around for inside, around in shared)
