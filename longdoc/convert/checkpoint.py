"""The files of a checkpoint: read unchanged, and written with one tensor and a few settings changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModel, PreTrainedModel

from longdoc.errors import ConfigError
from longdoc.model_files import is_folder, read_json
from longdoc.model_files.tokenizers import TOKENIZER_FILES
from longdoc.pretrained import Repository

TWO_HEADS = ("AlbertForPreTraining", "BertForPreTraining", "BigBirdForPreTraining")
"""Classes with a masked-language head and another one."""
TABLE = "position_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint in the format of transformers."""

    repository: Repository
    config: dict[str, Any]
    """The content of ``config.json``."""

    @property
    def name(self) -> str:
        """Path of the folder, or hub id."""
        return self.repository.name

    @classmethod
    def open(cls, model: str | Path) -> Checkpoint:
        """Reads the configuration.

        Raises:
            ConfigError: there is none, or it belongs to a longdoc model.
        """
        name, folder = str(model), Path(model)
        is_there = is_folder(folder)
        is_path = folder.is_absolute() or name.startswith((".", "~")) or len(folder.parts) > 2 or folder.exists()
        if is_path and not is_there:
            raise ConfigError(f"{name}: no such folder; give one with config.json and model.safetensors, or a hub id")
        repository = Repository(name)
        config = repository.json("config.json")
        if config is None:
            raise ConfigError(
                f"{name} has no config.json; give a folder written by save_pretrained, or the hub id of a model"
            )
        if "longdoc" in config:
            raise ConfigError(
                f"{name} is a longdoc model, which reads long rows without conversion (its positions are repeated "
                f"as it reads): Pipeline.from_pretrained({name!r}, encoder='sparse')"
            )
        return cls(repository, config)

    def network(self, *, with_head: bool = False) -> PreTrainedModel:
        """The model, in the class that its configuration names.

        Raises:
            ConfigError: it cannot be loaded; or ``with_head``, and it has no masked-language head.
        """
        name = next(iter(self.config.get("architectures") or ()), "")
        if name in TWO_HEADS:
            name = name.replace("ForPreTraining", "ForMaskedLM")
        named = getattr(transformers, name, None)
        is_model = isinstance(named, type) and issubclass(named, PreTrainedModel)
        network: PreTrainedModel
        network, missing = self.repository.load(named if is_model else AutoModel)
        if with_head and (missing or not type(network).__name__.endswith("ForMaskedLM")):
            raise ConfigError(
                f"{self.name} ({type(network).__name__}) has no masked-language head to predict words with; leave out "
                "the text, or convert the checkpoint it was fine-tuned from"
            )
        return network

    def weights(self) -> dict[str, Tensor]:
        """Every tensor, of any shape ``(…,)``, under its name in the files.

        Raises:
            ConfigError: a file is missing.
        """
        state: dict[str, Tensor] = {}
        for path in self.repository.weights():
            state |= load_file(path)
        # Older checkpoints also store the position ids 0 to 511, which transformers creates itself.
        return {name: tensor for name, tensor in state.items() if not name.endswith("embeddings.position_ids")}

    def write(self, output: Path, network: PreTrainedModel, tokenizer: Any, max_tokens: int) -> None:
        """Writes a copy with the position table and settings of ``network``; all of ``network`` if its class differs.

        Args:
            output: folder to write.
            network: the model, made sparse and longer.
            tokenizer: the tokenizer as transformers reads it.
            max_tokens: maximum row length in tokens, including special tokens.

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
        """The weights with the position table of ``network``, if it has one, in the dtype of the original table."""
        weights = self.weights()
        table = next((tensor for name, tensor in network.named_parameters() if name.endswith(TABLE)), None)
        if table is None:
            return weights
        names = [name for name in weights if name.endswith(TABLE)]
        if len(names) != 1:
            raise ConfigError(f"{self.name}: its weights contain {len(names)} tensors named …{TABLE}; expected one")
        return {**weights, names[0]: table.detach().to(weights[names[0]].dtype).contiguous()}

    def _write_tokenizer(self, output: Path, tokenizer: Any, max_tokens: int) -> None:
        """Copies the tokenizer's files, and sets or removes the lengths in them."""
        for name, path in self.repository.files(TOKENIZER_FILES).items():
            shutil.copyfile(path, output / name)
        if not (output / "tokenizer.json").exists():
            tokenizer.save_pretrained(output)
        if (path := output / "tokenizer.json").exists():
            _write_json(path, {**read_json(path), "truncation": None, "padding": None})
        path = output / "tokenizer_config.json"
        record = read_json(path) if path.exists() else {}
        for name in ("max_len", "max_length"):  # older names
            record.pop(name, None)
        # Without a class, transformers would take a Longformer's tokenizer for RoBERTa's.
        record.setdefault("tokenizer_class", type(tokenizer).__name__)
        _write_json(path, {**record, "model_max_length": max_tokens})


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
