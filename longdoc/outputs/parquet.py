"""Parquet: the rows of CSV with types, in row groups: lists of texts as lists, the dates of contracts as dates.

A date of which a part is blank in the contract has no value as a date: its cell is null, and ``check`` lists it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from longdoc.errors import require
from longdoc.outputs.format import Format, Outcome
from longdoc.outputs.rows import WITHOUT_DOCUMENTS, Cell, rows

if TYPE_CHECKING:
    import pyarrow

    from longdoc.document import Document

ROW_GROUP = 1000
"""Rows held in memory, and written together."""


def write(outcomes: Iterable[Outcome], stream: IO[bytes]) -> None:
    """Writes a row per document; see :func:`longdoc.outputs.rows.rows`.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    _pyarrow()
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    every = rows(outcomes, format="parquet")
    group = list(islice(every, ROW_GROUP))
    schema = _schema(group[0] if group else WITHOUT_DOCUMENTS)
    with ParquetWriter(stream, schema) as writer:
        while group:
            writer.write_table(pyarrow.Table.from_pylist([_typed(row, schema) for row in group], schema=schema))
            group = list(islice(every, ROW_GROUP))


def _pyarrow(_: Document | None = None) -> None:
    """Raises a ``MissingDependencyError`` if pyarrow is not installed."""
    require("pyarrow", extra="parquet", needed_by="the format parquet")


def _schema(row: dict[str, Cell]) -> pyarrow.Schema:
    import pyarrow

    from longdoc.record_types import DATE_COLUMNS  # not above: `longdoc --help` imports this module and must stay fast

    def type_of(name: str, cell: Cell) -> Any:
        if isinstance(cell, list):
            return pyarrow.list_(pyarrow.string())
        return pyarrow.date32() if name in DATE_COLUMNS else pyarrow.string()

    return pyarrow.schema([(name, type_of(name, cell)) for name, cell in row.items()])


def _typed(row: dict[str, Cell], schema: pyarrow.Schema) -> dict[str, Cell]:
    """The row without texts in columns of dates."""
    dates = {field.name for field in schema if str(field.type).startswith("date")}
    return {name: None if name in dates and isinstance(cell, str) else cell for name, cell in row.items()}


FORMAT = Format(
    name="parquet",
    description="a row per document, of --record or --schema, with types",
    suffix=".parquet",
    streams=False,
    write=write,
    check=_pyarrow,
    answers=True,
    entities=False,
    binary=True,
)
