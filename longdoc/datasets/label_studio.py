"""Label Studio's exports: JSON with all annotations of a task, and JSON-MIN with their results only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import checked_span, errors_at, read_text
from longdoc.errors import DataError
from longdoc.labels import Span

_Marks: TypeAlias = tuple[list[Mapping[str, Any]], list[str]]
"""Regions, and classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStudioConfig(ReaderConfig):
    """Keys of the readers ``label studio`` (entities) and ``label studio classes``."""

    reader: Literal["label studio", "label studio classes"]
    text_column: str = "text"
    """Field of a task's data with the text."""
    label_column: str = "label"
    """In JSON-MIN, the field with the result: the name of the ``Labels`` or ``Choices`` tag. Not used for JSON,
    of which all tags are read."""


def read_label_studio(path: Path, *, text_column: str = "text", label_column: str = "label") -> Iterator[Example]:
    """Reads texts with the entities (``Labels``) and classes (``Choices``) of a Label Studio project.

    If a task has several annotations, the first that was not cancelled is read. Tasks without an annotation are left
    out; tasks with an empty one are kept. Choices for a region and predictions are ignored.

    Args:
        path: an export as JSON or JSON-MIN.
        text_column: the field of a task's data with the text.
        label_column: in JSON-MIN, the field with the result: the name of the ``Labels`` or ``Choices`` tag.
            Not used for JSON, of which all tags are read.

    Raises:
        DataError: a field is missing, or the text of a span is not the text at its offsets; names file and task.
    """
    content = read_text(path)
    with errors_at(str(path)):
        tasks = json.loads(content)
    if not isinstance(tasks, list):
        raise DataError(f"{path}: not a list of tasks; export the project as JSON or JSON-MIN")
    fields, seen = set[str](), set[str]()
    for number, task in enumerate(tasks, 1):
        with errors_at(f"{path}, task {number}"):
            identifier = str(task.get("id", number))
            fields.update(task)
            full = "annotations" in task or "completions" in task
            marks = _full(task) if full else _minimal(task.get(label_column, []))
            data = task["data"] if full else task
            if marks is None or (identifier in seen and not full):  # JSON-MIN repeats a task for each annotator
                continue
            if not isinstance(data.get(text_column), str):
                raise ValueError(f"no text in {text_column!r}; the fields are {list(data)}: set text_column")
            example = _example(identifier, data[text_column], *marks)
        seen.add(identifier)
        yield example
    if seen and not fields & {"annotations", "completions", label_column}:
        raise DataError(f"{path}: no task has {label_column!r}; the fields are {sorted(fields)}: set label_column")


def _full(task: Mapping[str, Any]) -> _Marks | None:
    """Regions and classes of the first annotation that was not cancelled, if there is one."""
    for annotation in task.get("annotations") or task.get("completions") or ():
        if not (annotation.get("was_cancelled") or annotation.get("skipped")):
            values = [(result.get("type"), result.get("value", {})) for result in annotation["result"]]
            regions = [value for kind, value in values if kind == "labels"]
            choices = [value["choices"] for kind, value in values if kind == "choices" and "start" not in value]
            return regions, [choice for chosen in choices for choice in chosen]
    return None


def _minimal(found: Any) -> _Marks:
    """Regions and classes in a field of JSON-MIN, which is a list of regions, one choice or several choices."""
    if isinstance(found, str):
        return [], [found]
    if isinstance(found, Mapping):
        return [], found["choices"]
    return found, []


def _example(identifier: str, text: str, regions: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Example:
    """Builds the document. Offsets count code points or, in exports of older versions, UTF-16 units throughout."""
    marks = [
        {"start": int(region["start"]), "end": int(region["end"]), "label": label, "text": region.get("text")}
        for region in regions
        for label in region["labels"]
    ]
    try:
        spans = _spans(marks, text)
    except ValueError as error:
        units = [index for index, character in enumerate(text) for _ in range(1 + (character > "\uffff"))]
        units.append(len(text))
        if any(mark["end"] >= len(units) for mark in marks):
            raise
        shifted = [{**mark, "start": units[mark["start"]], "end": units[mark["end"]]} for mark in marks]
        try:
            spans = _spans(shifted, text)
        except ValueError:
            raise error from None
    return Example(identifier, text, spans, labels=tuple(classes))


def _spans(marks: Sequence[Mapping[str, Any]], text: str) -> tuple[Span, ...]:
    spans = []
    for mark in marks:
        found, expected = text[mark["start"] : mark["end"]], mark["text"]
        same = expected is None or expected.replace("\\n", "\n") == found  # some versions escape line feeds
        spans.append(checked_span({**mark, "text": found if same else expected}, text))
    return tuple(spans)
