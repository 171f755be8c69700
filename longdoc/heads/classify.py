"""Classes of documents or of their sections. Dimensions: see :mod:`longdoc.heads`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

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

Pooling: TypeAlias = Literal["mean", "max", "attention"]
Activation: TypeAlias = Literal["tanh", "relu", "gelu", "gelu_new"]
ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
}
"""The activation functions of a hidden layer, by the names of transformers."""

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


class Pooled(Protocol):
    """The fields of a configuration that :class:`ClassifyHead` needs."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes."""

    @property
    def over(self) -> Literal["windows", "tokens"]:
        """What is scored before pooling."""

    @property
    def pooling(self) -> Pooling:
        """How the scores are combined."""


class ClassifyHead(nn.Module):
    """Logits of classes for windows or tokens, pooled over a document or section."""

    def __init__(self, width: int, config: Pooled, dropout: float = 0.1, *, hidden: Activation | None = None) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(dropout)
        self.dense = None if hidden is None else nn.Linear(width, width)
        self.activation = None if hidden is None else ACTIVATIONS[hidden]
        self.linear = nn.Linear(width, len(config.labels) + (config.pooling == "attention"))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, L)``, or ``(B, 1, L)`` of windows, from states ``(B, T, D)``.

        Attention pooling adds a last column with the attention logit.
        """
        logits: Tensor = self.linear(self.dropout(self.features(states)))
        return logits

    def features(self, states: Tensor) -> Tensor:
        """What the last layer reads, ``(B, T, D)`` or of windows ``(B, 1, D)``, from states ``(B, T, D)``."""
        chosen = states[:, :1] if self.config.over == "windows" else states
        if self.dense is None or self.activation is None:
            return chosen
        return self.activation(self.dense(self.dropout(chosen)))

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """The logits of ``forward`` as float32: ``(B, T, L)`` or ``(B, 1, L)``."""
        logits: Tensor = self(states)
        return logits.float()

    def choices(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits ``(N, L)``, one row per choice (a class of a window or token), from states ``(B, T, D)``.

        ``mask`` is bool ``(B, T)``, false where a position is padding.
        """
        logits = self.scores(states)[..., : len(self.config.labels)]
        return logits[mask if self.config.over == "tokens" else mask[:, :1]]

    def pool(self, scores: Tensor) -> Tensor:
        """Logits ``(L,)`` of a document from the scores ``(N, L)`` of its windows or tokens."""
        if self.config.pooling == "mean":
            return scores.mean(dim=0)
        if self.config.pooling == "max":
            return scores.amax(dim=0)
        return scores[:, -1].softmax(dim=0) @ scores[:, :-1]

    def loss(
        self,
        states: Tensor,
        *,
        content: Tensor,
        groups: Tensor,
        targets: Tensor,
        evidence: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Mean cross-entropy of the groups' classes, plus that of the attention to the evidence if given: a scalar.

        Args:
            states: ``(B, T, D)``.
            content: bool ``(B, T)``, the windows' own tokens.
            groups: int64 ``(B,)``, ascending from 0: the document that a window belongs to.
            targets: int64 ``(G,)``, or float ``(G, L)`` of zeros and ones for several classes at once.
            evidence: bool ``(B, T)``, the tokens that decide; groups without any do not count.
            weights: factors of the loss of each class, float ``(L,)``, by which the mean is not divided; with several
                classes at once, of the texts that have the class.
        """
        scores: Tensor = self(states).float()
        rows = content if scores.shape[1] > 1 else content.new_ones(content.shape[0], 1)
        sizes = groups.new_zeros(int(groups[-1]) + 1).index_add(0, groups, rows.sum(1)).tolist()
        found = scores[rows].split(sizes)
        logits = torch.stack([self.pool(own) for own in found])
        if targets.is_floating_point():
            loss = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)
        else:
            loss = F.cross_entropy(logits, targets, weight=weights, reduction="none").mean()
        if evidence is None:
            return loss
        pairs = zip(found, evidence[rows].split(sizes), strict=True)
        losses = [-own[:, -1].log_softmax(dim=0)[wanted].logsumexp(0) for own, wanted in pairs if wanted.any()]
        return loss + torch.stack(losses).mean() if losses else loss


def pooled_logits(scores: WindowScores, over: str, module: Any) -> Tensor:
    """Logits ``(L,)`` of a text from the scores of its windows or its tokens."""
    rows = scores.merged() if over == "tokens" else scores.stacked()
    logits: Tensor = module.pool(torch.from_numpy(rows))
    return logits


def decode(
    scores: WindowScores, head: str, config: ClassifyConfig, module: nn.Module, options: DecodeOptions
) -> list[Label]:
    """The classes of a document or section, likeliest first."""
    labels = labels_of(pooled_logits(scores, config.over, module), head, config)
    labels = [label for label in labels if label.name != config.other]
    if config.unit == "document":
        return labels
    start, end = scores.extent
    section = section_name(scores.document, start)
    return [replace(label, start=start, end=end, section=section) for label in labels]


def labels_of(logits: Tensor, head: str, config: ClassifyConfig) -> list[Label]:
    """The likeliest class of logits ``(L,)``, or with ``multi_label`` every class of at least 0.5, likeliest first."""
    scaled = (logits - config.calibration.bias) / config.calibration.temperature
    if config.multi_label:
        found = [(label, score) for label, score in zip(config.labels, scaled.sigmoid().tolist(), strict=True)]
        return [Label(name=n, score=s, source=head) for n, s in sorted(found, key=lambda f: -f[1]) if s >= 0.5]
    scores = scaled.softmax(dim=0)
    best = int(scores.argmax())
    return [Label(name=config.labels[best], score=float(scores[best]), source=head)]


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
        targets = np.array([class_index(group, config) for group in groups])
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


CLASSIFY = HeadKind(
    config=ClassifyConfig,
    module=ClassifyHead,
    build=lambda config, width, embeddings: ClassifyHead(width, config, hidden=config.hidden),
    decode=decode,
    finds="labels",
    groups=class_groups,
    targets=class_targets,
    learnable=learnable_classes,
    weighs_labels=True,
    scorers={"classes": score_classes},
)
