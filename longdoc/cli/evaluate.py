"""``longdoc evaluate``: the quality and cost of a model on labelled data."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import options

HELP = "score a model on labelled data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc import evaluation

    print(evaluation.evaluate(Path(arguments.config)))
    return 0
