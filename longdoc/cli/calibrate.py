"""``longdoc calibrate``: scores that are probabilities."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import console, options

HELP = "calibrate the scores of a model on labelled data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc import calibration

    console.say(str(calibration.calibrate(Path(arguments.config))))
    return 0
