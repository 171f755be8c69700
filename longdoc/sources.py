"""``"default"``, a folder or a hub id → a model."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import get_args

from longdoc.errors import ConfigError
from longdoc.heads import HeadConfig
from longdoc.hub import load_checkpoint
from longdoc.model import DEFAULT_MODEL, Model, is_longdoc


def load_model(source: str | PathLike[str], kind: str | None = None) -> Model:
    """The shipped model, one written by ``Model.save``, or a checkpoint of transformers or sentence-transformers.

    Args:
        source: ``"default"``, a folder, or a hub id.
        kind: take the heads of this kind alone; all by default.

    Raises:
        ConfigError: there is no such model, or it has no such head.
    """
    allowed = [config.__dataclass_fields__["kind"].default for config in get_args(HeadConfig)]
    if kind is not None and kind not in allowed:
        raise TypeError(f"from_pretrained() got an unexpected argument {kind!r}; heads are {', '.join(allowed)}")
    folder = DEFAULT_MODEL if source == "default" else Path(source)
    if folder.is_file():
        raise ConfigError(f"{folder} is a file; give the folder with the model, {folder.parent}")
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ConfigError(f"{folder} holds no config.json; give a folder with a model, a hub id, or 'default'")
    if not is_longdoc(folder):
        return load_checkpoint(source, kind)
    model = Model.from_pretrained(folder)
    return model if kind is None else _only_kind(model, kind, source)


def _only_kind(model: Model, kind: str, source: str | PathLike[str]) -> Model:
    """The model with its heads of one kind alone."""
    kinds = {name: config.kind for name, config in model.config.heads.items()}
    if kind not in kinds.values():
        raise ConfigError(f"{source} has no head of kind {kind!r}, only {', '.join(sorted(set(kinds.values())))}")
    return model.with_heads([name for name, found in kinds.items() if found == kind])
