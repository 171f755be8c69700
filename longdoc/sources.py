"""``"default"`` or a folder → a model."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import get_args

from longdoc.errors import ConfigError
from longdoc.heads import HeadConfig
from longdoc.model import DEFAULT_MODEL, Model


def load_model(source: str | PathLike[str]) -> Model:
    """The shipped model, or one in a folder."""
    return Model.from_pretrained(DEFAULT_MODEL if source == "default" else Path(source))


def only_kind(model: Model, kind: str, source: str | PathLike[str]) -> Model:
    """The model with its heads of one kind alone."""
    kinds = {name: config.kind for name, config in model.config.heads.items()}
    allowed = [config.__dataclass_fields__["kind"].default for config in get_args(HeadConfig)]
    if kind not in allowed:
        raise TypeError(f"from_pretrained() got an unexpected argument {kind!r}; heads are {', '.join(allowed)}")
    if kind not in kinds.values():
        raise ConfigError(f"{source} has no head of kind {kind!r}, only {', '.join(sorted(set(kinds.values())))}")
    return model.with_heads([name for name, found in kinds.items() if found == kind])
