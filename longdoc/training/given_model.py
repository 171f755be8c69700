"""What a run starts from: a model of longdoc, or a checkpoint of transformers whose own head may go on learning."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from longdoc.errors import ConfigError
from longdoc.heads import ACTIVATIONS, HeadConfig, build_head
from longdoc.hub import load_checkpoint
from longdoc.hub.configs import DENSE_LAYERS, LINEAR_LAYERS
from longdoc.labels import tag_names
from longdoc.model import Model, longdoc_folder
from longdoc.model_config import ModelConfig
from longdoc.model_files import DEFAULT_MODEL, is_folder

logger = logging.getLogger(__name__)

TOLERANCE = 1e-4
"""Distance of the scores of a checkpoint from those of the model that takes its place, relative to their norm."""
_REMEDIES = {
    "base": "train it by transformers with `longdoc.training.WindowDataset`, or name new heads under `model`",
    "distill.teacher": "choose another teacher, or train such a head by longdoc first",
}
"""What to do with a head that cannot be taken over, by the key that names the model."""


def base_folder(base: str, key: str = "base") -> str:
    """Resolves ``default`` to the shipped model, and ``package:NAME`` to the folder of the model in package NAME.

    ``key`` is the one that names the model in the configuration, for messages.

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
        raise ConfigError(f"{key} is {base}, and package {package!r} is not installed: pip install 'longdoc[train]'")
    return str(Path(spec.origin).parent / "model")


def model_of(base: str, config: ModelConfig | None = None, revision: str | None = None, *, key: str = "base") -> Model:
    """The model that a name of ``RunConfig.base`` stands for, with its own heads unless ``config`` names others.

    The head of a checkpoint of transformers becomes a head of longdoc with its weights. ``key`` is the one that names
    the model in the configuration: ``base`` or ``distill.teacher``.

    Raises:
        ConfigError: there is no such model, it has no head, its head has layers that heads of longdoc lack, or its
            class gives the encoder other inputs.
    """
    folder = base_folder(base, key)
    if revision is not None and is_folder(Path(folder)):
        raise ConfigError(
            f"{key} is the folder {folder}, which has no revision {revision!r}: only a hub id has; leave it out"
        )
    if config is not None:
        return Model.from_base(folder, config, revision)
    if (own := longdoc_folder(folder, revision)) is not None:
        return _without_adapters(Model.from_pretrained(own), told=key == "base")
    checkpoint = _checkpoint(folder, revision, key)
    (name,) = checkpoint.heads
    head, module = _own_head(checkpoint, name, key)
    model = Model.from_base(folder, replace(checkpoint.config, heads={name: head}), revision)
    if model.encoder.template.plain != checkpoint.encoder.template.plain:
        raise ConfigError(
            f"{base}: its tokenizer.json puts other special tokens around a text than its tokenizer does, so "
            "that its head would read other rows; name new heads under `model`"
        )
    model.heads[name] = module
    if not _reads_alike(model.eval(), checkpoint, name):
        raise ConfigError(
            f"{key} is {base}: its class gives the encoder more than the text, as that of Longformer a global first "
            f"token, so that its head would read other states here: {_REMEDIES[key]}"
        )
    return model


def _without_adapters(model: Model, *, told: bool) -> Model:
    """A model without the heads whose adapters belong to the encoder as it was; tells which."""
    if not model.adapters:
        return model
    if told:
        logger.warning(
            "the head %s is left out: it has an adapter of the encoder, which training changes; add it to the trained "
            "model with `longdoc adapt`",
            ", ".join(model.adapters),
        )
    return model.with_heads([name for name in model.heads if name not in model.adapters])


def _checkpoint(folder: str, revision: str | None, key: str) -> Model:
    """A checkpoint of transformers with its head.

    Raises:
        ConfigError: there is none, it has no head, or one that does not learn from labelled data.
    """
    try:
        return load_checkpoint(folder, revision=revision)
    except ConfigError as error:
        why = "Without heads under `model`, those of the base go on learning"
        raise ConfigError(
            f"{error}. {why}" if key == "base" else f"{key}: {error}. What a teacher teaches is its head"
        ) from error


def _own_head(checkpoint: Model, name: str, key: str) -> tuple[HeadConfig, nn.Module]:
    """The head of longdoc, with a checkpoint's weights, whose scores of random states are closest to its own.

    Raises:
        ConfigError: none gives the same scores.
    """
    config, theirs = checkpoint.config.heads[name], cast(Any, checkpoint.heads[name])
    backbone = cast(Any, checkpoint.encoder.backbone)
    width, embeddings = backbone.config.hidden_size, backbone.get_input_embeddings()
    states = 8 * torch.randn(4, 8, width, generator=torch.Generator().manual_seed(0))  # so that activations differ
    least, found = TOLERANCE, None
    for head, state in _as_own_head(config, theirs, key):
        module = build_head(head, width, embeddings).eval()
        module.load_state_dict(state)
        with torch.no_grad():
            distance = _distance(cast(Any, module).scores(states), theirs.scores(states))
        if distance <= least:
            least, found = distance, (head, module)
    if found is None:
        raise ConfigError(
            f"{key} is {backbone.config.name_or_path}: its head of kind {config.kind} has layers or inputs that heads "
            f"of longdoc lack, so that it cannot go on learning here: {_REMEDIES[key]}"
        )
    return found


def _as_own_head(config: Any, theirs: Any, key: str) -> Iterator[tuple[HeadConfig, dict[str, Tensor]]]:
    """The heads of longdoc that may compute what a checkpoint's head does, each with its weights."""
    if config.kind == "embed":
        yield config, {}
    elif config.kind in ("ner", "qa"):
        for name in LINEAR_LAYERS:
            if isinstance(layer := _part(theirs.task, name), nn.Linear):
                yield from _linear(config, theirs, layer, key)
    elif config.kind == "classify":
        for pattern, name in DENSE_LAYERS:
            dense = _part(theirs.task, pattern.format(base=theirs.task.base_model_prefix))
            out = _part(theirs.task, name)
            if isinstance(dense, nn.Linear) and isinstance(out, nn.Linear):
                state = {**_named("dense", dense), **_named("linear", out)}
                yield from ((replace(config, hidden=activation), state) for activation in ACTIVATIONS)


def _linear(config: Any, theirs: Any, layer: nn.Linear, key: str) -> Iterator[tuple[HeadConfig, dict[str, Tensor]]]:
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
        f"{key} is {theirs.task.config.name_or_path}: its head has the tags {names:.200}; one that goes on learning "
        f"needs each of {', '.join(tags):.200} once: {_REMEDIES[key]}"
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
def _reads_alike(model: Model, checkpoint: Model, name: str) -> bool:
    """Whether the encoders of both give the same scores of a row of tokens, with a question if the head takes one."""
    ids = np.array(checkpoint.tokenizer.encode("The parties agree as follows.", add_special_tokens=False).ids)
    template = checkpoint.encoder.template
    special = template.asking(ids[:2].tolist()) if checkpoint.config.heads[name].kind == "qa" else template.plain
    inputs = checkpoint.encoder.batch([ids], special).inputs
    own, theirs = (cast(Any, each.heads[name]).scores(each.encoder(**inputs)) for each in (model, checkpoint))
    return _distance(own, theirs) <= TOLERANCE


def _distance(own: Tensor, theirs: Tensor) -> float:
    if own.shape != theirs.shape:
        return math.inf
    return float((own - theirs).norm() / theirs.norm().clamp(min=1e-30))
