"""Few labels, few weights: low-rank adapters (Hu et al., 2021, arXiv:2106.09685), through PEFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from longdoc.errors import ConfigError
from longdoc.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConfig:
    """Adapters beside the encoder's linear layers, which alone learn, with the heads."""

    rank: int = 8
    alpha: int = 16
    """Weight of the adapters, over ``rank``."""
    dropout: float = 0.0
    layers: str | tuple[str, ...] = "all-linear"
    """Names of the layers that get one (``query``, ``value``); by default all linear ones."""

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0:
            raise ConfigError(f"lora needs a rank of at least 1 and an alpha above 0; got {self.rank}, {self.alpha}")


def add_adapters(model: Model, config: LoraConfig) -> None:
    """Puts adapters into the encoder, in place, and freezes its own weights.

    Raises:
        ConfigError: PEFT is not installed, or no layer has such a name.
    """
    try:
        import peft
    except ImportError as error:
        raise ConfigError("lora needs PEFT: pip install 'longdoc[train]'") from error
    layers = config.layers if isinstance(config.layers, str) else list(config.layers)
    adapters = peft.LoraConfig(
        r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=layers
    )
    try:
        model.encoder.backbone = peft.get_peft_model(model.encoder.backbone, adapters)
    except ValueError as error:
        raise ConfigError(f"lora.layers: {error}") from error


def merge_adapters(model: Model) -> None:
    """Adds the adapters to the encoder's weights, in place: the model is a plain one again."""
    backbone: Any = model.encoder.backbone
    model.encoder.backbone = backbone.merge_and_unload()
