"""``longdoc export``: a head in the format of another library."""

from __future__ import annotations

import argparse
import os

from longdoc.cli import console, options

HELP = "write a head of a model in the format of transformers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a folder written by longdoc train, a hub id, or default")
    parser.add_argument("--to", choices=["transformers"], required=True, help="the format")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="new folder to write")
    parser.add_argument("--head", metavar="NAME", help="name of the head; needed if the model has several")
    options.add_card(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # transformers imports DeepSpeed, which warns without it
    options.require_model_libraries(arguments.command)
    from longdoc.export import to_transformers

    exported = to_transformers(
        arguments.model, arguments.output, head=arguments.head, base=arguments.base, licence=arguments.licence
    )
    console.say(str(exported))
    return 0
