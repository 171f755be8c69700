"""The folders of sentence-transformers: pooling, layers after it, prompts and lengths → a head for vectors.

Dimensions: ``B`` windows, ``T`` tokens, ``D`` width.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, cast, get_args

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from longdoc.errors import CheckpointWarning, ConfigError, first_line
from longdoc.heads import EmbedConfig, EmbedHead
from longdoc.heads.embed import VectorPooling
from longdoc.heads.modules import pooled
from longdoc.hub.configs import stated_length
from longdoc.model_files.weights import check_numbers
from longdoc.pretrained import Repository
from longdoc.windows import tokenize

_SETTINGS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""The names that the settings of the module Transformer have had."""
_MODEL = "config_sentence_transformers.json"
"""The settings of a whole model."""
_LAYERS = ("Dense", "LayerNorm", "Normalize", "Dropout")
"""Modules that may follow the pooling."""
_SINCE_5_2 = {
    "cls_token": "cls",
    "max_tokens": "max",
    "mean_tokens": "mean",
    "weightedmean_tokens": "weightedmean",
}
"""Names of pooling modes before sentence-transformers 5.2 → after; the others kept theirs."""
_ACTIVATIONS = frozenset(
    "CELU ELU GELU Hardtanh Identity LeakyReLU Mish ReLU ReLU6 SELU SiLU Sigmoid Softplus Softsign Tanh".split()
)
"""Activations of torch without parameters; sentence-transformers stores no settings of them."""
_VECTOR = "sentence_embedding"
"""What sentence-transformers calls the vector that modules read and write."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """What the modules of a folder do with the states of a text."""

    pooling: VectorPooling
    layers: tuple[nn.Module, ...]
    """After the pooling, without a last normalisation."""
    normalize: bool
    """Whether the vector is divided by its length in the end."""
    width: int
    """Width of the vector."""
    prompt: str
    """What is written before every text."""
    pools_prompt: bool
    """Whether the states of the prompt count."""
    longest: int | None
    """The longest text, in tokens; ``None`` if not stated."""

    def head(self, tokenizer: Tokenizer, where: str) -> tuple[EmbedConfig, nn.Module]:
        """The head: longdoc's own if it computes the same, else one of the checkpoint's modules.

        Raises:
            ConfigError: the tokenizer merges the end of the prompt with the text.
        """
        config = EmbedConfig(pooling=self.pooling, normalize=self.normalize)
        if not self.layers and not self.prompt:
            return config, EmbedHead(config.pooling)
        return config, CheckpointVectors(config, self, tokenizer, where)


class CheckpointVectors(nn.Module):
    """A window's states as one vector, by the modules of sentence-transformers."""

    def __init__(self, config: EmbedConfig, vectors: Vectors, tokenizer: Tokenizer, where: str) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.Sequential(*vectors.layers)
        self.width = vectors.width
        self.lead = vectors.prompt
        self.prompt = _prompt_ids(vectors.prompt, tokenizer, where)
        is_skipped = bool(vectors.prompt) and not vectors.pools_prompt
        self.n_skipped = _length_alone(vectors.prompt, tokenizer) if is_skipped else 0

    def scores(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Vectors, float32 ``(B, 1, D)``, from states ``(B, T, D)``; ``mask`` is bool ``(B, T)``, false at padding."""
        seen = torch.ones_like(states[..., 0], dtype=torch.bool) if mask is None else mask.clone()
        seen[:, : self.n_skipped] = False
        with torch.autocast(states.device.type, enabled=False):
            vectors: Tensor = self.layers(pooled(states, seen, self.config.pooling))
        return vectors[:, None]


def _prompt_ids(prompt: str, tokenizer: Tokenizer, where: str) -> tuple[int, ...]:
    """Token ids of a prompt that a text follows."""
    whole = tokenize(f"{prompt}a", tokenizer)
    n_tokens = len(whole) - len(tokenize("a", tokenizer, lead=prompt))
    if whole.offsets[n_tokens, 0] < len(prompt):
        raise ConfigError(
            f"{where}: the prompt {prompt!r:.40} and the first word of a text become one token; end the prompt with a "
            "space"
        )
    return tuple(whole.ids[:n_tokens].tolist())


def _length_alone(prompt: str, tokenizer: Tokenizer) -> int:
    """Number of tokens of a prompt by itself, with the special tokens before it, as sentence-transformers counts."""
    encoding = tokenizer.encode(prompt)
    return len(encoding.ids) - (encoding.special_tokens_mask[-1:] == [1])


class Dense(nn.Module):
    """A linear layer and an activation; with ``residual``, what it is given is added to the result."""

    def __init__(self, weight: Tensor, activation: nn.Module, *, bias: bool, residual: bool) -> None:
        super().__init__()
        n_out, n_in = weight.shape
        self.linear = nn.Linear(n_in, n_out, bias=bias)
        self.activation = activation
        self.is_residual = residual
        self.residual = nn.Linear(n_in, n_out, bias=False) if residual and n_in != n_out else nn.Identity()

    def forward(self, vectors: Tensor) -> Tensor:
        """``(B, D)`` to ``(B, D_out)``."""
        found: Tensor = self.activation(self.linear(vectors))
        return found + self.residual(vectors) if self.is_residual else found


class Norm(nn.Module):
    """Layer normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, vectors: Tensor) -> Tensor:
        """``(B, D)`` to ``(B, D)``."""
        normal: Tensor = self.norm(vectors)
        return normal


class Unit(nn.Module):
    """Division by the length."""

    def forward(self, vectors: Tensor) -> Tensor:
        """``(B, D)`` to ``(B, D)``."""
        return nn.functional.normalize(vectors, dim=-1)


# --------------------------------------------------------------------------------------------------------- the files


def read_vectors(repository: Repository, width: int) -> Vectors | None:
    """What the modules of a sentence-transformers repository do; ``None`` for one of transformers alone.

    Args:
        repository: the folder or hub model.
        width: that of the encoder's states.

    Raises:
        ConfigError: there is a module, a pooling or a setting that longdoc does not compute, or a file is damaged.
    """
    modules = _modules(repository)
    if modules is None:
        return None
    (_, pooling_path), *after = modules[1:]
    pooling = _record(repository, f"{pooling_path}/config.json")
    layers: list[nn.Module] = []
    normalize = False
    for kind, path in after:
        if kind == "Dropout":  # which does nothing after training
            continue
        if normalize:
            layers.append(Unit())
        normalize = kind == "Normalize"
        record = _record(repository, f"{path}/config.json")
        _check_names(repository, path, record)
        if not normalize:
            layers.append(_layer(repository, kind, path, record, width))
            width = layers[-1].linear.out_features if isinstance(layers[-1], Dense) else width
    return Vectors(
        _mode(repository.name, pooling),
        tuple(layers),
        normalize,
        width,
        _default_prompt(repository),
        pooling.get("include_prompt") is not False,
        _trained_length(repository),
    )


def is_cross_encoder(repository: Repository) -> bool:
    """Whether sentence-transformers, since 6, wrote a folder for pairs of texts."""
    return bool(repository.files([_MODEL])) and _record(repository, _MODEL).get("model_type") == "CrossEncoder"


def _modules(repository: Repository) -> list[tuple[str, str]] | None:
    """Kind and path of each module."""
    listed = repository.json("modules.json")
    if listed is None:
        return None
    if not isinstance(listed, list) or not all(
        isinstance(each, dict) and isinstance(each.get("type"), str) and isinstance(each.get("path"), str)
        for each in listed
    ):
        raise ConfigError(f"{repository.name}: modules.json is damaged: expected a list of modules with type and path")
    found = [(each["type"].rsplit(".", 1)[-1], each["path"]) for each in listed]
    kinds = [kind for kind, _ in found]
    if kinds[:2] != ["Transformer", "Pooling"] or found[0][1] or not {*kinds[2:]} <= {*_LAYERS}:
        raise ConfigError(
            f"{repository.name} consists of {', '.join(kinds) or 'nothing'}; the sentence-transformers models that "
            f"longdoc reads consist of a Transformer in the top folder, Pooling, and optionally {', '.join(_LAYERS)}"
        )
    return found


def _record(repository: Repository, name: str) -> dict[str, Any]:
    """The content of a file; empty if there is none."""
    found = repository.json(name)
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{repository.name}: {name} is damaged: expected settings, got {found!r:.60}")
    return found or {}


def _mode(name: str, record: dict[str, Any]) -> VectorPooling:
    flags = [key.removeprefix("pooling_mode_") for key, value in record.items() if value is True and "mode_" in key]
    given = record.get("pooling_mode", flags)  # since sentence-transformers 5.2 a mode, or a list of modes
    modes = [_SINCE_5_2.get(str(mode), str(mode)) for mode in (given if isinstance(given, list) else [given])]
    if len(modes) != 1 or modes[0] not in get_args(VectorPooling):
        raise ConfigError(
            f"{name} pools by {', '.join(modes) or 'nothing'}; allowed is one of {', '.join(get_args(VectorPooling))}"
        )
    return cast(VectorPooling, modes[0])


def _check_names(repository: Repository, path: str, record: dict[str, Any]) -> None:
    """Raises for a module that reads or writes something else than the vector."""
    for name in ("module_input_name", "module_output_name"):
        if record.get(name) not in (None, _VECTOR):
            raise ConfigError(
                f"{repository.name}: {path}/config.json: {name} is {record[name]!r:.60}; allowed is {_VECTOR!r}"
            )


def _layer(repository: Repository, kind: str, path: str, record: dict[str, Any], width: int) -> nn.Module:
    """A module with weights."""
    where = f"{repository.name}: {path}"
    file = repository.file(f"{path}/model.safetensors")
    if file is None:
        raise ConfigError(
            f"{where} has no model.safetensors; pickled weights are not read, because a pickle can run code; save the "
            "model with sentence-transformers 3 or newer"
        )
    try:
        state = {name: tensor.float() for name, tensor in load_file(file).items()}
    except Exception as error:  # safetensors raises bare exceptions
        raise ConfigError(f"{file} is damaged or incomplete ({first_line(error)}); download it again") from error
    check_numbers(state, where)
    if kind == "LayerNorm":
        layer: nn.Module = Norm(width)
    else:
        weight = state.get("linear.weight", torch.empty(0))
        if weight.ndim != 2 or weight.shape[1] != width:
            raise ConfigError(
                f"{where}: linear.weight is {tuple(weight.shape)}; the vectors before it have {width} numbers"
            )
        bias, residual = "linear.bias" in state, record.get("use_residual") is True
        layer = Dense(weight, _activation(where, record), bias=bias, residual=residual)
    try:
        layer.load_state_dict(state)
    except RuntimeError as error:
        raise ConfigError(
            f"{where}: the weights are not those of a module {kind} ({' '.join(str(error).split())})"
        ) from error
    return layer.eval()


def _activation(where: str, record: dict[str, Any]) -> nn.Module:
    name = record.get("activation_function", "torch.nn.modules.activation.Tanh")
    kind = str(name).rpartition(".")[2]
    if not str(name).startswith("torch.nn.") or kind not in _ACTIVATIONS:
        raise ConfigError(
            f"{where}/config.json: activation_function is {name!r:.80}; allowed are those of torch.nn: "
            f"{', '.join(sorted(_ACTIVATIONS))}"
        )
    found: nn.Module = getattr(nn, kind)()
    return found


def _default_prompt(repository: Repository) -> str:
    """The prompt of ``SentenceTransformer.encode``: the one that is named as the default; empty if none is."""
    record, where = _record(repository, _MODEL), f"{repository.name}: {_MODEL}"
    if record.get("model_type", "SentenceTransformer") != "SentenceTransformer":
        raise ConfigError(f"{where}: model_type is {record['model_type']!r:.40}; longdoc reads a SentenceTransformer")
    prompts, default = record.get("prompts") or {}, record.get("default_prompt_name")
    if not isinstance(prompts, dict) or not all(isinstance(text, str) for text in prompts.values()):
        raise ConfigError(f"{where}: prompts is {prompts!r:.60}; expected a text for each name")
    if default is not None and default not in prompts:
        raise ConfigError(
            f"{where}: default_prompt_name is {default!r:.40}; the prompts are {', '.join(prompts) or 'none'}"
        )
    if default is None and any(prompts.values()):
        warnings.warn(
            f"{repository.name} has the prompts {', '.join(prompts):.80}, and none is the default: texts are read "
            "without, as SentenceTransformer.encode reads them; to use one, write its name as default_prompt_name into "
            f"{_MODEL}",
            CheckpointWarning,
            stacklevel=2,
        )
    return "" if default is None else str(prompts[default])


def _trained_length(repository: Repository) -> int | None:
    """The text length in tokens that a model was trained on; ``None`` if not stated.

    Raises:
        ConfigError: the model does more with a text than longdoc, such as lower-casing it.
    """
    name = next((name for name in _SETTINGS if repository.files([name])), _SETTINGS[0])
    record, where = _record(repository, name), f"{repository.name}: {name}"
    if record.get("do_lower_case"):
        raise ConfigError(f"{repository.name} changes texts before reading them (lower case); longdoc does not")
    allowed = {
        "transformer_task": ("feature-extraction",),
        "module_output_name": ("token_embeddings",),
        "query_expansion": (),
        "processing_kwargs": ({},),
    }
    for key, values in allowed.items():
        if record.get(key) is not None and record[key] not in values:
            raise ConfigError(f"{where}: {key} is {record[key]!r:.60}, which longdoc does not follow; remove it")
    # Since sentence-transformers 6 it is part of the tokenizer's configuration.
    return stated_length(record.get("max_seq_length"), f"{where}: max_seq_length")
