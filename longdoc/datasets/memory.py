"""Documents that a program has annotated, or has read by other means: data without a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.jsonl import example_of_record
from longdoc.datasets.records import errors_at
from longdoc.datasets.remarks import remarks_on
from longdoc.errors import DataError


def _digest(examples: Sequence[Example]) -> str:
    """What a run's record has of the examples, by which it is told whether they are the same."""
    found = hashlib.sha256()
    for example in examples:
        found.update(repr(example).encode())
    return f"{len(examples)} examples, sha256 {found.hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConfig(ReaderConfig):
    """A data set in memory, for configurations that are written in Python.

    Raises:
        DataError: ``examples`` has something else than an :class:`Example`.
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
        object.__setattr__(self, "examples", kept)


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
