"""``longdoc search INDEX QUERY``: the passages of an index that a query means."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from longdoc.cli import console, options
from longdoc.errors import ConfigError
from longdoc.outputs.jsonl import as_json
from longdoc.outputs.table import plain_console
from longdoc.summary import count, on_one_line, shortened

if TYPE_CHECKING:
    from longdoc.search.hits import Hit

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
    parser.add_argument(
        "--where",
        action="append",
        metavar="KEY=VALUE",
        help="search only documents with this type, label, party, title, law, address, agreement_date, effective_date "
        "or expiration_date; dates are 2019, 2019-03-01 or a range such as 2019..2020-06; may be given several times",
    )
    parser.add_argument("--model", metavar="M", help="the model that made the index, if it is not where it was then")
    parser.add_argument("--device", default="auto", metavar="D", help="where it computes: cpu or cuda; default: auto")
    parser.add_argument(
        "--rerank", metavar="M", help="order the best 50 anew with this multi-vector encoder of sentence-transformers"
    )
    parser.add_argument("--format", choices=["table", "jsonl"], default="table", help="default: table")


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    where = _where(arguments.where) if arguments.where else None
    from longdoc.search.index import Index

    index = Index(arguments.index, model=arguments.model, device=arguments.device)
    hits = index.search(
        arguments.query, top_k=arguments.top_k, mode=arguments.mode, where=where, rerank=arguments.rerank
    )
    if arguments.format == "jsonl":
        for hit in hits:
            console.write_data(as_json(hit.to_dict()))
    else:
        _print_hits(hits)
    if outdated := index.outdated({hit.address for hit in hits}):
        named = ", ".join(outdated[:3]) + (" …" if len(outdated) > 3 else "")
        console.tell(
            f"longdoc: {count(len(outdated), 'document')} changed or gone since they were read; run `longdoc index` "
            f"again: {named}"
        )
    return 0


def _where(given: Sequence[str]) -> dict[str, Any]:
    """The conditions, each with all values that are given for it."""
    wanted: dict[str, list[str]] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not value:
            raise ConfigError(f"--where {each!r:.80}: give a key and a value, such as --where type=contract")
        wanted.setdefault(key.strip(), []).append(value.strip())
    return {key: values if len(values) > 1 else values[0] for key, values in wanted.items()}


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
    ranks = [f"{name} {rank}" for name, rank in (("words", hit.word_rank), ("vectors", hit.vector_rank)) if rank]
    return f"{hit.address}, page {hit.page}{heading}; score {hit.score:.4g} ({', '.join(ranks)})"
