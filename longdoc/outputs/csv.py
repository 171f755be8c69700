"""CSV: one row a document, with the fields of its record or of a schema as columns."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from longdoc.errors import ConfigError, DocumentError
from longdoc.outputs.format import Format, Outcome, PredictionLike, said_notices
from longdoc.summary import on_one_line


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes a header and a row per document; a document that failed has its error in the column ``message``.

    Raises:
        ConfigError: a prediction has neither a record nor fields, or other columns than the one before.
    """
    table: csv.DictWriter[str] | None = None
    waiting: list[dict[str, str]] = []  # failures before the first document whose columns are known
    columns: list[str] = []
    for outcome in outcomes:
        row = _row(outcome)
        if isinstance(outcome.result, DocumentError):
            waiting.append(row)
        elif table is None:
            columns = [*row]
            table = _begun(stream, columns)
        elif [*row] != columns:
            raise ConfigError(f"{outcome.source} has other columns than the documents before; name one kind of record")
        if table is not None:
            table.writerows([*waiting, *([] if row in waiting else [row])])
            waiting = []
    if table is None:
        _begun(stream, ["source", "status", "message"]).writerows(waiting)


def _begun(stream: TextIO, columns: list[str]) -> csv.DictWriter[str]:
    table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    table.writeheader()
    return table


def _row(outcome: Outcome) -> dict[str, str]:
    result = outcome.result
    if isinstance(result, DocumentError):
        return {"source": outcome.source, "status": "error", "message": str(result)}
    cells = {name: "" if value is None else str(value) for name, value in _cells(result, outcome.source).items()}
    said = [*result.document.warnings, *said_notices(result)]
    return {"source": outcome.source, "status": "ok", **cells, "message": "; ".join(said)}


def _cells(prediction: PredictionLike, source: str) -> dict[str, object]:
    """The columns of a record, or the fields of a schema: values, or texts on one line, separated by semicolons."""
    if prediction.record is not None:
        record: dict[str, object] = prediction.record.to_row()
        return record
    if not prediction.sought:
        raise ConfigError(f"{source}: csv has a row for each document: of a record, or of the fields of a schema")
    if taken := sorted({"source", "status", "check", "message"} & set(prediction.fields)):
        raise ConfigError(f"csv has a column {taken[0]!r} of its own; give the field of the schema another name")
    checks = [name for name, answers in prediction.fields.items() if any(answer.check for answer in answers)]
    shown = {
        name: "; ".join(on_one_line(answer.text) if answer.value is None else str(answer.value) for answer in answers)
        for name, answers in prediction.fields.items()
    }
    return {**shown, "check": "; ".join(checks)}


FORMAT = Format(
    name="csv",
    description="a row per document, of --record or --schema",
    suffix=".csv",
    streams=True,
    write=write,
    answers=True,
    entities=False,
)
