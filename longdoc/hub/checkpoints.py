"""A checkpoint → a model with the one head that the checkpoint has."""

from __future__ import annotations

from os import PathLike
from typing import Any

import torch
import transformers
from torch import nn

from longdoc.errors import ConfigError
from longdoc.heads import EmbedConfig, EmbedHead, HeadConfig
from longdoc.hub.configs import (
    LONG,
    SETTINGS_FILE,
    SHORT,
    TASKS,
    embed_config,
    kind_of,
    label_names,
    own_pattern,
    trained_length,
    window_size,
)
from longdoc.hub.heads import take_head
from longdoc.labels import tag_names
from longdoc.model import Model, ModelConfig, SparseConfig, own_settings
from longdoc.model_files import check_tokens, read_object
from longdoc.pretrained import Repository
from longdoc.windows import WindowConfig


def load_checkpoint(
    source: str | PathLike[str],
    kind: str | None = None,
    *,
    revision: str | None = None,
    cache_dir: str | None = None,
) -> Model:
    """A model with the one head that a checkpoint has, read as its ``longdoc.json`` says if longdoc exported it.

    Args:
        source: a folder written by ``save_pretrained``, or a hub id.
        kind: the kind of head; by default the one that the checkpoint was made for. ``embed`` works with any encoder.
        revision: branch, tag or commit on the hub.
        cache_dir: folder for downloads; the hub's own cache by default.

    Raises:
        ConfigError: there is no such checkpoint, it has no such head, its weights are pickled, or its tokenizer has
            no offsets.
    """
    repository = Repository(str(source), revision, cache_dir)
    config = repository.config()
    stated = _stated(repository, config)
    own = kind_of(config) if stated is None else _head_of(stated)[1].kind
    if kind is None:
        is_plain = own in ("ner", "qa", "classify") or repository.file("modules.json") is None
        kind = own if is_plain else "embed"
    if kind == "embed":
        return _embedding_model(repository, config, stated if own == "embed" else None)
    if kind is None or kind != own:
        raise ConfigError(_no_head(repository.name, config, kind))
    task = repository.load_complete(getattr(transformers, f"AutoModel{TASKS[kind]}"), **_settings(config))
    encoder = _encoder_of(repository.name, task)
    size = window_size(encoder)
    name, wanted = (kind, None) if stated is None else _head_of(stated)
    head_config, head = take_head(kind, task, size, wanted)
    if config.model_type == "longformer" and kind == "classify":
        encoder.register_forward_pre_hook(_make_first_token_global, with_kwargs=True)
    return _assemble(repository, encoder, (name, head_config, head), size, stated)


def _stated(repository: Repository, config: Any) -> ModelConfig | None:
    """The settings of a checkpoint that longdoc exported; ``None`` for others."""
    path = repository.files([SETTINGS_FILE]).get(SETTINGS_FILE)
    if path is None:
        return None
    where = f"{repository.name}: {SETTINGS_FILE}"
    record = read_object(path)
    if "longdoc" not in record:
        raise ConfigError(f"{where} has no 'longdoc' block; export the head again")
    stated = own_settings(record, where)
    if len(stated.heads) != 1:
        raise ConfigError(f"{where} has {len(stated.heads)} heads; allowed is one")
    head = _head_of(stated)[1]
    labels = list(tag_names(head.labels, head.scheme) if head.kind == "ner" else getattr(head, "labels", ()))
    if getattr(head, "over", "windows") == "tokens" or (head.kind not in TASKS and head.kind != "embed"):
        raise ConfigError(f"{where} has a head of another kind than a checkpoint of transformers can have")
    if labels and labels != label_names(config):
        raise ConfigError(
            f"{where} has the labels {', '.join(labels):.200}, and config.json {', '.join(label_names(config)):.200}: "
            f"if the checkpoint was trained after the export, delete {SETTINGS_FILE}"
        )
    return stated


def _head_of(stated: ModelConfig) -> tuple[str, Any]:
    """The name and the configuration of the only head."""
    return next(iter(stated.heads.items()))


def _embedding_model(repository: Repository, config: Any, stated: ModelConfig | None) -> Model:
    """An encoder with the pooling of its sentence-transformers modules, or else the mean."""
    head = embed_config(repository)
    longest = None if head is None else trained_length(repository)
    head = head or EmbedConfig()
    encoder = _encoder_of(repository.name, repository.encoder(**_settings(config)))
    size = min(window_size(encoder), longest or LONG.get(config.model_type, SHORT))
    name, head = ("embed", head) if stated is None else _head_of(stated)
    return _assemble(repository, encoder, (name, head, EmbedHead(head)), size, stated)


def _settings(config: Any) -> dict[str, str]:
    """Settings of ``from_pretrained``: BigBird is loaded dense, since ``sparsify`` makes it sparse later."""
    return {"attention_type": "original_full"} if config.model_type == "big_bird" else {}


def _encoder_of(name: str, model: Any) -> Any:
    encoder = model.base_model
    if model.config.is_encoder_decoder or not hasattr(encoder, "embeddings"):
        raise ConfigError(
            f"{name} is a {type(model).__name__}; longdoc reads encoders, such as BERT, RoBERTa, DistilBERT, ALBERT, "
            "DeBERTa, XLM-R, Longformer, BigBird and ModernBERT"
        )
    return encoder


def _assemble(
    repository: Repository,
    encoder: Any,
    head: tuple[str, HeadConfig, nn.Module],
    size: int,
    stated: ModelConfig | None,
) -> Model:
    name, head_config, module = head
    config = stated or ModelConfig(
        heads={name: head_config},
        windows=WindowConfig(size=size, overlap=size // 4),
        sparse=SparseConfig(pattern=own_pattern(encoder)),
    )
    tokenizer = repository.fast_tokenizer()
    check_tokens(tokenizer, encoder.config)
    return Model(encoder, tokenizer, config, {name: module}).eval()


def _no_head(name: str, config: Any, kind: str | None) -> str:
    """The message for a checkpoint without the head that is wanted."""
    what = ", ".join(config.architectures or ()) or config.model_type
    remedy = f"`longdoc train` with `base: {name}` trains one"
    if kind is not None:
        return f"{name} is a {what}: it has no head of kind {kind!r}; load the head that it has, or {remedy}"
    return (
        f"{name} is a {what}: it has no head that longdoc knows; for vectors, which need no head, use "
        f"embed={name!r}; {remedy}"
    )


def _make_first_token_global(encoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Adds the global mask that Longformer's classifier gives its encoder."""
    ids = args[0] if args else kwargs["input_ids"]
    if kwargs.get("global_attention_mask") is None:
        first = torch.zeros_like(ids)
        first[:, 0] = 1
        kwargs = {**kwargs, "global_attention_mask": first}
    return args, kwargs
