"""``longdoc ask``, and what ``longdoc extract --schema`` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from longdoc.outputs.summary import on_one_line
from longdoc.values import to_plain

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.labels import Answer
    from longdoc.prediction import Prediction
    from longdoc.schema import Schema

LONGEST = 400
"""Characters of an answer on the terminal; files have them all."""


def print_answers(document: Document, found: dict[str, list[Answer]]) -> None:
    """Each question with its answers, best first, and where they stand."""
    console = Console(highlight=False)
    console.print(Text(document.title, style="bold"))
    for question, answers in found.items():
        console.print()
        console.print(Text(question, style="cyan"))
        for answer in answers:
            console.print(Text("  " + _shortened(answer.text)))
            console.print(Text(f"  {_place(answer)}, score {answer.score:.2f}", style="dim"))
        if not answers:
            console.print(Text("  The document does not say.", style="dim"))


def json_answers(document: Document, found: dict[str, list[Answer]]) -> str:
    """The same as one JSON object."""
    record = {
        "document": document.source.name,
        "questions": [{"question": q, "answers": [_plain(answer) for answer in own]} for q, own in found.items()],
    }
    return json.dumps(record, ensure_ascii=False, indent=2)


def print_fields(console: Console, prediction: Prediction, schema: Schema) -> None:
    """The schema's fields in its order, each with its answers; what the document does not say in one line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    table.add_column("Field", style="cyan", no_wrap=True)
    table.add_column("Value", overflow="fold")
    table.add_column("Where", max_width=28)
    table.add_column("Score", justify="right")
    missing = []
    for name in schema.fields:
        answers = [answer for answer in prediction.answers if answer.label == name]
        if not answers:
            missing.append(name)
        for position, answer in enumerate(answers):
            value = Text(_shortened(answer.text))
            if answer.value is not None:
                value = Text(str(answer.value), style="bold").append(
                    f"  {_shortened(answer.text)}", style="not bold dim"
                )
            table.add_row(Text("" if position else name), value, _place(answer), f"{answer.score:.2f}")
    console.print()
    console.print(Text(prediction.document.title, style="bold"))
    console.print(table if table.row_count else "Nothing found.")
    if missing and table.row_count:
        console.print(Text(f"Not found: {', '.join(missing)}", style="dim"))


def _place(answer: Answer) -> str:
    section = f", section {answer.section}" if answer.section else ""
    return f"page {answer.page}{section}"


def _plain(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "score": round(answer.score, 4),
        "start": answer.start,
        "end": answer.end,
        "page": answer.page,
        "section": answer.section,
        "value": None if answer.value is None else to_plain(answer.value),
    }


def _shortened(text: str) -> str:
    line = on_one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 2].rsplit(" ", 1)[0] + " …"
