"""``longdoc convert``: an encoder for longer input."""

from __future__ import annotations

import argparse
from pathlib import Path

from longdoc.cli import console, options

HELP = "extend an encoder to longer input with sparse attention"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a folder written by transformers, or a hub id")
    parser.add_argument(
        "--max-tokens",
        type=options.positive_integer,
        required=True,
        metavar="N",
        help="maximum number of tokens in a sequence, such as 4096",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="folder to write; default: MODEL-N in this folder")
    attention = parser.add_argument_group("attention")
    attention.add_argument(
        "--window",
        type=options.positive_integer,
        metavar="W",
        help="number of tokens that each token attends to on either side; default: 256",
    )
    attention.add_argument(
        "--global-projections",
        action="store_true",
        help="write a Longformer, with separate weights for global tokens (from BERT, RoBERTa, XLM-R or CamemBERT)",
    )
    check = parser.add_argument_group("check")
    check.add_argument(
        "--text", metavar="FILE", help="measure the prediction of masked words in this text file before and after"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc.convert import convert

    name = Path(arguments.model).resolve().name
    conversion = convert(
        arguments.model,
        Path(arguments.output or f"{name}-{arguments.max_tokens}"),
        max_tokens=arguments.max_tokens,
        window=arguments.window,
        global_projections=arguments.global_projections,
        text=Path(arguments.text) if arguments.text else None,
    )
    console.say(str(conversion))
    return 0
