"""Corpora of classes: tables and JSON lines with the columns ``text`` and ``label``."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from longdoc.datasets.examples import Example, naming, numbered_lines
from longdoc.errors import DataError

_DIALECTS = {".tsv": "\t", ".csv": ","}
_LONGEST_CELL = 2**31 - 1  # Python's own limit, 131,072 characters, is less than a long document


def read_classes(path: Path, *, text_column: str, label_column: str) -> Iterator[Example]:
    """Texts with their class: ``.jsonl``, ``.csv`` (commas) or ``.tsv`` (tabs) with a header; several as a JSON list.

    Raises:
        DataError: naming file and line, where a column is missing or a text or class is empty.
    """
    for number, (line, record) in enumerate(_records(path), 1):
        with naming(f"{path}, line {line}"):
            example = _example(record, text_column, label_column)
        yield Example(f"{path.stem}-{number}", example.text, labels=example.labels)


def _example(record: Mapping[str | None, Any], text_column: str, label_column: str) -> Example:
    if text_column not in record or label_column not in record:
        raise ValueError(
            f"no {text_column!r} and {label_column!r}; it has {list(record)}: set text_column and label_column. "
            "Columns stand between commas in a .csv, between tabs in a .tsv"
        )
    if None in record:
        raise ValueError("more cells than the header has columns; quote a text that holds the separator")
    text, found = record[text_column], record[label_column]
    labels = tuple(str(label).strip() for label in (found if isinstance(found, list) else [found]) if label is not None)
    if text is None or not str(text).strip():
        raise ValueError(f"{text_column} is empty; leave the record out")
    if not all(labels) or (not labels and not isinstance(found, list)):
        raise ValueError(f"{label_column} is empty; leave the record out")
    return Example("", str(text).strip(), labels=labels)


def _records(path: Path) -> Iterator[tuple[int, Mapping[str | None, Any]]]:
    """Each record with the line it ends in."""
    if path.suffix in _DIALECTS:
        yield from _table(path, _DIALECTS[path.suffix])
    elif path.suffix == ".jsonl":
        for number, line in numbered_lines(path):
            if line.strip():
                with naming(f"{path}, line {number}"):
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
            f"{path}, line {rows.reader.line_num}: {error}; quotes within a quoted text are doubled"
        ) from error
    finally:
        csv.field_size_limit(limit)
