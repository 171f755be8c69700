"""Classes of documents or of their sections. Dimensions: see :mod:`longdoc.heads`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import Example, read_labelled
from longdoc.datasets.views import View
from longdoc.decode import Calibration
from longdoc.errors import ConfigError, DataError
from longdoc.findings import WindowScores, parts, section_name
from longdoc.heads.kind import DecodeOptions, HeadKind, Reads
from longdoc.heads.learnable import Learnable, check_spelling
from longdoc.heads.learning import Group, TaskConfig, group_numbers, passes_over
from longdoc.inputs import Batch, Template
from longdoc.labels import Label, check_labels
from longdoc.metrics import class_counts, reliability
from longdoc.metrics.results import ClassResult
from longdoc.prediction import Prediction
from longdoc.windows import split, tokenize

if TYPE_CHECKING:
    from longdoc.heads.modules import ClassifyHead

Pooling: TypeAlias = Literal["mean", "max", "attention"]
Activation: TypeAlias = Literal["tanh", "relu", "gelu", "gelu_new"]
MAX_WINDOWS = 4
"""Maximum number of windows of a long text in a group, drawn again in each pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyConfig:
    """Classes of whole documents, or of each of their sections."""

    kind: Literal["classify"] = "classify"
    labels: tuple[str, ...]
    """Classes in the order of the head's output."""
    unit: Literal["document", "section"] = "document"
    """What has a class: the document, or each of its sections."""
    over: Literal["windows", "tokens"] = "windows"
    """What is scored before pooling: each window, by its first token, or each token."""
    hidden: Activation | None = None
    """Activation function of a hidden layer of the encoder's width, as BERT and others have one in transformers; by
    default there is no such layer."""
    pooling: Pooling = "mean"
    """How the scores of windows or tokens are combined; ``attention`` weighs them by a score of its own."""
    multi_label: bool = False
    """Any number of classes, each with a score of at least 0.5; otherwise the likeliest one."""
    other: str | None = None
    """The class of everything that belongs to none of the others: learned, but not reported."""
    calibration: Calibration = field(default_factory=Calibration)
    """How scores become probabilities; fitted by ``longdoc calibrate``."""

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if self.other is not None and self.other not in self.labels:
            raise ConfigError(f"other is {self.other!r}; the head has {', '.join(self.labels)}")


def pooled_logits(scores: WindowScores, over: str, pooling: Pooling) -> np.ndarray:
    """Logits, float64 ``(L,)``, of a text from the scores of its windows or its tokens."""
    rows = (scores.merged() if over == "tokens" else scores.stacked()).astype(np.float64)
    logits: np.ndarray
    if pooling == "attention":
        logits = softmax(rows[:, -1]) @ rows[:, :-1]
        return logits
    logits = rows.max(axis=0) if pooling == "max" else rows.mean(axis=0)
    return logits


def softmax(logits: np.ndarray) -> np.ndarray:
    """Shares ``(N,)`` that sum to one, of logits ``(N,)``."""
    powers = np.exp(logits - logits.max())
    shares: np.ndarray = powers / powers.sum()
    return shares


def decode(scores: WindowScores, head: str, config: ClassifyConfig, options: DecodeOptions) -> list[Label]:
    """The classes of a document or section, likeliest first."""
    labels = labels_of(pooled_logits(scores, config.over, config.pooling), head, config)
    labels = [label for label in labels if label.name != config.other]
    if config.unit == "document":
        return labels
    start, end = scores.extent
    section = section_name(scores.document, start)
    return [replace(label, start=start, end=end, section=section) for label in labels]


def labels_of(logits: np.ndarray, head: str, config: ClassifyConfig) -> list[Label]:
    """The likeliest class of logits ``(L,)``, or with ``multi_label`` every class of at least 0.5, likeliest first."""
    found = probabilities(logits, config)
    if config.multi_label:
        ranked = sorted(zip(config.labels, found.tolist(), strict=True), key=lambda pair: -pair[1])
        return [Label(name=name, score=score, source=head) for name, score in ranked if score >= 0.5]
    best = int(found.argmax())
    return [Label(name=config.labels[best], score=float(found[best]), source=head)]


def probabilities(logits: np.ndarray, config: ClassifyConfig) -> np.ndarray:
    """Probabilities of all classes, float64 ``(L,)``, of logits ``(L,)``; they sum to one unless ``multi_label``."""
    if config.multi_label:
        return np.asarray(config.calibration.probabilities(logits))
    return softmax((logits - config.calibration.bias) / config.calibration.temperature)


# ------------------------------------------------------------------------------------------------------------ training


def class_groups(
    task: TaskConfig,
    configs: Mapping[str, Any],
    tokenizer: Tokenizer,
    template: Template,
    rng: np.random.Generator,
    *,
    max_windows: int | None = MAX_WINDOWS,
) -> Iterator[Group]:
    """Texts of ``task.passes`` passes, each as a group of windows; those without a class to learn are left out.

    Of a longer text, ``max_windows`` windows are drawn at random; all are kept if it is None.

    Raises:
        DataError: a class differs from one of the head's only in its spelling.
    """
    special = template.plain
    (config,) = configs.values()
    examples = [example for example in read_labelled(task.data).examples if _reason(example, config, task) is None]
    documents = [(example, tokenize(example.text, tokenizer)) for example in examples]
    documents = [(example, tokens) for example, tokens in documents if len(tokens)]
    for example, tokens in passes_over(documents, task.passes, rng):
        windows = split(len(tokens), size=task.window - len(special), overlap=task.overlap)
        kept = sorted(rng.permutation(len(windows))[:max_windows].tolist())
        slices = tuple(tokens.ids[windows[i].start : windows[i].end] for i in kept)
        yield Group(task, example.id, slices, special, {"labels": example.labels})


def _reason(example: Example, config: ClassifyConfig, task: TaskConfig) -> str | None:
    """Why a text is not learned from, if it is not."""
    check_spelling(example.labels, config.labels, ", ".join(task.data.files))
    if config.multi_label:
        return None
    if not example.labels:
        return "text without a class, left out"
    if len(set(example.labels)) > 1:
        return "text with several classes, left out since the head is not `multi_label`"
    return None if example.labels[0] in config.labels else "text of a class that the head lacks, left out"


def learnable_classes(
    task: TaskConfig, configs: Mapping[str, ClassifyConfig], tokenizer: Tokenizer, template: Template
) -> Learnable:
    """Counts the classes that are learned, and the texts and classes that are not.

    Raises:
        DataError: as for :func:`class_groups`.
    """
    labelled = read_labelled(task.data)
    (config,) = configs.values()
    found = Learnable.of(task.data, labelled, configs, config.labels)
    for example in labelled.examples:
        found.in_data.update(example.labels)
        reason = _reason(example, config, task)
        where = f"{example.id}: {', '.join(map(repr, example.labels)) or 'none'}"
        if reason is None and not len(tokenize(example.text, tokenizer)):
            reason = "text without a token, left out"
        if reason is not None:
            found.remarks.add(reason, where)
            continue
        for label in dict.fromkeys(example.labels):
            if label in config.labels:
                found.learned[label] += 1
            else:
                found.remarks.add("class that the head lacks, ignored", f"{example.id}: {label!r}")
    return found


def class_targets(
    groups: Sequence[Group], batch: Batch[Any], configs: Mapping[str, ClassifyConfig]
) -> dict[str, dict[str, Any]]:
    """Arguments of ``ClassifyHead.loss``: classes int64 ``(G,)``, or float32 ``(G, L)`` with ``multi_label``.

    Raises:
        DataError: without ``multi_label``, a text has no class of the head, or several.
    """
    ((head, config),) = configs.items()
    if config.multi_label:
        rows = [[float(label in group.targets["labels"]) for label in config.labels] for group in groups]
        targets = np.array(rows, dtype=np.float32)
    else:
        targets = np.array([class_index(group, config) for group in groups], dtype=np.int64)
    weights = groups[0].task.weights_of(config.labels)
    return {
        head: {"content": batch.content_mask, "groups": group_numbers(groups), "targets": targets, "weights": weights}
    }


def class_index(group: Group, config: ClassifyConfig) -> int:
    """Number of the one class of a text.

    Raises:
        DataError: it has none of the head's, or several.
    """
    labels = set(group.targets["labels"])
    if len(labels) != 1 or not labels <= set(config.labels):
        raise DataError(
            f"{group.document}: {', '.join(sorted(labels)) or 'no class'}; a head without `multi_label` learns exactly "
            f"one of {', '.join(config.labels)}"
        )
    return config.labels.index(labels.pop())


# ---------------------------------------------------------------------------------------------------------- evaluation


def score_classes(pipeline: Reads, heads: Sequence[str], views: Sequence[View], labels: set[str]) -> list[ClassResult]:
    """Classes of texts; of a head for sections, those of the first section."""
    predictions = pipeline.pipe((view.document for view in views), tasks=heads[:1])
    other = pipeline.heads[heads[0]].other
    return [_class_result(view.example, found, other) for view, found in zip(views, predictions, strict=True)]


def _class_result(example: Example, prediction: Prediction, other: str | None) -> ClassResult:
    _, end = next(iter(parts(prediction.document, "section")), (0, 0))
    first = [label for label in prediction.labels if label.start is None or label.start < end]
    gold = set(example.labels)
    scored = reliability([label.score for label in first], [label.name in gold for label in first])
    names = [label.name for label in first] or ([] if other is None else [other])
    return ClassResult(scored, class_counts(names, gold))


def module() -> type[ClassifyHead]:
    """The class of its module, with which torch is imported."""
    from longdoc.heads.modules import ClassifyHead

    return ClassifyHead


CLASSIFY = HeadKind(
    config=ClassifyConfig,
    module=module,
    build=lambda config, width, embeddings: module()(width, config, hidden=config.hidden),
    decode=decode,
    finds="labels",
    groups=class_groups,
    targets=class_targets,
    learnable=learnable_classes,
    weighs_labels=True,
    scorers={"classes": score_classes},
)
