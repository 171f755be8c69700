"""Parquet: the rows of CSV with types, in row groups: lists of texts as lists, the dates of contracts as dates.

A date of which a part is blank in the contract has no value as a date: its cell is null, and ``check`` lists it. Lone
surrogates, as in names of files that are not UTF-8, are escaped.
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

ROW_GROUP = 1000
"""Rows held in memory, and written together."""


def write(outcomes: Iterable[Outcome], stream: IO[bytes]) -> None:
    """Writes a row per document; see :func:`longdoc.outputs.rows.rows`.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    require("pyarrow", extra="parquet", needed_by="the format parquet")
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    every = rows(outcomes, format="parquet")
    group = list(islice(every, ROW_GROUP))
    schema = _schema(group[0] if group else WITHOUT_DOCUMENTS)
    with ParquetWriter(stream, schema) as writer:
        while group:
            writer.write_table(pyarrow.Table.from_pylist([_typed(row, schema) for row in group], schema=schema))
            group = list(islice(every, ROW_GROUP))


def _schema(row: dict[str, Cell]) -> pyarrow.Schema:
    import pyarrow

    from longdoc.record_types import DATE_COLUMNS  # not above: `longdoc --help` imports this module and must stay fast

    def type_of(name: str, cell: Cell) -> Any:
        if isinstance(cell, list):
            return pyarrow.list_(pyarrow.string())
        return pyarrow.date32() if name in DATE_COLUMNS else pyarrow.string()

    return pyarrow.schema([(name, type_of(name, cell)) for name, cell in row.items()])


def _typed(row: dict[str, Cell], schema: pyarrow.Schema) -> dict[str, Cell]:
    """The row without texts in columns of dates, and with texts that UTF-8 can hold."""
    dates = {field.name for field in schema if str(field.type).startswith("date")}
    return {name: None if name in dates and isinstance(cell, str) else escaped(cell) for name, cell in row.items()}


def escaped(cell: Any) -> Any:
    r"""A text, or the texts in a list or a dict, with lone surrogates as escapes; anything else as it is.

    >>> escaped(["caf\udce9", None])
    ['caf\\udce9', None]
    """
    if isinstance(cell, str):
        return cell.encode("utf-8", "backslashreplace").decode()
    if isinstance(cell, dict):
        return {name: escaped(each) for name, each in cell.items()}
    return [escaped(each) for each in cell] if isinstance(cell, list) else cell


FORMAT = Format(
    name="parquet",
    description="a row per document, of --record or --schema, with types",
    suffix=".parquet",
    streams=False,
    write=write,
    answers=True,
    entities=False,
    binary=True,
)
