"""Corpora of entities: JSON lines with offsets, and CoNLL columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from longdoc.datasets.examples import Example, checked_span, naming, numbered_lines
from longdoc.errors import DataError
from longdoc.labels import Span

_TAG = re.compile(r"O|[BIMELSU]-.+")
_INSIDE, _CLOSING = frozenset("IMEL"), frozenset("ELSU")


def read_jsonl(path: Path) -> Iterator[Example]:
    """JSON lines ``{"id", "text", "entities": [{"start", "end", "text", "label"}], "labels": [...]}``.

    An entity may be a triple ``[start, end, label]``, which names no text to check. ``labels``, or ``label`` as in
    doccano's exports, holds classes (strings) or such entities; spaCy's pairs ``[text, {"entities": [...]}]`` do too.

    Raises:
        DataError: naming file and line, where a record lacks a key or a span's text is not what stands at its offsets.
    """
    for number, line in numbered_lines(path):
        if line.strip():
            with naming(f"{path}, line {number}"):
                example = _from_record(json.loads(line), number)
            yield example


def _from_record(record: Any, number: int) -> Example:
    if isinstance(record, list):
        text, marks = record
        record = {"text": text, **marks}
    fields = [name for name in ("entities", "labels", "label") if name in record]
    if not fields:
        raise ValueError(f"no 'entities', 'labels' or 'label'; it has {list(record)}")
    marks = [mark for name in fields for mark in (record[name] if isinstance(record[name], list) else [record[name]])]
    spans = tuple(_span(mark, record["text"]) for mark in marks if not isinstance(mark, str))
    classes = tuple(mark for mark in marks if isinstance(mark, str))
    return Example(str(record.get("id", number)), record["text"], spans, labels=classes)


def _span(mark: Mapping[str, Any] | Sequence[Any], text: str) -> Span:
    if isinstance(mark, Mapping):
        return checked_span(mark, text)
    start, end, label = mark
    return checked_span({"start": start, "end": end, "label": label}, text)


def read_conll(path: Path, *, token_column: int, tag_column: int, sentences_per_document: int = 8) -> Iterator[Example]:
    """CoNLL-like columns, a token a line, blank lines between sentences; IOB1, IOB2, BIOES, BILOU or IO tags.

    Tokens are joined by a blank, sentences by a line feed. ``-DOCSTART-`` lines separate documents. A file without
    them, a corpus of single sentences, is read as documents of ``sentences_per_document``, so that a window sees
    neighbours.

    Raises:
        DataError: naming file and line, where a column is missing, a token empty or a tag of no such scheme.
    """
    documents: list[list[list[tuple[str, str]]]] = [[[]]]
    for number, line in numbered_lines(path):
        cells = line.split("\t") if "\t" in line else line.split()
        if "-DOCSTART-" in cells:
            documents.append([[]])
        elif not line.strip():
            documents[-1].append([])
        elif not _is_comment(line, cells, tag_column):
            if len(cells) <= max(token_column, tag_column):
                wanted = f"expected column {max(token_column, tag_column)}, from 0, got {len(cells)} columns"
                raise DataError(f"{path}, line {number}: {wanted}; set token_column and tag_column")
            with naming(f"{path}, line {number}"):
                documents[-1][-1].append((_token(cells[token_column]), check_tag(cells[tag_column])))
    filled = [[sentence for sentence in document if sentence] for document in documents]
    filled = [document for document in filled if document]
    if len(filled) == 1:
        (all_of_it,) = filled
        filled = [all_of_it[i : i + sentences_per_document] for i in range(0, len(all_of_it), sentences_per_document)]
    first = 0
    for document in filled:
        yield join_sentences(f"{path.stem}-{first}", document)
        first += len(document)


def _is_comment(line: str, cells: Sequence[str], tag_column: int) -> bool:
    """Whether a line is a comment, not the token ``#`` with its tag."""
    tag = cells[tag_column] if len(cells) > tag_column else ""
    return line.startswith("# ") and not _TAG.fullmatch(tag)


def _token(token: str) -> str:
    if not token.strip():
        raise ValueError("the token is empty; leave the line out")
    return token


def check_tag(tag: str) -> str:
    """The tag, or a ValueError where no scheme of tags has it."""
    if not _TAG.fullmatch(tag):
        raise ValueError(f"{tag!r} is no tag; allowed: O, and a label after B-, I-, E-, S- (BIOES) or L-, U- (BILOU)")
    return tag


def join_sentences(identifier: str, sentences: Sequence[Sequence[tuple[str, str]]]) -> Example:
    """One document of sentences of tokens with their tags: tokens joined by a blank, sentences by a line feed."""
    parts: list[str] = []
    spans: list[Span] = []
    position = 0
    for sentence in sentences:
        running = ""  # label of the entity that the next token may continue
        for index, (token, tag) in enumerate(sentence):
            start, end = position, position + len(token)
            prefix, _, label = tag.partition("-")
            if label and prefix in _INSIDE and label == running:
                spans[-1] = replace(spans[-1], end=end)
            elif label:
                spans.append(Span(start, end, label))
            running = "" if prefix in _CLOSING else label
            parts += [token, "\n" if index + 1 == len(sentence) else " "]
            position = end + 1
    return Example(identifier, "".join(parts), tuple(spans))
