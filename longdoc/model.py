"""One encoder with named heads: building, saving, loading.

A model folder contains ``config.json``, ``model.safetensors`` and ``tokenizer.json``. Matrices may be stored as int8
with one scale per row; they are dequantised when loaded. ``config.json`` has the encoder's transformers configuration
in ``encoder``, longdoc's own settings in ``longdoc``, and a ``model_type`` and a place of weights that transformers
refuses: it would find none of the weights by their names here, and fill an encoder of its own with random ones
(:mod:`longdoc.export` writes what it can read). Folders written before that have the encoder's configuration beside
``longdoc``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from longdoc.adapters import Adapter
from longdoc.arguments import check_flags, check_type
from longdoc.attention.positions import n_positions
from longdoc.bert import Bert, BertConfig, is_bert
from longdoc.config import to_dict
from longdoc.durable import replacing_files
from longdoc.encoders import Encoder, SparseEncoder, shared_copy, with_pattern
from longdoc.errors import ConfigError
from longdoc.export_record import is_export
from longdoc.heads import HeadConfig, build_head, kind_of
from longdoc.inputs import Template
from longdoc.model_config import ModelConfig, check_windows, own_settings
from longdoc.model_files import checked_settings, encoder_config, file_in, is_folder, read_object
from longdoc.model_files.tokenizers import check_tokens, read_tokenizer
from longdoc.model_files.weights import check_numbers, check_size, misfits, stored_shapes
from longdoc.version import __version__

_SCALE = ".scale"
_WEIGHTS = "model.safetensors"
_MODEL_TYPE = "longdoc"
_NO_WEIGHTS = (
    "none, since this is a model of longdoc: read it with longdoc.Pipeline.from_pretrained, or write a head of it for "
    "transformers with `longdoc export`"
)
"""Where transformers is to find weights: a name that it refuses, and shows."""
_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")
"""Names of the dropout of attention probabilities: of BERT and most others; of DistilBERT and ModernBERT."""


class Model(nn.Module):
    """An encoder and its heads, with the tokenizer they were trained on."""

    def __init__(
        self,
        backbone: nn.Module,
        tokenizer: Tokenizer,
        config: ModelConfig,
        heads: Mapping[str, nn.Module] | None = None,
        template: Template | None = None,
        adapters: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """A model with the heads of ``config``, freshly initialised unless ``heads`` are given.

        ``template`` has the special tokens around a text; by default they are those of ``tokenizer``. ``adapters`` are
        those of the heads that read with an encoder of their own; by default new ones, which change nothing.
        """
        super().__init__()
        encoder_config: Any = backbone.config
        check_windows(config, n_positions(backbone) or encoder_config.max_position_embeddings)
        if encoder_config.model_type == "big_bird":
            # Windows are read whole, and `sparsify` makes it sparse. Sparse, it would turn dense after a short row for
            # ever, so that what it reads would depend on what it has read.
            cast(Any, backbone).set_attention_type("original_full")
            encoder_config.attention_type = "original_full"
        self.config = config
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self.encoder = Encoder(backbone, template or Template.of(tokenizer, encoder_config.pad_token_id or 0))
        embeddings: Any = cast(Any, backbone).get_input_embeddings()
        width = encoder_config.hidden_size
        fresh = {name: build_head(head, width, embeddings) for name, head in config.heads.items() if not heads}
        self.heads = nn.ModuleDict(dict(heads or fresh))
        n_bits = {name: bits for name, head in config.heads.items() if (bits := getattr(head, "adapter", None))}
        new = {name: Adapter(backbone, bits) for name, bits in n_bits.items() if not adapters}
        self.adapters = nn.ModuleDict(dict(adapters or new))

    def head(self, name: str) -> nn.Module:
        """The head of that name."""
        return self.heads[name]

    def reading_encoder(self, period: int = 0) -> Encoder:
        """The encoder that reads texts, in training as later, with the weights of ``encoder``.

        Args:
            period: 0 for windows, which a converted checkpoint reads with its pattern; for long rows with sparse
                attention, the number of positions after which position ids repeat.

        Raises:
            ConfigError: the architecture cannot be made sparse.
        """
        if period:
            return SparseEncoder.of(self.encoder, self.config.sparse_pattern(period), period)
        return with_pattern(self.encoder, self.config.sparse_pattern()) if self.config.sparse.windows else self.encoder

    def with_heads(self, names: Sequence[str]) -> Model:
        """A model of this encoder and some of its heads, which share their weights with this one."""
        modules = {name: self.heads[name] for name in names}
        adapters = {name: adapter for name, adapter in self.adapters.items() if name in names}
        config = self.config.with_heads(names)
        return Model(self.encoder.backbone, self.tokenizer, config, modules, self.encoder.template, adapters)

    def adapted(self, head: str) -> Model:
        """A model of one head and the encoder that it reads with: this one, or if it has an adapter, one of its own.

        Weights that the adapter does not change are shared.
        """
        if head not in self.adapters:
            return self.with_heads([head])
        encoder = shared_copy(self.encoder)
        weights = cast(Adapter, self.adapters[head]).weights(self.encoder.backbone)
        encoder.backbone.load_state_dict(weights, strict=False, assign=True)
        config = self.config.with_heads([head])
        plain = replace(config, heads={head: replace(cast(Any, config.heads[head]), adapter=None)})
        return Model(encoder.backbone, self.tokenizer, plain, {head: self.heads[head]}, encoder.template).eval()

    @classmethod
    def from_base(cls, folder: Path | str, config: ModelConfig, revision: str | None = None) -> Model:
        """Pretrained encoder weights from a transformers folder or hub id, and fresh heads.

        From a model that longdoc wrote, heads of the same name whose weights fit are kept as well. ``revision`` is a
        branch, tag or commit of a hub id.

        Raises:
            ConfigError: there is no such model, or a head has an adapter, which belongs to an encoder that is trained.
        """
        if adapted := [name for name, head in config.heads.items() if getattr(head, "adapter", None)]:
            raise ConfigError(
                f"the head {', '.join(adapted)} has an adapter, which training the encoder would spoil: leave out the "
                "head, and add it to the trained model with `longdoc adapt`"
            )
        if (own := longdoc_folder(folder, revision)) is not None:
            former = cls.from_pretrained(own)
            model = cls(former.encoder.backbone, former.tokenizer, config)
            for name in set(model.heads) & set(former.heads):
                if _form(config.heads[name]) == _form(former.config.heads[name]):
                    model.heads[name].load_state_dict(former.heads[name].state_dict())
            return model
        from longdoc.pretrained import Repository  # loads transformers

        repository = Repository(str(folder), revision)
        known = repository.config()
        backbone = repository.encoder(**{name: 0.0 for name in _ATTENTION_DROPOUT if hasattr(known, name)})
        tokenizer = repository.fast_tokenizer()
        check_tokens(tokenizer, backbone.config)
        return cls(without_pooler(backbone), tokenizer, config)

    @classmethod
    def from_pretrained(cls, folder: Path | str, *, only_windows: bool = False) -> Model:
        """A model saved by :meth:`save`.

        Args:
            folder: the folder.
            only_windows: the model is not trained and not made sparse, so that a BERT loads without transformers.

        Raises:
            ConfigError: the folder was not written by longdoc, or is damaged.
        """
        folder = Path(folder)
        if is_export(folder):
            raise ConfigError(f"{folder} is an export, which Pipeline.from_pretrained reads; give the model of it")
        if file_in(folder, "config.json") is None:
            raise ConfigError(f"{folder} has no config.json; give a folder written by Model.save, or 'default'")
        record = _read_config(folder)
        if "longdoc" not in record:
            raise ConfigError(f"{folder / 'config.json'} has no 'longdoc' block; give a folder written by Model.save")
        where, weights, tokens = str(folder / "config.json"), _part(folder, _WEIGHTS), _part(folder, "tokenizer.json")
        config = own_settings(record, where)
        encoder, backbone = _encoder(record, where, only_windows=only_windows and not config.sparse.windows)
        tokenizer = read_tokenizer(tokens)
        check_tokens(tokenizer, encoder)
        stored = _without_scales(stored_shapes([weights]), str(weights))

        def build() -> Model:
            return cls(backbone(), tokenizer, config)

        if misfit := misfits(check_size(build, stored, encoder, where), stored, encoder):
            raise ConfigError(f"the weights in {folder} do not fit its config.json: {misfit}")
        model, state = build(), load_file(weights)
        rest = {name: tensor for name, tensor in state.items() if name + _SCALE not in state}
        check_numbers({name: t * 127 if name.endswith(_SCALE) else t for name, t in rest.items()}, str(weights))
        model.load_state_dict(dequantize(state))
        return model.eval()

    def settings(self) -> dict[str, Any]:
        """The content of ``config.json``."""
        encoder_config = self.encoder.backbone.config.to_dict()  # type: ignore[operator, union-attr]
        for name in ("_name_or_path", "architectures"):  # a path on the machine that trained the model; another class
            encoder_config.pop(name, None)
        record = {"model_type": _MODEL_TYPE, "longdoc_version": __version__, "encoder": encoder_config}
        for each in (record, encoder_config):  # whichever of the two a class of transformers takes for its own
            each["transformers_weights"] = _NO_WEIGHTS
        return {**record, "longdoc": to_dict(self.config)}

    def save(self, folder: Path | str, *, quantize: bool = False) -> None:
        """Writes the model folder; ``quantize`` stores matrices as int8.

        If this process is killed, the folder has the former model, or this one, or is refused by all that load models.

        Raises:
            ConfigError: a head was loaded from a transformers checkpoint, or the folder cannot be written, as when the
                disk is full.
        """
        check_type("folder", folder, "the path of a folder", str, PathLike)
        check_flags(quantize=quantize)
        own = {name: kind_of(config).module() for name, config in self.config.heads.items()}
        if foreign := [name for name, head in self.heads.items() if not isinstance(head, own[name])]:
            raise ConfigError(
                f"the head {', '.join(foreign)} belongs to a transformers checkpoint; "
                "save it with transformers (save_pretrained)"
            )
        record = self.settings()
        state = {name: tensor.detach().contiguous().cpu() for name, tensor in self.state_dict().items()}
        try:
            with replacing_files(Path(folder), last="config.json") as new:
                (new / "config.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
                save_file(quantize_rows(state) if quantize else state, new / _WEIGHTS)
                (new / "tokenizer.json").write_bytes(self.tokenizer.to_str(pretty=False).encode())
        except (OSError, SafetensorError, ValueError) as error:
            remedy = "free some space, or name another folder"
            raise ConfigError(f"{folder}: the model cannot be written ({error}); {remedy}") from error


def longdoc_folder(name: Path | str, revision: str | None = None, cache_dir: str | None = None) -> Path | None:
    """The folder of a model that ``Model.save`` wrote, downloaded if ``name`` is a hub id; ``None`` for other models.

    Raises:
        ConfigError: there is no such folder or hub model, or it is damaged.
    """
    if is_folder(folder := Path(name)):
        return folder if file_in(folder, "config.json") is not None and "longdoc" in _read_config(folder) else None
    from longdoc.pretrained import Repository  # loads transformers

    return Repository(str(name), revision, cache_dir).longdoc_folder()


def _read_config(folder: Path) -> dict[str, Any]:
    """The content of ``config.json``, the encoder's settings beside longdoc's."""
    record = read_object(path := _part(folder, "config.json"))
    if record.get("model_type") != _MODEL_TYPE:
        return record
    encoder = record.pop("encoder", None)
    if not isinstance(encoder, dict):
        raise ConfigError(f"{path} is damaged: encoder is {encoder!r:.80}; it must have the encoder's settings")
    encoder.pop("transformers_weights", None)
    return {**encoder, **{name: value for name, value in record.items() if name.startswith("longdoc")}}


def _part(folder: Path, name: str) -> Path:
    """The path of a file that every model has."""
    path = file_in(folder, name)
    if path is None:
        raise ConfigError(f"{folder} is incomplete: it has no {name}; write it again by Model.save")
    return path


def _form(head: HeadConfig) -> tuple[object, ...]:
    """What two heads must have in common for the weights of one to fit the other."""
    return tuple(
        getattr(head, name, None) for name in ("kind", "labels", "scheme", "over", "hidden", "pooling", "multi_label")
    )


def quantize_rows(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Quantises every matrix ``(M, N)`` to int8: ``weight ≈ int8 * scale[:, None]``, ``scale`` float32 ``(M,)``."""
    quantized: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.ndim == 2 and tensor.is_floating_point():
            scale = tensor.abs().amax(dim=1).clamp(min=1e-12) / 127
            quantized[name] = (tensor / scale[:, None]).round().to(torch.int8)
            quantized[name + _SCALE] = scale
        else:
            quantized[name] = tensor
    return quantized


def dequantize(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverts :func:`quantize_rows` up to rounding, matrices ``(M, N)``; other states are unchanged."""
    return {
        name: tensor.float() * state[name + _SCALE][:, None] if name + _SCALE in state else tensor
        for name, tensor in state.items()
        if not name.endswith(_SCALE)
    }


def _without_scales(shapes: Mapping[str, tuple[int, ...]], where: str) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights, without those of the scales of :func:`quantize_rows`, which must belong to them."""
    for name, shape in shapes.items():
        matrix = shapes.get(name.removesuffix(_SCALE), ())
        if name.endswith(_SCALE) and (len(matrix) != 2 or shape != matrix[:1]):
            raise ConfigError(f"{where}: {name} is {shape}, but its matrix is {matrix}; allowed is a scale per row")
    return {name: shape for name, shape in shapes.items() if not name.endswith(_SCALE)}


def _encoder(record: Mapping[str, Any], where: str, *, only_windows: bool) -> tuple[Any, Callable[[], nn.Module]]:
    """The checked settings of an encoder, and what builds it; its weights are still to be loaded."""
    if only_windows and is_bert(settings := checked_settings(record, where)):
        own = BertConfig(settings)
        return own, lambda: Bert(own)
    from transformers import AutoModel

    config = encoder_config(record, where)
    return config, lambda: without_pooler(AutoModel.from_config(config, trust_remote_code=False))


def without_pooler(backbone: nn.Module) -> nn.Module:
    """The encoder itself, without the layer after the first state that no head of longdoc uses."""
    if getattr(backbone, "pooler", None) is not None:
        setattr(backbone, "pooler", None)  # noqa: B010 -- a module's attribute may be None, which its type denies
    return backbone
