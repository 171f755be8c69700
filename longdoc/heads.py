"""States of an encoder → scores of a task. One set of heads serves every encoder.

Letters of shapes: ``B`` windows, ``T`` tokens, ``D`` width, ``L`` tags.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.labels import OUTSIDE, bio_tags


class NerHead(nn.Module):
    """A linear tagger over ``bio_tags(labels)``."""

    def __init__(self, width: int, labels: Sequence[str], dropout: float = 0.1) -> None:
        super().__init__()
        self.labels = tuple(labels)
        self.tags = bio_tags(labels)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, len(self.tags))

    def forward(self, states: Tensor) -> Tensor:
        """Logits ``(B, T, L)`` from states ``(B, T, D)``."""
        logits: Tensor = self.linear(self.dropout(states))
        return logits

    def probabilities(self, states: Tensor) -> Tensor:
        """Tag probabilities ``(B, T, L)``, float32, rows sum to one."""
        logits: Tensor = self(states)
        return logits.float().softmax(dim=-1)

    def loss(self, states: Tensor, tags: Tensor, unmarked: Sequence[str] = ()) -> Tensor:
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
