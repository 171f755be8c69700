"""PubTator's format: titles and abstracts of papers with their annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import checked_span, errors_at, numbered_lines
from longdoc.datasets.remarks import Remarks, remarks_on
from longdoc.labels import Span

_PASSAGE = re.compile(r"([^|\t]+)\|([ta])\|(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PubtatorConfig(ReaderConfig):
    """Keys of the reader ``pubtator``."""

    reader: Literal["pubtator"]


def read_pubtator(path: Path, *, remarks: Remarks | None = None) -> Iterator[Example]:
    """Reads PubTator (Wei et al., 2013): title and abstract, joined by a line feed, with the entities of both.

    Concept identifiers and the individual parts of composite mentions are ignored. Relations are counted in the
    remarks; without a caller's, the number is logged.

    Raises:
        DataError: an annotation is malformed, belongs to another document or its text is not the text at its offsets;
            names file and line.
    """
    with remarks_on(path, remarks) as noted:
        block: list[tuple[int, str]] = []
        for number, line in numbered_lines(path):
            passage = _PASSAGE.fullmatch(line)
            if block and passage and passage[2] == "t":
                yield _document(path, block, noted)
                block = []
            if line.strip():
                block.append((number, line))
        if block:
            yield _document(path, block, noted)


def _document(path: Path, block: Sequence[tuple[int, str]], remarks: Remarks) -> Example:
    passages, spans = [], []
    for index, (number, line) in enumerate(block):
        with errors_at(f"{path}, line {number}"):
            passage = _PASSAGE.fullmatch(line)
            if index < 2:
                if passage is None or passage[2] != "ta"[index]:
                    raise ValueError(f"a document must begin with ID|t|title and ID|a|abstract, got {line[:60]!r}")
                passages.append(passage)
            else:
                found = _spans(line, passages[0][1], f"{passages[0][3]}\n{passages[1][3]}")
                spans += found
                if not found:
                    remarks.add("relation, not read", f"{path}, line {number}")
    with errors_at(f"{path}, line {block[-1][0]}"):
        if len(passages) < 2:
            raise ValueError(f"document {passages[0][1]} has no abstract; an empty one is written {passages[0][1]}|a|")
    return Example(passages[0][1], f"{passages[0][3]}\n{passages[1][3]}", tuple(spans))


def _spans(line: str, identifier: str, text: str) -> list[Span]:
    """The entity on a line; empty if the line is a relation."""
    cells = line.split("\t")
    if cells[0] != identifier:
        raise ValueError(f"an annotation of document {cells[0][:60]!r} among those of {identifier!r}")
    if len(cells) >= 4 and not cells[1].lstrip("-").isdecimal():
        return []
    if len(cells) < 5:
        raise ValueError(f"expected ID, start, end, mention and type, separated by tabs, got {len(cells)} cells")
    start, end, mention, label = cells[1:5]
    return [checked_span({"start": int(start), "end": int(end), "text": mention, "label": label}, text)]
