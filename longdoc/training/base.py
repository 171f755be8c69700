"""What a run starts from: a model of longdoc, or a checkpoint of transformers whose own head may go on learning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from longdoc.errors import ConfigError
from longdoc.heads import ACTIVATIONS, HeadConfig, build_head
from longdoc.hub import load_checkpoint
from longdoc.hub.configs import DENSE_LAYERS, LINEAR_LAYERS
from longdoc.labels import tag_names
from longdoc.model import DEFAULT_MODEL, Model, ModelConfig, longdoc_folder

TOLERANCE = 1e-4
"""Of scores of a checkpoint's head and of the head of longdoc that takes its place."""


def base_folder(base: str) -> str:
    """Resolves ``default`` to the shipped model, and ``package:NAME`` to the folder of the model in package NAME.

    Raises:
        ConfigError: the package is not installed.
    """
    if base == "default":
        return str(DEFAULT_MODEL)
    if not base.startswith("package:"):
        return base
    package = base.removeprefix("package:")
    spec = find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ConfigError(f"base is {base}, and package {package!r} is not installed: pip install 'longdoc[train]'")
    return str(Path(spec.origin).parent / "model")


def model_of(base: str, config: ModelConfig | None = None, revision: str | None = None) -> Model:
    """The model that a name of ``RunConfig.base`` stands for, with its own heads unless ``config`` names others.

    The head of a checkpoint of transformers becomes a head of longdoc with its weights.

    Raises:
        ConfigError: there is no such model, it has no head, or its head has layers that heads of longdoc lack.
    """
    folder = base_folder(base)
    if config is not None:
        return Model.from_base(folder, config, revision)
    if (own := longdoc_folder(folder, revision)) is not None:
        return Model.from_pretrained(own)
    checkpoint = _checkpoint(folder, revision)
    ((name, theirs),) = checkpoint.heads.items()
    wanted, backbone = checkpoint.config.heads[name], cast(Any, checkpoint.encoder.backbone)
    for head, state in _as_own_head(wanted, theirs):
        module = build_head(head, backbone.config.hidden_size, backbone.get_input_embeddings()).eval()
        module.load_state_dict(state)
        if _gives_the_same(module, theirs, backbone.config.hidden_size):
            model = Model.from_base(folder, replace(checkpoint.config, heads={name: head}), revision)
            if model.encoder.template.plain != checkpoint.encoder.template.plain:
                raise ConfigError(
                    f"{base}: its tokenizer.json puts other special tokens around a text than its tokenizer does, so "
                    "that its head would read other rows; name new heads under `model`"
                )
            model.heads[name] = module
            return model.eval()
    raise ConfigError(
        f"{base}: its head of kind {wanted.kind} has layers or inputs that heads of longdoc lack, so that it cannot go "
        "on learning here: train it by transformers (`longdoc.training.WindowDataset` has the windows), or name new "
        "heads under `model`"
    )


def _checkpoint(folder: str, revision: str | None) -> Model:
    """A checkpoint of transformers with its head.

    Raises:
        ConfigError: there is none, it has no head, or one that does not learn from labelled data.
    """
    try:
        return load_checkpoint(folder, revision=revision)
    except ConfigError as error:
        raise ConfigError(f"{error}. Without heads under `model`, those of the base go on learning") from error


def _as_own_head(config: Any, theirs: Any) -> Iterator[tuple[HeadConfig, dict[str, Tensor]]]:
    """The heads of longdoc that may compute what a checkpoint's head does, each with its weights."""
    if config.kind == "embed":
        yield config, {}
    elif config.kind in ("ner", "qa"):
        for name in LINEAR_LAYERS:
            if isinstance(layer := _part(theirs.task, name), nn.Linear):
                yield from _linear(config, theirs, layer)
    elif config.kind == "classify":
        for pattern, name in DENSE_LAYERS:
            dense = _part(theirs.task, pattern.format(base=theirs.task.base_model_prefix))
            out = _part(theirs.task, name)
            if isinstance(dense, nn.Linear) and isinstance(out, nn.Linear):
                state = {**_named("dense", dense), **_named("linear", out)}
                yield from ((replace(config, hidden=activation), state) for activation in ACTIVATIONS)


def _linear(config: Any, theirs: Any, layer: nn.Linear) -> Iterator[tuple[HeadConfig, dict[str, Tensor]]]:
    """A linear layer over tokens; of tags, in the order of ``tag_names``, with what B- and I- tags mean today."""
    if config.kind == "qa":
        yield config, _named("linear", layer)
        return
    config = replace(config, scheme="bio" if config.scheme == "iob1" else config.scheme)
    tags, columns = tag_names(config.labels, config.scheme), theirs.columns  # (tags of the checkpoint, tags)
    if bool((columns.sum(dim=0) == 1).all()) and columns.shape == (len(tags), len(tags)):
        order = columns.argmax(dim=0)
        yield config, {"linear.weight": layer.weight[order], "linear.bias": layer.bias[order]}
        return
    names = ", ".join(str(name) for _, name in sorted(theirs.task.config.id2label.items()))
    raise ConfigError(
        f"{theirs.task.config.name_or_path}: its head has the tags {names:.200}; one that goes on learning needs each "
        f"of {', '.join(tags):.200} once: name new heads under `model`"
    )


def _named(name: str, layer: nn.Linear) -> dict[str, Tensor]:
    return {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}


def _part(module: nn.Module, name: str) -> nn.Module | None:
    """The module of that dotted name; None if there is none."""
    try:
        return module.get_submodule(name)
    except AttributeError:
        return None


@torch.no_grad()
def _gives_the_same(own: Any, theirs: Any, width: int) -> bool:
    states = torch.randn(4, 8, width, generator=torch.Generator().manual_seed(0))
    return torch.allclose(own.scores(states), theirs.scores(states), atol=TOLERANCE)
