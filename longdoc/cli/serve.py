"""``longdoc serve``: documents and questions over HTTP."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from longdoc.cli import console, options
from longdoc.errors import require

HELP = "serve documents and questions over HTTP, with jobs, limits and a token"
TOKEN = "LONGDOC_TOKEN"
"""The environment variable for the token, which other users of the machine do not see."""
_LIBRARIES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; default: 127.0.0.1, this machine")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0 is any that is free")
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="also read files below this folder, by their paths; default: uploads"
    )
    parser.add_argument(
        "--token",
        help=f"what requests must bear (Authorization: Bearer TOKEN); better given as {TOKEN} in the environment, "
        "where other users do not see it. Needed for every address but that of this machine",
    )
    _add_limits(parser.add_argument_group("limits"))
    options.add_model(parser)


def _add_limits(limits: argparse._ArgumentGroup) -> None:
    limits.add_argument("--max-bytes", type=options.size, metavar="SIZE", help="of a document; default: 32MB")
    limits.add_argument(
        "--queue",
        type=options.positive_integer,
        metavar="N",
        help="documents that may wait or be worked on; more are refused with status 429; default: 16",
    )
    limits.add_argument(
        "--queue-bytes",
        type=options.size,
        metavar="SIZE",
        help="of these documents in all, as uploaded or as loaded, which takes more; default: 500MB",
    )
    limits.add_argument(
        "--timeout",
        type=options.seconds,
        metavar="S",
        help="seconds for a document to arrive, to be loaded, and to be read by the model; and in all for a request "
        "that waits for its result; default: 120",
    )
    limits.add_argument(
        "--memory", type=options.size, metavar="SIZE", help="that loading a document may take; default: 1GB; on Linux"
    )
    limits.add_argument(
        "--keep", type=options.positive_integer, metavar="N", help="results that are kept at most; default: 100"
    )
    limits.add_argument("--keep-seconds", type=options.seconds, metavar="S", help="and for how long; default: 900")
    limits.add_argument(
        "--keep-bytes", type=options.size, metavar="SIZE", help="and of what size in all; default: 500MB"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    for library in _LIBRARIES:
        require(library, extra="serve", needed_by="longdoc serve")
    from longdoc.batch.request import Request
    from longdoc.serve.server import serve
    from longdoc.serve.settings import Settings

    names = {each.name for each in fields(Settings)} - {"token"}
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    settings = Settings(token=arguments.token or os.environ.get(TOKEN) or None, **given)
    chosen = {name: getattr(arguments, name) for name in ("model", "encoder", "device", "precision")}
    request = Request.of(**chosen)
    with _log():
        serve(settings, request, lambda address: console.tell(f"longdoc: answers at {address}"))
    return 0


@contextmanager
def _log() -> Iterator[None]:
    """Writes the log to standard error: what longdoc tells, and what the server library warns of."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(console.ShownFormatter("%(asctime)s %(message)s"))
    levels = {"longdoc": logging.INFO, "uvicorn": logging.WARNING}
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
            logging.getLogger(name).removeHandler(handler)
