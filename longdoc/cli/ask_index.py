"""``longdoc ask FOLDER QUESTION``: questions about the documents of a folder, or of an index.

For a folder of documents, an index is made or brought up to date first, in the user's cache.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longdoc.cli import batch, console, options
from longdoc.cli.search import tell_outdated
from longdoc.errors import ConfigError
from longdoc.outputs.jsonl import as_json
from longdoc.outputs.table import plain_console
from longdoc.summary import count, on_one_line, shortened

if TYPE_CHECKING:
    from rich.table import Table

    from longdoc.batch.progress import RunStatus
    from longdoc.search.answers import FoundAnswer, FoundAnswers
    from longdoc.search.index import Index

TOP_K = 5
"""Answers to a question, unless the user says how many."""
_ONLY_FOR_FOLDERS = ("where", "index", "index_model", "overwrite")
_CHARACTERS = 160
"""Shown of an answer; of the sentence around it, twice as many."""
_BUILD: dict[str, Any] = {
    **dict.fromkeys(("glob", "files_from", "engine", "ray_address", "ray_gpus", "workers")),
    **dict.fromkeys(("retry_failed", "quiet", "json_progress"), False),
}
"""The choices of ``longdoc index`` that ``longdoc ask`` does not offer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that are for many documents."""
    group = parser.add_argument_group("many documents")
    options.add_where(group)
    group.add_argument(
        "--index",
        metavar="INDEX",
        help="for a folder of documents: where their index is kept; default: in the user's cache",
    )
    group.add_argument(
        "--index-model",
        metavar="M",
        help="the model whose vectors find the passages to read; default: that of the index, or the model shipped with "
        "longdoc",
    )
    group.add_argument("--overwrite", action="store_true", help="for a folder of documents: make their index anew")


def check_not_used(arguments: argparse.Namespace) -> None:
    """Refuses what is for many documents.

    Raises:
        ConfigError: such an argument was given.
    """
    given = [f"--{name.replace('_', '-')}" for name in _ONLY_FOR_FOLDERS if getattr(arguments, name)]
    given += ["--format jsonl"] * (arguments.format == "jsonl")
    if given:
        raise ConfigError(
            f"{given[0]} is for many documents, and {arguments.path} is no folder; leave it out, or give the folder"
        )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command for a folder."""
    where = options.where(arguments)
    status, index = _index(arguments)
    pipeline = options.load_pipeline(arguments)
    chosen: dict[str, Any] = {"min_score": arguments.min_score, "head": arguments.head, "where": where}
    chosen |= {"passages": None} if arguments.all_windows else {}
    answered = [
        (question, index.ask(question, top_k=arguments.top_k or TOP_K, pipeline=pipeline, **chosen))
        for question in arguments.questions
    ]
    format = options.chosen_format(arguments, terminal="text")
    if format == "text":
        _print_answers(answered)
    else:
        records = [{"question": question, **found.to_dict()} for question, found in answered]
        lines = records if format == "jsonl" else [{"index": str(index.path), "questions": records}]
        for each in lines:
            console.write_data(as_json(each, **({} if format == "jsonl" else {"indent": 2})))
    tell_outdated(index, (answer.address for _, found in answered for answer in found))
    return status


def _index(arguments: argparse.Namespace) -> tuple[int, Index]:
    """The exit status, and the index of a folder: what it holds, or one of its documents, made now if need be."""
    from longdoc.search.caches import read_model
    from longdoc.search.index import Index
    from longdoc.search.origin import is_index

    path = Path(arguments.path)
    if is_index(path):
        for name in ("index", "overwrite"):
            if getattr(arguments, name):
                raise ConfigError(f"--{name} is for a folder of documents, and {path} is an index itself; leave it out")
        return 0, Index(path, model=arguments.index_model, device=arguments.device)
    out = Path(arguments.index) if arguments.index else _cached(path)
    model = arguments.index_model or read_model(out) or "default"
    console.tell(f"longdoc: {path}: its index is {out}, which is made now, or brought up to date")
    how = {"drop_gone": True, "records": None, "password": arguments.password, "device": arguments.device}

    def build(**given: Any) -> RunStatus:
        return Index.build([path], out, model=model, **how, **given).status

    status = batch.run_shown(argparse.Namespace(**{**vars(arguments), **_BUILD}), build)
    return status, Index(out, model=model, device=arguments.device)


def _cached(folder: Path) -> Path:
    """Where the index of a folder of documents is kept, in the user's cache, where no other user may read it.

    Raises:
        ConfigError: the cache cannot be written.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    where = os.path.realpath(folder)
    digest = hashlib.sha256(os.fsencode(where)).hexdigest()[:12]
    indexes = Path(home) / "longdoc" / "indexes"
    try:
        indexes.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{indexes}: the index of {folder} cannot be kept there ({error.strerror or error}); name another folder: "
            "--index INDEX"
        ) from error
    return indexes / f"{Path(where).name}-{digest}"


def _print_answers(answered: Sequence[tuple[str, FoundAnswers]]) -> None:
    """Prints each question with a table of its answers, best first, and how much was read for them."""
    screen = plain_console()
    for question, found in answered:
        screen.print()
        screen.print(question, style="cyan")
        if found:
            screen.print(_table(found))
        else:
            screen.print("  Not found in what was read.", style="dim")
        if found.rejected is not None:
            rejected = found.rejected
            closest = f"  Closest: {shortened(rejected.answer.text, 80)} (score {rejected.answer.score:.2f}), "
            screen.print(f"{closest}{_name(rejected)}, page {rejected.answer.page}", style="dim")
        if found.absent:
            listed = ", ".join(f'"{word}"' for word in found.absent)
            screen.print(f"  Nothing that was read has {listed}.", style="yellow")
        screen.print(
            f"  Read: {found.passages_read:,} of {count(found.passages, 'passage')}, in {found.documents_read:,} of "
            f"{count(found.documents, 'document')}.",
            style="dim",
        )


def _table(answers: Sequence[FoundAnswer]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("document", style="bold", ratio=3)
    table.add_column("page", justify="right")
    table.add_column("answer", ratio=4)
    table.add_column("score", justify="right")
    table.add_column("in the sentence", style="dim", ratio=6)
    for each in answers:
        answer = each.answer
        text = shortened(answer.text, _CHARACTERS)
        score = f"{answer.score:.2f}{' check' if answer.check else ''}"
        table.add_row(_name(each), str(answer.page), text, score, shortened(each.sentence, 2 * _CHARACTERS))
    return table


def _name(answer: FoundAnswer) -> str:
    """The title of a document, with the name of its file."""
    file = Path(answer.address).name
    return f"{on_one_line(answer.title)} ({file})" if answer.title else file
