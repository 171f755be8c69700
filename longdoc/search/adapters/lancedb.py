"""The passages of an index as a table of LanceDB. It is compacted once a run, since LanceDB never does so by itself."""

from __future__ import annotations

from typing import Any

from longdoc.errors import require
from longdoc.search.index import Index


def write(index: Index, uri: str, *, table: str = "passages") -> int:
    """Makes a table of LanceDB hold the passages of an index, and no others.

    Parts of the index that the table has already are not written again. The columns are those of `Index.part`.

    Args:
        index: the index.
        uri: of the database: a folder, or an address that LanceDB knows.
        table: the name of the table.

    Returns:
        The number of passages that were written.

    Raises:
        MissingDependencyError: LanceDB is not installed (the extra ``lancedb``).
    """
    library = require("lancedb", extra="lancedb", needed_by="a table of LanceDB")
    database = library.connect(uri)
    parts = index.part_names
    if table not in database.list_tables().tables:
        database.create_table(table, schema=index.part_schema)
    opened = database.open_table(table)
    there = {part for batch in _column(opened, "part") for part in batch.to_pylist()}
    if leaving := sorted(there.difference(parts)):
        opened.delete(f"part IN ({', '.join(map(repr, leaving))})")
    n_written = 0
    for part in parts:
        if part not in there:
            rows = index.part(part)
            opened.add(rows)
            n_written += rows.num_rows
    if leaving or n_written:
        opened.optimize()
    return n_written


def _column(table: Any, name: str) -> Any:
    """The batches of a column."""
    return (batch[name] for batch in table.search().select([name]).to_batches())
