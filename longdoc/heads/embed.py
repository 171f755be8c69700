"""Vectors of texts (Reimers and Gurevych, 2019, arXiv:1908.10084)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from longdoc.findings import WindowScores
from longdoc.heads.kind import DecodeOptions, HeadKind

if TYPE_CHECKING:
    from longdoc.heads.modules import EmbedHead

VectorPooling: TypeAlias = Literal["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedConfig:
    """A vector for a text."""

    kind: Literal["embed"] = "embed"
    pooling: VectorPooling = "mean"
    """How the states of a window become a vector, with the names of sentence-transformers."""
    normalize: bool = True
    """Scale vectors to length 1."""


def decode(scores: WindowScores, head: str, config: EmbedConfig, options: DecodeOptions) -> list[np.ndarray]:
    """One vector, float32 ``(D,)``: the mean over the windows, weighted by their length."""
    vector: np.ndarray = np.average(scores.stacked(), axis=0, weights=scores.lengths)
    length = max(float(np.linalg.norm(vector)), 1e-12) if config.normalize else 1.0
    return [(vector / length).astype(np.float32)]


def module() -> type[EmbedHead]:
    """The class of its module, with which torch is imported."""
    from longdoc.heads.modules import EmbedHead

    return EmbedHead


EMBED = HeadKind(
    config=EmbedConfig,
    module=module,
    build=lambda config, width, embeddings: module()(config.pooling),
    decode=decode,
)
