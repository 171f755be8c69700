"""A checkpoint → a model with the one head that the checkpoint has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from torch import nn

from longdoc.errors import ConfigError
from longdoc.heads import EmbedConfig, EmbedHead, HeadConfig
from longdoc.hub.configs import (
    SETTINGS_FILE,
    TASKS,
    check_single,
    is_converted,
    kind_of,
    label_names,
    own_pattern,
    stated_length,
    warn_of_nameless,
    window_size,
)
from longdoc.hub.heads import take_head, try_head
from longdoc.hub.vectors import is_cross_encoder, read_vectors
from longdoc.inputs import Template
from longdoc.labels import tag_names
from longdoc.model import Model, without_pooler
from longdoc.model_config import ModelConfig, SparseConfig, own_settings
from longdoc.model_files import read_object
from longdoc.model_files.tokenizers import check_tokens
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
        ConfigError: there is no such checkpoint, it has no such head or one that cannot be computed from states alone,
            its weights are pickled, or its tokenizer has no offsets.
    """
    repository = Repository(str(source), revision, cache_dir)
    config = repository.config()
    stated = _stated(repository, config)
    own = kind_of(config) if stated is None else _head_of(stated)[1].kind
    if kind is None:
        is_plain = own in ("ner", "qa", "classify", "nli") or repository.file("modules.json") is None
        kind = own if is_plain else "embed"
    if kind == "embed":
        return _embedding_model(repository, config, stated if own == "embed" else None)
    if kind is None or kind != own:
        raise ConfigError(_no_head(repository.name, config, kind, own))
    task = repository.load_complete(getattr(transformers, f"AutoModel{TASKS[kind]}"))
    encoder = _encoder_of(repository.name, task)
    tokenizer = repository.tokenizer()
    size = window_size(encoder, _stated_length(repository, tokenizer))
    name, wanted = (kind, None) if stated is None else _head_of(stated)
    if kind == "classify" and stated is None:
        check_single(config, is_cross_encoder=is_cross_encoder(repository))
    head_config, head = take_head(kind, task, size, wanted)
    try_head(head, config)
    if stated is None:
        warn_of_nameless(config, kind)
    if config.model_type == "longformer" and kind in ("classify", "nli"):
        encoder.register_forward_pre_hook(_make_first_token_global, with_kwargs=True)
    return _assemble(repository, encoder, (name, head_config, head), _Reading(tokenizer, size, stated))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the encoder of a checkpoint reads texts."""

    tokenizer: Any
    """As transformers has it."""
    size: int
    """Length of the windows, in tokens."""
    stated: ModelConfig | None
    """The settings of a checkpoint that longdoc exported."""


def _stated_length(repository: Repository, tokenizer: Any) -> int | None:
    where = f"{repository.name}: tokenizer_config.json: model_max_length"
    return stated_length(tokenizer.model_max_length, where)


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
    vectors = read_vectors(repository, config.hidden_size)
    encoder = without_pooler(_encoder_of(repository.name, repository.encoder()))
    tokenizer = repository.tokenizer()
    longest = None if vectors is None else vectors.longest
    size = window_size(encoder, longest or _stated_length(repository, tokenizer))
    if vectors is None:
        head: HeadConfig = EmbedConfig()
        module: nn.Module = EmbedHead(EmbedConfig().pooling)
    else:
        head, module = vectors.head(repository.backend_of(tokenizer), repository.name)
    name, head = ("embed", head) if stated is None else _head_of(stated)
    return _assemble(repository, encoder, (name, head, module), _Reading(tokenizer, size, stated))


def _encoder_of(name: str, model: Any) -> Any:
    encoder = model.base_model
    sees_one_side = any(getattr(module, "is_causal", False) for module in encoder.modules())
    if model.config.is_encoder_decoder or sees_one_side or not hasattr(encoder, "embeddings"):
        raise ConfigError(
            f"{name} is a {type(model).__name__}; longdoc reads encoders, such as BERT, RoBERTa, DistilBERT, ALBERT, "
            "DeBERTa, XLM-R, Longformer, BigBird and ModernBERT"
        )
    return encoder


def _assemble(
    repository: Repository, encoder: Any, head: tuple[str, HeadConfig, nn.Module], reading: _Reading
) -> Model:
    name, head_config, module = head
    tokenizer = repository.backend_of(reading.tokenizer)
    check_tokens(tokenizer, encoder.config)
    template = _template(repository.name, reading.tokenizer, tokenizer, encoder.config, head_config.kind)
    config = reading.stated or _config(encoder, name, head_config, reading.size)
    return Model(encoder, tokenizer, config, {name: module}, template).eval()


def _config(encoder: Any, name: str, head: HeadConfig, size: int) -> ModelConfig:
    """The settings of a checkpoint; a converted one has its pattern in windows too, as long as its positions."""
    windows, pattern = WindowConfig(size=size, overlap=size // 4), own_pattern(encoder)
    sparse = SparseConfig(pattern=pattern)
    if is_converted(encoder.config):
        windows = WindowConfig(size=size, overlap=min(size // 4, sparse.rows.overlap))
        rows = replace(sparse.rows, size=max(sparse.rows.size, size))
        sparse = SparseConfig(pattern=pattern, rows=rows, windows=True)
    return ModelConfig(heads={name: head}, windows=windows, sparse=sparse)


def _template(name: str, tokenizer: Any, backend: Tokenizer, config: Any, kind: str) -> Template:
    """The special tokens of a checkpoint, with the segment ids that its tokenizer, or its class, gives them.

    Raises:
        ConfigError: the encoder has fewer segments than the tokenizer.
    """
    template = Template.of(backend, config.pad_token_id or 0)
    n_types = getattr(config, "type_vocab_size", None) or 1
    if config.model_type == "big_bird" and kind == "qa" and "token_type_ids" not in tokenizer.model_input_names:
        return template.with_text_type(1)  # as its class does
    if template.n_types > n_types > 1:
        raise ConfigError(
            f"{name}: the tokenizer numbers the texts of a pair up to {template.n_types - 1} (token_type_ids), and "
            f"type_vocab_size of config.json is {n_types}: they belong to different models"
        )
    return template


def _no_head(name: str, config: Any, kind: str | None, own: str | None) -> str:
    """The message for a checkpoint without the head that is wanted."""
    what = ", ".join(config.architectures or ()) or config.model_type
    remedy = f"`longdoc train` with `base: {name}` trains one"
    if kind == "classify" and own == "nli":
        return (
            f"{name} is a {what} whose classes are {', '.join(label_names(config)):.80}: it judges a hypothesis about "
            f"a text, and a text alone has none; load it as nli={name!r} and call infer"
        )
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
