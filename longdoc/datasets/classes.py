"""Corpora of classes: tables and JSON lines with the columns ``text`` and ``label``."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from longdoc.datasets.examples import Example
from longdoc.errors import DataError

_DIALECTS = {".tsv": "\t", ".csv": ","}


def read_classes(path: Path, *, text_column: str, label_column: str) -> Iterator[Example]:
    """Texts with their class: ``.jsonl``, ``.csv`` or ``.tsv`` with a header; several classes as a JSON list.

    Raises:
        DataError: naming file and line, where a column is missing or a text is empty.
    """
    for number, record in _records(path):
        if text_column not in record or label_column not in record:
            raise DataError(f"{path}, record {number}: no {text_column!r} and {label_column!r}; it has {list(record)}")
        text, found = record[text_column], record[label_column]
        labels = tuple(map(str, found)) if isinstance(found, list) else (str(found).strip(),)
        yield Example(f"{path.stem}-{number}", str(text or "").strip(), labels=labels)


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            if path.suffix == ".jsonl":
                yield from ((number, json.loads(line)) for number, line in enumerate(lines, 1) if line.strip())
            elif path.suffix in _DIALECTS:
                yield from enumerate(csv.DictReader(lines, delimiter=_DIALECTS[path.suffix]), 1)
            else:
                raise DataError(f"{path}: the suffix must be .jsonl, {' or '.join(_DIALECTS)}")
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}: {type(error).__name__}: {error}") from error
