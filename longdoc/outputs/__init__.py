"""Predictions to files: one module a format, each with ``write(predictions, stream)``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from longdoc.errors import ConfigError
from longdoc.outputs import html, jsonl

if TYPE_CHECKING:
    from longdoc.prediction import Prediction

WRITERS = {"html": html.write, "jsonl": jsonl.write}


def write(predictions: Iterable[Prediction], path: str | Path, *, format: str | None = None) -> None:
    """Write predictions to one file, each as soon as it is there.

    Args:
        predictions: consumed lazily, in order.
        path: an existing file is replaced.
        format: a key of ``WRITERS``; the path's suffix if not given.

    Raises:
        ConfigError: no such format.
    """
    writer = WRITERS[format or format_of(path)]
    with open_text(path) as stream:
        writer(predictions, stream)


def open_text(path: str | Path) -> TextIO:
    """A UTF-8 file to write to; what UTF-8 cannot carry (a lone surrogate) is written as its escape."""
    return Path(path).open("w", encoding="utf-8", errors="backslashreplace", newline="\n")


def format_of(path: str | Path) -> str:
    """The format that a path's suffix names.

    >>> format_of("runs/lease.jsonl")
    'jsonl'
    """
    suffix = Path(path).suffix.removeprefix(".").lower()
    if suffix not in WRITERS:
        allowed = ", ".join(f".{name}" for name in WRITERS)
        raise ConfigError(f"{path}: the suffix must name a format ({allowed}), got {suffix and '.' + suffix!r}")
    return suffix
