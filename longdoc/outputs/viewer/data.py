"""What the script of a viewer is given of a document and of its prediction: plain values that JSON can hold.

Offsets count code points of the text, boxes are in points from the top left corner of the page, as everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from longdoc.errors import DocumentError
from longdoc.outputs.format import (
    Outcome,
    PredictionLike,
    classes,
    is_doubtful,
    not_found,
    rejected_for,
    said_gaps,
    said_notices,
    searched_in,
    searched_in_part,
)
from longdoc.summary import count, names_by_label, on_one_line, shortened
from longdoc.values import alternative_of

if TYPE_CHECKING:
    from longdoc.document import Document, Section
    from longdoc.labels import Answer, Entity
    from longdoc.outputs.viewer.lines import Line
    from longdoc.parts import Box, Table

METADATA_SHOWN = 500
"""Characters shown of a value of the metadata."""
_CELL_SHOWN = 120
"""Characters shown of the answers to a field in the index of documents."""


def facts(prediction: PredictionLike) -> list[str]:
    """The length of the document, and how much of it was read."""
    document = prediction.document
    partly = ", ".join(searched_in_part(prediction))
    whole = f"questions: {partly}" if partly else "read to the last character"
    read = f"{prediction.coverage:.1%} read" if prediction.gaps else whole
    return [count(len(document.pages), "page"), count(len(document.text), "character"), read]


def document_data(source: str, prediction: PredictionLike, numbers: dict[str, int]) -> dict[str, Any]:
    """All that the viewer shows of a document, except its pictures.

    Args:
        source: the path or name that the caller gave.
        prediction: what was found in it.
        numbers: of the labels, to which new ones are added; they choose colours.
    """
    from longdoc.outputs.viewer.lines import lines_by_page  # it loads numpy, which `longdoc --help` does not wait for

    document = prediction.document
    findings = _Findings(prediction)
    return {
        "source": source,
        "name": document.source.name,
        "title": on_one_line(document.title) or document.source.name,
        "sha256": document.source.sha256,
        "text_sha256": hashlib.sha256(document.text.encode(errors="surrogatepass")).hexdigest(),
        "facts": facts(prediction),
        "is_whole": not prediction.gaps,
        "text": re.sub("[\ud800-\udfff]", "\ufffd", document.text),
        "pages": _pages(document, lines_by_page(document)),
        "sections": [_section(document, each) for each in document.sections],
        "bookmarks": [[each.title, each.level, each.page] for each in document.outline],
        "tables": [_table(document, each) for each in document.tables if each.start < each.end],
        "labels": add_labels(numbers, prediction),
        "findings": findings.plain,
        "record": prediction.kind if prediction.record is not None else "",
        "fields": [_field(name, own, prediction, findings) for name, own in prediction.fields.items()],
        "classes": [[name, where, score] for name, found in classes(prediction).items() for where, score in found],
        "names": {
            label: [[name.text, name.pages, [findings.number(each) for each in name.mentions]] for name in names]
            for label, names in names_by_label(prediction.entities).items()
        },
        "warnings": [*document.warnings, *said_gaps(prediction.gaps), *said_notices(prediction)],
        "metadata": _metadata(document),
    }


class _Findings:
    """All that was found, in the order of the text, and the number of each."""

    def __init__(self, prediction: PredictionLike) -> None:
        kinds = ("entities", "entity"), ("spans", "span"), ("answers", "answer"), ("rejected", "rejected")
        found = [(each, kind) for name, kind in kinds for each in getattr(prediction, name)]
        found.sort(key=lambda each: (each[0].start, -each[0].end))
        self.plain = [_finding(each, kind) for each, kind in found]
        self._numbers = {id(each): number for number, (each, _) in enumerate(found)}

    def number(self, found: Entity | Answer) -> int:
        return self._numbers[id(found)]

    def cell(self, found: Answer) -> int | dict[str, Any]:
        """Its number; of what only the file's metadata say, which has no place in the text, all that is known."""
        return self._numbers[id(found)] if id(found) in self._numbers else _finding(found, "beside")


def _finding(found: Entity | Answer, kind: str) -> dict[str, Any]:
    """What is shown of a finding; what is empty is left out."""
    value = getattr(found, "value", None)
    other = None if value is None else alternative_of(value)
    always = {
        "kind": kind,
        "label": label_of(found),
        "start": found.start,
        "end": found.end,
        "score": round(float(found.score), 4),
        "page": found.page,
    }
    others: dict[str, Any] = {
        "section": found.section,
        "source": found.source.replace("_", " "),
        "boxes": [_box(box) for box in found.boxes],
        "question": getattr(found, "question", "") if found.label else "",
        "check": getattr(found, "check", False),
        "is_doubtful": is_doubtful(found),
        "value": None if value is None else str(value),
        "alternative": None if other is None else str(other),
        "text": found.text if kind == "beside" else "",
    }
    return {**always, **{name: each for name, each in others.items() if each}}


def label_of(found: Entity | Answer) -> str:
    """The label of an entity, or the field or question of an answer."""
    return found.label or str(getattr(found, "question", ""))


def _field(name: str, own: Iterable[Answer], prediction: PredictionLike, findings: _Findings) -> dict[str, Any]:
    """A field with the numbers of its answers; of one that was not found, what was searched and the best candidate."""
    field: dict[str, Any] = {"name": name, "found": [findings.cell(each) for each in own]}
    if name in not_found(prediction):
        closest = rejected_for(prediction, name)
        field["missing"] = searched_in(prediction, name).removeprefix(name).strip(" ()") or "all of the text searched"
        field["closest"] = None if closest is None else findings.number(closest)
    return field


def _pages(document: Document, lines: dict[int, list[Line]]) -> list[dict[str, Any]]:
    beside: dict[int, list[list[Any]]] = {}
    for item in document.furniture:
        if item.box and item.kind != "hidden":
            beside.setdefault(item.box.page, []).append([*_box(item.box)[1:], on_one_line(item.text), item.kind])
    return [
        {
            "number": page.number,
            "width": round(page.width, 2),
            "height": round(page.height, 2),
            "start": page.start,
            "end": page.end,
            "verdict": page.verdict,
            "confidence": page.confidence,
            "lines": lines.get(page.number, []),
            "furniture": beside.get(page.number, []),
        }
        for page in document.pages
    ]


def _section(document: Document, section: Section) -> list[Any]:
    """The number, title, kind, level, range and end of the heading of a section."""
    found = document.text.find(section.title, section.start, section.end) if section.title else -1
    end = min(found + len(section.title), section.end) if found >= 0 else section.start
    return [section.number, section.title, section.kind, section.level, section.start, section.end, end]


def _table(document: Document, table: Table) -> dict[str, Any]:
    rows, columns = table.shape
    return {
        "start": table.start,
        "end": table.end,
        "rows": rows,
        "columns": columns,
        "box": None if table.box is None else _box(table.box),
        "page": table.box.page if table.box else document.page_at(table.start).number,
        "cells": [[c.row, c.column, c.row_span, c.column_span, c.start, c.end] for c in table.cells],
    }


def _box(box: Box) -> list[float]:
    return [box.page, *(round(float(each), 2) for each in (box.x0, box.y0, box.x1, box.y1))]


def _metadata(document: Document) -> list[tuple[str, str]]:
    source = document.source
    stated = {"File": source.name, "Type": source.media_type, "SHA-256": source.sha256, **source.metadata}
    return [(name, value[:METADATA_SHOWN]) for name, value in stated.items() if value.strip()]


def summary(outcome: Outcome, *, id: str, href: str | None) -> dict[str, Any]:
    """The row of a document in an index.

    Args:
        outcome: the document, and what became of it.
        id: of the document, if it is in the same file.
        href: the address of its page, if that is another file.
    """
    row: dict[str, Any] = {"id": id, "href": href, "source": outcome.source}
    if isinstance(outcome.result, DocumentError):
        return {**row, "title": outcome.source, "failure": str(outcome.result)}
    prediction = outcome.result
    answers = list(prediction.answers)
    return {
        **row,
        "title": on_one_line(prediction.document.title) or prediction.document.source.name,
        "kind": prediction.kind,
        "pages": len(prediction.document.pages),
        "findings": len(prediction.entities) + len(prediction.spans) + len(answers),
        "to_check": sum(each.check for each in answers),
        "coverage": round(prediction.coverage, 4),
        "warnings": len(prediction.document.warnings) + len(list(prediction.notices)),
        "fields": {name: _said(own) for name, own in prediction.fields.items()},
    }


def _said(answers: Iterable[Answer]) -> str:
    """The values of the answers to a field, on one line."""
    values = (str(each.value) if each.value is not None else on_one_line(each.text) for each in answers)
    return shortened("; ".join(dict.fromkeys(values)), _CELL_SHOWN)


def add_labels(numbers: dict[str, int], prediction: PredictionLike) -> dict[str, int]:
    """Numbers the labels that ``numbers`` lacks, so that a label looks the same in all documents that share it.

    Returns:
        The numbers of the labels of this prediction: of its entities, the most frequent first, then of its spans.
    """
    labels = [
        label
        for found in (prediction.entities, prediction.spans)
        for label, _ in Counter(each.label for each in found).most_common()
    ]
    for label in labels:
        numbers.setdefault(label, len(numbers))
    return {label: numbers[label] for label in labels}
