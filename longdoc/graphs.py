"""An exported graph, with the settings and the tokenizer that it is read with. Imports no torch.

Dimensions: ``B`` windows, ``T`` tokens, ``L`` outputs of a head.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, TypeVar

import numpy as np
from tokenizers import Tokenizer

from longdoc.errors import ConfigError
from longdoc.export_record import RECORD_FILE, ExportRecord, read_record
from longdoc.exported import ExportedModel, n_threads
from longdoc.inputs import EncoderKind, InputForm, Padding, Template
from longdoc.model_config import ModelConfig, check_windows, own_settings
from longdoc.model_files import file_in, read_object
from longdoc.model_files.configs import MAX_NUMBER
from longdoc.model_files.tokenizers import check_tokens, read_tokenizer

BATCH_TOKENS = 2**9
"""Positions in a batch: few enough for what a small encoder computes to stay in the cache of a CPU, and for a document
of some pages to have a batch for each thread."""

BatchT = TypeVar("BatchT")
ResultT = TypeVar("ResultT")


class GraphScorer:
    """A folder that ``longdoc export`` wrote as a graph: a :class:`longdoc.reader.Scorer`."""

    batch_tokens = BATCH_TOKENS
    sees_padding = False
    """Windows that are padded are computed together: what sees padding is not exported."""

    def __init__(self, folder: Path) -> None:
        """Reads the folder and loads the graph.

        Raises:
            ConfigError: the folder is incomplete or damaged, or the runtime cannot load the graph.
            MissingDependencyError: the runtime is not installed.
        """
        self.folder = folder
        record = read_record(folder)
        by_batch = record.format == "onnx" and record.encoder == "windows"
        self.at_a_time = n_threads() if by_batch else 1
        self.graph = ExportedModel(folder, threads=1 if by_batch else None)
        self._pool: tuple[int, ThreadPoolExecutor] | None = None
        self.config = _settings(folder, self.record)
        self.tokenizer = read_tokenizer(_part(folder, "tokenizer.json"))
        _check_sizes(folder, self.record, self.config, self.tokenizer)
        template = Template.of(self.tokenizer, self.record.pad)
        if template.second_type != self.record.second_type:
            template = template.with_text_type(self.record.second_type)
        self.form = InputForm(template, self.record.n_types)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}  # threads cannot be pickled

    def __str__(self) -> str:
        """How it computes, such as "windows in float32 by onnx"."""
        return f"{self.kind} in {self.record.precision} by {self.record.format}"

    @property
    def record(self) -> ExportRecord:
        """What ``export.json`` says."""
        return self.graph.record

    @property
    def model(self) -> NoReturn:
        """Refuses: an export is not what it was made from.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.folder} is an export, without the model that it was made from; load that")

    @property
    def kind(self) -> EncoderKind:
        """How the graph reads a document."""
        return self.record.encoder

    @property
    def left_out(self) -> Mapping[str, str]:
        """Name of a head that the graph could not hold → a part of a sentence that says why."""
        return {name: f"is left out of {self.folder}: {reason}" for name, reason in self.record.left_out.items()}

    @property
    def lead(self) -> str:
        """The text that its head puts before every text."""
        return next((self.record.heads[head].lead for head in self.config.heads if self.record.heads[head].lead), "")

    def prompt(self, head: str) -> tuple[int, ...]:
        """Ids of the tokens of that text."""
        return self.record.heads[head].prompt

    def is_asked_after_text(self, head: str) -> bool:
        """Whether a question, or a hypothesis, is the second text of a pair."""
        return self.record.heads[head].asked_after_text

    def width(self, head: str) -> int:
        """Length of the vectors of a head."""
        return self.record.heads[head].width

    def padding(self, period: int) -> Padding:
        """``"alike"``: the graph computes padding."""
        return "alike"

    def with_heads(self, names: Sequence[str]) -> GraphScorer:
        """The same graph, for some of its heads."""
        chosen = copy.copy(self)
        chosen.config = self.config.with_heads(names)
        return chosen

    def check_options(self, encoder: EncoderKind, device: Any, precision: str) -> None:
        """Checks what a caller asks of a pipeline that an export has decided.

        Raises:
            ConfigError: it is something else than the graph has.
        """
        allowed = {
            "encoder": (encoder, (self.kind,)),
            "device": (str(device), ("auto", "cpu")),
            "precision": (precision, ("auto", self.record.precision)),
        }
        for name, (given, known) in allowed.items():
            if given not in known:
                raise ConfigError(
                    f"{name} is {given!r}, but {self.folder} is an export for {name}={known[-1]!r}; ask for that, "
                    "export the model again, or give the model that it was made from"
                )

    def scores(
        self, inputs: Mapping[str, np.ndarray], heads: Sequence[str], period: int
    ) -> Callable[[], dict[str, np.ndarray]]:
        """Computes scores; returns them as a function: by head, float32 ``(B, T, L)``, or ``(B, 1, L)`` of windows.

        Args:
            inputs: those of an encoder, each ``(B, T)``.
            heads: their names.
            period: length of the windows that they were trained on, as the graph has it for each head.
        """
        found = self.graph.scores(inputs, heads)
        return lambda: found

    def words(self, inputs: Mapping[str, np.ndarray], head: str, positions: Sequence[int]) -> np.ndarray:
        """Refuses: no graph has a head that fills masks, whose scores would be ``(N, V)``.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.folder} is an export, which has no head that fills masks; use the model itself")

    def each(
        self, begin: Callable[[GraphScorer, BatchT], Callable[[], ResultT]], batches: Sequence[BatchT]
    ) -> Iterator[ResultT]:
        """What is computed for each batch, in order; windows by ONNX Runtime several at a time, each by one thread.

        Its threads would share a batch only by waiting for each other in a loop, which takes processors from others.
        """
        several = self.at_a_time > 1 and len(batches) > 1
        return (self._threads().map if several else map)(lambda batch: begin(self, batch)(), batches)

    def _threads(self) -> ThreadPoolExecutor:
        """As many threads; made once, and again in a process that was forked."""
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), ThreadPoolExecutor(self.at_a_time, "longdoc")
        return self._pool[1]


def _part(folder: Path, name: str) -> Path:
    path = file_in(folder, name)
    if path is None:
        raise ConfigError(f"{folder} is incomplete: it has no {name}; export the model again")
    return path


def _settings(folder: Path, record: ExportRecord) -> ModelConfig:
    """The settings of the model, with the heads of the graph."""
    found = read_object(path := _part(folder, "config.json"))
    if "longdoc" not in found:
        raise ConfigError(f"{path} has no 'longdoc' block; export the model again")
    config = own_settings(found, str(path))
    if missing := [name for name in record.outputs if name not in config.heads]:
        raise ConfigError(
            f"{folder}: {RECORD_FILE} has the head {missing[0]!r}, and config.json does not, but "
            f"{', '.join(config.heads) or 'none'}; export the model again"
        )
    return config.with_heads([name for name in config.heads if name in record.outputs])


def _check_sizes(folder: Path, record: ExportRecord, config: ModelConfig, tokenizer: Tokenizer) -> None:
    """Checks tokens and windows against the sizes of the encoder, as far as its settings have them by these names.

    Raises:
        ConfigError: the graph has no embedding for a token, or no position for one of a window.
    """
    encoder = read_object(_part(folder, "config.json")).get("encoder")
    found = encoder if isinstance(encoder, dict) else {}
    sizes = {name: found.get(name) for name in ("vocab_size", "max_position_embeddings")}
    n_words, longest = (size if type(size) is int and size > 0 else MAX_NUMBER for size in sizes.values())
    check_tokens(tokenizer, SimpleNamespace(vocab_size=n_words, pad_token_id=record.pad))
    check_windows(config, longest)
