"""The commands. Everything a person sees on a terminal is written here, and only here."""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from longdoc.cli.arguments import parser
from longdoc.errors import ConfigError, DocumentError, DocumentNotFoundError, LongdocError

# Whatever loads numpy, torch or rich is imported where it is used: `longdoc --help` answers at once.
if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from longdoc.document import Document
    from longdoc.outputs.summary import Name
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Prediction
    from longdoc.schema import Schema

    Outcome: TypeAlias = tuple[str, Prediction | DocumentError]

NAMES_SHOWN = 10
"""Names a label on the terminal; files have them all."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        the exit code: 0 for success, 1 if something could not be read or done, 2 for wrong usage.
    """
    arguments = parser().parse_args(argv)
    if not sys.stdout.isatty() and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return code
    except LongdocError as error:
        print(f"longdoc: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


# --------------------------------------------------------------------------------------------------------- extract


def _extract(arguments: argparse.Namespace) -> int:
    from longdoc import outputs

    output = arguments.output
    default = outputs.format_of(output) if output else "table" if sys.stdout.isatty() else "jsonl"
    if arguments.schema:
        from longdoc.schema import load_schema

        arguments.schema = load_schema(arguments.schema)
    tables = partial(_write_tables, schema=arguments.schema)
    writers: dict[str, Callable[[Iterable[Outcome], TextIO], None]] = {
        "table": tables,
        "jsonl": _write_jsonl,
        "html": _write_html,
    }
    write = writers[arguments.format or default]
    if output and (Path(output).is_dir() or not Path(output).absolute().parent.is_dir()):
        raise ConfigError(f"{output}: the output must be a file in a folder that exists")
    if output and any(
        Path(path).exists() and Path(output).resolve() == Path(path).resolve() for path in arguments.paths
    ):
        raise ConfigError(f"{output}: the output would replace a document that is to be read; name another file")

    failures: list[str] = []
    outcomes = _noting_failures(_outcomes(arguments), failures)
    first = next(outcomes)  # a lone bad file is an error before any output is opened
    try:
        opened = outputs.open_text(output) if output else nullcontext(sys.stdout)
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written ({error.strerror})") from error
    with opened as stream:
        write(chain([first], outcomes), stream)
    return 1 if failures else 0


def _outcomes(arguments: argparse.Namespace) -> Iterator[Outcome]:
    """For each path, in order, its prediction or why it could not be read; a lone path raises instead."""
    from rich.console import Console

    import longdoc

    waiting: deque[tuple[str, DocumentError | None]] = deque()

    def documents() -> Iterator[Document]:
        for path in arguments.paths:
            try:
                document = _load(path, arguments.password)
            except DocumentError as error:
                if len(arguments.paths) == 1:
                    raise
                waiting.append((path, error))
            else:
                waiting.append((path, None))
                yield document

    readable = documents()
    for first in readable:  # the model is loaded once there is something to read
        with Console(stderr=True).status("Loading the model"):
            pipeline = longdoc.Pipeline.from_pretrained(
                arguments.model, encoder=arguments.encoder, rules=["default", *(arguments.rules or ())]
            )
        for prediction in _predictions(pipeline, chain([first], readable), arguments):
            yield from _failed_so_far(waiting)
            path, _ = waiting.popleft()
            sure = tuple(entity for entity in prediction.entities if entity.score >= arguments.min_score)
            yield path, replace(prediction, entities=sure)
    yield from _failed_so_far(waiting)


def _predictions(
    pipeline: Pipeline, documents: Iterable[Document], arguments: argparse.Namespace
) -> Iterator[Prediction]:
    if arguments.schema:
        return (pipeline.extract(document, arguments.schema) for document in documents)
    tasks = arguments.tasks.split(",") if arguments.tasks else None
    if arguments.rules and tasks is None:
        tasks = list(pipeline.tasks)
    return pipeline.pipe(documents, tasks=tasks)


def _load(path: str, password: str | None, **options: Any) -> Document:
    import longdoc

    if Path(path).is_dir():
        raise DocumentNotFoundError(f"{path}: is a folder; pass its files, for example {Path(path) / '*.pdf'}")
    return longdoc.load(path, password=password, **options)


def _failed_so_far(waiting: deque[tuple[str, DocumentError | None]]) -> Iterator[Outcome]:
    """Take from the left every failure that stands before the next success."""
    while waiting and (error := waiting[0][1]):
        yield waiting.popleft()[0], error


def _noting_failures(outcomes: Iterable[Outcome], failures: list[str]) -> Iterator[Outcome]:
    for source, outcome in outcomes:
        if isinstance(outcome, DocumentError):
            failures.append(source)
        yield source, outcome


def _write_jsonl(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    from longdoc.outputs import jsonl

    for source, outcome in outcomes:
        if isinstance(outcome, DocumentError):
            stream.write(jsonl.failure(source, outcome))
        else:
            stream.write(jsonl.success(source, outcome))
        stream.flush()


def _write_html(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    from longdoc.outputs import html

    html.write(_successes(outcomes), stream)


def _successes(outcomes: Iterable[Outcome]) -> Iterator[Prediction]:
    """The predictions; failures go to standard error."""
    for _, outcome in outcomes:
        if isinstance(outcome, DocumentError):
            print(f"longdoc: {outcome}", file=sys.stderr)
        else:
            yield outcome


def _write_tables(outcomes: Iterable[Outcome], stream: TextIO, schema: Schema | None = None) -> None:
    from rich.console import Console
    from rich.text import Text

    from longdoc.cli import ask

    console = Console(file=stream, highlight=False)
    for _, outcome in outcomes:
        if isinstance(outcome, DocumentError):
            console.print(Text(str(outcome), style="red"))
        elif schema is not None:
            ask.print_fields(console, outcome, schema)
        else:
            _print_entities(console, outcome)


def _print_entities(console: Console, prediction: Prediction) -> None:
    """The names found, under their labels, and what the model did not see."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from longdoc.outputs.summary import count, names_by_label

    document = prediction.document
    console.print()
    console.print(Text(document.title, style="bold"))
    facts = [document.source.name, count(len(document.pages), "page")]
    facts += [] if prediction.gaps or document.warnings else ["read to the last character"]
    console.print(Text(" · ".join(facts), style="dim"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Label", style="cyan", no_wrap=True)
    table.add_column("Name", overflow="fold")
    table.add_column("Mentions", justify="right")
    table.add_column("Pages", max_width=24, no_wrap=True)
    table.add_column("Score", justify="right")
    for label, names in names_by_label(prediction).items():
        _add_label(table, label, names)
    console.print(table if table.row_count else "Nothing found.")
    for warning in document.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    for gap in prediction.gaps:
        console.print(Text(f"Not read: characters {gap.start} to {gap.end} ({gap.reason})", style="yellow"))


def _add_label(table: Table, label: str, names: list[Name]) -> None:
    """The rows of one label, which is named on the first."""
    from rich.text import Text

    for position, name in enumerate(names[:NAMES_SHOWN]):
        first = "" if position else label
        table.add_row(Text(first), Text(name.text), str(len(name.mentions)), name.pages, f"{name.score:.2f}")
    if len(names) > NAMES_SHOWN:
        table.add_row("", Text(f"and {len(names) - NAMES_SHOWN} more (-o FILE writes them all)", style="dim"))
    table.add_section()


# ------------------------------------------------------------------------------------------------- the other commands


def _show(arguments: argparse.Namespace) -> int:
    from longdoc.cli import show

    try:
        document = _load(arguments.path, arguments.password, pages=arguments.pages, ocr=arguments.ocr)
        if arguments.draw:
            show.draw(document, arguments.path, arguments.draw, arguments.password)
    except ValueError as error:  # an option that does not fit this document
        raise ConfigError(str(error)) from error
    if arguments.text:
        print(document.text)
    else:
        show.show(document)
    return 0


def _ask(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    import longdoc
    from longdoc.cli import ask

    document = _load(arguments.path, arguments.password)
    with Console(stderr=True).status("Loading the model"):
        pipeline = longdoc.Pipeline.from_pretrained(arguments.model, encoder=arguments.encoder)
    answers = pipeline.ask(document, arguments.questions, top_k=arguments.top_k)
    found = dict(zip(arguments.questions, answers, strict=True))
    if arguments.format == "json":
        print(ask.json_answers(document, found))
    else:
        ask.print_answers(document, found)
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    from longdoc import calibration

    print(calibration.calibrate(Path(arguments.config)))
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from longdoc import training

    if arguments.dry_run:
        print(training.estimate(Path(arguments.config)))
        return 0
    folder = training.train(Path(arguments.config), deepspeed=arguments.deepspeed)
    if int(os.environ.get("RANK", "0")) == 0:
        print(f"The trained model is in {folder}")
    return 0


def _pretrain(arguments: argparse.Namespace) -> int:
    from longdoc import training

    pretrained = training.pretrain(Path(arguments.config), deepspeed=arguments.deepspeed)
    if int(os.environ.get("RANK", "0")) == 0:
        print(pretrained)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from longdoc import evaluation

    print(evaluation.evaluate(Path(arguments.config)))
    return 0


def _convert(arguments: argparse.Namespace) -> int:
    from longdoc import convert

    base = Path(arguments.model).resolve().name
    conversion = convert.convert(
        arguments.model,
        Path(arguments.output or f"{base}-{arguments.max_tokens}"),
        max_tokens=arguments.max_tokens,
        window=arguments.window,
        global_projections=arguments.global_projections,
        text=arguments.text and Path(arguments.text),
    )
    print(conversion)
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "extract": _extract,
    "ask": _ask,
    "show": _show,
    "train": _train,
    "pretrain": _pretrain,
    "evaluate": _evaluate,
    "calibrate": _calibrate,
    "convert": _convert,
}
