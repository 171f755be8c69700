"""``longdoc pretrain``: an encoder from plain text."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import console, options

HELP = "pretrain an encoder on plain text"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    options.add_training(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc import training

    pretrained = training.pretrain(Path(arguments.config), deepspeed=arguments.deepspeed)
    if options.is_first_process():
        console.say(options.told(str(pretrained), arguments))
    return 0
