"""Texts with their classes in tables and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import errors_at, numbered_lines
from longdoc.errors import DataError

_DIALECTS = {".tsv": "\t", ".csv": ","}
_LONGEST_CELL = 2**31 - 1  # the csv module's default of 131,072 characters is too short for long documents


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesConfig(ReaderConfig):
    """Keys of the reader ``classes``."""

    reader: Literal["classes"]
    text_column: str = "text"
    """Column or key with the text."""
    label_column: str = "label"
    """Column or key with the class, or in JSON lines a list of classes."""


def read_classes(path: Path, *, text_column: str = "text", label_column: str = "label") -> Iterator[Example]:
    """Reads ``.csv`` (commas) and ``.tsv`` (tabs) with a header, and ``.jsonl``, where a text may have several classes.

    Raises:
        DataError: a column is missing, or a text or class is empty; names file and line.
    """
    for number, (line, record) in enumerate(table_records(path), 1):
        with errors_at(f"{path}, line {line}"):
            example = _example(record, text_column, label_column)
        yield Example(f"{path.stem}-{number}", example.text, labels=example.labels)


def _example(record: Mapping[str | None, Any], text_column: str, label_column: str) -> Example:
    if text_column not in record or label_column not in record:
        raise ValueError(
            f"missing {text_column!r} or {label_column!r}; the columns are {list(record)}: set text_column and "
            "label_column. Columns are separated by commas in a .csv, by tabs in a .tsv"
        )
    if None in record:
        raise ValueError("more cells than the header has columns; quote a text that contains the separator")
    text, found = record[text_column], record[label_column]
    if wrong := [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, (dict, list))]:
        raise ValueError(f"{label_column} has {wrong[0]!r:.60}; a class is a string or a number")
    labels = tuple(str(label).strip() for label in (found if isinstance(found, list) else [found]) if label is not None)
    if text is None or not str(text).strip():
        raise ValueError(f"{text_column} is empty; leave the record out")
    if not all(labels) or (not labels and not isinstance(found, list)):
        raise ValueError(f"{label_column} is empty; leave the record out")
    return Example("", str(text).strip(), labels=labels)


def table_records(path: Path) -> Iterator[tuple[int, Mapping[str | None, Any]]]:
    """Yields each record with the number of its last line."""
    if path.suffix in _DIALECTS:
        yield from _table(path, _DIALECTS[path.suffix])
    elif path.suffix == ".jsonl":
        for number, line in numbered_lines(path):
            if line.strip():
                with errors_at(f"{path}, line {number}"):
                    record = json.loads(line)
                yield number, record
    else:
        raise DataError(f"{path}: the suffix must be .jsonl, {' or '.join(_DIALECTS)}")


def _table(path: Path, separator: str) -> list[tuple[int, Mapping[str | None, Any]]]:
    limit = csv.field_size_limit(_LONGEST_CELL)
    lines = (f"{line}\n" for _, line in numbered_lines(path))
    rows = csv.DictReader(lines, delimiter=separator, strict=True)
    try:
        return [(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {rows.reader.line_num}: {error}; double the quotes inside a quoted text"
        ) from error
    finally:
        csv.field_size_limit(limit)
