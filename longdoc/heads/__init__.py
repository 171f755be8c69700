"""States of an encoder → scores of a task, and the loss it learns from. One set of heads serves every encoder.

Each head has a configuration, which is written in YAML and stored with the model, and a module. Letters of shapes:
``B`` windows, ``T`` tokens, ``D`` width, ``L`` labels, ``G`` groups (all windows of one document, or of one question
to it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.decode import Calibration, Subwords
from longdoc.errors import ConfigError
from longdoc.labels import OUTSIDE, Scheme, tag_names
from longdoc.windows import WindowConfig

Pooling: TypeAlias = Literal["mean", "max", "attention"]
Unit: TypeAlias = Literal["document", "section"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NerConfig:
    """A tagger: entities of one family of labels, of which no two overlap."""

    kind: Literal["ner"] = "ner"
    labels: tuple[str, ...]
    """Labels it tells apart, in the order of its output."""
    scheme: Scheme = "bio"
    subwords: Subwords = "mean"
    """How the tokens of a word give one score to it."""
    introduced: dict[str, int] = field(default_factory=dict)
    """Label: within how many characters of a document's start its names are first met (see ``decode.introduced``)."""
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        _check_labels(self.labels)
        if unknown := set(self.introduced) - set(self.labels):
            raise ConfigError(f"introduced names {', '.join(sorted(unknown))}; the head has {', '.join(self.labels)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QaConfig:
    """Extractive question answering."""

    kind: Literal["qa"] = "qa"
    windows: WindowConfig = field(default_factory=lambda: WindowConfig(size=384, overlap=128))
    """Windows of questions: with the overlap grows the longest answer that is sure to stand in one of them."""
    max_answer_tokens: int = 256
    n_best: int = 20
    """Starts and ends of each window that are tried."""
    min_score: float = 0.5
    """The least score of an answer, after calibration: ``longdoc calibrate`` fits it."""
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        if self.max_answer_tokens < 1 or self.n_best < 1:
            raise ConfigError(
                f"max_answer_tokens and n_best must be at least 1; got {self.max_answer_tokens}, {self.n_best}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyConfig:
    """Classes of whole documents, or of each of their sections."""

    kind: Literal["classify"] = "classify"
    labels: tuple[str, ...]
    unit: Unit = "document"
    over: Literal["windows", "tokens"] = "windows"
    """What is scored, before pooling: each window, by its first token, or each token."""
    pooling: Pooling = "mean"
    multi_label: bool = False
    """Any number of classes, each more likely than not; otherwise the likeliest one."""
    other: str | None = None
    """The class of what belongs to none of the others: learned, and not reported."""
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        _check_labels(self.labels)
        if self.other is not None and self.other not in self.labels:
            raise ConfigError(f"other is {self.other!r}; the head has {', '.join(self.labels)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NliConfig:
    """Natural language inference: what a document says of a hypothesis, and where."""

    kind: Literal["nli"] = "nli"
    labels: tuple[str, ...] = ("entailment", "contradiction", "not mentioned")
    windows: WindowConfig = field(default_factory=lambda: WindowConfig(size=384, overlap=64))
    over: Literal["windows", "tokens"] = "tokens"
    pooling: Pooling = "attention"
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        _check_labels(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedConfig:
    """A vector for a text."""

    kind: Literal["embed"] = "embed"
    pooling: Literal["mean", "cls"] = "mean"
    normalize: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FillConfig:
    """Masked words, predicted through the encoder's own input embeddings."""

    kind: Literal["fill"] = "fill"


HeadConfig: TypeAlias = NerConfig | QaConfig | ClassifyConfig | NliConfig | EmbedConfig | FillConfig


def _check_labels(labels: Sequence[str]) -> None:
    if not labels or len(set(labels)) < len(labels):
        raise ConfigError(f"labels must be different names, at least one; got {', '.join(labels) or 'none'}")


class NerHead(nn.Module):
    """A linear tagger over ``tag_names(labels, scheme)``."""

    def __init__(self, width: int, config: NerConfig, dropout: float = 0.1) -> None:
        super().__init__()
        self.tags = tag_names(config.labels, config.scheme)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, len(self.tags))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, L)`` from states ``(B, T, D)``."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Tag probabilities ``(B, T, L)``, float32, rows sum to one."""
        logits: Tensor = self(states)
        return logits.float().softmax(dim=-1)

    def loss(self, states: Tensor, *, tags: Tensor, unmarked: Sequence[str] = ()) -> Tensor:
        """Mean negative log-likelihood of the tags.

        Corpora differ in what they mark. Where a corpus leaves a label unmarked, its ``O`` means "outside, or one of
        those": the probabilities of these tags are added before the logarithm (learning from partial annotation;
        Tsuboi et al., 2008).

        Args:
            states: ``(B, T, D)``.
            tags: int64 ``(B, T)``; -100 where there is nothing to learn (padding, special tokens).
            unmarked: labels of this head that the corpus does not annotate.
        """
        log_probabilities: Tensor = self(states).float().log_softmax(dim=-1)
        if unmarked:
            open_tags = [i for i, tag in enumerate(self.tags) if tag == OUTSIDE or tag[2:] in unmarked]
            outside = log_probabilities[..., open_tags].logsumexp(dim=-1, keepdim=True)
            log_probabilities = torch.cat([outside, log_probabilities[..., 1:]], dim=-1)
        return F.nll_loss(log_probabilities.flatten(0, 1), tags.flatten(), ignore_index=-100)


class QaHead(nn.Module):
    """Start and end logits of an answer; those of the first token mean that the window holds none."""

    def __init__(self, width: int, config: QaConfig, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, 2)

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, 2)`` from states ``(B, T, D)``."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Raw start logit, raw end logit, and the window's score of "no answer", float32 ``(B, T, 3)``."""
        logits: Tensor = self(states)
        return with_null(logits.float())

    def loss(self, states: Tensor, *, allowed: Tensor, starts: Tensor, ends: Tensor, groups: Tensor) -> Tensor:
        """Mean negative log-likelihood of the right starts and ends among all windows of a group.

        One softmax over all of a group's windows makes their logits comparable (the shared-norm objective; Clark and
        Gardner, 2018, arXiv:1710.10723). Right positions are added up, so that an answer may be found anywhere it
        stands; where no window of the group holds one, the right positions are the first tokens of all windows.

        Args:
            states: ``(B, T, D)``.
            allowed: bool ``(B, T)``, positions in the softmax: the window's own tokens and its first one.
            starts: bool ``(B, T)``, right positions.
            ends: bool ``(B, T)``.
            groups: int64 ``(B,)``, ascending from 0: the question that a window belongs to.
        """
        logits: Tensor = self(states).float().masked_fill(~allowed[..., None], -torch.inf)
        losses = []
        for group in range(int(groups[-1]) + 1):
            rows = groups == group
            for side, right in enumerate((starts, ends)):
                scores, wanted = logits[rows][..., side], right[rows]
                losses.append(scores.flatten().logsumexp(0) - scores[wanted].logsumexp(0))
        return torch.stack(losses).mean()


def with_null(logits: Tensor) -> Tensor:
    """Start and end logits ``(B, T, 2)`` and the sum of those of the first token, ``(B, T, 3)``."""
    null = logits[:, :1].sum(dim=-1, keepdim=True)
    return torch.cat([logits, null.expand(-1, logits.shape[1], -1)], dim=-1)


class ClassifyHead(nn.Module):
    """Logits of classes for windows or tokens, pooled over whatever belongs together."""

    def __init__(self, width: int, config: ClassifyConfig | NliConfig, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, len(config.labels) + (config.pooling == "attention"))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, L)``, or ``(B, 1, L)`` of windows; a last column more for attention pooling."""
        chosen = states[:, :1] if self.config.over == "windows" else states
        logits: Tensor = self.linear(self.dropout(chosen))
        return logits

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """What ``pool`` takes, float32."""
        logits: Tensor = self(states)
        return logits.float()

    def pool(self, scores: Tensor) -> Tensor:
        """Logits ``(L,)`` of a document from the scores ``(N, …)`` of its windows or tokens."""
        if self.config.pooling == "mean":
            return scores.mean(dim=0)
        if self.config.pooling == "max":
            return scores.amax(dim=0)
        return scores[:, -1].softmax(dim=0) @ scores[:, :-1]

    def loss(
        self, states: Tensor, *, content: Tensor, groups: Tensor, targets: Tensor, evidence: Tensor | None = None
    ) -> Tensor:
        """Mean cross-entropy of the groups' classes; with ``evidence``, that of the attention to it as well.

        Args:
            states: ``(B, T, D)``.
            content: bool ``(B, T)``, the windows' own tokens.
            groups: int64 ``(B,)``, ascending from 0: the document that a window belongs to.
            targets: int64 ``(G,)``, or float ``(G, L)`` of zeros and ones for several classes at once.
            evidence: bool ``(B, T)``, the tokens that decide; a group without any has nothing to learn of them.
        """
        scores: Tensor = self(states).float()
        rows = content if scores.shape[1] > 1 else content.new_ones(content.shape[0], 1)
        sizes = groups.new_zeros(int(groups[-1]) + 1).index_add(0, groups, rows.sum(1)).tolist()
        found = scores[rows].split(sizes)
        logits = [self.pool(own) for own in found]
        losses = []
        if evidence is not None:
            for own, wanted in zip(found, evidence[rows].split(sizes), strict=True):
                if wanted.any():
                    losses.append(-own[:, -1].log_softmax(dim=0)[wanted].logsumexp(0))
        if targets.is_floating_point():
            loss = F.binary_cross_entropy_with_logits(torch.stack(logits), targets)
        else:
            loss = F.cross_entropy(torch.stack(logits), targets)
        return loss + torch.stack(losses).mean() if losses else loss


class EmbedHead(nn.Module):
    """The mean of a window's states, or its first one (Reimers and Gurevych, 2019, arXiv:1908.10084)."""

    def __init__(self, config: EmbedConfig) -> None:
        super().__init__()
        self.config = config

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Vectors ``(B, 1, D)``, not normalised, of states ``(B, T, D)``; special tokens count, padding does not."""
        if self.config.pooling == "cls":
            return states[:, :1].float()
        if mask is None:
            return states.float().mean(dim=1, keepdim=True)
        weights = mask.float()[..., None]
        return (states.float() * weights).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True)


class FillHead(nn.Module):
    """Logits of the vocabulary: a layer, then the input embeddings, as in BERT (Devlin et al., 2019)."""

    def __init__(self, width: int, embeddings: nn.Embedding) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.embeddings = (embeddings,)  # in a tuple: the encoder's module is not a part of the head
        self.bias = nn.Parameter(torch.zeros(embeddings.num_embeddings))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(N, V)`` of states ``(N, D)``."""
        words = self.embeddings[0].weight
        return F.linear(self.norm(F.gelu(self.dense(states))), words, self.bias)

    def loss(self, states: Tensor, *, masked: Tensor, words: Tensor) -> Tensor:
        """Mean cross-entropy of the right words.

        Args:
            states: ``(B, T, D)``.
            masked: bool ``(B, T)``, the places to predict.
            words: int64 ``(N,)``, the ids that stood there, row by row.
        """
        return F.cross_entropy(self(states[masked]).float(), words)


Head: TypeAlias = NerHead | QaHead | ClassifyHead | EmbedHead | FillHead


def build_head(config: HeadConfig, width: int, embeddings: nn.Embedding) -> Head:
    """A fresh head for an encoder of that width and those input embeddings."""
    if isinstance(config, NerConfig):
        return NerHead(width, config)
    if isinstance(config, QaConfig):
        return QaHead(width, config)
    if isinstance(config, (ClassifyConfig, NliConfig)):
        return ClassifyHead(width, config)
    return EmbedHead(config) if isinstance(config, EmbedConfig) else FillHead(width, embeddings)
