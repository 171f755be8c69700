"""JSON Lines: one object per document, with ``source`` and ``status`` first.

Characters that UTF-8 cannot hold are written as escapes, which ``escaped`` counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, TextIO

from longdoc.errors import DocumentError
from longdoc.outputs.format import Format, Outcome, PredictionLike, not_found
from longdoc.outputs.surrogates import escaped, n_lone
from longdoc.summary import OBEYED

_ESCAPED = re.compile(f"(?!\n)[{OBEYED}]")
"""In JSON they stand in strings alone, but for the ends of indented lines."""


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes one line per document."""
    for outcome in outcomes:
        stream.write(line({"source": outcome.source, **_result(outcome.result)}))


def line(record: dict[str, Any]) -> str:
    """A record as a line."""
    if n := n_lone(record):
        record = {**record, "escaped": n}
    return as_json(record) + "\n"


def as_json(record: dict[str, Any], *, indent: int | None = None) -> str:
    """A record as JSON, with escapes for the characters that split lines, that terminals obey or that UTF-8 lacks."""
    text = json.dumps(escaped(record), ensure_ascii=False, allow_nan=False, indent=indent)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def found(prediction: PredictionLike) -> dict[str, Any]:
    """What the line of a document that was read says of it."""
    missing = {"not_found": not_found(prediction)} if prediction.sought else {}
    return {**prediction.to_dict(), **missing}


def failed(error: str, message: str) -> dict[str, Any]:
    """What the line of a document that was not read says: the name of the error's class, and its message."""
    return {"error": error, "message": message}


def _result(result: PredictionLike | DocumentError) -> dict[str, Any]:
    if isinstance(result, DocumentError):
        return {"status": "error", **failed(type(result).__name__, str(result))}
    return {"status": "ok", **found(result)}


FORMAT = Format(
    name="jsonl",
    description="one JSON object per line and document",
    suffix=".jsonl",
    streams=True,
    write=write,
    answers=True,
)
