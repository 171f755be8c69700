"""``longdoc plot``: a picture of what was found in a document."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from longdoc.batch.inputs import files_of
from longdoc.batch.request import Request
from longdoc.cli import console, options
from longdoc.errors import ConfigError, DocumentError, require
from longdoc.outputs import check_file
from longdoc.summary import count

if TYPE_CHECKING:
    from longdoc.pipeline import Pipeline

HELP = "draw a picture of what was found in documents: by page and label, with scores, dates and what was read"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("paths", nargs="+", metavar="FILE", help="a document, or a folder of documents")
    options.add_password(parser)
    options.add_limits(parser)
    parser.add_argument("--tasks", metavar="T,...", help="names of the model's heads to run; default: by the document")
    options.add_model(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        help="the picture: a .png, .svg or .pdf. A name that ends with a slash is a folder for one of each document",
    )
    output.add_argument("--dark", action="store_true", help="for dark pages")
    output.add_argument("--overwrite", action="store_true", help="replace pictures that exist")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    require("matplotlib.figure", extra="plot", needed_by="longdoc plot")
    paths = [path for given in arguments.paths for path in files_of(given, glob=None, leave_out=arguments.output)]
    pictures = _pictures(paths, arguments.output)
    _check_pictures(pictures, overwrite=arguments.overwrite)
    tasks = None if arguments.tasks is None else arguments.tasks.split(",")
    options.check_libraries(arguments)
    Request.of(model=arguments.model, tasks=tasks).check()
    failed = 0
    pipeline: Pipeline | None = None  # loaded only if a document can be read
    for path, picture in pictures.items():
        load = partial(options.load, path, arguments)
        try:
            document = load() if pipeline else options.while_importing(arguments, load)
            pipeline = pipeline or options.load_pipeline(arguments)
            (prediction,) = pipeline.pipe([document], tasks=tasks)
            prediction.plot(picture, dark=arguments.dark)
            console.tell(f"longdoc: {picture}")
        except DocumentError as error:
            if len(pictures) == 1:
                raise
            failed += 1
            console.tell(f"longdoc: {error}")
    if failed:
        console.tell(f"longdoc: {failed} of {count(len(pictures), 'document')} failed")
    return 1 if failed else 0


def _check_pictures(pictures: dict[str, Path], *, overwrite: bool) -> None:
    """Checks that no picture replaces a document, nor another file without leave.

    Raises:
        ConfigError: one does.
    """
    documents = {file for path in pictures if (file := _file(path))}
    for picture in pictures.values():
        if not documents.isdisjoint({_file(picture), _file(f"{picture}.part")}):  # where it is while it is written
            raise ConfigError(f"{picture}: one of the documents to read would be replaced; name another file or folder")
        if picture.exists() and not overwrite:
            raise ConfigError(f"{picture}: exists; name another file, or replace it with --overwrite")


def _file(path: str | Path) -> tuple[int, int] | None:
    """What identifies a file, by whatever links and in whatever case of letters it is named; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 (names that the system refuses are no error)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _pictures(paths: list[str], output: str) -> dict[str, Path]:
    """The picture of each document.

    Raises:
        ConfigError: there are several documents for one picture, or the output is not that of a picture.
    """
    from longdoc.outputs.plots import check_picture

    if not output.endswith(("/", "\\")) and not Path(output).is_dir():
        if len(paths) > 1:
            raise ConfigError(f"{output}: is one picture for {len(paths)} documents; for one each, end it with a slash")
        check_picture(output)
        check_file(output)
        return {paths[0]: Path(output)}
    names = [Path(path).name for path in paths]
    if alike := [name for name, number in Counter(map(str.lower, names)).items() if number > 1]:
        raise ConfigError(
            f"several documents are called {alike[0]}; draw those of each folder into a folder of its own"
        )
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    return {path: folder / f"{name}.png" for path, name in zip(paths, names, strict=True)}
