"""Corpora of entities: JSON lines with offsets, and CoNLL columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from longdoc.datasets.examples import Example, checked_span
from longdoc.errors import DataError
from longdoc.labels import Span


def read_jsonl(path: Path) -> Iterator[Example]:
    """JSON lines ``{"id", "text", "entities": [{"start", "end", "text", "label"}]}``.

    Raises:
        DataError: naming file and line, where a record lacks a key or a span's text is not what stands at its offsets.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                text = record["text"]
                spans = tuple(checked_span(entity, text) for entity in record["entities"])
                yield Example(str(record.get("id", number)), text, spans)
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{path}, line {number}: {type(error).__name__}: {error}") from error


def read_conll(path: Path, *, token_column: int, tag_column: int, sentences_per_document: int = 8) -> Iterator[Example]:
    """CoNLL-like columns, a token a line, blank lines between sentences; BIO or IOB1 tags.

    Tokens are joined by a blank, sentences by a line feed. A corpus of single sentences is read as documents of
    ``sentences_per_document``, so that a window sees neighbours.
    """
    sentences: list[list[tuple[str, str]]] = [[]]
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            cells = line.rstrip("\n").split("\t") if "\t" in line else line.split()
            if not line.strip():
                if sentences[-1]:
                    sentences.append([])
            elif not line.startswith("# ") and "-DOCSTART-" not in cells:
                if len(cells) <= max(token_column, tag_column):
                    raise DataError(f"{path}, line {number}: expected column {tag_column}, got {len(cells)} columns")
                sentences[-1].append((cells[token_column], cells[tag_column]))
    filled = [sentence for sentence in sentences if sentence]
    for first in range(0, len(filled), sentences_per_document):
        yield _join_sentences(f"{path.stem}-{first}", filled[first : first + sentences_per_document])


def _join_sentences(identifier: str, sentences: list[list[tuple[str, str]]]) -> Example:
    parts: list[str] = []
    spans: list[Span] = []
    position, previous = 0, "O"
    for sentence in sentences:
        for index, (token, tag) in enumerate(sentence):
            start, end = position, position + len(token)
            prefix, _, label = tag.partition("-")
            continues = prefix == "I" and index > 0 and previous[2:] == label
            if continues:
                spans[-1] = replace(spans[-1], end=end)
            elif label:
                spans.append(Span(start, end, label))
            parts += [token, "\n" if index + 1 == len(sentence) else " "]
            position, previous = end + 1, tag
    return Example(identifier, "".join(parts), tuple(spans))
