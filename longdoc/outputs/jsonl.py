"""JSON lines: one object a document, with ``source`` and ``status`` first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from longdoc.prediction import Prediction


def write(predictions: Iterable[Prediction], stream: TextIO) -> None:
    """Write one line a prediction."""
    for prediction in predictions:
        stream.write(success(prediction.document.source.name, prediction))


def success(source: str, prediction: Prediction) -> str:
    """The line of a document that was read."""
    return _line({"source": source, "status": "ok", **prediction.to_dict()})


def failure(source: str, error: Exception) -> str:
    """The line of a document that could not be read."""
    return _line({"source": source, "status": "error", "error": type(error).__name__, "message": str(error)})


def _line(record: dict[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
