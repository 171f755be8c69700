"""Label Studio's exports: JSON with every annotation of a task, and JSON-MIN with what was marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from longdoc.datasets.examples import Example, checked_span, naming, whole_text
from longdoc.errors import DataError
from longdoc.labels import Span

_Marks: TypeAlias = tuple[list[Mapping[str, Any]], list[str]]
"""Regions, and classes."""


def read_label_studio(path: Path, *, text_column: str, label_column: str) -> Iterator[Example]:
    """Texts with the entities (``Labels``) and classes (``Choices``) of a Label Studio project.

    Of several annotations the first one that was not cancelled counts; a task without any is left out, one in which
    nothing was marked is not. Choices that belong to a region, and predictions, are passed over.

    Args:
        path: an export as JSON or JSON-MIN.
        text_column: the field of a task's data that holds the text.
        label_column: in JSON-MIN, the field that holds what was marked: the name of the ``Labels`` or ``Choices`` tag.
            In JSON, all tags are read.

    Raises:
        DataError: naming file and task, where a field is missing or a span does not stand where it says.
    """
    with naming(str(path)):
        tasks = json.loads(whole_text(path))
    if not isinstance(tasks, list):
        raise DataError(f"{path}: no list of tasks; export the project as JSON or JSON-MIN")
    fields, seen = set[str](), set[str]()
    for number, task in enumerate(tasks, 1):
        with naming(f"{path}, task {number}"):
            identifier = str(task.get("id", number))
            fields.update(task)
            full = "annotations" in task or "completions" in task
            marks = _full(task) if full else _minimal(task.get(label_column, []))
            data = task["data"] if full else task
            if marks is None or (identifier in seen and not full):  # JSON-MIN repeats a task for each annotator
                continue
            if not isinstance(data.get(text_column), str):
                raise ValueError(f"no text in {text_column!r}; it has {list(data)}: set text_column")
            example = _example(identifier, data[text_column], *marks)
        seen.add(identifier)
        yield example
    if seen and not fields & {"annotations", "completions", label_column}:
        raise DataError(f"{path}: no task has {label_column!r}; they have {sorted(fields)}: set label_column")


def _full(task: Mapping[str, Any]) -> _Marks | None:
    """Regions and classes of the annotation that counts, if any."""
    for annotation in task.get("annotations") or task.get("completions") or ():
        if not (annotation.get("was_cancelled") or annotation.get("skipped")):
            values = [(result.get("type"), result.get("value", {})) for result in annotation["result"]]
            regions = [value for kind, value in values if kind == "labels"]
            choices = [value["choices"] for kind, value in values if kind == "choices" and "start" not in value]
            return regions, [choice for chosen in choices for choice in chosen]
    return None


def _minimal(found: Any) -> _Marks:
    """Regions and classes of a field of JSON-MIN: a list of regions, or one choice, or several."""
    if isinstance(found, str):
        return [], [found]
    if isinstance(found, Mapping):
        return [], found["choices"]
    return found, []


def _example(identifier: str, text: str, regions: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Example:
    """The document; offsets are in code points or, of older versions, all in JavaScript's UTF-16 units."""
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
        found, said = text[mark["start"] : mark["end"]], mark["text"]
        same = said is None or said.replace("\\n", "\n") == found  # some versions write line feeds so
        spans.append(checked_span({**mark, "text": found if same else said}, text))
    return tuple(spans)
