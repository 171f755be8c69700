"""``longdoc push``: a model to the hub."""

from __future__ import annotations

import argparse

from longdoc.cli import console, options

HELP = "send a folder of longdoc train or longdoc export to the hub, with a model card"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("folder", metavar="FOLDER", help="folder with the model")
    parser.add_argument("repository", metavar="REPOSITORY", help="hub id, such as someone/contracts; made if needed")
    parser.add_argument("--revision", metavar="BRANCH", help="branch; default: that of the repository")
    parser.add_argument("--private", action="store_true", default=None, help="make a new repository private")
    options.add_card(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    options.require_model_libraries(arguments.command)
    from longdoc.export import push

    address = push(
        arguments.folder,
        arguments.repository,
        revision=arguments.revision,
        private=arguments.private,
        base=arguments.base,
        licence=arguments.licence,
    )
    console.say(address)
    return 0
