"""Pretrained models in the format of transformers, in a folder or on the hub: the one module that reads them.

Weights are read from safetensors files only, and code that comes with a model is never run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from longdoc.errors import ConfigError, first_line


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder written by ``save_pretrained``, or a model repository on the hub."""

    name: str
    """Path of the folder, or the model's hub id."""
    revision: str | None = None
    """Branch, tag or commit on the hub; its default branch if not given. Folders have none."""
    cache_dir: str | None = None
    """Folder for downloads; the hub's own cache if not given."""

    def file(self, name: str) -> Path | None:
        """The path of a file, downloaded if necessary; ``None`` if the repository has no such file.

        Raises:
            ConfigError: the hub cannot be reached, so that the file may or may not exist.
        """
        if Path(self.name).is_dir():
            path = Path(self.name) / name
            return path if path.is_file() else None
        try:
            return Path(hf_hub_download(self.name, name, **self._options()))
        except LocalEntryNotFoundError as error:  # neither cached nor reachable
            if try_to_load_from_cache(self.name, name, **self._options()) is _CACHED_NO_EXIST:
                return None
            raise ConfigError(f"cannot ask the hub whether {self.name} has a {name}: {first_line(error)}") from error
        except EntryNotFoundError:
            return None
        except (HfHubHTTPError, OSError, ValueError) as error:  # ValueError: the name is no hub id
            raise ConfigError(f"cannot ask the hub whether {self.name} has a {name}: {first_line(error)}") from error

    def json(self, name: str) -> Any:
        """The content of a JSON file; ``None`` if the repository has no such file.

        Raises:
            ConfigError: the file is not valid JSON, or the hub cannot be reached.
        """
        path = self.file(name)
        return None if path is None else read_json(path)

    def config(self) -> Any:
        """The ``PretrainedConfig`` of the model.

        Raises:
            ConfigError: there is no such folder or hub model, or its ``config.json`` is damaged.
        """
        try:
            return AutoConfig.from_pretrained(self.name, trust_remote_code=False, **self._options())
        except Exception as error:  # a damaged file makes transformers raise almost anything
            raise ConfigError(
                f"{self.name} is neither a folder with a model nor a model on the hub that can be reached from here: "
                f"{first_line(error)}"
            ) from error

    def load(self, auto_class: Any, **settings: Any) -> tuple[Any, list[str]]:
        """The model on the CPU, and the names of its parameters that the weights lack, which are random.

        Args:
            auto_class: a class of transformers with ``from_pretrained``.
            settings: keyword arguments of ``from_pretrained``, such as ``dtype``.

        Raises:
            ConfigError: the weights are missing, damaged, or not in the safetensors format.
        """
        try:
            with quiet():
                model, report = auto_class.from_pretrained(
                    self.name,
                    use_safetensors=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                    **self._options(),
                    **settings,
                )
        except Exception as error:  # safetensors raises bare exceptions
            if "safetensors" in str(error).replace(self.name, "") and isinstance(error, OSError):
                raise ConfigError(
                    f"{self.name} has no weights in the safetensors format (model.safetensors). Pickled weights are "
                    "not read, because a pickle can run code; convert weights you trust with transformers: "
                    f"{auto_class.__name__}.from_pretrained(…).save_pretrained(folder), and AutoTokenizer likewise"
                ) from error
            raise ConfigError(
                f"{self.name} cannot be loaded ({first_line(error)}); it must contain model.safetensors, and a "
                "config.json of an architecture that is part of transformers"
            ) from error
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
            ConfigError: as :meth:`config` and :meth:`load_complete`.
        """
        self.config()
        return self.load_complete(AutoModel, **settings)

    def tokenizer(self) -> Any:
        """The tokenizer, as transformers reads it.

        Raises:
            ConfigError: there is none, or it cannot be loaded.
        """
        try:
            with quiet():
                found = AutoTokenizer.from_pretrained(self.name, trust_remote_code=False, **self._options())
        except Exception as error:  # tokenizers raises bare exceptions
            raise ConfigError(
                f"{self.name} has no tokenizer that can be loaded ({first_line(error)}); {_TOKENIZER_REMEDY}"
            ) from error
        if len(found) <= len(found.all_special_tokens):  # transformers' fallback if there are no files
            raise ConfigError(f"{self.name} has no vocabulary for its tokenizer; {_TOKENIZER_REMEDY}")
        return found

    def fast_tokenizer(self) -> Tokenizer:
        """The tokenizer as ``tokenizers`` has it, which knows the offsets of tokens.

        Raises:
            ConfigError: as :meth:`tokenizer`, or the tokenizer has no offsets.
        """
        found = self.tokenizer()
        fast = getattr(found, "backend_tokenizer", None)
        if fast is None:
            raise ConfigError(
                f"the tokenizer of {self.name}, {type(found).__name__}, has no offsets; {_TOKENIZER_REMEDY}"
            )
        return cast(Tokenizer, fast)

    def _options(self) -> dict[str, Any]:
        """The keyword arguments for the hub that were given."""
        given = {"revision": self.revision, "cache_dir": self.cache_dir}
        return {name: value for name, value in given.items() if value is not None}


_TOKENIZER_REMEDY = "save it with a tokenizer.json, or install what converts its vocabulary (pip install sentencepiece)"


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        ConfigError: it is not valid JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is damaged, not valid JSON ({error}); download or write it again") from error


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
