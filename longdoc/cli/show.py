"""``longdoc show``: what was read of one document."""

from __future__ import annotations

import argparse
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from longdoc import outputs
from longdoc.cli import console, options
from longdoc.errors import ConfigError
from longdoc.outputs.table import plain_console
from longdoc.summary import count, on_one_line, page_ranges, shown

if TYPE_CHECKING:
    from rich.console import Console

    from longdoc.document import Document, Table

HELP = "show what is read of a document: pages, sections, tables, warnings"
LINES_SHOWN = 60
"""Lines shown per list, such as the sections; the rest are counted."""
METADATA_SHOWN = 500
"""Characters shown of a value of the metadata."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("path", metavar="FILE", help="the document")
    parser.add_argument(
        "--pages", type=options.page_range, metavar="A-B", help="read only these pages of a PDF or an image"
    )
    parser.add_argument(
        "--ocr",
        default="auto",
        metavar="O",
        help="OCR of pages without a text layer: auto (in English, if installed), never, or languages such as fra+eng; "
        "default: auto",
    )
    options.add_password(parser)
    options.add_limits(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--text", action="store_true", help="print only the text, as the model reads it")
    output.add_argument(
        "--draw", metavar="OUT.html", help="draw what is read over the pages of a PDF or an image, as a web page"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    try:
        document = options.load(arguments.path, arguments, pages=arguments.pages, ocr=arguments.ocr)
        if arguments.draw:
            draw(document, arguments)
    except ValueError as error:  # an option that does not fit this document
        raise ConfigError(str(error)) from error
    if arguments.text:
        console.write_data(document.text)
    else:
        warnings = tuple(options.told(warning, arguments) for warning in document.warnings)
        show(replace(document, warnings=warnings))
    return 0


def show(document: Document) -> None:
    """Prints the facts, warnings, sections, tables, outline, form fields and comments of a document."""
    screen = plain_console()
    screen.print(on_one_line(document.title), style="bold")
    _show_facts(screen, document)
    for warning in document.warnings:
        screen.print(shown(f"Warning: {warning}"), style="yellow")
    _show_list(screen, "Sections", _section_lines(document))
    _show_list(screen, "Tables", _table_lines(document))
    _show_list(screen, "Outline", [f"{'  ' * (i.level - 1)}{i.title}  p. {i.page or '?'}" for i in document.outline])
    _show_list(screen, "Form fields", [f"{field.name}: {field.value}  p. {field.page}" for field in document.fields])
    _show_list(screen, "Comments", [f"{note.text}  p. {note.page}" for note in document.annotations])


def draw(document: Document, arguments: argparse.Namespace) -> None:
    """Draws what was read over the pages of a file, in a web page; in a process of its own, like loading."""
    from longdoc.loaders.isolated import isolated

    source, output, name = arguments.path, arguments.draw, document.source.name
    if Path(output).suffix.lower() not in (".html", ".htm") or outputs.is_same_file(output, source):
        raise ConfigError(f"{output}: --draw writes a web page; name a file that ends in .html")
    content = Path(source).read_bytes()
    drawn = isolated(_drawn, document, content, arguments.password, name=name, draws=True, **options.limits(arguments))
    with outputs.replacing(output) as stream:  # a document that cannot be drawn leaves no file behind
        stream.write(drawn)
    console.tell(f"The pages are drawn in {output}")


def _drawn(document: Document, content: bytes, password: str | None) -> str:
    from longdoc import drawing

    page = io.StringIO()
    drawing.write(document, content, page, password=password)
    return page.getvalue()


def _show_facts(screen: Console, document: Document) -> None:
    from rich.table import Table

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="cyan", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(document).items():
        if value:
            facts.add_row(name, value if len(value) < METADATA_SHOWN else f"{value[:METADATA_SHOWN]} …")
    screen.print(facts)


def _facts(document: Document) -> dict[str, str]:
    source = document.source
    in_text = {"defined term": document.definitions, "cross-reference": document.references, "link": document.links}
    furniture = Counter(item.kind for item in document.furniture)
    return {
        "File": shown(source.name),
        "Type": f"{source.media_type}, read by {source.loader} {source.version}",
        "SHA-256": source.sha256,
        "Pages": _verdicts(document),
        "Text": f"{count(len(document.text), 'character')}, {count(len(document.text.split()), 'word')}",
        "Not in the text": ", ".join(count(number, kind) for kind, number in furniture.items()),
        "In the text": ", ".join(count(len(found), noun) for noun, found in in_text.items() if found),
        **{key: value for key, value in source.metadata.items() if value.strip()},
    }


def _section_lines(document: Document) -> list[str]:
    return [
        f"{'  ' * (section.level - 1)}{section.number or section.kind}  {section.title}"
        f"  p. {document.page_at(section.start).number}"
        for section in document.sections
        if section.start < len(document.text)
    ]


def _table_lines(document: Document) -> list[str]:
    lines = []
    for number, table in enumerate(document.tables, 1):
        rows, columns = table.shape
        first_row = " | ".join(on_one_line(cell.text) for cell in table.cells if cell.row == 0)
        lines.append(f"{number}  {rows} × {columns}  p. {_page_of(document, table)}  {first_row}")
    return lines


def _page_of(document: Document, table: Table) -> int:
    return table.box.page if table.box else document.page_at(min(table.start, len(document.text) - 1)).number


def _show_list(screen: Console, title: str, lines: Sequence[str]) -> None:
    """Prints lines under a title, each cut to the width of the terminal; the rest are counted."""
    if lines:
        screen.print(f"\n{title}", style="cyan")
    for line in lines[:LINES_SHOWN]:
        screen.print(f"  {' '.join(line.splitlines())}", overflow="ellipsis", no_wrap=True)
    if len(lines) > LINES_SHOWN:
        screen.print(f"  and {len(lines) - LINES_SHOWN} more", style="dim")


def _verdicts(document: Document) -> str:
    """The number of pages, and which of them have text: ``"20 (1–19 text; 20 scanned)"``."""
    numbers: dict[str, list[int]] = {}
    for page in document.pages:
        numbers.setdefault(page.verdict, []).append(page.number)
    verdicts = "; ".join(f"{page_ranges(pages)} {verdict}" for verdict, pages in numbers.items())
    return f"{len(document.pages)} ({verdicts})"
