"""Tables for a terminal: the names in each document, its clauses and classes, or the fields of a schema, answered."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from longdoc.errors import DocumentError
from longdoc.outputs.format import (
    Format,
    GapLike,
    Outcome,
    PredictionLike,
    classes,
    not_found,
    passages,
    rejected_for,
    said_gaps,
    said_notices,
    searched_in,
    searched_in_part,
)
from longdoc.summary import Name, count, names_by_label, on_one_line, place, shortened, shown
from longdoc.values import alternative_of

# rich is imported when a table is drawn: `longdoc --help` imports this module and must stay fast.
if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from longdoc.labels import Answer, Entity

_ENDLESS = 100_000
"""Characters of a line that is for programs, and not wrapped."""
NAMES_SHOWN = 10
"""Names shown per label; the rest are counted."""

PASSAGES_SHOWN = 20
"""Answers shown of a field, clauses of a label; the rest are counted."""


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Prints each document under its title."""
    console = plain_console(stream)
    for outcome in outcomes:
        if isinstance(outcome.result, DocumentError):
            console.print(shown(str(outcome.result)), style="red")
            continue
        _print_title(console, outcome.source, outcome.result)
        found, labels = passages(outcome.result), classes(outcome.result)
        if labels:
            _print_classes(console, labels)
        if found:
            _print_passages(console, outcome.result, found)
        if not (found or labels) or (outcome.result.entities and not outcome.result.sought):
            _print_entities(console, outcome.result)
        for notice in said_notices(outcome.result):
            console.print(notice, style="yellow")
        print_losses(console, outcome.result.document.warnings, outcome.result.gaps)


def plain_console(stream: TextIO | None = None) -> Console:
    """Returns a console that prints text as it is, and harmlessly.

    Brackets and colons in documents are not markup, and control characters are shown as escapes. What is no terminal,
    and has no width in the environment variable COLUMNS, has lines of any length.

    Args:
        stream: where it prints; standard output by default.
    """
    from rich.console import Console
    from rich.segment import Segment

    class PlainConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(shown(text, lines=True), **options)

        def render(self, *arguments: Any) -> Iterator[Segment]:
            for each in super().render(*arguments):  # those of a Text, too, which is made without render_str
                yield each if each.control else Segment(shown(each.text, lines=True), each.style)

    is_endless = not (stream or sys.stdout).isatty() and "COLUMNS" not in os.environ
    width = _ENDLESS if is_endless else None
    return PlainConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _print_title(console: Console, source: str, prediction: PredictionLike) -> None:
    document = prediction.document
    facts = [shown(source), count(len(document.pages), "page")]
    is_whole = not (prediction.gaps or document.warnings or searched_in_part(prediction))
    facts += ["read to the last character"] if is_whole else []
    console.print()
    console.print(on_one_line(document.title), style="bold")
    console.print(" · ".join(facts), style="dim")


def _print_entities(console: Console, prediction: PredictionLike) -> None:
    table = _names_table()
    for label, names in names_by_label(prediction.entities).items():
        _add_label(table, label, names)
    console.print(table if table.row_count else "Nothing found.")


def print_losses(console: Console, warnings: Iterable[str], gaps: Iterable[GapLike]) -> None:
    """Prints what was lost in loading, and what the model did not see."""
    for warning in warnings:
        console.print(shown(f"Warning: {warning}"), style="yellow")
    for gap in said_gaps(gaps):
        console.print(gap, style="yellow")


def _new_table(first: str) -> Table:
    """A table whose first column names the rows."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, style="cyan", no_wrap=True)
    return table


def _more(n_rows: int) -> Text:
    """What stands for the rows that are left out."""
    from rich.text import Text

    return Text(f"and {n_rows:,} more (-o FILE writes them all)", style="dim")


def _names_table() -> Table:
    table = _new_table("Label")
    table.add_column("Name", overflow="fold")
    table.add_column("Mentions", justify="right")
    table.add_column("Pages", max_width=24, no_wrap=True)
    table.add_column("Score", justify="right")
    return table


def _add_label(table: Table, label: str, names: list[Name]) -> None:
    """Adds the rows of one label, whose first row names it."""
    for position, name in enumerate(names[:NAMES_SHOWN]):
        first = "" if position else label
        table.add_row(first, name.text, str(len(name.mentions)), name.pages, f"{name.score:.2f}")
    if len(names) > NAMES_SHOWN:
        table.add_row("", _more(len(names) - NAMES_SHOWN))
    table.add_section()


def _print_classes(console: Console, labels: dict[str, list[tuple[str, float]]]) -> None:
    """Prints classes as a table."""
    table = _new_table("Class")
    table.add_column("Where", overflow="fold")
    table.add_column("Score", justify="right")
    for name, own in labels.items():
        for position, (where, score) in enumerate(own[:PASSAGES_SHOWN]):
            table.add_row("" if position else name, on_one_line(where), f"{score:.2f}")
        if len(own) > PASSAGES_SHOWN:
            table.add_row("", _more(len(own) - PASSAGES_SHOWN))
    console.print(table)


def _print_passages(console: Console, prediction: PredictionLike, found: dict[str, list[Answer | Entity]]) -> None:
    """Prints fields and labels with their passages as a table; of fields not found, the closest candidate."""
    from rich.text import Text

    table = _new_table("Field")
    table.add_column("Value", overflow="fold")
    table.add_column("Where", max_width=28)
    table.add_column("Score", justify="right")
    for name, own in found.items():
        for position, passage in enumerate(own[:PASSAGES_SHOWN]):
            table.add_row("" if position else name, _value(passage), place(passage), _score(passage))
        if len(own) > PASSAGES_SHOWN:
            table.add_row("", _more(len(own) - PASSAGES_SHOWN))
    console.print(table if table.row_count else "Nothing found.")
    missing = not_found(prediction)
    answered = [name for name, own in found.items() if own and prediction.searched.get(name, 1.0) < 1]
    if answered:
        named = ", ".join(searched_in(prediction, name) for name in answered)
        console.print(f"Found by a question: {named}", style="dim")
    if missing:
        named = ", ".join(searched_in(prediction, name) for name in missing)
        console.print(f"Not found: {named}", style="dim")
    for name in missing:
        if closest := rejected_for(prediction, name):
            text = f"  closest to {name}: {place(closest)}, score {closest.score:.2f}: {shortened(closest.text, 80)}"
            console.print(Text(text, style="dim"))


def _score(passage: Answer | Entity) -> Text:
    """The score, and whether a person should look."""
    from rich.text import Text

    doubt = " check" if getattr(passage, "check", False) else ""
    return Text.assemble(f"{passage.score:.2f}", (doubt, "yellow"))


def _value(passage: Answer | Entity) -> str | Text:
    """The typed value of an answer, if it has one, its other reading, and its text."""
    from rich.text import Text

    text, value = shortened(passage.text), getattr(passage, "value", None)
    if value is None:
        return text
    other = alternative_of(value)
    doubt = "" if other is None else f" or {other}?"
    said = "" if str(value).startswith(text) else f"  {text}"
    return Text.assemble((str(value), "bold"), (doubt, "yellow"), (said, "dim"))


FORMAT = Format(name="table", description="tables for a terminal", suffix=None, streams=True, write=write, answers=True)
