"""``longdoc search INDEX QUERY``: the passages of an index that a query means."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from longdoc.cli import console, options
from longdoc.outputs.jsonl import as_json
from longdoc.outputs.table import plain_console
from longdoc.summary import count, on_one_line, shortened

if TYPE_CHECKING:
    from longdoc.search.hits import Hit
    from longdoc.search.index import Index

HELP = "find passages in an index of documents, by words and by meaning"
_CHARACTERS = 240
"""Shown of a passage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("index", metavar="INDEX", help="the folder that `longdoc index` has written")
    parser.add_argument("query", metavar="QUERY", help="words or a question, in quotes")
    parser.add_argument(
        "--top-k",
        type=options.positive_integer,
        default=10,
        metavar="K",
        help="maximum number of passages; default: 10",
    )
    parser.add_argument(
        "--mode",
        choices=["hybrid", "words", "vectors"],
        default="hybrid",
        help="rank by the words that a passage shares with the query, by its vector, or by both (default)",
    )
    options.add_where(parser)
    parser.add_argument("--model", metavar="M", help="the model that made the index, if it is not where it was then")
    parser.add_argument("--device", default="auto", metavar="D", help="where it computes: cpu or cuda; default: auto")
    parser.add_argument(
        "--rerank", metavar="M", help="order the best 50 anew with this multi-vector encoder of sentence-transformers"
    )
    parser.add_argument("--format", choices=["table", "jsonl"], help="default: table on a terminal, jsonl otherwise")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    where = options.where(arguments)
    from longdoc.search.index import Index

    index = Index(arguments.index, model=arguments.model, device=arguments.device)
    hits = index.search(
        arguments.query, top_k=arguments.top_k, mode=arguments.mode, where=where, rerank=arguments.rerank
    )
    if options.chosen_format(arguments, terminal="table") == "table":
        _print_hits(hits)
    else:
        for hit in hits:
            console.write_data(as_json(hit.to_dict()))
        if not hits:
            console.tell("longdoc: nothing found")
    tell_outdated(index, (hit.address for hit in hits))
    return 0


def tell_outdated(index: Index, addresses: Iterable[str]) -> None:
    """Tells which of the documents that were found have changed since they were read."""
    if outdated := index.outdated({*addresses}):
        named = ", ".join(outdated[:3]) + (" …" if len(outdated) > 3 else "")
        console.tell(
            f"longdoc: {count(len(outdated), 'document')} changed or gone since they were read; run `longdoc index` "
            f"again, with --drop-gone for those that are gone: {named}"
        )


def _print_hits(hits: Sequence[Hit]) -> None:
    """Prints each passage, best first, and where it is."""
    screen = plain_console()
    for number, hit in enumerate(hits, 1):
        screen.print(f"{number}. {on_one_line(hit.title) or os.path.basename(hit.address)}", style="bold")  # noqa: PTH119
        screen.print(f"   {shortened(hit.text, _CHARACTERS)}")
        screen.print(f"   {_place(hit)}", style="dim")
    if not hits:
        screen.print("Nothing found.", style="dim")


def _place(hit: Hit) -> str:
    heading = f", {on_one_line(hit.heading)}" if hit.heading else ""
    ranks = [f"{rank} by {name}" for name, rank in (("words", hit.word_rank), ("vectors", hit.vector_rank)) if rank]
    return f"{hit.address}, page {hit.page}{heading}; place {', '.join(ranks)}"
