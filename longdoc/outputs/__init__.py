"""Predictions written to files and streams: one module per format, and the table of them.

To add a format, add a module with a ``FORMAT`` to this package, and that ``FORMAT`` to ``FORMATS``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from shutil import copymode
from typing import IO, Any, get_args

from longdoc.arguments import check_choice, check_type
from longdoc.errors import ConfigError, did_you_mean
from longdoc.outputs import (
    brat,
    conll,
    csv,
    doccano,
    jsonl,
    label_studio,
    parquet,
    pdf,
    spacy_file,
    table,
    viewer,
    web_annotation,
)
from longdoc.outputs.format import Format, Images, Outcome, PredictionLike
from longdoc.outputs.original import Original

__all__ = [
    "FORMATS",
    "PIPE",
    "TERMINAL",
    "Format",
    "Images",
    "Original",
    "Outcome",
    "PredictionLike",
    "check_file",
    "check_images",
    "folder_beside",
    "format_of",
    "holding_answers",
    "is_same_file",
    "replacing",
    "write",
]

FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        table.FORMAT,
        jsonl.FORMAT,
        viewer.FORMAT,
        csv.FORMAT,
        parquet.FORMAT,
        pdf.FORMAT,
        conll.FORMAT,
        brat.FORMAT,
        label_studio.TEXT,
        label_studio.PAGES,
        spacy_file.FORMAT,
        web_annotation.FORMAT,
        doccano.FORMAT,
    )
}
"""The output formats by name. ``Prediction.save`` and the command line accept no others."""
TERMINAL = table.FORMAT.name
"""The default format on a terminal."""
PIPE = jsonl.FORMAT.name
"""The default format in a pipe."""


def write(
    predictions: Iterable[PredictionLike],
    path: str | Path,
    *,
    format: str | None = None,
    original: Original = Original(),  # noqa: B008 (immutable)
    images: Images = "inside",
) -> None:
    """Writes predictions to a file, each as soon as it is available.

    Args:
        predictions: consumed lazily, in order.
        path: the file to create or, once all is written, to replace.
        format: a key of ``FORMATS``; by default the one that the suffix of ``path`` selects.
        original: the file of a single document; by default the path that each was loaded from.
        images: where a format that shows pages puts their pictures: ``"inside"`` the file, ``"beside"`` it in a folder,
            or nowhere (``"none"``).

    Raises:
        DataError: the format needs the file of a document, which is not there or has changed.
        ConfigError: there is no such format, it cannot hold the answers of a prediction, or the path is not that of a
            file in a folder that exists.

    Warns:
        OutputWarning: the format does not hold everything; the message counts what is left out.
    """
    check_type("format", format, "the name of a format", str, None)
    name = format or format_of(path)
    if name not in FORMATS:
        raise ConfigError(f"unknown format {name!r}; allowed: {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}")
    check_images(FORMATS[name], images)
    folder = folder_beside(path) if FORMATS[name].folder else None
    with replacing(path, binary=FORMATS[name].binary) as stream:
        outcomes = (_outcome(each, FORMATS[name], original) for each in predictions)
        FORMATS[name].write((replace(each, folder=folder, images=images) for each in outcomes), stream)


def _outcome(prediction: PredictionLike, format: Format, original: Original) -> Outcome:
    if prediction.answers and not format.answers:
        raise ConfigError(f"the format {format.name} cannot hold answers; {holding_answers()} can")
    return Outcome(prediction.document.source.name, prediction, original)


def check_images(format: Format, images: str) -> None:
    """Checks where the pictures of pages shall be.

    Raises:
        ConfigError: there is no such place, or the format shows no pages.
    """
    check_choice("images", images, get_args(Images))
    if images != "inside" and not format.folder:
        shown = ", ".join(name for name, each in FORMATS.items() if each.folder)
        raise ConfigError(f"the format {format.name} shows no pages; images={images!r} is for {shown}")


def folder_beside(path: str | Path) -> Path | None:
    """The folder for what belongs to a file: ``out_files`` for ``out.html``; None for a device."""
    is_file = os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113 (names that the system refuses)
    return Path(f"{os.path.splitext(path)[0]}_files") if is_file else None  # noqa: PTH122


def holding_answers() -> str:
    """The names of the formats that show answers, for messages."""
    return ", ".join(name for name, format in FORMATS.items() if format.answers)


@contextmanager
def replacing(path: str | Path, *, keep: bool = False, binary: bool = False) -> Iterator[IO[Any]]:
    """A stream into ``path`` with ``.part`` added, which replaces the file ``path`` at the end, if there is no error.

    Lone surrogates, which UTF-8 cannot encode, are escaped. A device, such as ``/dev/null``, is written directly.

    Args:
        path: the file to create or replace.
        keep: leave the ``.part`` file behind if there is an error, unless it is one of the disk.
        binary: the stream takes bytes instead of text.

    Raises:
        ConfigError: the path is a folder, is in none that exists, or cannot be written.
        OSError: the disk is full, for example; the file ``path`` is as it was.
    """
    check_file(path)
    try:
        target = Path(path).resolve()  # a link stays a link
        part = target.with_name(f"{target.name}.part") if target.is_file() or not target.exists() else target
        if part != target:
            part.unlink(missing_ok=True)  # it may be a link
        mode = "w" if part == target else "x"
        stream: IO[Any] = (
            part.open(f"{mode}b")
            if binary
            else part.open(mode, encoding="utf-8", errors="backslashreplace", newline="\n")
        )
        if part != target and target.is_file():
            copymode(target, part)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle; ValueError: a NUL
        raise ConfigError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from error
    try:
        with stream:
            yield stream
            if part != target:
                stream.flush()
                os.fsync(stream.fileno())
        if part != target:
            part.replace(target)
    except BaseException as error:
        if part != target and not (keep and not isinstance(error, OSError)):
            part.unlink(missing_ok=True)
        raise


def is_same_file(path: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to one file, by whatever links and in whatever case of letters."""
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):  # one of them does not exist
        return os.path.realpath(path) == os.path.realpath(other)


def check_file(path: str | Path) -> None:
    """Checks that a path is that of a file, perhaps a new one, in a folder that exists.

    Raises:
        ConfigError: it is not.
    """
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 (names that the system refuses are no error)
    if os.path.isdir(path):  # noqa: PTH112
        raise ConfigError(f"{path}: is a folder; name a file in it")
    if not os.path.isdir(folder):  # noqa: PTH112
        raise ConfigError(f"{path}: must be a file in a folder that exists; there is none called {folder}: create it")


def format_of(path: str | Path) -> str:
    """Returns the name of the format that the suffix of a path selects.

    >>> format_of("runs/lease.jsonl")
    'jsonl'

    Raises:
        ConfigError: the suffix selects no format.
    """
    check_type("path", path, "the path of a file", str, PathLike)
    suffix = Path(path).suffix
    by_suffix = {format.suffix: name for name, format in FORMATS.items() if format.suffix}
    if suffix.lower() not in by_suffix:
        named = ", ".join(name for name, format in FORMATS.items() if not format.suffix and name != TERMINAL)
        allowed = f"allowed: {', '.join(by_suffix)}; chosen by name, as `format` or --format: {named}"
        raise ConfigError(f"{path}: unknown suffix {suffix!r}; {allowed}")
    return by_suffix[suffix.lower()]
