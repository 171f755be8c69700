"""``longdoc index PATHS -o INDEX``: an index of many documents, for ``longdoc search``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from longdoc.cli import batch, options
from longdoc.errors import ConfigError

if TYPE_CHECKING:
    from longdoc.batch.progress import RunStatus

HELP = "make an index of documents for `longdoc search`, or add to one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, folders, or addresses such as s3://bucket/x")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="INDEX",
        help="the folder of the index: documents that are in it and have not changed are not read again, and a build "
        "that is interrupted goes on with the same command",
    )
    parser.add_argument("--overwrite", action="store_true", help="make the index anew")
    parser.add_argument(
        "--drop-gone",
        action="store_true",
        help="take documents out of the index that are not among PATH any more; by default they stay",
    )
    parser.add_argument(
        "--glob",
        metavar="PATTERN",
        help="which files of folders to read, such as '*.pdf'; default: those of the formats that are read",
    )
    options.add_password(parser)
    options.add_limits(parser)
    options.add_model(parser, encoder=False)
    records = parser.add_mutually_exclusive_group()
    records.add_argument(
        "--records",
        default="default",
        metavar="M",
        help="the model that finds what searches can be limited by: parties, dates, labels; default: the one shipped "
        "with longdoc",
    )
    records.add_argument("--no-records", action="store_true", help="find that without a model, in half the time")
    batch.add_arguments(parser, "how documents are read")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    if not arguments.paths and not arguments.files_from:
        raise ConfigError("no documents: give files or folders")
    from longdoc.search.index import Index

    names = ("model", "device", "precision", "password", "drop_gone")
    what: dict[str, Any] = {name: getattr(arguments, name) for name in names}
    what["records"] = None if arguments.no_records else arguments.records

    def build(**how: Any) -> RunStatus:
        return Index.build(arguments.paths, arguments.output, **what, **how).status

    return batch.run_shown(arguments, build)
