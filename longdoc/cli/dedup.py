"""``longdoc dedup PATHS -o OUT``: near-duplicates among documents, their sections or clauses."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from longdoc.batch.inputs import find_inputs
from longdoc.cli import console, options
from longdoc.errors import ConfigError, DocumentNotFoundError

HELP = "find near-duplicates among documents, their sections or clauses, and how they differ"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="documents, and folders of them")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="a new folder for the tables and the page")
    parser.add_argument("--overwrite", action="store_true", help="replace the results of an earlier run in OUT")
    parser.add_argument(
        "--unit",
        choices=["document", "section", "clause"],
        default="section",
        help="what is compared: whole documents, sections (from a heading to the next one, of whatever level), or "
        "clauses (the paragraphs of sections); default: section",
    )
    parser.add_argument(
        "--min-similarity",
        type=options.score,
        default=0.6,
        metavar="S",
        help="share of the words of two parts that must stand in both, in the same order; default: 0.6",
    )
    parser.add_argument(
        "--min-words",
        type=options.positive_integer,
        default=20,
        metavar="N",
        help="leave out parts with fewer words; default: 20",
    )
    parser.add_argument("--glob", metavar="PATTERN", help="which files of folders to read, such as '*.pdf'")
    parser.add_argument("--files-from", metavar="FILE", help="read the paths in this file, too, one a line; - is stdin")
    parser.add_argument("--workers", type=options.positive_integer, metavar="N", help="processes that load documents")
    options.add_password(parser)
    options.add_limits(parser)
    _add_paraphrases(parser)
    options.add_model(parser)
    parser.set_defaults(model=None)


def _add_paraphrases(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the same in other words")
    group.add_argument(
        "--paraphrases",
        action="store_true",
        help="also find what says the same in other words, by the embedding head of a model; takes longer",
    )
    group.add_argument(
        "--min-cosine",
        type=options.score,
        metavar="C",
        help="of the vectors of such a pair at least; default: 0.85",
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    _check(arguments)
    pipeline = options.load_pipeline(arguments) if arguments.paraphrases else None
    from longdoc.dedup.duplicates import MIN_COSINE
    from longdoc.dedup.folder import PAGE, dedup_many

    with _log(), _bar() as show:
        try:
            ended = dedup_many(
                arguments.paths,
                arguments.output,
                unit=arguments.unit,
                min_similarity=arguments.min_similarity,
                min_words=arguments.min_words,
                pipeline=pipeline,
                min_cosine=MIN_COSINE if arguments.min_cosine is None else arguments.min_cosine,
                glob=arguments.glob,
                files_from=arguments.files_from,
                password=arguments.password,
                workers=arguments.workers,
                overwrite=arguments.overwrite,
                progress=show,
                **options.limits(arguments),
            )
        except DocumentNotFoundError as error:
            raise ConfigError(str(error)) from error
        except KeyboardInterrupt:
            console.tell("longdoc: interrupted; nothing was written: run the same command again to start over")
            raise
    for line in ended.found.lines():
        console.say(line)
    if ended.n_failed:
        console.tell(f"longdoc: {ended.n_failed:,} of {len(ended.documents):,} documents could not be read")
    console.tell(f"longdoc: {ended.folder / PAGE}")
    return 1 if ended.n_failed else 0


def _check(arguments: argparse.Namespace) -> None:
    """Checks arguments before a model is loaded.

    Raises:
        ConfigError: they do not go together, there is no document, or the model has no embedding head.
    """
    if not arguments.paraphrases:
        for name in ("model", "min_cosine"):
            if getattr(arguments, name) is not None:
                raise ConfigError(f"--{name.replace('_', '-')} is for --paraphrases; add it, or leave both out")
        return
    arguments.model = arguments.model or "default"
    options.check_head(arguments, "embed")
    if not arguments.files_from and not any(os.path.exists(path) or "://" in path for path in arguments.paths):  # noqa: PTH110
        try:
            find_inputs(arguments.paths)
        except DocumentNotFoundError as error:
            raise ConfigError(str(error)) from error


@contextmanager
def _log() -> Iterator[None]:
    """Writes the log of longdoc to standard error."""
    logger = logging.getLogger("longdoc")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(console.ShownFormatter("longdoc: %(message)s"))
    before = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


class _Bar:
    """Shows on a terminal how many documents are loaded."""

    def __init__(self) -> None:
        from rich.progress import Progress

        from longdoc.outputs.table import plain_console

        self._progress = Progress(console=plain_console(sys.stderr), transient=True, disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("Loading")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, done: int, of: int) -> None:
        self._progress.update(self._task, completed=done, total=of)
        if done == of:
            self._progress.stop()


def _bar() -> _Bar:
    return _Bar()
