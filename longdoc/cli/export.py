"""``longdoc export``: a model in the format of another library or runtime."""

from __future__ import annotations

import argparse
import os
from typing import Any

from longdoc.cli import console, options
from longdoc.errors import ConfigError

HELP = "write a head of a model for transformers, or the model as a graph for ONNX Runtime, OpenVINO or torch"
_FORMATS = ("transformers", "onnx", "openvino", "torch-export")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a folder written by longdoc train, a hub id, or default")
    parser.add_argument("--to", choices=_FORMATS, required=True, help="the format")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="new folder to write")
    parser.add_argument(
        "--head",
        metavar="NAME",
        help="name of the head; needed for transformers if the model has several; a graph has all heads by default",
    )
    graph = parser.add_argument_group("graph")
    graph.add_argument(
        "--int8", action="store_true", help="products of integers: a smaller file, and faster; not torch-export"
    )
    graph.add_argument(
        "--encoder",
        choices=["windows", "sparse"],
        help="for windows, or for long rows with sparse attention; default: windows",
    )
    options.add_card(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # transformers imports DeepSpeed, which warns without it
    options.require_model_libraries(arguments.command)
    from longdoc.export import to_graph, to_transformers

    card = {"head": arguments.head, "base": arguments.base, "licence": arguments.licence}
    encoder: Any = arguments.encoder or "windows"
    exported: Any
    if arguments.to == "transformers":
        if arguments.int8 or arguments.encoder:
            raise ConfigError("--int8 and --encoder are for graphs: --to onnx, openvino or torch-export")
        exported = to_transformers(arguments.model, arguments.output, **card)
    else:
        exported = to_graph(
            arguments.model, arguments.output, arguments.to, int8=arguments.int8, encoder=encoder, **card
        )
    console.say(str(exported))
    return 0
