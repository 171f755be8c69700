"""CSV: one row a document, with the fields of its record or of a schema as columns; lists are joined by ``"; "``."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from longdoc.outputs.format import Format, Outcome
from longdoc.outputs.rows import WITHOUT_DOCUMENTS, Cell, rows


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes a header and a row per document; see :func:`longdoc.outputs.rows.rows`."""
    table: csv.DictWriter[str] | None = None
    for row in rows(outcomes, format="csv"):
        table = table or _begun(stream, row)
        table.writerow({name: _text(cell) for name, cell in row.items()})
    if table is None:
        _begun(stream, WITHOUT_DOCUMENTS)


def _begun(stream: TextIO, row: dict[str, Cell]) -> csv.DictWriter[str]:
    table = csv.DictWriter(stream, [*row], lineterminator="\n")
    table.writeheader()
    return table


def _text(cell: Cell) -> str:
    if isinstance(cell, list):
        return "; ".join(cell)
    return "" if cell is None else str(cell)


FORMAT = Format(
    name="csv",
    description="a row per document, of --record or --schema",
    suffix=".csv",
    streams=True,
    write=write,
    answers=True,
    entities=False,
)
