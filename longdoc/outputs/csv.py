"""CSV: one row a document, with the fields of its record or of a schema as columns; lists are joined by ``"; "``.

A text that a spreadsheet would take for a formula has an apostrophe before it. NUL, at which many readers stop, is
written as U+FFFD.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from longdoc.outputs.format import Format, Outcome
from longdoc.outputs.rows import WITHOUT_DOCUMENTS, Cell, rows

_FORMULA = re.compile(r"(?:'*[\t\r\n]|[\s'\"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫])")
"""Spreadsheets leave out quotes, control characters and characters without width in front of a formula."""
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*%?")


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes a header and a row per document; see :func:`longdoc.outputs.rows.rows`."""
    table: csv.DictWriter[str] | None = None
    for row in rows(outcomes, format="csv"):
        table = table or _begun(stream, row)
        table.writerow({name: _text(cell) for name, cell in row.items()})
    if table is None:
        _begun(stream, WITHOUT_DOCUMENTS)


def _begun(stream: TextIO, row: dict[str, Cell]) -> csv.DictWriter[str]:
    # All cells are quoted, since the csv module of Python 3.12 and before does not quote those with "\r".
    table = csv.DictWriter(stream, [*row], lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writeheader()
    return table


def _text(cell: Cell) -> str:
    text = "; ".join(cell) if isinstance(cell, list) else "" if cell is None else str(cell)
    return without_formula(text.replace("\0", "\ufffd"))


def without_formula(text: str) -> str:
    """A text as a spreadsheet shows it and does not run it: with an apostrophe before what starts a formula.

    Numbers stay as they are. A text that starts with an apostrophe and a formula gets one more, so that taking one away
    gives back every text.

    >>> without_formula("=HYPERLINK(A1)"), without_formula("-5.00"), without_formula("'-x")
    ("'=HYPERLINK(A1)", '-5.00', "''-x")
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


FORMAT = Format(
    name="csv",
    description="a row per document, of --record or --schema",
    suffix=".csv",
    streams=True,
    write=write,
    answers=True,
    entities=False,
)
