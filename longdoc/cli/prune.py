"""``longdoc prune``: a smaller and faster model."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import console, options

HELP = "remove what matters least in a model, and train the rest; started again, an interrupted run goes on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a folder written by longdoc train, a hub id, or default")
    parser.add_argument(
        "--config",
        required=True,
        metavar="CONFIG",
        help="a configuration of longdoc train: its tasks say what matters and are learned, its development data are "
        "scored; MODEL and FOLDER count in place of its base, model and output",
    )
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True, help="folder of the run")
    parser.add_argument(
        "--width",
        type=options.positive_integer,
        metavar="N",
        help="neurons to keep in the feed-forward network of each layer, a multiple of 8",
    )
    parser.add_argument(
        "--heads", type=options.positive_integer, metavar="N", help="attention heads to keep in each layer"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc import training

    pruned = training.prune_model(
        arguments.model, Path(arguments.config), arguments.output, width=arguments.width, heads=arguments.heads
    )
    if options.is_first_process():
        console.say(str(pruned))
    return 0
