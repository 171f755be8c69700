"""The folder of an export, and the files beside the weights: tokenizer, modules of sentence-transformers, settings."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from safetensors import SafetensorError

from longdoc.config import to_dict
from longdoc.errors import ConfigError
from longdoc.heads.embed import VectorPooling
from longdoc.hub.configs import SETTINGS_FILE
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.version import __version__
from longdoc.vocabulary import MASKS, unknown_id

PARITY_FILE = "parity.json"
"""How far the scores of a graph are from those of torch."""


def length(model: Model, head: str) -> int:
    """Number of tokens of the rows that a head was trained on, with special tokens."""
    windows: Any = getattr(model.config.heads[head], "windows", None) or model.config.windows
    size: int = windows.size
    return size


def write_tokenizer(folder: Path, model: Model, head: str) -> None:
    """Writes the tokenizer, and what transformers must know of it: its special tokens, its inputs, and the length."""
    tokenizer, template = model.tokenizer, model.encoder.template
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    numbers = {
        "cls_token": template.plain.prefix[0] if template.plain.prefix else None,
        "sep_token": template.plain.suffix[-1] if template.plain.suffix else None,
        "pad_token": template.pad,
        "unk_token": number if (number := unknown_id(tokenizer)) >= 0 else None,
    }
    tokens = {name: tokenizer.id_to_token(number) for name, number in numbers.items() if number is not None}
    if masks := [mask for mask in MASKS if tokenizer.token_to_id(mask) is not None]:
        tokens["mask_token"] = masks[0]
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    if model.encoder.n_types < 2 or template.n_types < 2:  # longdoc's encoder gets none either
        inputs.remove("token_type_ids")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": length(model, head),
        "model_input_names": inputs,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / "tokenizer_config.json", settings | tokens)


def write_modules(folder: Path, model: Model, head: str) -> None:
    """Writes what sentence-transformers needs to know of a head for vectors; nothing for others."""
    config: Any = model.config.heads[head]
    if config.kind != "embed":
        return
    kinds = ["Transformer", "Pooling", *(["Normalize"] if config.normalize else [])]
    modules: list[dict[str, Any]] = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    backbone: Any = model.encoder.backbone
    flags = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "weightedmean": "weightedmean_tokens"}
    named = {f"pooling_mode_{flags.get(mode, mode)}": mode for mode in get_args(VectorPooling)}
    modes = {name: mode == config.pooling for name, mode in named.items()}
    for module in modules[1:]:
        (folder / module["path"]).mkdir()
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": backbone.config.hidden_size, **modes})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": length(model, head), "do_lower_case": False})
    if config.normalize:
        write_json(folder / "2_Normalize" / "config.json", {})


def write_settings(folder: Path, config: ModelConfig) -> None:
    """Writes by what longdoc reads the folder as it read the head."""
    write_json(folder / SETTINGS_FILE, {"longdoc_version": __version__, "longdoc": to_dict(config)})


def write_json(path: Path, record: Any) -> None:
    """Writes a record as JSON."""
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A folder that appears under its name when it is complete.

    Raises:
        ConfigError: there is something there, or it cannot be written.
    """
    try:
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise ConfigError(f"{output} exists; name a new or an empty folder, since each has one export")
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as made:
            folder = Path(made) / output.name
            folder.mkdir()
            yield folder
            if output.exists():
                output.rmdir()
            folder.replace(output)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{output} cannot be written ({error}); free some space, or name another folder") from error
