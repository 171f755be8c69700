"""Vectors of texts (Reimers and Gurevych, 2019, arXiv:1908.10084)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from longdoc.errors import ConfigError
from longdoc.findings import WindowScores
from longdoc.heads.kind import DecodeOptions, HeadKind

if TYPE_CHECKING:
    from longdoc.heads.modules import EmbedHead

VectorPooling: TypeAlias = Literal["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]

MAX_BITS = 8
"""Most bits of a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedConfig:
    """A vector for a text."""

    kind: Literal["embed"] = "embed"
    pooling: VectorPooling = "mean"
    """How the states of a window become a vector, with the names of sentence-transformers."""
    normalize: bool = True
    """Scale vectors to length 1."""
    adapter: int | None = None
    """Bits of each difference from the weights of the shared encoder, for an encoder of this head's own, which `longdoc
    adapt` adds; by default it reads with the shared one."""

    def __post_init__(self) -> None:
        if self.adapter is not None and not 1 <= self.adapter <= MAX_BITS:
            raise ConfigError(f"adapter is the bits of a difference, from 1 to {MAX_BITS}; got {self.adapter}")


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
