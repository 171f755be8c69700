"""Vectors of texts (Reimers and Gurevych, 2019, arXiv:1908.10084)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor, nn

from longdoc.findings import WindowScores
from longdoc.heads.kind import DecodeOptions, HeadKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedConfig:
    """A vector for a text."""

    kind: Literal["embed"] = "embed"
    pooling: Literal["mean", "cls"] = "mean"
    """The mean of a window's states, or its first state."""
    normalize: bool = True
    """Scale vectors to length 1."""


class EmbedHead(nn.Module):
    """The mean of a window's states, or its first state."""

    def __init__(self, config: EmbedConfig) -> None:
        super().__init__()
        self.config = config

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Vectors, float32 ``(B, 1, D)``, not normalised, from states ``(B, T, D)``.

        Special tokens count; padding, where ``mask`` ``(B, T)`` is false, does not.
        """
        if self.config.pooling == "cls":
            return states[:, :1].float()
        if mask is None:
            return states.float().mean(dim=1, keepdim=True)
        weights = mask.float()[..., None]
        return (states.float() * weights).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True)


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
