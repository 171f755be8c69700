"""The files of a checkpoint: read as they are, and written with one tensor and a few settings changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel
from transformers.utils.hub import cached_file

from longdoc.errors import ConfigError

BOTH_HEADS = ("AlbertForPreTraining", "BertForPreTraining", "BigBirdForPreTraining")
"""Classes that carry a masked-language head beside another."""
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")
TOKENIZER_FILES = (*VOCABULARIES, "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
TABLE = "position_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder in transformers' form, or a hub id."""

    name: str
    config: dict[str, Any]
    """``config.json`` as it stands."""

    @classmethod
    def open(cls, model: str | Path) -> Checkpoint:
        """Reads the configuration.

        Raises:
            ConfigError: there is none, or it is one of longdoc's own.
        """
        name = str(model)
        folder = Path(name)
        is_path = folder.is_absolute() or name.startswith((".", "~")) or len(folder.parts) > 2 or folder.exists()
        if is_path and not folder.is_dir():
            raise ConfigError(f"{name}: no such folder; give one with config.json and model.safetensors, or a hub id")
        path = _file(name, "config.json")
        if path is None:
            what = "holds no config.json" if folder.is_dir() else "is no folder, and was not found on the hub"
            raise ConfigError(f"{name} {what}; give a folder written by save_pretrained, or the id of a model there")
        config = _read_json(path)
        if "longdoc" in config:
            raise ConfigError(
                f"{name} is a model of longdoc, which reads long rows without being converted (its positions repeat "
                f"by themselves): Pipeline.from_pretrained({name!r}, encoder='sparse')"
            )
        return cls(name, config)

    def network(self, *, with_head: bool = False) -> PreTrainedModel:
        """The model, in the class that its configuration names.

        Raises:
            ConfigError: it cannot be loaded; or ``with_head``, and it has no masked-language head.
        """
        name = next(iter(self.config.get("architectures") or ()), "")
        if name in BOTH_HEADS:
            name = name.replace("ForPreTraining", "ForMaskedLM")
        named = getattr(transformers, name, None)
        chosen: Any = named if isinstance(named, type) and issubclass(named, PreTrainedModel) else AutoModel
        network: PreTrainedModel
        try:
            network, report = chosen.from_pretrained(
                self.name, use_safetensors=True, trust_remote_code=False, output_loading_info=True
            )
        except Exception as error:  # safetensors raises bare exceptions
            raise ConfigError(
                f"{self.name} cannot be loaded ({_first_line(error)}); it must hold model.safetensors, and a "
                "config.json of an architecture that is part of transformers"
            ) from error
        if with_head and (report["missing_keys"] or not type(network).__name__.endswith("ForMaskedLM")):
            raise ConfigError(
                f"{self.name} ({type(network).__name__}) has no masked-language head to predict words with; leave the "
                "text out, or convert the checkpoint it was fine-tuned from"
            )
        return network

    def weights(self) -> dict[str, Tensor]:
        """Every tensor, under its name in the files.

        Raises:
            ConfigError: the files are not all there.
        """
        paths = [_file(self.name, "model.safetensors")]
        if paths == [None] and (index := _file(self.name, "model.safetensors.index.json")) is not None:
            paths = [_file(self.name, part) for part in sorted(set(_read_json(index)["weight_map"].values()))]
        state: dict[str, Tensor] = {}
        for path in paths:
            if path is None:
                raise ConfigError(f"{self.name}: model.safetensors, or a part of it, is missing; save it there again")
            state |= load_file(path)
        # Older checkpoints keep the numbers 0 to 511 as well; transformers makes them anew.
        return {name: tensor for name, tensor in state.items() if not name.endswith("embeddings.position_ids")}

    def tokenizer(self) -> Any:
        """The tokenizer, as transformers reads it.

        Raises:
            ConfigError: there is none (transformers would make up an empty one), or it cannot be loaded.
        """
        if not any(_file(self.name, name) for name in VOCABULARIES):
            raise ConfigError(f"{self.name} holds no tokenizer ({', '.join(VOCABULARIES)}); save it there first")
        try:
            return AutoTokenizer.from_pretrained(self.name, trust_remote_code=False)
        except Exception as error:  # tokenizers raises bare exceptions
            raise ConfigError(f"{self.name}: the tokenizer cannot be loaded ({_first_line(error)})") from error

    def write(self, output: Path, network: PreTrainedModel, tokenizer: Any, max_tokens: int) -> None:
        """Writes a copy with the position table and the settings of ``network``; all of that, if it is a new kind.

        Raises:
            ConfigError: the weights have no such table, or the folder cannot be written.
        """
        is_copy = network.config.model_type == self.config.get("model_type")
        weights = self._with_table_of(network) if is_copy else {}
        try:
            output.mkdir(parents=True, exist_ok=True)
            if is_copy:
                save_file(weights, output / "model.safetensors", metadata={"format": "pt"})
                changed = ("max_position_embeddings", "sparse_attention")
                kept = {name: value for name, value in self.config.items() if "attn_implementation" not in name}
                _write_json(output / "config.json", kept | {name: getattr(network.config, name) for name in changed})
            else:
                network.save_pretrained(output)
            self._write_tokenizer(output, tokenizer, max_tokens)
        except OSError as error:
            raise ConfigError(f"{output}: cannot be written ({error.strerror})") from error

    def _with_table_of(self, network: PreTrainedModel) -> dict[str, Tensor]:
        """The weights with the position table of ``network``, if it has one, in the number format of the old one."""
        weights = self.weights()
        table = next((tensor for name, tensor in network.named_parameters() if name.endswith(TABLE)), None)
        if table is None:
            return weights
        names = [name for name in weights if name.endswith(TABLE)]
        if len(names) != 1:
            raise ConfigError(f"{self.name}: its weights hold {len(names)} tensors named …{TABLE}; it must be one")
        return {**weights, names[0]: table.detach().to(weights[names[0]].dtype).contiguous()}

    def _write_tokenizer(self, output: Path, tokenizer: Any, max_tokens: int) -> None:
        """Copies the tokenizer's files; what they say of lengths becomes ``max_tokens``, or goes."""
        for name in TOKENIZER_FILES:
            if (path := _file(self.name, name)) is not None:
                shutil.copyfile(path, output / name)
        if not (output / "tokenizer.json").exists():
            tokenizer.save_pretrained(output)
        if (path := output / "tokenizer.json").exists():
            _write_json(path, {**_read_json(path), "truncation": None, "padding": None})
        path = output / "tokenizer_config.json"
        record = _read_json(path) if path.exists() else {}
        for name in ("max_len", "max_length"):  # older names
            record.pop(name, None)
        # Where it names none, a Longformer's would be taken for RoBERTa's.
        record.setdefault("tokenizer_class", type(tokenizer).__name__)
        _write_json(path, {**record, "model_max_length": max_tokens})


def _file(model: str, name: str) -> Path | None:
    """A file of a folder or of a repository of the hub, if it is there."""
    try:
        path = cached_file(model, name, _raise_exceptions_for_missing_entries=False)
    except OSError as error:
        raise ConfigError(f"{model} is no folder, and no model of the hub was found ({_first_line(error)})") from error
    return None if path is None else Path(path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from error
    return record


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
