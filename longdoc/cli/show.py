"""`longdoc show`: what was read of a document, at a glance."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from longdoc import outputs
from longdoc.document import Document, Table
from longdoc.errors import ConfigError
from longdoc.outputs import layout
from longdoc.outputs.summary import count, page_ranges

LINES_SHOWN = 60
"""Sections, tables and so on, each; a Document has them all."""
METADATA_SHOWN = 500
"""Characters of a value."""


def show(document: Document) -> None:
    """Print what was read: facts, warnings, sections, tables, outline, form fields, comments."""
    console = Console(highlight=False)
    console.print(Text(document.title, style="bold"))
    _show_facts(console, document)
    for warning in document.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    _show_list(console, "Sections", _section_lines(document))
    _show_list(console, "Tables", _table_lines(document))
    _show_list(console, "Outline", [f"{'  ' * (i.level - 1)}{i.title}  p. {i.page or '?'}" for i in document.outline])
    _show_list(console, "Form fields", [f"{field.name}: {field.value}  p. {field.page}" for field in document.fields])
    _show_list(console, "Comments", [f"{note.text}  p. {note.page}" for note in document.annotations])


def draw(document: Document, source: str, output: str, password: str | None) -> None:
    """Draw what was found over the pages of the file ``source``, into the web page ``output``."""
    if Path(output).suffix.lower() not in (".html", ".htm") or Path(output).resolve() == Path(source).resolve():
        raise ConfigError(f"{output}: the pages are drawn into a web page; name a file that ends in .html")
    drawing = io.StringIO()
    layout.write(document, Path(source).read_bytes(), drawing, password=password)
    try:
        with outputs.open_text(output) as stream:
            stream.write(drawing.getvalue())
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written ({error.strerror})") from error
    print(f"The pages are drawn in {output}", file=sys.stderr)


def _show_facts(console: Console, document: Document) -> None:
    source = document.source
    facts = Grid.grid(padding=(0, 2))
    facts.add_column(style="cyan", no_wrap=True)
    facts.add_column(overflow="fold")
    counted = {"defined term": document.definitions, "cross-reference": document.references, "link": document.links}
    kinds = Counter(item.kind for item in document.furniture)
    rows = {
        "File": source.name,
        "Type": f"{source.media_type}, read by {source.loader} {source.version}",
        "SHA-256": source.sha256,
        "Pages": _verdicts(document),
        "Text": f"{count(len(document.text), 'character')}, {count(len(document.text.split()), 'word')}",
        "Not in the text": ", ".join(count(number, kind) for kind, number in kinds.items()),
        "In the text": ", ".join(count(len(found), noun) for noun, found in counted.items() if found),
        **{key: value for key, value in source.metadata.items() if value.strip()},
    }
    for name, value in rows.items():
        if value:
            facts.add_row(Text(name), Text(value if len(value) < METADATA_SHOWN else f"{value[:METADATA_SHOWN]} …"))
    console.print(facts)


def _section_lines(document: Document) -> list[str]:
    numbers = [section.number or section.kind for section in document.sections]
    return [
        f"{'  ' * (section.level - 1)}{number}  {section.title}  p. {document.page_at(section.start).number}"
        for number, section in zip(numbers, document.sections, strict=True)
        if section.start < len(document.text)
    ]


def _table_lines(document: Document) -> list[str]:
    lines = []
    for number, table in enumerate(document.tables, 1):
        rows, columns = table.shape
        first = " | ".join(" ".join(cell.text.split()) for cell in table.cells if cell.row == 0)
        lines.append(f"{number}  {rows} × {columns}  p. {_page_of(document, table)}  {first}")
    return lines


def _page_of(document: Document, table: Table) -> int:
    return table.box.page if table.box else document.page_at(min(table.start, len(document.text) - 1)).number


def _show_list(console: Console, title: str, lines: Sequence[str]) -> None:
    """The lines under a title, each on one line of the terminal; the rest are counted."""
    if lines:
        console.print(Text(f"\n{title}", style="cyan"))
    for line in lines[:LINES_SHOWN]:
        console.print(Text(f"  {line}"), overflow="ellipsis", no_wrap=True)
    if len(lines) > LINES_SHOWN:
        console.print(Text(f"  and {len(lines) - LINES_SHOWN} more", style="dim"))


def _verdicts(document: Document) -> str:
    """How many pages, and which of them carry text: ``"20: 1–19 text, 20 scanned"``."""
    numbers: dict[str, list[int]] = {}
    for page in document.pages:
        numbers.setdefault(page.verdict, []).append(page.number)
    verdicts = "; ".join(f"{page_ranges(pages)} {verdict}" for verdict, pages in numbers.items())
    return f"{len(document.pages)} ({verdicts})"
