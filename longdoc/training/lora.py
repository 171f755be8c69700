"""Low-rank adapters (Hu et al., 2021, arXiv:2106.09685), by PEFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from longdoc.errors import ConfigError, require
from longdoc.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConfig:
    """Adapters of the encoder's linear layers; only they and the heads are trained."""

    rank: int = 8
    """Rank of the update of a weight matrix."""
    alpha: int = 16
    """Scale of the update, divided by ``rank``."""
    dropout: float = 0.0
    """Dropout of what the adapters read."""
    layers: str | tuple[str, ...] = "all-linear"
    """Names of the layers that get an adapter, such as ``query`` and ``value``; by default all linear layers."""

    def __post_init__(self) -> None:
        for name in ("rank", "alpha"):
            if getattr(self, name) < 1:
                raise ConfigError(f"lora.{name} must be at least 1; got {getattr(self, name)}")


def add_adapters(model: Model, config: LoraConfig) -> None:
    """Adds adapters to the encoder, in place, and freezes its own weights.

    Raises:
        ConfigError: no layer has one of the names in ``config.layers``.
        MissingDependencyError: PEFT is not installed.
    """
    peft = require("peft", extra="train", needed_by="lora")
    layers = config.layers if isinstance(config.layers, str) else list(config.layers)
    adapters = peft.LoraConfig(
        r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=layers
    )
    try:
        model.encoder.backbone = peft.get_peft_model(model.encoder.backbone, adapters)
    except ValueError as error:
        raise ConfigError(f"lora.layers: {error}") from error


def merge_adapters(model: Model) -> None:
    """Merges the adapters into the encoder's weights, in place, and removes them."""
    backbone: Any = model.encoder.backbone
    model.encoder.backbone = backbone.merge_and_unload()
