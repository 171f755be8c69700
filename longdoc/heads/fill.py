"""Masked language modelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.heads.kind import HeadKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FillConfig:
    """Masked words, predicted through the encoder's own input embeddings."""

    kind: Literal["fill"] = "fill"


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


FILL = HeadKind(
    config=FillConfig,
    module=FillHead,
    build=lambda config, width, embeddings: FillHead(width, embeddings),
)
