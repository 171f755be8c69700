"""Predictions → Arrow tables with stable schemas, in Parquet or CSV; ``longdoc.outputs.columns`` describes the columns.

Scores and boxes are rounded as ``Prediction.to_dict`` rounds them, so that tables and JSON lines say the same. Text is
as in the document, white space and NUL included; what UTF-8 cannot hold is escaped, and counted in ``documents``.

>>> from longdoc.batch.status import Status
>>> status = Status(address="scan.pdf", id="", state="failed", reason="no text", error="NoTextLayerError")
>>> {name: table.num_rows for name, table in tables_of([(status, None)]).items() if table.num_rows}
{'documents': 1}
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from longdoc.batch.status import Status
from longdoc.errors import require
from longdoc.outputs.columns import TABLES, schemas
from longdoc.outputs.csv import without_formula
from longdoc.outputs.surrogates import escaped, n_lone
from longdoc.outputs.table_rows import Row, rows_of
from longdoc.prediction import Prediction
from longdoc.version import __version__

if TYPE_CHECKING:
    import pyarrow

ROW_GROUP = 65_536
"""Rows of a Parquet file that are compressed together."""

Rows: TypeAlias = dict[str, list[Row]]
"""Rows by the name of their table."""


def tables_of(outcomes: Iterable[tuple[Status, Prediction | None]], *, model: str = "") -> dict[str, pyarrow.Table]:
    """The tables of some documents; a table without rows keeps its schema.

    Args:
        outcomes: of each input its status, and its prediction if there is one.
        model: the name of the model that read them.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    require("pyarrow", extra="parquet", needed_by="the tables of a batch")
    return built([_rows(status, prediction, model) for status, prediction in outcomes], schemas())


def built(by_document: list[Rows], schemas: Mapping[str, pyarrow.Schema]) -> dict[str, pyarrow.Table]:
    """The tables of some documents, from the rows of each; what UTF-8 cannot hold is escaped, and counted."""
    try:
        return _built(by_document, schemas)
    except UnicodeEncodeError:  # rare, so that the texts are not searched before
        return _built([_escaped(own) for own in by_document], schemas)


def write_table(table: pyarrow.Table, path: str | Path | IO[bytes], *, rows: int = ROW_GROUP) -> None:
    """Writes a table as Parquet: the same rows give the same bytes, with the same version of pyarrow.

    Args:
        table: the table.
        path: the file to create or replace, or a stream. A crash leaves half a file: see ``longdoc.batch.journal``.
        rows: how many are compressed together, and read together.
    """
    from pyarrow import parquet

    where = path if hasattr(path, "write") else str(path)
    # Chunks are an accident of how the table was put together, and would show in the file.
    parquet.write_table(table.combine_chunks(), where, compression="zstd", row_group_size=rows)


def write_csv(table: pyarrow.Table, path: str | Path | IO[bytes]) -> None:
    """Writes a table as CSV: lists as JSON, null as nothing, empty text as ``""``.

    A text that a spreadsheet would take for a formula has an apostrophe before it; see
    :func:`longdoc.outputs.csv.without_formula`. NUL, at which many readers stop, is written as U+FFFD.

    Args:
        table: the table.
        path: the file to create or replace, or a stream.
    """
    import pyarrow
    from pyarrow import csv

    flat = table.select(table.column_names)
    for at, own in enumerate(table.schema):
        if pyarrow.types.is_list(own.type) or pyarrow.types.is_string(own.type):
            cells = [None if cell is None else _csv_cell(cell) for cell in table.column(at).to_pylist()]
            flat = flat.set_column(at, own.name, pyarrow.array(cells, pyarrow.string()))
    csv.write_csv(flat, path if hasattr(path, "write") else str(path))


def _csv_cell(cell: str | list[Any]) -> str:
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return without_formula(cell.replace("\0", "\ufffd"))


def _built(by_document: list[Rows], schemas: Mapping[str, pyarrow.Schema]) -> dict[str, pyarrow.Table]:
    from pyarrow import Table

    return {
        name: Table.from_pylist([row for own in by_document for row in own[name]], schema=schema)
        for name, schema in schemas.items()
    }


def _escaped(own: Rows) -> Rows:
    """The rows of one document with what UTF-8 cannot hold as escapes, which its row in ``documents`` counts."""
    rows: Rows = escaped(own)
    rows["documents"][0]["escaped"] = n_lone(own) - n_lone(own["documents"][0]["same_as"])
    return rows


def _rows(status: Status, prediction: Prediction | None, model: str) -> Rows:
    """The rows of one document in all tables."""
    rows: dict[str, Iterable[Row]] = {"documents": [document_row(status, prediction, model)]}
    if prediction is not None:
        rows |= rows_of(prediction)
    document_id = status.id or (prediction.document.source.sha256 if prediction else None)
    return {name: [{"document_id": document_id, **row} for row in rows.get(name, ())] for name in TABLES}


def document_row(status: Status, prediction: Prediction | None, model: str) -> Row:
    """The row of a document in ``documents``, without its ``document_id``."""
    return {
        "address": status.address,
        "state": status.state,
        "reason": status.reason or None,
        "error": status.error or None,
        "pages": status.pages or None,
        "tokens": status.tokens or None,
        "model": model or None,
        "longdoc_version": __version__,
        "escaped": 0,
        "same_as": status.same_as or None,
        **(_read(prediction) if prediction else {}),
    }


def _read(prediction: Prediction) -> Row:
    """What only a document that was read has in ``documents``."""
    document, source = prediction.document, prediction.document.source
    gaps = [{**dataclasses.asdict(gap), "page": document.page_at(gap.start).number} for gap in prediction.gaps]
    notices = [{**dataclasses.asdict(each), "field": each.field or None} for each in prediction.notices]
    return {
        "format": source.media_type,
        "loader": f"{source.loader} {source.version}",
        "pages": len(document.pages),
        "characters": len(document.text),
        "title": document.title or None,
        "kind": prediction.kind or None,
        "tasks": list(prediction.tasks),
        "coverage": round(prediction.coverage, 4),
        "gaps": gaps,
        "notices": notices,
        "warnings": list(document.warnings),
    }
