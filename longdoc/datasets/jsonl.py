"""JSON lines with offsets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import (
    CODE_POINTS,
    Counting,
    checked_span,
    countings,
    errors_at,
    numbered_lines,
    read_counted,
)
from longdoc.datasets.remarks import Remarks, remarks_on
from longdoc.labels import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlConfig(ReaderConfig):
    """Keys of the reader ``jsonl``."""

    reader: Literal["jsonl"]


def read_jsonl(path: Path, *, remarks: Remarks | None = None) -> Iterator[Example]:
    """Reads JSON lines ``{"id", "text", "entities": [{"start", "end", "text", "label"}], "labels": [...]}``.

    An entity may also be a triple ``[start, end, label]``, without a text to check. ``labels``, or ``label`` as in
    doccano's exports, contains classes (strings or numbers) or entities. spaCy's pairs ``[text, {"entities": [...]}]``
    are read too. Relations are counted in the remarks.

    Offsets count characters. Where the texts of a record's entities fit only if a Windows line end is one character, or
    if characters are UTF-16 units, they are read so. Without texts, another way of counting is used, with a remark, if
    the entities begin and end between words only with that, unless the record has ``"offsets": "code points"``.

    Args:
        path: the file.
        remarks: collects what is not read, or read by an assumption; by default it is logged.

    Raises:
        DataError: a record lacks a key, or the text of a span is not the text at its offsets; names file and line.
    """
    with remarks_on(path, remarks) as noted:
        for number, line in numbered_lines(path):
            if line.strip():
                where = f"{path}, line {number}"
                with errors_at(where):
                    example = example_of_record(json.loads(line), number, where, noted)
                yield example


def example_of_record(record: Any, number: int, where: str, remarks: Remarks) -> Example:
    """The example of a record of :func:`read_jsonl`.

    Args:
        record: the record.
        number: its id if it has none.
        where: its place, for remarks.
        remarks: collects what is not read, or read by an assumption.

    Raises:
        ValueError: it lacks a key, or has a value of another type; also KeyError, TypeError and the like, which
            ``errors_at`` turns into a DataError.
    """
    if isinstance(record, (list, tuple)):
        text, marks = record
        record = {"text": text, **marks}
    if not isinstance(record, Mapping):
        raise ValueError(f"the record is {record!r:.60}; give an object with 'text', and 'entities' or 'labels'")
    fields = [name for name in ("entities", "labels", "label") if name in record]
    if not fields:
        raise ValueError(f"missing key 'entities', 'labels' or 'label'; the record has {list(record)}")
    spans, classes = [], []
    for name in fields:
        for mark in _marks(record[name], name):
            if name != "entities" and isinstance(mark, (str, int, float)):
                classes.append(str(mark))
            elif mark is not None or name == "entities":
                spans.append(_entity(mark, name))
    if relations := record.get("relations"):
        remarks.add("relation, not read", where, len(relations))
    is_stated = record.get("offsets") == CODE_POINTS
    placed = _checked(spans, record["text"]) if is_stated else _placed(spans, record["text"], where, remarks)
    return Example(str(record.get("id", number)), record["text"], placed, labels=tuple(classes))


def _marks(given: Any, name: str) -> list[Any]:
    """The annotations under a key; one class may stand for a list of one, as in doccano's exports."""
    if isinstance(given, (list, tuple)):
        return list(given)
    if name == "entities" or isinstance(given, Mapping):
        raise ValueError(f"{name!r} is {given!r:.60}; {_FORMS}")
    return [given]


_FORMS = 'give a list of entities, as in [{"start": 0, "end": 4, "label": "PARTY"}] or [[0, 4, "PARTY"]]'


def _entity(mark: Any, name: str) -> Mapping[str, Any]:
    if isinstance(mark, Mapping):
        return mark
    if not isinstance(mark, (list, tuple)) or len(mark) != 3:
        raise ValueError(f"{name!r} has {mark!r:.60}; {_FORMS}")
    start, end, label = mark
    return {"start": start, "end": end, "label": label}


def _checked(entities: Sequence[Mapping[str, Any]], text: str) -> tuple[Span, ...]:
    return tuple(checked_span(entity, text) for entity in entities)


def _placed(entities: Sequence[Mapping[str, Any]], text: str, where: str, remarks: Remarks) -> tuple[Span, ...]:
    def read(counting: Counting) -> tuple[Span, ...]:
        return _checked([_counted(entity, counting) for entity in entities], text)

    spans, counting = read_counted(text, read)
    if any("text" in entity for entity in entities) or len(countings(text)) == 1:
        return spans
    if not _cuts(text, spans):
        if counting.name != CODE_POINTS:
            remarks.add(f"entities without texts, read as if offsets count {counting.name}, which alone fits", where)
        return spans
    for other in countings(text):
        try:
            found = read(other)
        except ValueError:
            continue
        if not _cuts(text, found):
            remarks.add(f"entities without texts, read as if offsets count {other.name}, which alone fits", where)
            return found
    remarks.add("entities without texts that begin or end inside words; add texts to check the offsets", where)
    return spans


def _counted(entity: Mapping[str, Any], counting: Counting) -> Mapping[str, Any]:
    """The entity with offsets in code points; unchanged if they are no integers, which is an error later."""
    start, end = entity["start"], entity["end"]
    if not (isinstance(start, int) and isinstance(end, int)):
        return entity
    return {**entity, "start": counting.place(start), "end": counting.place(end)}


def _cuts(text: str, spans: Sequence[Span]) -> bool:
    """Whether a span begins or ends inside a word or on white space."""
    return any(
        text[span.start].isspace()
        or text[span.end - 1].isspace()
        or _is_inside_word(text, span.start)
        or _is_inside_word(text, span.end)
        for span in spans
    )


def _is_inside_word(text: str, place: int) -> bool:
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()
