"""A model that `longdoc export` wrote as a graph: what ``export.json`` says of it, and its scores. Imports no torch.

    export.json ─▶ ExportRecord      model.onnx ─▶ runtime ─▶ scores by head, as `scores` of the heads' modules

An exported graph computes padding, so that the windows of a batch have one length for equal results.
Dimensions: ``B`` windows, ``T`` tokens, ``L`` outputs of a head.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeAlias
from weakref import WeakSet

import numpy as np

from longdoc.config import from_dict
from longdoc.errors import ConfigError, first_line, require
from longdoc.model_files import file_in, read_object
from longdoc.version import __version__

Format: TypeAlias = Literal["onnx", "openvino", "torch-export"]
Compute: TypeAlias = Callable[[dict[str, np.ndarray], list[str]], list[np.ndarray]]
"""Inputs of a graph, names of its outputs → these outputs."""

VERSION = 1
"""Of what ``export.json`` may say; a change that older versions of longdoc would misread makes it larger."""
RECORD_FILE = "export.json"
GRAPHS: dict[Format, str] = {"onnx": "model.onnx", "openvino": "model.xml", "torch-export": "model.pt2"}
"""The file of a graph; that of OpenVINO has its weights in ``model.bin`` beside it."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids", "global_mask", "period")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFacts:
    """What a reader must know of an exported head that its configuration does not say."""

    period: int
    """Length of the windows that it was trained on, in tokens."""
    width: int
    """Number of its outputs, ``L``."""
    prompt: tuple[int, ...] = ()
    """Ids of the tokens that every text begins with."""
    lead: str = ""
    """The text of the prompt."""
    asked_after_text: bool = False
    """Whether a question, or a hypothesis, is the second text of a pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """The content of ``export.json``."""

    version: int
    """As :data:`VERSION`."""
    longdoc_version: str
    """The version of longdoc that wrote it."""
    format: Format
    opset: int | None = None
    """Of ONNX; None for other formats."""
    precision: Literal["float32", "int8"]
    encoder: Literal["windows", "sparse"]
    model_type: str
    """The architecture of the encoder, by its name in transformers."""
    inputs: tuple[str, ...]
    """Some of :data:`INPUTS`: ``input_ids`` and ``token_type_ids`` are int64 ``(B, T)``, ``attention_mask`` is bool
    ``(B, T)``, ``global_mask`` bool ``(B, G)`` of the first tokens, ``period`` an int64 number."""
    outputs: dict[str, str]
    """Name of a head → its output, float32 ``(B, T, L)``, or ``(B, 1, L)`` of heads that score windows."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Name of a head that the graph does not have → why."""
    heads: dict[str, HeadFacts]
    """For each of ``outputs``."""
    n_types: int
    """Number of segment ids of the encoder."""
    pad: int
    """Id of the token for padding."""
    second_type: int
    """Segment id of the second text of a pair."""

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ConfigError(f"version is {self.version}; allowed is {VERSION}")
        if unknown := set(self.inputs) - set(INPUTS):
            raise ConfigError(f"inputs has {', '.join(sorted(unknown))}; allowed are {', '.join(INPUTS)}")
        if not {"input_ids", "attention_mask"} <= set(self.inputs):
            raise ConfigError("inputs lacks input_ids or attention_mask, which every graph has")
        if not self.outputs or self.outputs.keys() != self.heads.keys():
            raise ConfigError(
                f"outputs has {', '.join(self.outputs) or 'nothing'}, and heads {', '.join(self.heads) or 'nothing'}; "
                "they must name the same heads, at least one"
            )


def is_export(folder: Path) -> bool:
    """Whether a folder has a graph that `longdoc export` wrote."""
    return (folder / RECORD_FILE).exists()


def names_export(name: object) -> bool:
    """Whether the name of a model is that of such a folder; ``"default"``, the shipped model, is none."""
    return name != "default" and isinstance(name, (str, os.PathLike)) and is_export(Path(name))


def read_record(folder: Path) -> ExportRecord:
    """Reads ``export.json``.

    Raises:
        ConfigError: there is none, a newer version of longdoc wrote it, or it has an unknown key or value.
    """
    path = file_in(folder, RECORD_FILE)
    if path is None:
        raise ConfigError(f"{folder} has no {RECORD_FILE}; give a folder that `longdoc export --to onnx` wrote")
    found = read_object(path)
    version = found.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ConfigError(
            f"{path} is of version {version}, written by longdoc {found.get('longdoc_version')!s:.20}; this is "
            f"longdoc {__version__}, which reads version {VERSION}: upgrade it (pip install -U longdoc), or export the "
            "model again with this one"
        )
    return from_dict(ExportRecord, found, where=str(path))


class ExportedModel:
    """A graph and the runtime that computes it: ONNX Runtime, OpenVINO or torch.

    Several threads may call it. It can be pickled, and used in a forked process: it loads the graph again there.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Loads the graph.

        Args:
            folder: what `longdoc export` wrote.
            threads: how many to compute with; by default ``OMP_NUM_THREADS``, or as many as there are processors.

        Raises:
            ConfigError: the folder has no such graph, or the runtime cannot load it.
            MissingDependencyError: the runtime is not installed.
        """
        self.folder = folder
        self.record = read_record(folder)
        self.threads = threads or _n_threads()
        self._lock = Lock()
        self._loaded: Compute | None = self._load()
        _LOADED.add(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (self.folder, self.threads)

    def scores(self, inputs: Mapping[str, np.ndarray], heads: Sequence[str]) -> dict[str, np.ndarray]:
        """Scores by head, float32 ``(B, T, L)``, or ``(B, 1, L)`` of heads that score windows.

        Args:
            inputs: ``input_ids``, int64 ``(B, T)``, and those of ``attention_mask`` bool, ``token_type_ids`` int64 and
                ``global_mask`` bool, each ``(B, T)``, that the windows need: without, nothing is padding, all segment
                ids are 0, and no token is global beside those of the pattern.
            heads: their names, of heads that were trained on windows of the same length.

        Raises:
            ConfigError: the graph has no such head.
        """
        for head in heads:
            if head not in self.record.outputs:
                why = self.record.left_out.get(head, f"its heads are {', '.join(self.record.outputs)}")
                raise ConfigError(f"{self.folder} has no head {head!r}: {why}")
        names = [self.record.outputs[head] for head in heads]
        return dict(zip(heads, self._compute(self._complete(inputs, heads[0]), names), strict=True))

    def _complete(self, inputs: Mapping[str, np.ndarray], head: str) -> dict[str, np.ndarray]:
        """All inputs of the graph."""
        ids = inputs["input_ids"]
        every = {
            "input_ids": ids,
            "attention_mask": inputs.get("attention_mask", np.ones(ids.shape, dtype=bool)),
            "token_type_ids": inputs.get("token_type_ids", np.zeros(ids.shape, dtype=np.int64)),
            "global_mask": _at_start(inputs.get("global_mask", np.zeros(ids.shape, dtype=bool))),
            "period": np.array(self.record.heads[head].period, dtype=np.int64),
        }
        return {name: every[name] for name in self.record.inputs}

    @property
    def _compute(self) -> Compute:
        """The graph in this process, which may be a fork of the one that loaded it."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def abandon(self) -> None:
        """Forgets the graph without its being freed: in a forked process it would wait for its threads for ever."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._loaded))
        self._lock, self._loaded = Lock(), None

    def _load(self) -> Compute:
        name = GRAPHS[self.record.format]
        path = file_in(self.folder, name)
        if path is None:
            raise ConfigError(f"{self.folder} is incomplete: it has no {name}; export the model again")
        return _LOADERS[self.record.format](path, self.record, self.threads)


_LOADED: WeakSet[ExportedModel] = WeakSet()


def _abandon_all() -> None:
    for graph in _LOADED:
        graph.abandon()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_abandon_all)


def _made_again(folder: Path, threads: int) -> ExportedModel:
    return ExportedModel(folder, threads=threads)


def _n_threads() -> int:
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdigit() and int(stated):
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at_start(is_global: np.ndarray) -> np.ndarray:
    """The columns ``(B, G)`` up to the last global token, at least one, of ``(B, T)``: the others see no more."""
    columns = np.flatnonzero(is_global.any(axis=0))
    return is_global[:, : columns[-1] + 1 if len(columns) else 1]


def _check_names(path: Path, record: ExportRecord, names: Collection[str]) -> None:
    """Raises if a graph lacks an input or output that its record names."""
    if missing := [name for name in (*record.inputs, *record.outputs.values()) if name not in names]:
        raise ConfigError(
            f"{path} lacks {', '.join(missing)}, which {RECORD_FILE} names: they are of different exports; export the "
            "model again"
        )


def _load_onnx(path: Path, record: ExportRecord, threads: int) -> Compute:
    runtime = require("onnxruntime", extra="onnx", needed_by=f"the model in {path.parent}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # what it warns of is not for users
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a type of its own for each cause
        raise _unreadable(path, f"onnxruntime {runtime.__version__}", error, f" (opset {record.opset})") from error
    _check_names(path, record, [each.name for each in session.get_inputs() + session.get_outputs()])
    only_wanted = runtime.RunOptions()
    only_wanted.only_execute_path_to_fetches = True

    def compute(inputs: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
        found: list[np.ndarray] = session.run(names, inputs, only_wanted)
        return found

    return compute


def _load_openvino(path: Path, record: ExportRecord, threads: int) -> Compute:
    runtime = require("openvino", extra="openvino", needed_by=f"the model in {path.parent}")
    options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    try:
        compiled = runtime.Core().compile_model(path, "CPU", options)
    except Exception as error:  # RuntimeError, and what else its layers raise
        raise _unreadable(path, f"openvino {runtime.__version__}", error) from error

    def compute(inputs: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
        request = compiled.create_infer_request()  # which two threads cannot share
        request.infer(inputs)
        return [np.array(request.get_tensor(name).data) for name in names]

    return compute


def _load_torch(path: Path, record: ExportRecord, threads: int) -> Compute:
    torch = require("torch", extra="model", needed_by=f"the model in {path.parent}")
    try:
        module = torch.export.load(path).module()
    except Exception as error:  # of zip files, JSON and torch
        raise _unreadable(path, f"torch {torch.__version__}", error) from error

    def compute(inputs: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
        with torch.inference_mode():
            found = module(**{name: torch.from_numpy(array) for name, array in inputs.items()})
        return [found[name].numpy() for name in names]

    return compute


_LOADERS: dict[Format, Callable[[Path, ExportRecord, int], Compute]] = {
    "onnx": _load_onnx,
    "openvino": _load_openvino,
    "torch-export": _load_torch,
}


def _unreadable(path: Path, runtime: str, error: Exception, what: str = "") -> ConfigError:
    return ConfigError(
        f"{path}: {runtime} cannot load the graph{what}: {first_line(error):.200}; upgrade it, or export the model "
        "again here"
    )
