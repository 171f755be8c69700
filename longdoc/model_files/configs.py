"""``config.json`` → the configuration of an encoder, with nothing in it that is longdoc's to choose."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from longdoc.errors import ConfigError, first_line
from longdoc.model_files.architectures import why_unreadable

if TYPE_CHECKING:
    from transformers import PretrainedConfig

MAX_NUMBER = 2**31 - 1
MAX_DEPTH = 16
MAX_LAYERS = 1024
MAX_LABELS = 100_000
MAX_WINDOW = 8192
"""Maximum of what a sparse encoder rounds the length of a row up to, in tokens."""

_COMPUTING = frozenset(
    (
        *("attn_implementation", "experts_implementation", "device_map", "dtype", "torch_dtype", "use_kernels"),
        *("kernel_config", "fusion_config", "distributed_config", "tp_plan", "tp_size", "chunk_size_feed_forward"),
        *("output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "torchscript"),
    )
)
"""How to compute, and in which precision, which longdoc chooses."""
_PLACES = frozenset(
    (
        *("auto_map", "custom_pipelines", "custom_generate", "gguf_file", "name_or_path", "base_model_name_or_path"),
        *("processor_class", "feature_extractor_type", "backbone", "use_pretrained_backbone", "use_timm_backbone"),
        "trust_remote_code",
        *("longdoc", "longdoc_version"),
    )
)
"""Code, places of other files, and longdoc's own settings."""
_PROPERTIES = frozenset({"num_labels", "rope_scaling"})
"""Settings that the classes of transformers have as properties."""
_REFUSED = {
    "quantization_config": "the weights are quantised in a format that longdoc does not read; save them in float32",
    "transformers_weights": "the weights must be in model.safetensors; rename the file",
}
_ATTENTION = frozenset(
    {"eager", "sdpa", "flash_attention_2", "flash_attention_3", "flash_attention_4", "flex_attention", "longdoc"}
)
_POSITIVE = (
    "hidden_size vocab_size num_hidden_layers num_attention_heads intermediate_size max_position_embeddings "
    "embedding_size"
).split()
_WINDOWS = ("attention_window", "block_size", "num_random_blocks", "local_attention")


def encoder_config(record: Mapping[str, Any], where: str, **settings: Any) -> Any:
    """The ``PretrainedConfig`` of an encoder, of a class that is part of transformers.

    Args:
        record: the content of ``config.json``.
        where: the file, for messages.
        settings: settings that replace those of the file, and that the architecture must have.

    Raises:
        ConfigError: the architecture is unknown or not an encoder, or a value is out of range; the message names it.
    """
    known, given = _class_of(record, where), checked_settings(record, where)
    fields = {field.name for field in dataclasses.fields(known)} | set(known.attribute_map)
    kept = {name: value for name, value in given.items() if _is_setting(name, known, fields)}
    if unknown := [name for name in settings if name not in fields]:
        raise ConfigError(f"{where}: {record['model_type']} has no setting {', '.join(unknown)}")
    try:
        config = known(**kept | settings)
    except Exception as error:  # transformers raises almost anything
        raise ConfigError(f"{where} is no configuration of a {record['model_type']}: {_cause(error)}") from error
    _check_sizes(config, where)
    return config


def checked_settings(record: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The settings of an encoder in a ``config.json``, without what is private or names code or files.

    Their names and numbers are checked as far as they are the same for all architectures.

    Raises:
        ConfigError: a value is out of range, or not longdoc's to follow; the message names it.
    """
    _check_values(record, where)
    return {name: value for name, value in record.items() if name not in _PLACES and not name.startswith("_")}


def _class_of(record: Mapping[str, Any], where: str) -> type[PretrainedConfig]:
    """The class of the configuration, which is part of transformers."""
    from transformers import CONFIG_MAPPING

    name = record.get("model_type")
    if not isinstance(name, str) or name not in CONFIG_MAPPING:
        code = "; code that comes with a model is never run" if record.get("auto_map") else ""
        raise ConfigError(
            f"{where}: model_type is {name!r:.80}, which is no architecture of the installed transformers{code}"
        )
    known: type[PretrainedConfig] = CONFIG_MAPPING[name]
    obstacle = ""
    if name in set(_text_models()) and not known.sub_configs and not (obstacle := why_unreadable(name, known, record)):
        return known
    raise ConfigError(
        f"{where}: model_type is {name!r}{obstacle}; longdoc reads encoders of text, such as BERT, RoBERTa, "
        "DistilBERT, ALBERT, DeBERTa, XLM-R, Longformer, BigBird and ModernBERT"
    )


def _text_models() -> Iterator[str]:
    """The types of the models of transformers that have one of the heads that longdoc reads."""
    from transformers.models.auto import modeling_auto

    for task in ("MASKED_LM", "TOKEN_CLASSIFICATION", "QUESTION_ANSWERING", "SEQUENCE_CLASSIFICATION"):
        yield from getattr(modeling_auto, f"MODEL_FOR_{task}_MAPPING_NAMES")


def _is_setting(name: str, known: type[PretrainedConfig], fields: set[str]) -> bool:
    """Whether a key sets a number of the architecture, not how to compute, or a method of the class."""
    if name in _COMPUTING or name == "model_type":
        return False
    return name in fields or name in _PROPERTIES or not hasattr(known, name)


def _check_values(record: Mapping[str, Any], where: str) -> None:
    """Raises for what no configuration contains, before transformers sees it."""
    for name, remedy in _REFUSED.items():
        if record.get(name) is not None:
            raise ConfigError(f"{where}: {name} is given: {remedy}")
    classes = record.get("architectures")
    if classes is not None and not (isinstance(classes, list) and all(isinstance(name, str) for name in classes)):
        raise ConfigError(f"{where}: architectures is {classes!r:.80}; allowed is a list of names of classes")
    for name, value in record.items():
        if name.endswith("attn_implementation") and value is not None and value not in list(_ATTENTION):
            raise ConfigError(
                f"{where}: {name} is {value!r:.80}; longdoc chooses the attention. Allowed, and ignored: "
                f"{', '.join(sorted(_ATTENTION))}"
            )
    for path, value in _leaves(record, where):
        _check_number(path, value, where)


def _leaves(record: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    """The values that are no mappings or lists, with their dotted paths."""
    rest: list[tuple[str, Any, int]] = [(str(name), value, 1) for name, value in record.items()]
    while rest:
        path, value, depth = rest.pop()
        if depth > MAX_DEPTH:
            raise ConfigError(f"{where}: {path:.80} is nested in more than {MAX_DEPTH} levels")
        if isinstance(value, Mapping):
            rest += [(f"{path}.{name}", inner, depth + 1) for name, inner in value.items()]
        elif isinstance(value, list):
            rest += [(path, inner, depth + 1) for inner in value]
        else:
            yield path, value


def _check_number(path: str, value: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    limit: float = MAX_NUMBER
    name = path.rpartition(".")[2]
    if isinstance(value, int) and not path.startswith("longdoc"):
        limit = (
            MAX_LAYERS if name.endswith(("layer", "layers")) else MAX_LABELS if name.endswith("num_labels") else limit
        )
    if not math.isfinite(value) or abs(value) > limit:
        raise ConfigError(f"{where}: {path:.80} is {value:.6g}; allowed are numbers up to {limit:,}")
    if isinstance(value, float) and name.endswith("_eps") and not 0 < value < 1:
        raise ConfigError(f"{where}: {path:.80} is {value:.6g}; allowed are numbers between 0 and 1")


def _check_sizes(config: PretrainedConfig, where: str) -> None:
    """Raises for sizes that are not positive whole numbers; ``config`` knows every architecture's name for them."""
    for name in (*_POSITIVE, *_WINDOWS):
        value = getattr(config, name, None)
        given = f"{where}: {config.attribute_map.get(name, name)} is {value!r:.80}"
        numbers = value if isinstance(value, (list, tuple)) else (value,)
        least, most = (0, MAX_WINDOW) if name in _WINDOWS else (1, MAX_NUMBER)
        if value is not None and not all(type(number) is int and least <= number <= most for number in numbers):
            raise ConfigError(f"{given}; allowed are whole numbers from {least} to {most:,}")
    pad, n_tokens = getattr(config, "pad_token_id", None), getattr(config, "vocab_size", None)
    if type(pad) is int and type(n_tokens) is int and pad >= n_tokens:
        raise ConfigError(f"{where}: pad_token_id is {pad}; it must be less than vocab_size, {n_tokens}")


def _cause(error: Exception) -> str:
    """What an error says, with the field that a validation of transformers names."""
    return " ".join(str(error).split())[:300] or first_line(error)
