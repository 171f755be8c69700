"""The configuration of ``longdoc pretrain``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from longdoc.datasets import DatasetConfig
from longdoc.errors import ConfigError
from longdoc.model_config import ModelConfig
from longdoc.training.run import RunConfig
from longdoc.training.scratch import ScratchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig(RunConfig):
    """A pre-training run, as written in YAML."""

    base: str = ""
    """Encoder to start from, as for training; or give ``scratch``."""
    scratch: ScratchConfig | None = None
    """Architecture of a new encoder, whose tokenizer is trained on the documents as well."""
    documents: tuple[str, ...] = ()
    """Files, folders and patterns such as ``plos_jats/*.xml``: below the folder that ``LONGDOC_DATA`` names, by default
    ``data``, else in the working folder."""
    corpora: tuple[DatasetConfig, ...] = ()
    """Labelled corpora, of which only the texts are used."""
    held_out: float = 0.02
    """Share of the documents, chosen by their names, that are held out for measuring."""
    evaluate_characters: int = 200_000
    """Maximum number of held-out characters to measure on, white space not counted."""
    masked: float = 0.15
    """Share of the tokens to mask, drawn again in each pass."""
    whole_words: bool = False
    """Mask all tokens of a word together."""
    encoder: Literal["windows", "sparse"] = "windows"
    """``sparse`` packs documents into long rows; the documents of a row do not attend to each other."""
    window: int = 256
    """Maximum number of positions in a window or in a packed row, special tokens included."""
    overlap: int = 0
    """Tokens that neighbouring windows of a document share."""
    passes: float = 1.0
    """Number of passes over the documents; half a pass reads a random half of them."""
    model: ModelConfig | None = None
    """Heads of the model, at least one of kind ``fill``; by default just that one, named ``fill``."""

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if bool(self.base) == (self.scratch is not None):
            raise ConfigError("give one of base, the encoder to start from, and scratch, the architecture of a new one")
        if not self.documents and not self.corpora:
            raise ConfigError("documents and corpora are both empty; name something to learn from")
        for name in ("held_out", "masked"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} must be above 0 and below 1; got {getattr(self, name)}")
        if self.passes <= 0:
            raise ConfigError(f"passes must be above 0; got {self.passes}")
        if self.evaluate_characters < 1:
            raise ConfigError(f"evaluate_characters must be at least 1; got {self.evaluate_characters}")
        if not 0 <= self.overlap < self.window - 2:
            raise ConfigError(f"a window of {self.window} is too small for an overlap of {self.overlap}")
        if self.model is not None and not fill_heads(self.model):
            raise ConfigError(
                "model.heads has no head of kind fill, which pre-training needs; add `fill: {kind: fill}`"
            )


def fill_heads(config: ModelConfig) -> list[str]:
    """Names of the heads of kind ``fill``, which predict masked tokens."""
    return [name for name, head in config.heads.items() if head.kind == "fill"]
