"""The columns of the tables of an index; ``docs/tables.md`` is made from them, too."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from longdoc.errors import require
from longdoc.outputs.columns import COLUMNS, Column, schema_of

if TYPE_CHECKING:
    import pyarrow

TABLES: dict[str, str] = {
    "documents": "One row an input, whether it could be read or not; what searches are limited by.",
    "passages": "One row a passage: what a search finds.",
}
"""The tables, and what a row of each is."""

METADATA = (
    Column("parties", "strings", "names of the parties of a contract, and other names that they go by"),
    Column("agreement_date", "date32", "of a contract, like the other dates"),
    Column("effective_date", "date32", "when it takes effect"),
    Column("expiration_date", "date32", "when it ends"),
    Column("governing_law", "string", "the place whose law governs a contract"),
    Column("labels", "strings", "classes of the document and its sections, and the labels of what was found in it"),
)
"""What the record of a document says, and the heads of the model."""

COLUMNS_OF_INDEX: dict[str, tuple[Column, ...]] = {
    "documents": (
        *COLUMNS["documents"],
        *METADATA,
        Column("content", "binary", "the document: `Document.to_json`, compressed by zlib; null if it was not read"),
    ),
    "passages": (
        Column("document_id", "string", "the document: the SHA-256 of its content, as in `documents`", nullable=False),
        Column("index", "int32", "position among the passages of the document, from 0", nullable=False),
        Column("number", "string", "number of the section that it begins in; may be empty", nullable=False),
        Column("title", "string", "its title; may be empty", nullable=False),
        Column("heading", "string", "the headings above it, such as `8 Assignment > 8.3 Consent`", nullable=False),
        Column("start", "int64", "first character in the text of the document; half-open", nullable=False),
        Column("end", "int64", "one past the last character", nullable=False),
        Column("page", "int32", "number of the page it starts on, from 1", nullable=False),
        *(own for own in COLUMNS["entities"] if own.name == "boxes"),
        Column("text", "string", "its words", nullable=False),
        Column(
            "vector",
            "binary",
            "of length 1, as float16, the low byte first: `numpy.frombuffer(vector, '<f2')`",
            nullable=False,
        ),
    ),
}
"""The columns of each table, in order."""


@cache
def index_schemas() -> dict[str, pyarrow.Schema]:
    """The Arrow schema of each table.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    require("pyarrow", extra="search", needed_by="an index")
    return {name: schema_of(name, TABLES[name], columns) for name, columns in COLUMNS_OF_INDEX.items()}
