"""Vectors of texts (Reimers and Gurevych, 2019, arXiv:1908.10084)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from longdoc.findings import WindowScores
from longdoc.heads.kind import DecodeOptions, HeadKind

VectorPooling: TypeAlias = Literal["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedConfig:
    """A vector for a text."""

    kind: Literal["embed"] = "embed"
    pooling: VectorPooling = "mean"
    """How the states of a window become a vector, with the names of sentence-transformers."""
    normalize: bool = True
    """Scale vectors to length 1."""


class EmbedHead(nn.Module):
    """A window's states as one vector."""

    def __init__(self, config: EmbedConfig) -> None:
        super().__init__()
        self.config = config

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Vectors, float32 ``(B, 1, D)``, not normalised, from states ``(B, T, D)``.

        Special tokens count; padding, where ``mask`` ``(B, T)`` is false, does not.
        """
        seen = torch.ones_like(states[..., 0], dtype=torch.bool) if mask is None else mask
        return pooled(states, seen, self.config.pooling)[:, None]


def pooled(states: Tensor, seen: Tensor, pooling: VectorPooling) -> Tensor:
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


def decode(
    scores: WindowScores, head: str, config: EmbedConfig, module: nn.Module, options: DecodeOptions
) -> list[np.ndarray]:
    """One vector, float32 ``(D,)``: the mean over the windows, weighted by their length."""
    vector: np.ndarray = np.average(scores.stacked(), axis=0, weights=scores.lengths)
    length = max(float(np.linalg.norm(vector)), 1e-12) if config.normalize else 1.0
    return [(vector / length).astype(np.float32)]


EMBED = HeadKind(
    config=EmbedConfig,
    module=EmbedHead,
    build=lambda config, width, embeddings: EmbedHead(config),
    decode=decode,
)
