"""What the commands print. Nothing in it is obeyed by a terminal: control characters are shown as escapes."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from traceback import format_exception
from types import TracebackType
from typing import TextIO, cast

from longdoc.summary import shown


def say(text: str) -> None:
    """Prints lines that are for people, on standard output."""
    print(shown(text, lines=True))


def write_data(text: str) -> None:
    """Prints what is for programs, on standard output: unchanged, except on a terminal."""
    print(text, file=data_stream(), flush=True)


def tell(message: str) -> None:
    """Prints one line on standard error."""
    tell_shown(shown(message))


def tell_shown(lines: str) -> None:
    """Prints lines that are harmless already on standard error."""
    print(lines, file=sys.stderr, flush=True)


def data_stream() -> TextIO:
    """Standard output for what programs read: unchanged in a pipe, harmless on a terminal."""
    return cast("TextIO", _Screen(sys.stdout)) if sys.stdout.isatty() else sys.stdout


class _Screen:
    """A terminal as a stream of texts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes a text, harmlessly."""
        self._stream.write(shown(text, lines=True))
        return len(text)

    def flush(self) -> None:
        """Flushes the terminal."""
        self._stream.flush()


class ShownFormatter(logging.Formatter):
    """Log records as lines for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, and the traceback if there is one."""
        return shown(super().format(record), lines=True)


def prepare() -> None:
    """Makes standard output take every text, and the log of a command that sets up none harmless."""
    if hasattr(sys.stdout, "reconfigure"):
        encoding = {} if sys.stdout.isatty() else {"encoding": "utf-8"}
        sys.stdout.reconfigure(errors="backslashreplace", **encoding)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(ShownFormatter())
    sys.excepthook = _tell_bug
    warnings.formatwarning = _warning


def _tell_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    tell_shown(shown("".join(format_exception(kind, error, trace)).rstrip(), lines=True))


def _warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A warning of longdoc as a line for users, without the place in the code; those of others with it."""
    is_own = category.__module__ == "longdoc.errors"
    return f"longdoc: {shown(str(message))}\n" if is_own else shown(f"{filename}:{lineno}: {message}") + "\n"


def abandon_output() -> None:
    """Lets the exit of the process write nothing more to standard output, which takes no more."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
