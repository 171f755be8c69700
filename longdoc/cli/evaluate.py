"""``longdoc evaluate``: the quality and cost of a model on labelled data."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import console, options

HELP = "score a model on labelled data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command; results are told as they come, and an interrupted evaluation continues when it is repeated."""
    options.require_model_libraries(arguments.command)
    from longdoc import evaluation

    path = Path(arguments.config)
    try:
        console.say(str(evaluation.evaluate(path, tell=console.tell)))
    except KeyboardInterrupt:
        kept = evaluation.state_file(path)
        console.tell(
            f"longdoc: interrupted; what is finished is kept in {kept}: run the same command again to continue"
            if kept.exists()
            else "longdoc: interrupted before a part was finished; the same command starts over"
        )
        raise
    return 0
