"""``longdoc extract PATHS -o OUT/``: many documents into a folder of tables, with progress and a journal."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from longdoc.cli import console, options
from longdoc.errors import ConfigError, DocumentNotFoundError
from longdoc.outputs.jsonl import as_json
from longdoc.summary import count, shown

if TYPE_CHECKING:
    from longdoc.batch.extract import Progress
    from longdoc.batch.progress import RunStatus

FORMATS = ("parquet", "csv", "jsonl")
"""The formats of a folder, the default one first."""
SECONDS_BETWEEN_LINES = 30.0
"""Where there is no terminal, between two lines that say how far the run is."""
_BAR = "{percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} documents [{elapsed}, {remaining} left{postfix}]"
_ONLY_FOR_FOLDERS = (
    "files_from", "workers", "retry_failed", "engine", "ray_address", "ray_gpus", "quiet", "json_progress"
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser, title: str = "many documents, into a folder (-o OUT/)") -> None:
    """Adds the arguments that are for a folder of results."""
    group = parser.add_argument_group(title)
    group.add_argument("--files-from", metavar="FILE", help="read the paths in this file, too, one a line; - is stdin")
    group.add_argument(
        "--workers",
        type=options.positive_integer,
        metavar="N",
        help="processes that load documents; default: one a processor, at most 8",
    )
    group.add_argument(
        "--retry-failed", action="store_true", help="read the documents again that an earlier run could not read"
    )
    group.add_argument("--engine", choices=["local", "ray"], help="this machine (default), or a cluster of Ray")
    group.add_argument(
        "--ray-address", metavar="A", help="a running cluster of Ray; default: one is started on this machine"
    )
    group.add_argument(
        "--ray-gpus",
        type=_share,
        metavar="N",
        help="GPUs for each process with a model, at most 1; with 0.5 two share one; default: 1",
    )
    shown = group.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="say nothing but errors that stop the run")
    shown.add_argument("--json-progress", action="store_true", help="write progress as JSON lines to standard output")


def is_folder(output: str | None) -> bool:
    """Whether an output is the folder of a run: its name ends with a slash, or it is one."""
    return output is not None and (output.endswith(("/", os.sep)) or os.path.isdir(output))  # noqa: PTH112


def check_not_used(arguments: argparse.Namespace) -> None:
    """Refuses what only a run into a folder knows.

    Raises:
        ConfigError: such an argument was given.
    """
    for name in _ONLY_FOR_FOLDERS:
        if getattr(arguments, name):
            raise ConfigError(
                f"--{name.replace('_', '-')} is for many documents into a folder; name the folder, ending with a "
                "slash: -o OUT/"
            )


def run(arguments: argparse.Namespace, schema: Any) -> int:
    """Extracts into the folder ``arguments.output``; returns the exit status."""
    format = arguments.format or FORMATS[0]
    if format not in FORMATS:
        raise ConfigError(
            f"the format {format} is not for a folder of results; allowed: {', '.join(FORMATS)}; or "
            f"name a file: -o FILE --format {format}"
        )
    from longdoc.batch.extract import extract_many

    def extract(**how: Any) -> RunStatus:
        return extract_many(arguments.paths, arguments.output, format=format, **how, **what(arguments, schema))

    return run_shown(arguments, extract)


def run_shown(arguments: argparse.Namespace, run: Callable[..., RunStatus]) -> int:
    """Runs what reads many documents, and shows how far it is; returns the exit status.

    ``run`` gets the options of :class:`longdoc.batch.extract.BatchOptions` that the arguments give.
    """
    with _display(arguments) as display:
        try:
            ended = run(
                glob=arguments.glob,
                files_from=arguments.files_from,
                engine=arguments.engine or "local",
                ray_address=arguments.ray_address,
                ray_gpus=arguments.ray_gpus,
                workers=arguments.workers,
                resume=not arguments.overwrite,
                retry_failed=arguments.retry_failed,
                progress=display.show,
                **options.limits(arguments),
            )
        except DocumentNotFoundError as error:  # no document at all: nothing was begun
            raise ConfigError(str(error)) from error
        except KeyboardInterrupt:
            display.close()
            again = "run the same command again" + (", without --overwrite," if arguments.overwrite else "")
            console.tell(f"longdoc: interrupted; {again} to go on")
            raise
    display.end(ended)
    return 1 if ended.failures else 0


def what(arguments: argparse.Namespace, schema: Any) -> dict[str, Any]:
    """What to find, and with which model."""
    names = ("model", "encoder", "device", "precision", "record", "min_score", "all_windows", "password")
    tasks = arguments.tasks.split(",") if arguments.tasks is not None else None
    given = {name: getattr(arguments, name) for name in names}
    return {**given, "tasks": tasks, "rules": arguments.rules or (), "schema": schema}


@contextmanager
def _display(arguments: argparse.Namespace) -> Iterator[_Display]:
    """What shows the run, and its log, while it goes on."""
    logger = logging.getLogger("longdoc")
    display = _JsonDisplay() if arguments.json_progress else _Quiet() if arguments.quiet else _Display()
    handler = _Handler(display)
    before = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL if arguments.quiet else logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield display
    finally:
        display.close()
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


class _Handler(logging.Handler):
    """Writes the log to standard error, above the progress bar."""

    def __init__(self, display: _Display) -> None:
        super().__init__()
        self._display = display
        self.setFormatter(console.ShownFormatter("longdoc: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._display.write(self.format(record))


class _Display:
    """A progress bar on a terminal; elsewhere, a line now and then. All on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def show(self, progress: Progress) -> None:
        """Shows how far the run is."""
        if sys.stderr.isatty():
            self._show_bar(progress)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            left = "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"
            self.say(f"longdoc: {progress.documents:,} of {progress.of:,} documents, {pace(progress)}{left}")

    def _show_bar(self, progress: Progress) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=progress.of, file=sys.stderr, dynamic_ncols=True, bar_format=_BAR)
        self._bar.set_postfix_str(pace(progress) if progress.documents else "loading the model", refresh=False)
        self._bar.update(progress.documents - self._bar.n)
        self._bar.refresh()

    def say(self, line: str) -> None:
        """Writes a line, harmlessly."""
        self.write(shown(line))

    def write(self, lines: str) -> None:
        """Writes lines that are harmless already."""
        if self._bar is None:
            console.tell_shown(lines)
        else:
            self._bar.write(lines, file=sys.stderr)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def end(self, ended: RunStatus) -> None:
        """Says how the run ended."""
        states = ", ".join(f"{n:,} {state}" for state, n in ended.counts.items() if n)
        self.say(f"longdoc: {ended.folder}: {states}; {ended.pages:,} pages, {ended.tokens:,} tokens")
        if ended.failures:
            self.say(
                f"longdoc: {count(len(ended.failures), 'document')} could not be read; `longdoc status {ended.folder}` "
                "says why, and --retry-failed reads them again"
            )


class _Quiet(_Display):
    """Shows nothing."""

    def show(self, progress: Progress) -> None:
        pass

    def write(self, lines: str) -> None:
        pass


class _JsonDisplay(_Display):
    """Writes JSON lines to standard output; the log stays on standard error."""

    def show(self, progress: Progress) -> None:
        _print_json({"event": "progress", **record_of(progress)})

    def end(self, ended: RunStatus) -> None:
        counts = {"pages": ended.pages, "tokens": ended.tokens}
        _print_json({"event": "end", "out": str(ended.folder), "states": dict(ended.counts), **counts})


def _print_json(record: dict[str, Any]) -> None:
    console.write_data(as_json(record))


def record_of(progress: Progress) -> dict[str, Any]:
    """How far a run is, as in JSON."""
    names = ("documents", "of", "skipped", "failed", "partial", "pages", "tokens")
    seconds = max(progress.seconds, 1e-9)
    rates = {
        f"{name}_per_second": round(getattr(progress, name) / seconds, 3) for name in ("documents", "pages", "tokens")
    }
    left = progress.seconds_left
    times = {"seconds": round(progress.seconds, 1), "seconds_left": None if left is None else round(left, 1)}
    return {**{name: getattr(progress, name) for name in names}, **rates, **times}


def pace(progress: Progress) -> str:
    """The pace of a run, and its failures, in words."""
    seconds = max(progress.seconds, 1e-9)
    words = f"{progress.pages / seconds:.1f} pages/s, {progress.tokens / seconds:,.0f} tokens/s"
    return f"{words}, {progress.failed:,} failed" if progress.failed else words


def duration(seconds: float) -> str:
    """A duration in words, rounded.

    >>> duration(40), duration(75), duration(7300)
    ('40 s', '1 min', '2 h 1 min')
    """
    minutes = int(seconds // 60)
    if not minutes:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1, got {text!r}")
    return value
