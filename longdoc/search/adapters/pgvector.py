"""The passages of an index as a table of PostgreSQL, with their vectors in a column of pgvector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from longdoc.errors import require
from longdoc.search.index import Index

_COLUMNS = {
    "part": "text NOT NULL",
    "document_id": "text NOT NULL",
    "address": "text NOT NULL",
    "document_title": "text",
    "index": "integer NOT NULL",
    "number": "text NOT NULL",
    "title": "text NOT NULL",
    "heading": "text NOT NULL",
    "start": "bigint NOT NULL",
    "end": "bigint NOT NULL",
    "page": "integer NOT NULL",
    "boxes": "jsonb NOT NULL",
    "text": "text NOT NULL",
}


def write(index: Index, connection: Any, *, table: str = "passages") -> int:
    """Makes a table of PostgreSQL hold the passages of an index, and no others, in one transaction.

    Parts of the index that the table has already are not written again. The columns are those of `Index.part`; boxes
    are JSON, ``vector`` is ``halfvec`` (pgvector 0.7), to be compared with ``<#>``, which is the negative product.

    Args:
        index: the index.
        connection: a connection of psycopg 3 to a database in which pgvector may be used.
        table: the name of the table; an index on ``vector`` is the caller's to make.

    Returns:
        The number of passages that were written.

    Raises:
        MissingDependencyError: psycopg or pgvector is not installed (the extra ``pgvector``).
    """
    psycopg = require("psycopg", extra="pgvector", needed_by="a table of PostgreSQL")
    register = require("pgvector.psycopg", extra="pgvector", needed_by="a table of PostgreSQL")
    sql, parts = psycopg.sql, index.part_names
    name = sql.Identifier(table)
    with connection.transaction():
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        register.register_vector(connection)
        columns = [sql.SQL("{} " + kind).format(sql.Identifier(own)) for own, kind in _COLUMNS.items()]
        vector = sql.SQL("vector halfvec({})").format(sql.Literal(index.width))
        made = sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(name, sql.SQL(", ").join([*columns, vector]))
        connection.execute(made)
        found = connection.execute(sql.SQL("SELECT DISTINCT part FROM {}").format(name)).fetchall()
        there = {part for (part,) in found}
        leaving = sorted(there.difference(parts))
        connection.execute(sql.SQL("DELETE FROM {} WHERE part = ANY(%s)").format(name), [leaving])
        names = [*_COLUMNS, "vector"]
        copying = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(
            name, sql.SQL(", ").join(map(sql.Identifier, names))
        )
        kinds = [kind.split()[0] for kind in _COLUMNS.values()]
        n_written = 0
        with connection.cursor() as cursor, cursor.copy(copying) as copy:
            copy.set_types([*kinds, "halfvec"])
            for row in (row for part in parts if part not in there for row in _rows(index, part)):
                copy.write_row(row)
                n_written += 1
    return n_written


def _rows(index: Index, part: str) -> Iterator[list[Any]]:
    """The rows of a part, as psycopg takes them; PostgreSQL has no text with NUL, which becomes U+FFFD."""
    from pgvector import HalfVector
    from psycopg.types.json import Jsonb

    for row in index.part(part).to_pylist():
        cells = [row[name] for name in _COLUMNS]
        plain = [cell.replace("\0", "\ufffd") if isinstance(cell, str) else cell for cell in cells]
        plain[list(_COLUMNS).index("boxes")] = Jsonb(row["boxes"])
        yield [*plain, HalfVector(np.array(row["vector"], dtype=np.float16))]
