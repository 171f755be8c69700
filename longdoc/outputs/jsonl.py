"""JSON Lines: one object per document, with ``source`` and ``status`` first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from longdoc.errors import DocumentError
from longdoc.outputs.format import Format, Outcome, not_found


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes one line per document."""
    for outcome in outcomes:
        record = {"source": outcome.source, **_result(outcome)}
        stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _result(outcome: Outcome) -> dict[str, Any]:
    result = outcome.result
    if isinstance(result, DocumentError):
        return {"status": "error", "error": type(result).__name__, "message": str(result)}
    missing = {"not_found": not_found(result)} if result.sought else {}
    return {"status": "ok", **result.to_dict(), **missing}


FORMAT = Format(
    name="jsonl",
    description="one JSON object per line and document",
    suffix=".jsonl",
    streams=True,
    write=write,
    answers=True,
)
