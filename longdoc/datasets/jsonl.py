"""JSON lines with offsets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import checked_span, errors_at, numbered_lines
from longdoc.labels import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlConfig(ReaderConfig):
    """Keys of the reader ``jsonl``."""

    reader: Literal["jsonl"]


def read_jsonl(path: Path) -> Iterator[Example]:
    """Reads JSON lines ``{"id", "text", "entities": [{"start", "end", "text", "label"}], "labels": [...]}``.

    An entity may also be a triple ``[start, end, label]``, without a text to check. ``labels``, or ``label`` as in
    doccano's exports, contains classes (strings) or entities. spaCy's pairs ``[text, {"entities": [...]}]`` are read
    too.

    Raises:
        DataError: a record lacks a key, or the text of a span is not the text at its offsets; names file and line.
    """
    for number, line in numbered_lines(path):
        if line.strip():
            with errors_at(f"{path}, line {number}"):
                example = _from_record(json.loads(line), number)
            yield example


def _from_record(record: Any, number: int) -> Example:
    if isinstance(record, list):
        text, marks = record
        record = {"text": text, **marks}
    fields = [name for name in ("entities", "labels", "label") if name in record]
    if not fields:
        raise ValueError(f"missing key 'entities', 'labels' or 'label'; the record has {list(record)}")
    marks = [mark for name in fields for mark in (record[name] if isinstance(record[name], list) else [record[name]])]
    spans = tuple(_span(mark, record["text"]) for mark in marks if not isinstance(mark, str))
    classes = tuple(mark for mark in marks if isinstance(mark, str))
    return Example(str(record.get("id", number)), record["text"], spans, labels=classes)


def _span(mark: Mapping[str, Any] | Sequence[Any], text: str) -> Span:
    if isinstance(mark, Mapping):
        return checked_span(mark, text)
    start, end, label = mark
    return checked_span({"start": start, "end": end, "label": label}, text)
