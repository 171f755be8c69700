"""Label Studio's exports: JSON with all annotations of a task, and JSON-MIN with their results only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.hypertext import is_in_hypertext, place_in_hypertext
from longdoc.datasets.records import Counting, checked_span, errors_at, read_counted, read_text
from longdoc.datasets.remarks import Remarks, remarks_on
from longdoc.errors import DataError
from longdoc.labels import Span

_OF_SPANS = ("labels", "hypertextlabels")
"""Types of results that mark a range of text, and the keys of their labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStudioConfig(ReaderConfig):
    """Keys of the readers ``label studio`` (entities) and ``label studio classes``."""

    reader: Literal["label studio", "label studio classes"]
    text_column: str = "text"
    """Field of a task's data with the text."""
    label_column: str = "label"
    """In JSON-MIN, the field with the result: the name of the ``Labels`` or ``Choices`` tag. Not used for JSON,
    of which all tags are read."""


@dataclass(slots=True)
class _Marks:
    """What is read of an annotation: regions of the text, and classes."""

    regions: list[Mapping[str, Any]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def read_label_studio(
    path: Path, *, text_column: str = "text", label_column: str = "label", remarks: Remarks | None = None
) -> Iterator[Example]:
    """Reads texts with the entities (``Labels``, ``HyperTextLabels``) and classes (``Choices``) of a project.

    If a task has several annotations, the one that is marked as ground truth is read, or else the first that was not
    cancelled. Tasks without an annotation are left out; tasks with an empty one are kept. Whatever is not read, such
    as results of other types, further annotations and predictions, is counted in the remarks.

    HyperText is read as the text of its HTML, with the regions at their global offsets.

    Args:
        path: an export as JSON or JSON-MIN.
        text_column: the field of a task's data with the text.
        label_column: in JSON-MIN, the field with the result: the name of the ``Labels`` or ``Choices`` tag.
            Not used for JSON, of which all tags are read.
        remarks: collects what is not read; by default it is logged.

    Raises:
        DataError: a field is missing, or the text of a span is not the text at its offsets; names file and task.
    """
    tasks = _tasks(path)
    fields, seen = set[str](), set[str]()
    hypertext = any(map(is_in_hypertext, _mappings(tasks)))
    with remarks_on(path, remarks) as noted:
        for number, task in enumerate(tasks, 1):
            where = f"{path}, task {number}"
            with errors_at(where):
                identifier = str(task.get("id", number))
                fields.update(task)
                full = "annotations" in task or "completions" in task
                if identifier in seen and not full:  # JSON-MIN repeats a task for each annotator
                    noted.add("further annotation of a task, not read", where)
                    continue
                marks = _full(task, where, noted) if full else _minimal(task.get(label_column, []), where, noted)
                if marks is None:
                    continue
                text = _text(task["data"] if full else task, text_column)
                example = _example(identifier, text, marks, hypertext)
            seen.add(identifier)
            yield example
    if seen and not fields & {"annotations", "completions", label_column}:
        raise DataError(f"{path}: no task has {label_column!r}; the fields are {sorted(fields)}: set label_column")


def _tasks(path: Path) -> list[Any]:
    content = read_text(path)
    with errors_at(str(path)):
        tasks = json.loads(content)
    if not isinstance(tasks, list):
        raise DataError(f"{path}: not a list of tasks; export the project as JSON or JSON-MIN")
    return tasks


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """All mappings inside a value, however deep."""
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, Mapping):
            yield inner
            pending += inner.values()
        elif isinstance(inner, list):
            pending += inner


def _text(data: Mapping[str, Any], text_column: str) -> str:
    text = data.get(text_column)
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        raise ValueError(f"{text_column!r} is a list (Paragraphs), which is not read; label the joined text instead")
    raise ValueError(f"no text in {text_column!r}; the fields are {list(data)}: set text_column")


def _full(task: Mapping[str, Any], where: str, remarks: Remarks) -> _Marks | None:
    """The ground truth, or the first annotation that was not cancelled, if there is one."""
    annotations = task.get("annotations") or task.get("completions") or ()
    done = [each for each in annotations if not (each.get("was_cancelled") or each.get("skipped"))]
    if len(done) < len(annotations):
        remarks.add("cancelled annotation, not read", where, len(annotations) - len(done))
    if task.get("predictions"):
        remarks.add("prediction, not read", where, len(task["predictions"]))
    if not done:
        remarks.add("task without an annotation, left out", where)
        return None
    if len(done) > 1:
        remarks.add("further annotation of a task, not read", where, len(done) - 1)
    chosen = next((each for each in done if each.get("ground_truth")), done[0])
    marks = _Marks()
    for result in chosen["result"]:
        _add(marks, str(result.get("type")), result.get("value") or {}, where, remarks)
    return marks


def _add(marks: _Marks, kind: str, value: Mapping[str, Any], where: str, remarks: Remarks) -> None:
    """Adds a result to the marks, or to the remarks if it is of a type that is not read."""
    if kind == "choices" and "start" not in value:
        marks.classes += value["choices"]
    elif kind in _OF_SPANS and "channel" not in value:
        if not _labels(value):
            remarks.add("region without a label, not read", where)
        marks.regions.append(value)
    else:
        described = "choices for a region" if kind == "choices" else f"result of type {kind!r}"
        remarks.add(f"{described}, not read", where)


def _minimal(found: Any, where: str, remarks: Remarks) -> _Marks:
    """Regions and classes in a field of JSON-MIN, which is a list of regions, one choice or several choices."""
    if isinstance(found, str):
        return _Marks(classes=[found])
    if isinstance(found, Mapping):
        return _Marks(classes=found["choices"])
    marks = _Marks()
    for region in found:
        others = [key for key in region if key.endswith("labels") and key not in _OF_SPANS]
        _add(marks, others[0] if others else "labels", region, where, remarks)
    return marks


def _labels(region: Mapping[str, Any]) -> list[str]:
    """The labels of a region.

    Raises:
        KeyError: it has no such key.
    """
    labels: list[str] = region["hypertextlabels"] if "hypertextlabels" in region else region["labels"]
    return labels


def _example(identifier: str, text: str, marks: _Marks, hypertext: bool) -> Example:
    """Builds the document. Offsets count code points or, in exports of older versions, UTF-16 units throughout."""
    inside = [region for region in marks.regions if is_in_hypertext(region)]
    places: list[tuple[int, int]] = []
    if hypertext:
        text, places = place_in_hypertext(text, inside)
    pairs = zip(inside, places, strict=True)
    spans = [Span(*place, label) for region, place in pairs for label in _labels(region)]
    plain = [
        {"start": int(region["start"]), "end": int(region["end"]), "label": label, "text": region.get("text")}
        for region in marks.regions
        if not is_in_hypertext(region)
        for label in _labels(region)
    ]
    found, _ = read_counted(text, lambda counting: _spans(plain, text, counting))
    return Example(identifier, text, (*spans, *found), labels=tuple(marks.classes))


def _spans(marks: Sequence[Mapping[str, Any]], text: str, counting: Counting) -> tuple[Span, ...]:
    spans = []
    for mark in marks:
        start, end = counting.place(mark["start"]), counting.place(mark["end"])
        found, expected = text[start:end], mark["text"]
        same = expected is None or _line_feeds(expected) == _line_feeds(found)
        spans.append(checked_span({**mark, "start": start, "end": end, "text": found if same else expected}, text))
    return tuple(spans)


def _line_feeds(text: str) -> str:
    """The text with plain line feeds: some versions escape them, and browsers have no other line ends."""
    return text.replace("\\n", "\n").replace("\r\n", "\n")
