"""Tokenizers that read any text in linear time and memory; others are refused.

A ``tokenizer.json`` may contain regular expressions, replacements and templates. ``tokenizers`` runs them on every
document without a limit, and a wrong one ends the process.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from longdoc.errors import ConfigError
from longdoc.model_files.expressions import check_expression
from longdoc.model_files.files import MAX_BYTES, read_object
from longdoc.vocabulary import typed_errors

VOCABULARIES = (
    "tokenizer.json vocab.txt vocab.json bpe.codes "
    "sentencepiece.bpe.model spiece.model spm.model sentencepiece.model tokenizer.model"
).split()
"""The files that a tokenizer of transformers has its words in."""
TOKENIZER_FILES = [
    *VOCABULARIES,
    *"tokenizer_config.json special_tokens_map.json added_tokens.json merges.txt entity_vocab.json".split(),
]
"""Every file that a tokenizer of transformers is read from."""

MAX_STEPS = 32
MAX_GROWTH = 64
MAX_WORD = 1000
"""Maximum of ``max_input_chars_per_word``: WordPiece needs the square of a word's length."""
MAX_AROUND = 64
"""Maximum number of special tokens around two texts."""

_TOKENIZER_JSON = "tokenizer.json"
_IGNORED = frozenset(
    (
        *("auto_map", "chat_template", "custom_pipelines", "processor_class", "tokenizer_object", "init_inputs"),
        *("name_or_path", "cache_dir", "local_files_only", "is_local", "token", "trust_remote_code", "config"),
        *("vocab", "merges", "sp_model_kwargs", "backend", "response_schema", "response_template"),
    )
)


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a ``tokenizer.json``.

    Raises:
        ConfigError: it is damaged, or could hang or crash.
    """
    check_tokenizer(path)
    with _typed(path):
        return Tokenizer.from_file(str(path))


def check_tokens(tokenizer: Tokenizer, config: Any) -> None:
    """Checks a tokenizer against the configuration of the model that reads its tokens.

    Raises:
        ConfigError: it has a token that the model has no embedding for, or cannot read a text or a pair of texts.
    """
    n_embeddings, pad = config.vocab_size, config.pad_token_id or 0
    last = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
    if max(last, pad) >= n_embeddings or pad < 0:
        what = f"has a token with the id {last}" if last >= n_embeddings else f"pads with the token {pad}"
        raise ConfigError(
            f"the tokenizer {what}, but the model has embeddings for the ids 0 to {n_embeddings - 1}: tokenizer.json "
            "and config.json (vocab_size, pad_token_id) belong to different models"
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with _typed(_TOKENIZER_JSON):
        single, pair = tokenizer.encode("a"), tokenizer.encode("a", "a")
    order = [sequence for sequence in pair.sequence_ids if sequence is not None]
    if 0 not in single.sequence_ids or order != sorted(order) or {*order} != {0, 1} or len(pair.ids) > MAX_AROUND:
        raise ConfigError(
            f"{_TOKENIZER_JSON}: its post_processor makes {pair.tokens!r:.80} of two texts 'a'; allowed are the two "
            f"texts in their order, with at most {MAX_AROUND} special tokens around them"
        )


@contextmanager
def tokenizer_copy(files: Mapping[str, Path], config: Any) -> Iterator[Path]:
    """A temporary folder with the files of a tokenizer, of which nothing names code or another file.

    Args:
        files: name → path of the files that there are.
        config: the configuration of the model, which may name the tokenizer's class.

    Raises:
        ConfigError: a file is damaged, or the tokenizer could hang or crash, or is one that has no offsets.
    """
    with tempfile.TemporaryDirectory(prefix="longdoc-tokenizer-") as folder:
        for name, path in files.items():
            if path.stat().st_size > MAX_BYTES:
                raise ConfigError(f"{path} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are read")
            if name == _TOKENIZER_JSON:
                check_tokenizer(path)
            if name == "tokenizer_config.json":
                record = _settings(read_object(path))
                _check_class(record, path)
                (Path(folder) / name).write_text(json.dumps(record), encoding="utf-8")
            else:
                shutil.copyfile(path, Path(folder) / name)
        named = {"tokenizer_class": getattr(config, "tokenizer_class", None)}
        _check_class(named, "config.json")
        config.tokenizer_class = named["tokenizer_class"]
        with _typed(files.get(_TOKENIZER_JSON, _TOKENIZER_JSON)):
            yield Path(folder)


def _settings(record: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a tokenizer that are no code, paths or downloads."""
    places = ("_file", "_files", "_path", "_dir")
    return {
        name: value
        for name, value in record.items()
        if name not in _IGNORED and not name.startswith("_") and not name.endswith(places)
    }


def _check_class(record: dict[str, Any], where: Path | str) -> None:
    """Raises for a tokenizer written in Python; an unknown one is read by its ``tokenizer.json``."""
    name = record.get("tokenizer_class")
    if name is None:
        return
    if not isinstance(name, str):
        raise ConfigError(f"{where}: tokenizer_class is {name!r:.80}; allowed is the name of a class of transformers")
    from transformers import PreTrainedTokenizerFast
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

    found = tokenizer_class_from_name(name) or tokenizer_class_from_name(name.removesuffix("Fast"))
    if not isinstance(found, type) or not hasattr(found, "vocab_files_names"):
        record["tokenizer_class"] = PreTrainedTokenizerFast.__name__
    elif not issubclass(found, PreTrainedTokenizerFast):
        raise ConfigError(
            f"{where}: tokenizer_class is {name!r}, which has no offsets; save the tokenizer with a tokenizer.json"
        )


# ---------------------------------------------------------------------------------------------------- tokenizer.json


def check_tokenizer(path: Path) -> None:
    """Checks a ``tokenizer.json`` without loading it.

    Raises:
        ConfigError: it is damaged, or a part of it could take more than linear time or memory; the message names it.
    """
    record = read_object(path)
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        growth, steps = 1.0, list(_steps(record.get(part), f"{path}: {part}"))
        if len(steps) > MAX_STEPS:
            raise ConfigError(f"{path}: {part} has {len(steps)} steps; at most {MAX_STEPS} are allowed")
        for step in steps:
            growth *= _growth(step, f"{path}: {part}")
        if growth > MAX_GROWTH:
            raise ConfigError(
                f"{path}: {part} could make a text {growth:.3g} times as long; {MAX_GROWTH} times are allowed"
            )
    model = record.get("model")
    if not isinstance(model, dict):
        raise ConfigError(f"{path}: model is missing; download or write the file again")
    if model.get("dropout"):
        raise ConfigError(f"{path}: model.dropout is {model['dropout']!r:.40}, which makes tokens random; remove it")
    if (longest := model.get("max_input_chars_per_word")) is not None and not _is_between(longest, 1, MAX_WORD):
        raise ConfigError(
            f"{path}: model.max_input_chars_per_word is {longest!r:.40}; allowed are whole numbers from 1 to {MAX_WORD}"
        )


def _steps(part: Any, where: str) -> Iterator[dict[str, Any]]:
    """The steps of a normaliser, pre-tokenizer or decoder, those of sequences one by one."""
    rest = [part]
    while rest:
        step = rest.pop()
        if step is None:
            continue
        if not isinstance(step, dict):
            raise ConfigError(f"{where} is {step!r:.80}; expected a mapping with a type")
        inner = [value for key in ("normalizers", "pretokenizers", "decoders") for value in step.get(key) or ()]
        rest += inner
        if not inner:
            yield step


def _growth(step: Mapping[str, Any], where: str) -> float:
    """How many times as long a step can make a text, at most, apart from Unicode's own forms."""
    pattern, content = step.get("pattern"), step.get("content", step.get("prepend", ""))
    length = step.get("length", 1)
    if not _is_between(length, 1, MAX_WORD):
        raise ConfigError(f"{where}: length is {length!r:.40}; allowed are whole numbers from 1 to {MAX_WORD}")
    shortest = 1
    if isinstance(pattern, dict):
        expression = str(pattern.get("Regex", ""))
        check_expression(expression, where)
        shortest = max(len(str(pattern.get("String", ""))), 1)
    if not isinstance(content, str) or len(content) > MAX_GROWTH:
        raise ConfigError(f"{where}: {content!r:.40} is inserted; allowed are at most {MAX_GROWTH} characters")
    if pattern is None or not content:
        return 1.0
    return 1 + len(content) if pattern.get("String") == "" else max(len(content) / shortest, 1.0)


def _is_between(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _typed(where: Path | str) -> AbstractContextManager[None]:
    return typed_errors(ConfigError, f"{where}: the tokenizer cannot be loaded; write it again")
