"""Near-duplicates → Parquet: ``clusters``, ``pairs`` and ``documents``, with the columns that are described here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from longdoc.batch.status import Status
from longdoc.batch.tables import write_table
from longdoc.dedup.duplicates import Duplicates
from longdoc.dedup.parts import Part
from longdoc.outputs.columns import Column, schema_of
from longdoc.outputs.surrogates import escaped
from longdoc.plain import plain

Row: TypeAlias = dict[str, Any]


def _always(name: str, type: str, description: str) -> Column:
    return Column(name, type, description, nullable=False)


_SIMILARITY = "share of the words of both that stand in both, in the same order, 0 to 1, rounded to 4 decimals"


def _place(which: str = "") -> tuple[Column, ...]:
    return (
        _always(f"{which}address", "string", "where the document was read from"),
        _always(f"{which}document_id", "string", "the SHA-256 of its content, as in `documents`"),
        Column(f"{which}section", "string", "number of the section it starts in, or its title if it has no number"),
        _always(f"{which}start", "int64", "first character in the text of the document; half-open, in code points"),
        _always(f"{which}end", "int64", "one past the last character"),
        _always(f"{which}page", "int32", "number of the page it starts on, from 1"),
    )


TABLES = {
    "clusters": "One row for each part of a cluster; the usual wording is the first of its cluster.",
    "pairs": "One row for each pair of near-duplicates; parts with the same words make pairs with the first of them.",
    "documents": "One row for each document that was to be read.",
}
"""What the rows of each table are."""
COLUMNS = {
    "clusters": (
        _always("cluster", "int32", "number of the cluster, from 0, those in most documents first"),
        _always("documents", "int32", "in how many documents the cluster occurs"),
        _always("members", "int32", "how many parts the cluster has"),
        *_place(),
        Column("boxes", "boxes", "one a line, in points; empty for whole documents and without geometry"),
        _always(
            "role",
            "string",
            "`usual`: the usual wording, which most others are like; or how the part makes a pair with it: "
            "`same words`, `words`, `meaning`; or `by way`: it makes a pair with another member only",
        ),
        _always("similarity", "double", f"to the usual wording: {_SIMILARITY}"),
        _always("text", "string", "the text of the part"),
    ),
    "pairs": (
        Column("cluster", "int32", "the cluster of both; null if they are in different clusters"),
        *_place("first_"),
        *_place("second_"),
        _always("similarity", "double", _SIMILARITY),
        Column("cosine", "double", "of their vectors, rounded to 4 decimals; null if it was not looked at, or is low"),
        _always(
            "method", "string", "`same words`; `words`: the similarity suffices; `meaning`: the cosine alone suffices"
        ),
    ),
    "documents": (
        _always("address", "string", "the path or address that was given or found"),
        Column("document_id", "string", "the SHA-256 of its content; null if it could not be read"),
        _always("state", "string", "`ok`, `failed`, `timed out`, `out of memory` or `crashed`"),
        Column("reason", "string", "why it was not read, and what to do"),
        Column("error", "string", "the class of the error"),
        _always("pages", "int32", "number of pages"),
        _always("compared", "int32", "how many of its parts were compared"),
        _always("too_short", "int32", "how many were not, since they have too few words"),
        Column("same_as", "string", "the document with the same content, whose parts stand for those of this one, too"),
        Column("warnings", "strings", "what may be missing from its text, such as pages without a text layer"),
    ),
}
"""The columns of each table, in order."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """What became of a document."""

    status: Status
    n_compared: int
    n_short: int
    warnings: tuple[str, ...]


def write_tables(folder: Path, found: Duplicates, documents: Iterable[DocumentRow]) -> None:
    """Writes the tables into a folder; what UTF-8 cannot hold is escaped."""
    import pyarrow

    homes = {
        (member.part.document, member.part.start): number
        for number, cluster in enumerate(found.clusters)
        for member in cluster.members
    }
    rows: dict[str, Iterable[Row]] = {
        "clusters": _cluster_rows(found),
        "pairs": _pair_rows(found, homes),
        "documents": map(_document_row, documents),
    }
    for name, own in rows.items():
        schema = schema_of(name, TABLES[name], COLUMNS[name])
        table = pyarrow.Table.from_pylist([escaped(row) for row in own], schema=schema)
        write_table(table, folder / f"{name}.parquet")


def _cluster_rows(found: Duplicates) -> Iterable[Row]:
    for number, cluster in enumerate(found.clusters):
        size = {"cluster": number, "documents": cluster.n_documents, "members": len(cluster.members)}
        for member in cluster.members:
            part = member.part
            own = {"boxes": plain(part.boxes), "text": part.text}
            yield {**size, **_place_row(part), **own, "role": member.role, "similarity": round(member.similarity, 4)}


def _pair_rows(found: Duplicates, homes: dict[tuple[int, int], int]) -> Iterable[Row]:
    for pair in found.pairs:
        one, other = (homes[part.document, part.start] for part in (pair.first, pair.second))
        yield {
            "cluster": one if one == other else None,
            **_place_row(pair.first, "first_"),
            **_place_row(pair.second, "second_"),
            "similarity": round(pair.similarity, 4),
            "cosine": None if pair.cosine is None else round(pair.cosine, 4),
            "method": pair.method,
        }


def _place_row(part: Part, which: str = "") -> Row:
    names = ("address", "document_id", "section", "start", "end", "page")
    return {f"{which}{name}": getattr(part, name) for name in names}


def _document_row(own: DocumentRow) -> Row:
    status = own.status
    return {
        "address": status.address,
        "document_id": status.id or None,
        "state": status.state,
        "reason": status.reason or None,
        "error": status.error or None,
        "pages": status.pages,
        "compared": own.n_compared,
        "too_short": own.n_short,
        "same_as": status.same_as or None,
        "warnings": list(own.warnings),
    }
