"""The configuration keys that every reader has, and the folder that files are looked up in."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from longdoc.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderConfig:
    """The keys of every reader; those that only some readers have follow below."""

    reader: str
    """Format of the files."""
    files: tuple[str, ...]
    """Paths below the folder that ``LONGDOC_DATA`` names, by default ``data``, or patterns such as
    ``squadshifts/*.json``; folders for ``cuad`` and ``brat``."""
    labels: dict[str, str] = field(default_factory=dict)
    """Maps labels of the corpus to labels of the head; entities and classes with other labels are ignored.
    By default all labels are kept as they are."""
    negatives: bool = False
    """Read the texts without their annotations, for heads whose labels do not occur in such texts."""
    longest: int | None = None
    """Maximum length of a document in characters; longer ones are dropped before ``skip`` and ``limit`` apply."""
    limit: int | None = None
    """Maximum number of documents, counted after ``skip``."""
    skip: int = 0
    """Number of documents to leave out at the start."""

    def __post_init__(self) -> None:
        if self.negatives and self.labels:
            raise ConfigError("negatives are read without annotations; leave out labels")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit is {self.limit}; give 1 or more, or leave it out for all documents")
        if self.skip < 0:
            raise ConfigError(f"skip is {self.skip}; it must be a non-negative integer")


def data_root() -> Path:
    """The folder that data files are looked up in: ``$LONGDOC_DATA``, or ``data`` in the working directory."""
    return Path(os.environ.get("LONGDOC_DATA") or "data")
