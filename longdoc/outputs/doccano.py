"""doccano: JSON lines ``{"text", "label": [[start, end, label], …]}``, as its import of sequence labelling reads them.

Offsets count code points of ``document.text``, as doccano does unless a project counts grapheme clusters; the project
has to allow overlapping spans, without which doccano drops the second of two that overlap. All other keys become
metadata there: ``labels`` are the classes of the document with their ``label_scores``, and ``scores`` and ``remarks``
go with the entries of ``label``; ``offsets`` tells the reader ``jsonl`` of ``longdoc.datasets``, which reads spans and
classes back, how they are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from longdoc.outputs.format import Format, Outcome, PredictionLike
from longdoc.outputs.jsonl import as_json
from longdoc.outputs.marks import marks_of, text_of
from longdoc.outputs.omissions import Omissions, read, telling


def write(outcomes: Iterable[Outcome], stream: TextIO) -> None:
    """Writes one line per document."""
    with telling("doccano") as omissions:
        for source, prediction in read(outcomes, omissions):
            stream.write(as_json({"id": source, **_record(prediction, omissions)}) + "\n")


def _record(prediction: PredictionLike, omissions: Omissions) -> dict[str, Any]:
    marks = marks_of(prediction, omissions)
    classes = [label for label in prediction.labels if label.start is None]
    omissions.add("classes of sections", len(prediction.labels) - len(classes))
    return {
        "text": text_of(prediction, omissions),
        "label": [[mark.start, mark.end, mark.label] for mark in marks],
        "labels": [label.name for label in classes],
        "label_scores": [round(label.score, 4) for label in classes],
        "scores": [round(mark.found.score, 4) for mark in marks],
        "remarks": [mark.remark for mark in marks],
        "offsets": "code points",
        "sha256": prediction.document.source.sha256,
    }


FORMAT = Format(
    name="doccano",
    description="JSON lines for doccano",
    suffix=None,
    streams=True,
    write=write,
    answers=True,
    failures=False,
)
