"""``longdoc adapt``: vectors for a model."""

from __future__ import annotations

import argparse

from longdoc.cli import console, options

HELP = "add a head for vectors to a model, with an encoder of its own, near that of another model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a folder written by longdoc train, a hub id, or default")
    parser.add_argument(
        "--vectors",
        required=True,
        metavar="OTHER",
        help="the model with the vectors, of the same architecture and vocabulary, such as the base of MODEL: a "
        "folder, a hub id, or package:NAME",
    )
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True, help="folder of the model with the head")
    parser.add_argument("--head", default="embed", metavar="NAME", help="name of the head; default: embed")
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        metavar="S",
        help="share of the way from the encoder of MODEL to that of OTHER, above 0, at most 1; default: 1",
    )
    parser.add_argument(
        "--bits",
        type=options.positive_integer,
        default=4,
        metavar="N",
        help="bits of each difference between the two encoders, 1 to 8; default: 4",
    )
    parser.add_argument(
        "--quantize", action="store_true", help="store matrices as int8, as `quantize` of longdoc train"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc import training

    adapted = training.adapt(
        arguments.model,
        arguments.output,
        vectors=arguments.vectors,
        head=arguments.head,
        share=arguments.share,
        bits=arguments.bits,
        quantize=arguments.quantize,
    )
    console.say(str(adapted))
    return 0
