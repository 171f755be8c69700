"""Pretrained models in the format of transformers, in a folder or on the hub: the one module that reads them.

Weights are read from safetensors files only, and code that comes with a model is never run.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from longdoc.errors import ConfigError, first_line, require
from longdoc.export_record import RECORD_FILE
from longdoc.model_files import encoder_config, read_object
from longdoc.model_files.repository import RepositoryFiles
from longdoc.model_files.segments import without_segments
from longdoc.model_files.tokenizers import TOKENIZER_FILES, VOCABULARIES, tokenizer_copy
from longdoc.model_files.weights import check_numbers, check_size, misfit, part_names, stored_shapes


@dataclass(frozen=True, slots=True)
class Repository(RepositoryFiles):
    """A folder written by ``save_pretrained``, or a model repository on the hub."""

    def config(self, **settings: Any) -> Any:
        """The ``PretrainedConfig`` of the model; ``settings`` replace those of the file.

        Raises:
            ConfigError: there is no such folder or hub model, or its ``config.json`` is damaged or not an encoder's.
        """
        config = encoder_config(read_object(self.config_file()), f"{self.name}: config.json", **settings)
        config.name_or_path = self.name
        return config

    def longdoc_folder(self) -> Path | None:
        """The folder with the files of a model that ``Model.save`` wrote, downloaded; ``None`` for any other model.

        Raises:
            ConfigError: as for :meth:`config`, or a file of the model is missing.
        """
        path = self.config_file()
        if "longdoc" not in read_object(path):
            return None
        if self.files([RECORD_FILE]):
            raise ConfigError(
                f"{self.name} is an export, which Pipeline.from_pretrained reads; give the model that it was made from"
            )
        if missing := [name for name in ("model.safetensors", "tokenizer.json") if self.file(name) is None]:
            raise ConfigError(f"{self.name} is incomplete: it has no {' or '.join(missing)}; save and push it again")
        return path.parent

    def weights(self) -> list[Path]:
        """The files with the weights.

        Raises:
            ConfigError: there are none in the safetensors format, or a file is missing.
        """
        if (whole := self.file("model.safetensors")) is not None:
            return [whole]
        if (index := self.json("model.safetensors.index.json")) is None:
            remedy = self.in_place_of_weights() or "download it again, with its weights"
            raise ConfigError(f"{self.name} has no weights in the safetensors format (model.safetensors); {remedy}")
        names = part_names(index, f"{self.name}: model.safetensors.index.json")
        paths = {name: self.file(name) for name in names}
        if missing := [name for name, path in paths.items() if path is None]:
            raise ConfigError(
                f"{self.name} is incomplete: of the {len(names)} files of its weights it lacks {', '.join(missing[:3])}"
                f"{' …' if missing[3:] else ''}; download or save it again"
            )
        return [path for path in paths.values() if path is not None]

    def load(self, auto_class: Any, dtype: torch.dtype | None = None, **settings: Any) -> tuple[Any, list[str]]:
        """The model on the CPU, and the names of its parameters that the weights lack, which are random.

        transformers gets a checked configuration and tensors, and no name of a folder or repository, so that it can
        neither run code from there nor download anything.

        Args:
            auto_class: a class of transformers with ``from_pretrained``.
            dtype: that of the weights in memory; that in the file if not given.
            settings: settings that replace those of ``config.json``.

        Raises:
            ConfigError: the weights are missing, damaged, of other sizes than ``config.json`` says, or not in the
                safetensors format.
        """
        config, paths = self.config(**settings), self.weights()
        if self.files(["adapter_config.json"]):
            raise ConfigError(
                f"{self.name} contains an adapter (adapter_config.json), which is not read; merge it into the model "
                "(merge_and_unload of peft) and save that"
            )
        shapes, architecture = stored_shapes(paths), _class_for(auto_class, config)
        with quiet():
            check_size(lambda: architecture(copy.deepcopy(config)), shapes, config, f"{self.name}: config.json")
        try:
            state = {name: tensor for path in paths for name, tensor in load_file(path).items()}
            with quiet():
                model, report = architecture.from_pretrained(
                    None,
                    config=config,
                    state_dict=state,
                    dtype=dtype or "auto",
                    ignore_mismatched_sizes=True,  # they are told below
                    use_safetensors=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                )
        except Exception as error:  # transformers raises almost anything
            raise ConfigError(f"{self.name} cannot be loaded ({first_line(error)})") from error
        for name, stored, described in sorted(report["mismatched_keys"]):
            raise ConfigError(
                f"{self.name}: config.json does not belong to the weights: {misfit(name, stored, described, config)}"
            )
        unused = set(report["unexpected_keys"])
        check_numbers({name: tensor for name, tensor in state.items() if name not in unused}, self.name)
        model.config.name_or_path = self.name
        return model.eval(), sorted(report["missing_keys"])

    def load_complete(self, auto_class: Any, **settings: Any) -> Any:
        """Like :meth:`load`, in float32, and refuses random parameters, except for the pooler of a bare encoder.

        Raises:
            ConfigError: as :meth:`load`, or the weights lack a parameter.
        """
        model, missing = self.load(auto_class, dtype=torch.float32, **settings)
        missing = [name for name in missing if auto_class is not AutoModel or "pooler" not in name]
        if missing:
            names = f"{', '.join(missing[:3])}{' …' if missing[3:] else ''}"
            raise ConfigError(f"{self.name} lacks weights, which would be random: {names}")
        return model

    def encoder(self, **settings: Any) -> Any:
        """The model without its head, in float32.

        Raises:
            ConfigError: as :meth:`load_complete`.
        """
        return self.load_complete(AutoModel, **settings)

    def tokenizer(self) -> Any:
        """The tokenizer, as transformers reads it.

        Raises:
            ConfigError: there is none, or it cannot be loaded.
            MissingDependencyError: its vocabulary needs sentencepiece (the extra ``sentencepiece``).
        """
        config, files = self.config(), self.files(TOKENIZER_FILES)
        self._check_vocabulary(files)
        try:
            with quiet(), tokenizer_copy(files, config) as folder:
                found = AutoTokenizer.from_pretrained(folder, config=config, trust_remote_code=False)
        except ConfigError:
            raise
        except Exception as error:  # tokenizers raises bare exceptions
            raise ConfigError(
                f"{self.name} has no tokenizer that can be loaded ({first_line(error)}); {_TOKENIZER_REMEDY}"
            ) from error
        words = set(found.get_vocab()) - set(found.all_special_tokens)
        if len(words) <= _FEW_WORDS < config.vocab_size // 4:  # transformers' own if it does not look for the files
            raise ConfigError(
                f"{self.name}: {type(found).__name__} reads no vocabulary from {', '.join(sorted(files))}, and the "
                f"model knows {config.vocab_size:,} tokens; {_TOKENIZER_REMEDY}"
            )
        return found

    def _check_vocabulary(self, files: Mapping[str, Path]) -> None:
        """Raises if no file has a vocabulary, or what reads it is not installed."""
        if not any(name in VOCABULARIES for name in files):
            raise ConfigError(
                f"{self.name} has no file with the vocabulary of its tokenizer, such as tokenizer.json or vocab.txt; "
                f"{_TOKENIZER_REMEDY}"
            )
        pieces = [name for name in files if name.endswith(".model")]
        if pieces and "tokenizer.json" not in files:
            for module in ("sentencepiece", "google.protobuf"):
                require(module, extra="sentencepiece", needed_by=f"{self.name}: its vocabulary, {pieces[0]},")

    def fast_tokenizer(self) -> Tokenizer:
        """The tokenizer as ``tokenizers`` has it, which knows the offsets of tokens.

        Raises:
            ConfigError: as :meth:`tokenizer`, or the tokenizer has no offsets.
        """
        return self.backend_of(self.tokenizer())

    def backend_of(self, tokenizer: Any) -> Tokenizer:
        """What ``tokenizers`` has of a tokenizer of transformers, which knows the offsets of tokens.

        It has the segment ids of the checkpoint, whose tokenizer may leave them out.

        Raises:
            ConfigError: the tokenizer has no offsets.
        """
        fast = getattr(tokenizer, "backend_tokenizer", None)
        if fast is None:
            raise ConfigError(
                f"the tokenizer of {self.name}, {type(tokenizer).__name__}, has no offsets; {_TOKENIZER_REMEDY}"
            )
        if "token_type_ids" not in tokenizer.model_input_names:
            without_segments(fast)
        return cast(Tokenizer, fast)


_FEW_WORDS = 8
"""No tokenizer of a model of text has so few, beside its special tokens."""
_TOKENIZER_REMEDY = (
    "save it with a tokenizer.json, or that of the model that it was trained from: "
    "AutoTokenizer.from_pretrained(…).save_pretrained(folder)"
)


def _class_for(auto_class: Any, config: Any) -> Any:
    """The class of the models that ``auto_class`` loads for a configuration."""
    mapping = getattr(auto_class, "_model_mapping", None)
    if mapping is None:
        if auto_class.config_class is not type(config):
            raise ConfigError(f"{config.name_or_path}: {auto_class.__name__} is no class of a {config.model_type}")
        return auto_class
    if type(config) not in mapping:
        raise ConfigError(f"{config.name_or_path}: transformers has no {auto_class.__name__} of a {config.model_type}")
    found = mapping[type(config)]
    choices = {each.__name__: each for each in (found if isinstance(found, tuple) else (found,))}
    named = [choices[name] for name in config.architectures or () if name in choices]
    return next(iter([*named, *choices.values()]))


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the logging and progress bars of transformers."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
