"""Documents that a program has annotated, or has read by other means: data without a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.jsonl import example_of_record
from longdoc.datasets.records import checked_span, errors_at
from longdoc.datasets.remarks import remarks_on
from longdoc.errors import DataError
from longdoc.labels import Span


def _digest(examples: Sequence[Example]) -> str:
    """Number and digest of the examples, by which a run's record recognises them."""
    found = hashlib.sha256()
    for example in examples:
        found.update(repr(example).encode())
    return f"{len(examples)} examples, sha256 {found.hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConfig(ReaderConfig):
    """A data set in memory, for configurations that are written in Python.

    Raises:
        DataError: ``examples`` has something else than an :class:`Example`, or one with a value of a wrong type or a
            span that ends beyond its text.
    """

    reader: Literal["memory"] = "memory"
    files: tuple[str, ...] = ("data in memory",)
    """What messages call the data."""
    examples: Iterable[Example] = field(metadata={"stored": _digest})
    """The documents: a list, or an iterator that ends, which is read at once and kept."""

    def __post_init__(self) -> None:
        ReaderConfig.__post_init__(self)
        if isinstance(self.examples, (str, bytes, Mapping)) or not isinstance(self.examples, Iterable):
            raise DataError(f"examples is {self.examples!r:.60}; {_ALLOWED}")
        kept = tuple(self.examples)
        for number, example in enumerate(kept):
            if not isinstance(example, Example):
                raise DataError(f"examples[{number}] is {example!r:.60}; {_ALLOWED}")
            _check(example, f"examples[{number}]")
        object.__setattr__(self, "examples", kept)


def _check(example: Example, where: str) -> None:
    """Refuses an example with a value of another type than its fields have, or with a span that its text lacks."""
    _check_strings([example.id, *_several(example.labels, f"{where}.labels", "classes")], f"{where}: its id or a class")
    _check_spans(example.spans, example.text, f"{where}.spans")
    for number, question in enumerate(example.questions):
        place = f"{where}.questions[{number}]"
        stated = [text for text in (question.label, question.category) if text is not None]
        _check_strings([question.id, *stated], f"{place}: its id, label or category")
        _check_spans(question.answers, example.text, f"{place}.answers")


def _check_spans(spans: Any, text: str, where: str) -> None:
    for number, span in enumerate(_several(spans, where, "spans")):
        if not isinstance(span, Span):
            raise DataError(f"{where}[{number}] is {span!r:.60}; give a longdoc.labels.Span(start, end, label)")
        with errors_at(f"{where}[{number}]"):
            checked_span({"start": span.start, "end": span.end, "label": span.label}, text)


def _several(given: Any, where: str, what: str) -> Sequence[Any]:
    if not isinstance(given, (tuple, list)):
        raise DataError(f"{where} is {given!r:.60}; give a tuple of {what}")
    return given


def _check_strings(given: Sequence[Any], what: str) -> None:
    for value in given:
        if not isinstance(value, str):
            raise DataError(f"{what} is {value!r:.60}; give a string")


_ALLOWED = (
    "give a list or an iterator of Example: from_records makes them from records as in JSON lines, from_datasets from "
    "a data set of Hugging Face"
)


def from_records(records: Iterable[Any]) -> list[Example]:
    """Converts records in memory, in the forms that ``read_jsonl`` reads.

    >>> (example,) = from_records([{"text": "Acme pays", "entities": [[0, 4, "PARTY"]]}])
    >>> example.spans
    (Span(start=0, end=4, label='PARTY'),)

    Args:
        records: a list or an iterator of ``{"id", "text", "entities": [{"start", "end", "text", "label"}], "labels":
            [...]}``; see :func:`longdoc.datasets.read_jsonl`.

    Raises:
        DataError: a record lacks a key, or the text of a span is not the text at its offsets; names the record.
    """
    examples = []
    with remarks_on("the records", None) as noted:
        for number, record in enumerate(records):
            where = f"record {number}"
            with errors_at(where):
                examples.append(example_of_record(record, number, where, noted))
    return examples
