"""The modules of the kinds of heads: states → scores, and the loss to learn from. Dimensions: see :mod:`longdoc.heads`.

All else of a kind is numpy; only this module of the package imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.heads.learning import IGNORED
from longdoc.labels import OUTSIDE, Scheme, tag_names

RARE = -5.0
"""Initial log-odds of a span: of thousands of tokens, few are in a span of a label."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
}
"""The activation functions of a hidden layer, by the names of transformers."""


class Tagged(Protocol):
    """The fields of a configuration that :class:`NerHead` needs."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels."""

    @property
    def scheme(self) -> Scheme:
        """How entities are tagged."""


class NerHead(nn.Module):
    """A linear layer over ``tag_names(labels, scheme)``."""

    def __init__(self, width: int, config: Tagged, dropout: float = 0.1) -> None:
        super().__init__()
        self.tags = tag_names(config.labels, config.scheme)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, len(self.tags))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, L)`` from states ``(B, T, D)``."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Tag probabilities, float32 ``(B, T, L)``, from states ``(B, T, D)``; rows sum to one."""
        logits: Tensor = self(states)
        return logits.float().softmax(dim=-1)

    def choices(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits ``(N, L)``, one row per choice (a token's tag), from states ``(B, T, D)``.

        ``mask`` is bool ``(B, T)``, false at padding.
        """
        logits: Tensor = self(states)
        return logits.float()[mask]

    def loss(
        self, states: Tensor, *, tags: Tensor, unmarked: Sequence[str] = (), weights: Tensor | None = None
    ) -> Tensor:
        """Mean negative log-likelihood of the tags, a scalar.

        If a data set does not annotate a label, its ``O`` means "outside, or that label": the probabilities of these
        tags are summed before the logarithm (learning from partial annotation; Tsuboi et al., 2008).

        Args:
            states: ``(B, T, D)``.
            tags: int64 ``(B, T)``; -100 where there is nothing to learn (padding, special tokens).
            unmarked: labels of this head that the data set does not annotate.
            weights: factors of the loss of each tag, float ``(L,)``, by which the mean is not divided.
        """
        log_probabilities: Tensor = self(states).float().log_softmax(dim=-1)
        if unmarked:
            open_tags = [i for i, tag in enumerate(self.tags) if tag == OUTSIDE or tag[2:] in unmarked]
            outside = log_probabilities[..., open_tags].logsumexp(dim=-1, keepdim=True)
            log_probabilities = torch.cat([outside, log_probabilities[..., 1:]], dim=-1)
        losses = F.nll_loss(
            log_probabilities.flatten(0, 1), tags.flatten(), weight=weights, ignore_index=IGNORED, reduction="sum"
        )
        return losses / (tags != IGNORED).sum().clamp(min=1)


class SpansHead(nn.Module):
    """A linear layer with two outputs for each of ``L`` labels: inside a span, then first token of one."""

    def __init__(self, width: int, n_labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, 2 * n_labels)
        nn.init.constant_(self.linear.bias, RARE)

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, 2L)`` from states ``(B, T, D)``."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probabilities, float32 ``(B, T, 2L)``, from states ``(B, T, D)``."""
        logits: Tensor = self(states)
        return logits.float().sigmoid()

    def choices(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits ``(N, 2)`` of "no" and "yes", a row for each output and token, from states ``(B, T, D)``.

        ``mask`` is bool ``(B, T)``, false at padding.
        """
        logits: Tensor = self(states)
        yes = logits.float()[mask].flatten()
        return torch.stack([torch.zeros_like(yes), yes], dim=-1)

    def loss(
        self, states: Tensor, *, spans: Tensor, content: Tensor, annotated: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Binary cross-entropy, summed over the outputs and averaged over the tokens, a scalar.

        Args:
            states: ``(B, T, D)``.
            spans: whether each output is wanted, float32 ``(B, T, 2L)``.
            content: the tokens to learn from, bool ``(B, T)``.
            annotated: the labels that the data set annotates, bool ``(L,)``; the others are not learned.
            weights: factors of the loss of each label's tokens, float ``(L,)``; that of other tokens stays as it is.
        """
        logits: Tensor = self(states)
        factors = None if weights is None else weights.repeat(2)
        losses = F.binary_cross_entropy_with_logits(
            logits.float()[content], spans[content], reduction="none", pos_weight=factors
        )
        return losses[:, annotated.repeat(2)].sum() / content.sum().clamp(min=1)


class QaHead(nn.Module):
    """Start and end logits of an answer; at the first token they mean that the window has no answer."""

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, 2)

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, 2)`` from states ``(B, T, D)``."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Start logit, end logit and "no answer" score of the window, float32 ``(B, T, 3)``, from ``(B, T, D)``."""
        logits: Tensor = self(states)
        return with_null(logits.float())

    def choices(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits ``(2 * B, T)``, one row per choice (a start or an end among the positions of a window).

        Args:
            states: ``(B, T, D)``.
            mask: bool ``(B, T)``, false where a position is padding.
        """
        logits: Tensor = self(states)
        return logits.float().masked_fill(~mask[..., None], -1e4).transpose(1, 2).flatten(0, 1)

    def loss(self, states: Tensor, *, allowed: Tensor, starts: Tensor, ends: Tensor, groups: Tensor) -> Tensor:
        """Mean negative log-likelihood of the correct starts and ends among all windows of a group, a scalar.

        One softmax over all windows of a group makes their logits comparable (the shared-norm objective; Clark and
        Gardner, 2018, arXiv:1710.10723). The probabilities of correct positions are summed, so any occurrence of the
        answer counts; if no window of the group has one, the first tokens of all windows are correct.

        Args:
            states: ``(B, T, D)``.
            allowed: bool ``(B, T)``, positions in the softmax: the window's own tokens and its first position.
            starts: bool ``(B, T)``, correct positions.
            ends: bool ``(B, T)``.
            groups: int64 ``(B,)``, ascending from 0: the question that a window belongs to.
        """
        logits: Tensor = self(states).float().masked_fill(~allowed[..., None], -torch.inf)
        losses = []
        for group in range(int(groups[-1]) + 1):
            rows = groups == group
            for side, correct in enumerate((starts, ends)):
                scores, wanted = logits[rows][..., side], correct[rows]
                losses.append(scores.flatten().logsumexp(0) - scores[wanted].logsumexp(0))
        return torch.stack(losses).mean()


def with_null(logits: Tensor) -> Tensor:
    """Appends to start and end logits ``(B, T, 2)`` their sum at the first token: ``(B, T, 3)``."""
    null = logits[:, :1].sum(dim=-1, keepdim=True)
    return torch.cat([logits, null.expand(-1, logits.shape[1], -1)], dim=-1)


class Pooled(Protocol):
    """The fields of a configuration that :class:`ClassifyHead` needs."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes."""

    @property
    def over(self) -> str:
        """What is scored before pooling."""

    @property
    def pooling(self) -> str:
        """How the scores are combined."""


class ClassifyHead(nn.Module):
    """Logits of classes for windows or tokens, pooled over a document or section."""

    def __init__(self, width: int, config: Pooled, dropout: float = 0.1, *, hidden: str | None = None) -> None:
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


class EmbedHead(nn.Module):
    """A window's states as one vector."""

    def __init__(self, pooling: str) -> None:
        """``pooling`` is one of ``VectorPooling``."""
        super().__init__()
        self.pooling = pooling

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Vectors, float32 ``(B, 1, D)``, not normalised, from states ``(B, T, D)``.

        Special tokens count; padding, where ``mask`` ``(B, T)`` is false, does not.
        """
        seen = torch.ones_like(states[..., 0], dtype=torch.bool) if mask is None else mask
        return pooled(states, seen, self.pooling)[:, None]


def pooled(states: Tensor, seen: Tensor, pooling: str) -> Tensor:
    """Vectors, float32 ``(B, D)``, of states ``(B, T, D)`` where ``seen``, bool ``(B, T)``, is true.

    The mean; the first or the last state; the maximum of each dimension; the sum divided by the root of the number of
    states; or the mean with a state's position, from 1, as its weight.
    """
    wide, counted = states.float(), seen.float()[..., None]
    if pooling == "max":
        return wide.masked_fill(counted == 0, -torch.inf).amax(dim=1)
    positions = torch.arange(1, states.shape[1] + 1, device=states.device)
    if pooling in ("cls", "lasttoken"):
        chosen = seen.int().argmax(dim=1) if pooling == "cls" else (seen * positions).argmax(dim=1)
        return wide[torch.arange(states.shape[0], device=states.device), chosen]
    weights = counted * positions[:, None] if pooling == "weightedmean" else counted
    total = weights.sum(dim=1)
    return (wide * weights).sum(dim=1) / (total.sqrt() if pooling == "mean_sqrt_len_tokens" else total)


class FillHead(nn.Module):
    """Logits of the vocabulary: a layer, then the input embeddings, as in BERT (Devlin et al., 2019)."""

    def __init__(self, width: int, embeddings: nn.Embedding) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.embeddings = (embeddings,)  # in a tuple: the encoder's module is not part of the head
        self.bias = nn.Parameter(torch.zeros(embeddings.num_embeddings))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(N, V)`` from states ``(N, D)``."""
        words = self.embeddings[0].weight
        return F.linear(self.norm(F.gelu(self.dense(states))), words, self.bias)

    def loss(self, states: Tensor, *, masked: Tensor, words: Tensor) -> Tensor:
        """Mean cross-entropy of the masked words, a scalar.

        Args:
            states: ``(B, T, D)``.
            masked: bool ``(B, T)``, the positions to predict.
            words: int64 ``(N,)``, the ids that were masked, row by row.
        """
        return F.cross_entropy(self(states[masked]).float(), words)
