"""``longdoc train``: a model from labelled data."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import console, options

HELP = "train a model on labelled data; started again, an interrupted run goes on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    options.add_training(parser)
    parser.add_argument("--dry-run", action="store_true", help="estimate the memory needed, and train nothing")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc import training

    if arguments.dry_run:
        console.say(str(training.estimate(Path(arguments.config))))
        return 0
    folder = training.train(Path(arguments.config), deepspeed=arguments.deepspeed)
    if options.is_first_process():
        console.say("\n".join([*training.read_summary(folder.parent), f"The trained model is in {folder}"]))
    return 0
