"""One row a document, for formats that are tables: the columns of its record, or the fields of a schema."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from longdoc.errors import ConfigError, DocumentError
from longdoc.outputs.format import Outcome, PredictionLike, said_gaps, said_notices, searched_in_part
from longdoc.outputs.omissions import Omissions, telling
from longdoc.outputs.surrogates import escaped, n_lone
from longdoc.summary import count, on_one_line

Cell: TypeAlias = list[str] | datetime.date | str | None
OWN = ("source", "status", "check", "message")
"""The columns that do not depend on the document."""

WITHOUT_DOCUMENTS: dict[str, Cell] = {"source": None, "status": None, "message": None}
"""The columns of a table without rows."""


def rows(outcomes: Iterable[Outcome], *, format: str) -> Iterator[dict[str, Cell]]:
    """Yields a row for each document, all with the same columns; one that failed has its error as ``message``.

    Failures before the first document whose columns are known are held back until then. A column that holds lists has
    one in every row.

    Raises:
        ConfigError: a prediction has neither a record nor fields, or other columns than the one before.

    Warns:
        OutputWarning: rows do not hold everything; the message counts what is left out.
    """
    with telling(format) as omissions:
        yield from _rows(outcomes, format, omissions)


def _rows(outcomes: Iterable[Outcome], format: str, omissions: Omissions) -> Iterator[dict[str, Cell]]:
    columns: dict[str, Cell] | None = None
    waiting: list[dict[str, Cell]] = []
    for outcome in outcomes:
        row = _encodable(_row(outcome, format))
        if isinstance(outcome.result, DocumentError):
            waiting.append(row)
        elif columns is None:
            columns = {name: [] if isinstance(cell, list) else None for name, cell in row.items()}
        elif [*row] != [*columns]:
            raise ConfigError(f"{outcome.source} has other columns than the documents before; name one kind of record")
        if columns is not None:
            yield from ({**columns, **each} for each in waiting)
            waiting = []
            if not isinstance(outcome.result, DocumentError):
                _count(outcome.result, omissions)
                yield row
    yield from waiting


def _count(prediction: PredictionLike, omissions: Omissions) -> None:
    """Counts what the row of a document leaves out."""
    omissions.add("entities", len(prediction.entities))
    omissions.add("spans, such as clauses", len(prediction.spans))
    omissions.add("classes", len(prediction.labels))
    for what, number in prediction.record.not_in_row().items() if prediction.record is not None else ():
        omissions.add(what, number)


def _encodable(row: dict[str, Cell]) -> dict[str, Cell]:
    """A row with what UTF-8 cannot hold as escapes, which its message counts."""
    n = n_lone(row)
    if not n:
        return row
    told = f"{count(n, 'character')} that UTF-8 cannot hold, written as escapes such as \\udce9"
    message = f"{row['message']}; {told}" if row["message"] else told
    return {**escaped(row), "message": escaped(message)}


def _row(outcome: Outcome, format: str) -> dict[str, Cell]:
    result = outcome.result
    if isinstance(result, DocumentError):
        return {"source": outcome.source, "status": "error", "message": str(result)}
    cells = _cells(result, outcome.source, format)
    said = [*result.document.warnings, *said_notices(result)]
    said += [*searched_in_part(result), *said_gaps(result.gaps)]
    return {"source": outcome.source, "status": "ok", **cells, "message": "; ".join(said)}


def _cells(prediction: PredictionLike, source: str, format: str) -> dict[str, Cell]:
    """The columns of a record, or the fields of a schema: lists of values, or of texts on one line."""
    if prediction.record is not None:
        record: dict[str, Cell] = prediction.record.to_row()
        return record
    if not prediction.sought:
        raise ConfigError(f"{source}: {format} has a row for each document: of a record, or of the fields of a schema")
    if taken := sorted(set(OWN) & set(prediction.fields)):
        raise ConfigError(f"{format} has a column {taken[0]!r} of its own; give the field of the schema another name")
    shown: dict[str, Cell] = {
        name: [on_one_line(answer.text) if answer.value is None else str(answer.value) for answer in answers]
        for name, answers in prediction.fields.items()
    }
    return {**shown, "check": [name for name, own in prediction.fields.items() if any(each.check for each in own)]}
