"""The columns of the tables that a batch writes: their names, types and meanings.

``docs/tables.md`` is made from them. A column that has been released keeps its name, type and meaning; new ones may be
added at the end of a table, and raise ``TABLES_VERSION``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from longdoc.errors import require

if TYPE_CHECKING:
    import pyarrow

TABLES_VERSION = 2
"""Written into every file, as ``longdoc_tables`` in the metadata of its schema."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    """A name of an Arrow type, or a key of ``NESTED``."""
    description: str
    nullable: bool = True


def _always(name: str, type: str, description: str) -> Column:
    """A column that is never null."""
    return Column(name, type, description, nullable=False)


NESTED = {
    "boxes": {"page": "int32", "x0": "double", "y0": "double", "x1": "double", "y1": "double"},
    "gaps": {"start": "int64", "end": "int64", "reason": "string", "page": "int32"},
    "notices": {"field": "string", "reason": "string", "left_out": "int64", "in_part": "bool"},
}
"""Lists of structs, and the types of their members."""

_DOCUMENT = _always("document_id", "string", "the document: the SHA-256 of its content, as in `documents`")
_BOXES = Column(
    "boxes",
    "boxes",
    "one box a line, in points (1/72 inch) from the top left corner of the page as displayed, rounded to 0.01; an "
    "empty list if the source has no geometry",
)
_PLACE = (
    Column("start", "int64", "first character in the text of the document; half-open, in Unicode code points"),
    Column("end", "int64", "one past the last character; `start` equals `end` if only the metadata of the file say it"),
    Column("page", "int32", "number of the page it starts on, from 1"),
    Column("section", "string", "number of the section it starts in, or its title if it has no number"),
    _BOXES,
)
_VALUE = (
    Column("text", "string", "the words of the document, or of its metadata"),
    Column("value", "string", "what the text says, exactly: `1999-06-21`, `USD 5,000.00`, `30 days`, `12.5`, `Ohio`"),
    Column("value_type", "string", "`date`, `money`, `duration`, `number` (percentages too), `text` or `other`"),
    Column("date", "date32", "the value of a date"),
    Column(
        "number",
        "double",
        "the amount of money, of a duration, or the number, as the nearest double; null if there is none, or for a "
        "duration in two units; `value` is exact",
    ),
    Column("unit", "string", "ISO 4217 code of the currency, or the unit of the duration, such as `day`"),
    Column("alternative", "string", "the other reading of a value that the text states in two ways"),
    Column("score", "double", "confidence, 0 to 1, rounded to 4 decimals"),
    Column("check", "bool", "whether a person should look at it: sources disagree, or the score is low"),
    Column("source", "string", "what gave it: `question`, `clause Governing Law`, `metadata`, `rule` and the like"),
)

TABLES: dict[str, str] = {
    "documents": "One row an input, whether it could be read or not.",
    "pages": "One row a page.",
    "sections": "One row a section: a heading and the text up to the next one of its level or a higher one.",
    "entities": "One row an entity, then one a span (a passage of a label, such as a clause), in document order.",
    "fields": "One row a value of a field, and one for each field without a value. Fields are those of the schema, of "
    "the record, or questions.",
    "records": "One row a fact in the record of a document, its parts included. A fact that the document does not seem "
    "to state has no row.",
    "labels": "One row a class of a document, or of one of its sections.",
}
"""The tables, and what a row of each is."""

COLUMNS: dict[str, tuple[Column, ...]] = {
    "documents": (
        Column("document_id", "string", "SHA-256 of the content, in hexadecimal; null if it could not be read"),
        _always("address", "string", "the path or address that was given or found"),
        _always("state", "string", "`ok`, `partial`, `failed`, `timed out`, `out of memory` or `crashed`"),
        Column("reason", "string", "why the state is not `ok`"),
        Column("error", "string", "class of the error, such as `EncryptedDocumentError`"),
        Column("format", "string", "media type of the content, such as `application/pdf`"),
        Column("loader", "string", "what read it, with its version, such as `pdf 1`"),
        Column("pages", "int32", "number of pages, if known"),
        Column("characters", "int64", "length of the text in Unicode code points"),
        Column("tokens", "int64", "number of tokens, if known"),
        Column("title", "string", "the title, from the metadata or the top of the text"),
        Column("kind", "string", "`contract`, `paper`, `note` or `other`, if the kind chose what was done"),
        Column("tasks", "strings", "the heads that read the document, and `rules`"),
        Column("coverage", "double", "share of the text, white space aside, that the model saw; 4 decimals"),
        Column("gaps", "gaps", "the characters that the model did not see, and why"),
        Column(
            "notices",
            "notices",
            "what was not done for a field (null: for the document) or only in part, and answers left out",
        ),
        Column("warnings", "strings", "what was lost in loading"),
        Column("model", "string", "the model"),
        _always("longdoc_version", "string", "the version of longdoc"),
        _always(
            "escaped",
            "int64",
            "characters in the rows of this document, in all tables, that UTF-8 cannot hold (lone surrogates), and "
            "that are written as escapes such as `\\udce9`; those of `same_as` aside",
        ),
        Column(
            "same_as",
            "string",
            "the address of the document with the same content, if that was read before; the rows of the other tables "
            "are written once, for both",
        ),
    ),
    "pages": (
        _DOCUMENT,
        _always("page", "int32", "number in the source, from 1"),
        _always("width", "double", "in points, as displayed; 0 if the source has no geometry"),
        _always("height", "double", "in points, as displayed; 0 if the source has no geometry"),
        _always("start", "int64", "first character of its text in the text of the document"),
        _always("end", "int64", "one past the last character"),
        _always("characters", "int64", "length of its text"),
        _always("verdict", "string", "state before OCR: `text`, `scanned`, `garbled` or `empty`"),
        Column("text_source", "string", "where its text comes from: `page` or `OCR`; null if it has none"),
        Column("confidence", "double", "mean confidence of OCR, 0 to 1; null without OCR"),
    ),
    "sections": (
        _DOCUMENT,
        _always("index", "int32", "position among the sections of the document, from 0"),
        _always("number", "string", "full number as printed, such as `8.3(b)`; empty if it has none"),
        _always("title", "string", "the heading; may be empty"),
        _always("level", "int32", "from 1, the outermost"),
        _always("kind", "string", "such as `article`, `section`, `exhibit`, `heading`; `medications` in notes"),
        _always("start", "int64", "first character in the text of the document"),
        _always("end", "int64", "one past the last character"),
        Column("page", "int32", "number of the page it starts on; null if the document has no text"),
        Column("parent", "int32", "`index` of the section around it; null for the outermost"),
    ),
    "entities": (
        _DOCUMENT,
        _always("kind", "string", "`entity`, or `span` for passages that may be long and overlap, such as clauses"),
        _always("label", "string", "what it is"),
        _always("text", "string", "the words of the document"),
        _always("score", "double", "confidence, 0 to 1, rounded to 4 decimals"),
        _always("source", "string", "the head that found it, or `rules`; may be empty"),
        _always("start", "int64", "first character in the text of the document; half-open, in Unicode code points"),
        _always("end", "int64", "one past the last character"),
        _always("page", "int32", "number of the page it starts on, from 1"),
        _PLACE[3],
        _BOXES,
    ),
    "fields": (
        _DOCUMENT,
        _always("field", "string", "name of the field, or the question if it fills none"),
        _always(
            "state",
            "string",
            "`found`; `not found`; `not sought`; or `rejected`: the best candidate of a field that was not found",
        ),
        Column("reason", "string", "why it was not sought"),
        Column("index", "int32", "position among the values of the field, from 0; the best first"),
        Column("question", "string", "the question that it answers"),
        Column("searched", "double", "share of the text that was searched for an answer, if questions were asked"),
        *_VALUE,
        *_PLACE,
    ),
    "records": (
        _DOCUMENT,
        _always("record", "string", "kind of the record: `contract`, `paper` or `note`"),
        _always("field", "string", "field of the record, such as `parties`"),
        Column("index", "int32", "position in the list, from 0, if the field is one"),
        Column("part", "string", "part of an entry, such as `role`; null if the entry has no parts"),
        _always("path", "string", "the exact place in the record, such as `parties[0].aliases[2]`"),
        Column("label", "string", "label of the fact, if it has one: of a section of a paper or a note, its kind"),
        *_VALUE,
        *_PLACE,
    ),
    "labels": (
        _DOCUMENT,
        _always("label", "string", "the class"),
        _always("score", "double", "confidence, 0 to 1, rounded to 4 decimals"),
        _always("source", "string", "name of the head; may be empty"),
        Column("start", "int64", "first character of the section; null for the document"),
        Column("end", "int64", "one past its last character"),
        Column("section", "string", "number or title of the section"),
    ),
}
"""The columns of each table, in order."""


@cache
def schemas() -> dict[str, pyarrow.Schema]:
    """The Arrow schema of each table; the metadata of a column describe it.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    require("pyarrow", extra="parquet", needed_by="the tables of a batch")
    return {name: schema_of(name, TABLES[name], columns) for name, columns in COLUMNS.items()}


def schema_of(name: str, description: str, columns: Sequence[Column]) -> pyarrow.Schema:
    """The Arrow schema of a table with these columns."""
    import pyarrow

    fields = [
        pyarrow.field(each.name, _type(each.type), each.nullable, {"description": each.description}) for each in columns
    ]
    metadata = {"longdoc_table": name, "longdoc_tables": str(TABLES_VERSION), "description": description}
    return pyarrow.schema(fields, metadata=metadata)


def _type(name: str) -> Any:
    import pyarrow

    if name in NESTED:
        one = pyarrow.struct([(member, _type(own)) for member, own in NESTED[name].items()])
    elif name == "strings":
        one = pyarrow.string()
    else:
        return pyarrow.type_for_alias(name)
    return pyarrow.list_(pyarrow.field("element", one))  # as Parquet names it
