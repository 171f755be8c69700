"""The command line: a module for each command, and the table of them. Nothing else in the package prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol

from longdoc.cli import (
    adapt,
    ask,
    audit,
    calibrate,
    config,
    console,
    convert,
    dedup,
    evaluate,
    export,
    extract,
    index,
    options,
    plot,
    pretrain,
    prune,
    push,
    redact,
    search,
    serve,
    show,
    similarity,
    status,
    train,
)
from longdoc.errors import BatchError, ConfigError, LongdocError, WorkerError
from longdoc.summary import shown
from longdoc.version import __version__


class Command(Protocol):
    """A module of this package."""

    HELP: str
    """One line for the list of commands."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the command's arguments to its parser."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Runs the command and returns the exit status."""


COMMANDS: dict[str, Command] = {
    "extract": extract,
    "ask": ask,
    "index": index,
    "search": search,
    "redact": redact,
    "dedup": dedup,
    "similarity": similarity,
    "show": show,
    "plot": plot,
    "status": status,
    "train": train,
    "pretrain": pretrain,
    "prune": prune,
    "adapt": adapt,
    "evaluate": evaluate,
    "audit": audit,
    "calibrate": calibrate,
    "config": config,
    "convert": convert,
    "export": export,
    "push": push,
    "serve": serve,
}

EXIT_STATUS = """\
exit status:
  0    success
  1    a document could not be read, the command failed, or an audit found a larger gap than allowed
  2    invalid arguments, or a configuration that is not valid
  3    a run into a folder stopped before its end, as when the disk is full
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the command and its arguments; those of the process by default.

    Returns:
        The exit status; see ``EXIT_STATUS``.

    Raises:
        SystemExit: with status 2 for invalid arguments, 0 for ``--help`` and ``--version``.
    """
    arguments = parser().parse_args(argv)
    console.prepare()
    try:
        status = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
        return status
    except LongdocError as error:
        console.tell(f"longdoc: {options.told(str(error), arguments)}")
        return 2 if isinstance(error, ConfigError) else 3 if isinstance(error, (BatchError, WorkerError)) else 1
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("longdoc"):
            raise
        console.tell(f"longdoc: {error.name} is not installed; reinstall longdoc, or install {error.name}")
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        console.abandon_output()
        return 1
    except OSError as error:  # such as a full disk
        console.tell(f"longdoc: {_what_failed(error)}")
        _flush_or_abandon()
        return 1
    except KeyboardInterrupt:
        return 130


def _what_failed(error: OSError) -> str:
    """The file, if it is known, and what the system says of it."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename is not None else f"the output cannot be written: {reason}"


def _flush_or_abandon() -> None:
    """Writes what is left for standard output, which may be what has failed."""
    try:
        sys.stdout.flush()
    except OSError:
        console.abandon_output()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Reports an argument, which may be the name of a file, harmlessly; ``--help`` shows the options."""
        usage = argparse.HelpFormatter(f"{self.prog} [options]")
        usage.add_usage(None, self._get_positional_actions(), [], "usage: ")
        self.exit(2, f"{usage.format_help()}{self.prog}: error: {shown(message)}\n")


def parser() -> argparse.ArgumentParser:
    """Builds the argument parser; ``arguments.command`` is a key of ``COMMANDS``."""
    parser = _Parser(
        prog="longdoc",
        description="Find entities in long documents and answer questions about them, with the page of each result.",
        epilog=f"Run 'longdoc COMMAND --help' for the arguments of a command.\n\n{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"longdoc {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, command in COMMANDS.items():
        own = commands.add_parser(name, help=command.HELP, description=f"{command.HELP[0].upper()}{command.HELP[1:]}.")
        command.add_arguments(own)
    return parser
