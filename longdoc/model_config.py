"""The heads and windows of a model: the ``longdoc`` block of its ``config.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from longdoc.attention import SparsePattern
from longdoc.config import Members, from_dict
from longdoc.document_type import Kind
from longdoc.errors import ConfigError
from longdoc.export_record import is_export
from longdoc.heads import HeadConfig, head_configs
from longdoc.model_files import DEFAULT_MODEL, file_in, is_folder, read_object
from longdoc.version import __version__
from longdoc.windows import WindowConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseConfig:
    """How documents are read with sparse attention."""

    pattern: SparsePattern | None = None
    """The attention pattern; by default a global first token, and the widest window without a repeated position."""
    rows: WindowConfig = field(default_factory=lambda: WindowConfig(size=16384, overlap=512))
    """How documents longer than a row are cut; the size of a row is limited by memory only."""
    windows: bool = False
    """Whether windows are read with the pattern, too, as those of a converted checkpoint."""

    def __post_init__(self) -> None:
        if self.windows and self.pattern is None:
            raise ConfigError("sparse.windows is true, which needs a pattern: set sparse.pattern")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Heads and windows of a model: the ``longdoc`` block of its ``config.json``."""

    heads: dict[str, Annotated[HeadConfig, Members(head_configs)]]
    """The heads by name; ``kind`` decides which other keys are allowed, ``ner`` if it is left out."""
    windows: WindowConfig = field(default_factory=WindowConfig)
    """Windows to read documents with, for heads that have none of their own."""
    sparse: SparseConfig = field(default_factory=SparseConfig)
    """How documents are read with sparse attention."""
    heads_for: dict[Kind, tuple[str, ...]] = field(default_factory=dict)
    """By kind of document ("contract", "paper", "note", "other"), the heads to read it with if the caller names none;
    all heads for a kind that is left out."""

    def __post_init__(self) -> None:
        for kind, names in self.heads_for.items():
            if unknown := [name for name in names if name not in self.heads]:
                raise ConfigError(f"heads_for.{kind} names {', '.join(unknown)}; the heads are {', '.join(self.heads)}")

    def sparse_pattern(self, period: int | None = None) -> SparsePattern:
        """The pattern of ``sparse``, or the default for heads that were trained on windows of ``period`` tokens.

        Except for the first token, positions repeat every ``period`` tokens; the default window is too narrow to
        contain a position twice.
        """
        return self.sparse.pattern or SparsePattern(window=max(((period or self.windows.size) - 2) // 2, 1))

    def with_heads(self, names: Sequence[str]) -> ModelConfig:
        """The settings of a model with some of the heads."""
        heads_for = {kind: tuple(name for name in own if name in names) for kind, own in self.heads_for.items()}
        heads = {name: self.heads[name] for name in names}
        return replace(self, heads=heads, heads_for={kind: own for kind, own in heads_for.items() if own})


def known_heads(model: str) -> Mapping[str, Any] | None:
    """The heads of the shipped model, or of a folder that ``Model.save`` wrote, by name; nothing is loaded.

    None for other models, whose heads are known once they are loaded.

    Raises:
        ConfigError: the settings are damaged.
    """
    folder = DEFAULT_MODEL if model == "default" else Path(model)
    path = file_in(folder, "config.json") if is_folder(folder) and not is_export(folder) else None
    record = {} if path is None else read_object(path)
    return own_settings(record, str(path)).heads if "longdoc" in record else None


def own_settings(record: Mapping[str, Any], where: str) -> ModelConfig:
    """The ``longdoc`` block of a record; of a newer version, an error says so.

    Raises:
        ConfigError: the block has an unknown key or value.
    """
    try:
        return from_dict(ModelConfig, record["longdoc"], where=f"{where}: longdoc")
    except ConfigError as error:
        written = str(record.get("longdoc_version", ""))
        if _release(written) <= _release(__version__):
            raise
        raise ConfigError(
            f"{error}. The model was written by longdoc {written:.20}, and this is longdoc {__version__}: upgrade it "
            "(pip install -U longdoc)"
        ) from error


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d{1,9}", version)[:3]))


def check_windows(config: ModelConfig, longest: int) -> None:
    """Checks that no window is longer than ``longest`` tokens, for which an encoder has positions, nor its overlap.

    Raises:
        ConfigError: one is; the message names it.
    """
    own: dict[str, WindowConfig | None] = {name: getattr(head, "windows", None) for name, head in config.heads.items()}
    every = {"windows": config.windows}
    every |= {f"heads.{name}.windows": windows for name, windows in own.items() if windows is not None}
    for name, windows in every.items():
        if windows.size > longest:
            raise ConfigError(
                f"{name}.size is {windows.size}; this encoder has positions for at most {longest}: set {name}: "
                f"{{size: {longest}, overlap: {min(windows.overlap, longest // 4)}}}"
            )
    for name, windows in {**every, "sparse.rows": config.sparse.rows}.items():
        if not 0 <= windows.overlap < windows.size:
            raise ConfigError(
                f"{name} has size {windows.size} and overlap {windows.overlap}; allowed is 0 <= overlap < size"
            )
