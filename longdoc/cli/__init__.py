"""The command line: a module for each command, and the table of them. Nothing else in the package prints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from longdoc.cli import ask, calibrate, convert, evaluate, extract, pretrain, show, status, train
from longdoc.errors import BatchError, ConfigError, LongdocError, WorkerError
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
    "show": show,
    "status": status,
    "train": train,
    "pretrain": pretrain,
    "evaluate": evaluate,
    "calibrate": calibrate,
    "convert": convert,
}

EXIT_STATUS = """\
exit status:
  0    success
  1    a document could not be read, or the command failed
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
    if not sys.stdout.isatty() and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
        return status
    except LongdocError as error:
        print(f"longdoc: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 3 if isinstance(error, (BatchError, WorkerError)) else 1
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("longdoc"):
            raise
        print(f"longdoc: {error.name} is not installed; reinstall longdoc, or install {error.name}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Builds the argument parser; ``arguments.command`` is a key of ``COMMANDS``."""
    parser = argparse.ArgumentParser(
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
