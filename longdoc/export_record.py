"""What ``export.json`` says of a graph that `longdoc export` wrote, and its folder, fetched from the hub if need be.

Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

from longdoc.config import from_dict
from longdoc.errors import ConfigError, require
from longdoc.model_files import file_in, is_folder, read_object
from longdoc.version import __version__

Format: TypeAlias = Literal["onnx", "openvino", "torch-export"]

VERSION = 1
"""Of what ``export.json`` may say; a change that older versions of longdoc would misread makes it larger."""
RECORD_FILE = "export.json"
GRAPHS: dict[Format, str] = {"onnx": "model.onnx", "openvino": "model.xml", "torch-export": "model.pt2"}
"""The file of a graph."""
FILES: dict[Format, tuple[str, ...]] = {name: (graph,) for name, graph in GRAPHS.items()} | {
    "openvino": ("model.xml", "model.bin")
}
"""The files that a graph consists of. Larger ones of ONNX also have :data:`DATA_FILE`."""
DATA_FILE = "model.onnx.data"
"""Weights of an ONNX graph of more than 2 GB."""
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
    """Whether a folder has a graph that `longdoc export` wrote.

    Raises:
        ConfigError: the system does not tell.
    """
    return file_in(folder, RECORD_FILE) is not None


def export_folder(
    name: object, revision: str | None = None, cache_dir: str | PathLike[str] | None = None
) -> Path | None:
    """The folder of such a graph, downloaded if it is on the hub; None for any other model, and what is no name of one.

    Args:
        name: a folder, a hub id, or ``"default"``, the shipped model.
        revision: branch, tag or commit of a hub id.
        cache_dir: folder for downloads; the hub's own cache if not given.

    Raises:
        ConfigError: there is no such folder or hub model, or the graph is incomplete.
        MissingDependencyError: huggingface_hub is not installed.
    """
    if name == "default" or not isinstance(name, (str, PathLike)):
        return None
    if is_folder(folder := Path(name)) or folder.is_file():
        return folder if folder.is_dir() and is_export(folder) else None
    require("huggingface_hub", extra="model", needed_by=f"{name!s:.80}, which is no folder here,")
    from longdoc.model_files.repository import RepositoryFiles

    repository = RepositoryFiles(str(name), revision, None if cache_dir is None else str(cache_dir))
    config = repository.config_file()
    pinned = repository.pinned(config)
    if "longdoc" not in read_object(config) or not pinned.files([RECORD_FILE]):
        return None
    for part in ("tokenizer.json", *FILES[read_record(config.parent).format]):
        if pinned.file(part) is None:
            raise ConfigError(f"{name} is incomplete: it has no {part}; export the model again, and push the folder")
    pinned.files([DATA_FILE])
    return config.parent


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
