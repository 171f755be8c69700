"""PubTator's format: titles and abstracts of papers, each followed by its annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from longdoc.datasets.examples import Example, checked_span, naming, numbered_lines
from longdoc.labels import Span

_PASSAGE = re.compile(r"([^|\t]+)\|([ta])\|(.*)")


def read_pubtator(path: Path) -> Iterator[Example]:
    """PubTator (Wei et al., 2013): title and abstract, joined by a line feed, with the entities of both.

    Relations are passed over, and so are concept identifiers, composite ones with the parts of their mention too.

    Raises:
        DataError: naming file and line, where an annotation is malformed, belongs to another document or does not
            stand where it says.
    """
    block: list[tuple[int, str]] = []
    for number, line in numbered_lines(path):
        passage = _PASSAGE.fullmatch(line)
        if block and passage and passage[2] == "t":
            yield _document(path, block)
            block = []
        if line.strip():
            block.append((number, line))
    if block:
        yield _document(path, block)


def _document(path: Path, block: Sequence[tuple[int, str]]) -> Example:
    passages, spans = [], []
    for place, (number, line) in enumerate(block):
        with naming(f"{path}, line {number}"):
            passage = _PASSAGE.fullmatch(line)
            if place < 2:
                if passage is None or passage[2] != "ta"[place]:
                    raise ValueError(f"a document begins with ID|t|title and ID|a|abstract; got {line[:60]!r}")
                passages.append(passage)
            else:
                spans += _spans(line, passages[0][1], f"{passages[0][3]}\n{passages[1][3]}")
    with naming(f"{path}, line {block[-1][0]}"):
        if len(passages) < 2:
            raise ValueError(f"document {passages[0][1]} has no abstract; an empty one is {passages[0][1]}|a|")
    return Example(passages[0][1], f"{passages[0][3]}\n{passages[1][3]}", tuple(spans))


def _spans(line: str, identifier: str, text: str) -> list[Span]:
    """The entity of a line; none where the line is a relation."""
    cells = line.split("\t")
    if cells[0] != identifier:
        raise ValueError(f"an annotation of {cells[0][:60]!r} among those of {identifier!r}")
    if len(cells) >= 4 and not cells[1].lstrip("-").isdecimal():
        return []
    if len(cells) < 5:
        raise ValueError(f"expected ID, start, end, mention and type with tabs between them, got {len(cells)} cells")
    start, end, said, label = cells[1:5]
    return [checked_span({"start": int(start), "end": int(end), "text": said, "label": label}, text)]
