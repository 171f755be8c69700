"""``longdoc config``: the keys of a configuration."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator

from longdoc.cli import console, options
from longdoc.cli.config_keys import CONFIGS, mappings

HELP = "list every key of a configuration file, with its type, default and meaning"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("kind", choices=CONFIGS, help="what the file configures")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    console.say("\n".join(_lines(arguments.kind)))
    return 0


def _lines(kind: str) -> Iterator[str]:
    """The keys in the order of the file; [] stands for each item of a list, NAME for a name of the user's choice."""
    for number, mapped in enumerate(mappings(kind)):
        if number:
            yield ""
        yield from textwrap.wrap(f"{mapped.place}: {mapped.text}" if mapped.place else mapped.text, 100)
        for key in mapped.keys:
            default = "required" if key.default is None else f"default: {key.default}"
            wrapped = textwrap.wrap(f"{key.name}: {key.type}; {default}", 100, subsequent_indent="    ")
            yield from ("  " + line for line in wrapped)
            yield from textwrap.wrap(key.text, 100, initial_indent=" " * 6, subsequent_indent=" " * 6)
