"""The scores of a model that `longdoc export` wrote as a graph. Imports no torch.

    export.json ─▶ record      model.onnx ─▶ runtime ─▶ scores by head, as `scores` of the heads' modules

An exported graph computes padding, so that the windows of a batch have one length for equal results.
Dimensions: ``B`` windows, ``T`` tokens, ``L`` outputs of a head.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias
from weakref import WeakSet

import numpy as np

from longdoc.errors import ComputeError, ConfigError, LongdocError, first_line, require
from longdoc.export_record import DATA_FILE, FILES, GRAPHS, RECORD_FILE, ExportRecord, Format, read_record
from longdoc.model_files import file_in

Compute: TypeAlias = Callable[[dict[str, np.ndarray], list[str]], list[np.ndarray]]
"""Inputs of a graph, names of its outputs → these outputs."""

QUANTIZED_TOGETHER = 128
"""Activations of a token that OpenVINO quantises by one scale, if it divides their number; with 32, a sixth slower."""


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
            ComputeError: there is too little memory for it.
            MissingDependencyError: the runtime is not installed.
        """
        self.folder = folder
        self.record = read_record(folder)
        self.threads = threads or n_threads()
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
            ConfigError: the graph has no such head, or is not the one that its record describes.
            ComputeError: the runtime fails, such as for want of memory.
        """
        for head in heads:
            if head not in self.record.outputs:
                why = self.record.left_out.get(head, f"its heads are {', '.join(self.record.outputs)}")
                raise ConfigError(f"{self.folder} has no head {head!r}: {why}")
        names, every = [self.record.outputs[head] for head in heads], self._complete(inputs, heads[0])
        compute = self._row_by_row if self._depends_on_batch else self._computed
        found = dict(zip(heads, compute(every, names), strict=True))
        for head, scores in found.items():
            if scores.shape[2:] != (width := self.record.heads[head].width,):
                raise _of_different_exports(
                    f"{self.folder}: the scores of {head} are {scores.shape}, not (B, T, {width})"
                )
        return found

    @property
    def _depends_on_batch(self) -> bool:
        """Whether activations are quantised by the largest value of all rows that are computed together."""
        return self.record.format == "onnx" and self.record.precision == "int8"

    def _row_by_row(self, inputs: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
        """What the runtime computes of each row alone, without its padding, which costs no time; 0 at padding."""
        rows = []
        for row, length in enumerate(inputs["attention_mask"].sum(axis=1)):
            own = {name: array[row : row + 1, :length] if array.ndim else array for name, array in inputs.items()}
            rows.append(self._computed(own, names))
        return [_stacked(own, inputs["input_ids"].shape[1]) for own in zip(*rows, strict=True)]

    def _computed(self, inputs: dict[str, np.ndarray], names: list[str]) -> list[np.ndarray]:
        """What the runtime computes."""
        compute = self._compute
        try:
            return compute(inputs, names)
        except Exception as error:  # of a type of its own for each runtime and cause
            rows = "{:,} windows of {:,} tokens".format(*inputs["input_ids"].shape)
            raise _failed(f"{self.folder}: {_RUNTIMES[self.record.format]} cannot compute {rows}", error) from error

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
        for name in FILES[self.record.format]:
            if file_in(self.folder, name) is None:
                raise _incomplete(self.folder, name)
        return _LOADERS[self.record.format](self.folder / GRAPHS[self.record.format], self.record, self.threads)


_LOADED: WeakSet[ExportedModel] = WeakSet()


def _abandon_all() -> None:
    for graph in _LOADED:
        graph.abandon()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_abandon_all)


def _made_again(folder: Path, threads: int) -> ExportedModel:
    return ExportedModel(folder, threads=threads)


def n_threads() -> int:
    """How many threads compute with a graph: ``OMP_NUM_THREADS``, or as many as this process has processors."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdigit() and int(stated):
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stacked(rows: Sequence[np.ndarray], longest: int) -> np.ndarray:
    """Scores of rows, each ``(1, T, L)``, as one array with 0 up to ``longest`` tokens, unless all are of windows."""
    of_tokens = any(scores.shape[1] > 1 for scores in rows)
    after = [longest - scores.shape[1] if of_tokens else 0 for scores in rows]
    return np.concatenate([np.pad(scores, ((0, 0), (0, n), (0, 0))) for scores, n in zip(rows, after, strict=True)])


def _at_start(is_global: np.ndarray) -> np.ndarray:
    """The columns ``(B, G)`` up to the last global token, at least one, of ``(B, T)``: the others see no more."""
    columns = np.flatnonzero(is_global.any(axis=0))
    return is_global[:, : columns[-1] + 1 if len(columns) else 1]


def _check_names(path: Path, record: ExportRecord, names: Collection[str]) -> None:
    """Raises if a graph lacks an input or output that its record names."""
    if missing := [name for name in (*record.inputs, *record.outputs.values()) if name not in names]:
        raise _of_different_exports(f"{path} lacks {', '.join(missing)}, which {RECORD_FILE} names")


def _load_onnx(path: Path, record: ExportRecord, threads: int) -> Compute:
    runtime = require("onnxruntime", extra="onnx", needed_by=f"the model in {path.parent}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it takes processors from others
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
    if record.precision == "int8":
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = QUANTIZED_TOGETHER
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


_RUNTIMES: dict[Format, str] = {"onnx": "ONNX Runtime", "openvino": "OpenVINO", "torch-export": "torch"}


def _unreadable(path: Path, runtime: str, error: Exception, what: str = "") -> LongdocError:
    if DATA_FILE in str(error) and file_in(path.parent, DATA_FILE) is None:
        return _incomplete(path.parent, DATA_FILE)
    where = f"{path}: {runtime} cannot load the graph{what}"
    if _is_of_memory(error):
        return _failed(where, error)
    return ConfigError(f"{where}: {first_line(error):.200}; upgrade it, or export the model again here")


def _incomplete(folder: Path, name: str) -> ConfigError:
    return ConfigError(f"{folder} is incomplete: it has no {name}; export the model again")


def _of_different_exports(what: str) -> ConfigError:
    return ConfigError(f"{what}: they are of different exports; export the model again")


def _failed(what: str, error: Exception) -> ComputeError:
    if _is_of_memory(error):
        return ComputeError(
            f"{what}, out of memory ({first_line(error):.200}); give fewer batch_tokens, or read with fewer processes"
        )
    return ComputeError(
        f"{what} ({first_line(error):.200}); export the model again for the runtime that is installed here, or read "
        "with the model itself"
    )


def _is_of_memory(error: Exception) -> bool:
    """Whether memory ran out, for which no two runtimes have the same error."""
    return isinstance(error, MemoryError) or re.search("out of memory|alloc", str(error), re.IGNORECASE) is not None
