"""Predictions written to files and streams: one module per format, and the table of them.

To add a format, add a module with a ``FORMAT`` to this package, and that ``FORMAT`` to ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from longdoc.errors import ConfigError, did_you_mean
from longdoc.outputs import html, jsonl, table
from longdoc.outputs.format import Format, Outcome, PredictionLike

__all__ = ["FORMATS", "PIPE", "TERMINAL", "Format", "Outcome", "PredictionLike", "format_of", "open_text", "write"]

FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        table.FORMAT,
        jsonl.FORMAT,
        html.FORMAT,
    )
}
"""The output formats by name. ``Prediction.save`` and the command line accept no others."""
TERMINAL = table.FORMAT.name
"""The default format on a terminal."""
PIPE = jsonl.FORMAT.name
"""The default format in a pipe."""


def write(predictions: Iterable[PredictionLike], path: str | Path, *, format: str | None = None) -> None:
    """Writes predictions to a file, each as soon as it is available.

    Args:
        predictions: consumed lazily, in order.
        path: the file to create or replace.
        format: a key of ``FORMATS``; by default the one that the suffix of ``path`` selects.

    Raises:
        ConfigError: there is no such format.
    """
    name = format or format_of(path)
    if name not in FORMATS:
        raise ConfigError(f"unknown format {name!r}; allowed: {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}")
    with open_text(path) as stream:
        FORMATS[name].write((Outcome(each.document.source.name, each) for each in predictions), stream)


def open_text(path: str | Path) -> TextIO:
    """Opens a UTF-8 file for writing; lone surrogates, which UTF-8 cannot encode, are escaped."""
    return Path(path).open("w", encoding="utf-8", errors="backslashreplace", newline="\n")


def format_of(path: str | Path) -> str:
    """Returns the name of the format that the suffix of a path selects.

    >>> format_of("runs/lease.jsonl")
    'jsonl'

    Raises:
        ConfigError: the suffix selects no format.
    """
    suffix = Path(path).suffix
    by_suffix = {format.suffix: name for name, format in FORMATS.items() if format.suffix}
    if suffix.lower() not in by_suffix:
        raise ConfigError(f"{path}: unknown suffix {suffix!r}; allowed: {', '.join(by_suffix)}")
    return by_suffix[suffix.lower()]
