"""BRAT's standoff format: each text has its annotations in a file next to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import check_span_text, checked_span, errors_at, numbered_lines, read_text
from longdoc.errors import DataError
from longdoc.labels import Span

_OTHER_KINDS = re.compile(r"(?:[REAMN]\d+|#\d*|\*)\s")
"""Start of a line that is a relation, event, attribute, modification, normalisation, note or equivalence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BratConfig(ReaderConfig):
    """Keys of the reader ``brat``."""

    reader: Literal["brat"]


def read_brat(path: Path) -> Iterator[Example]:
    """Reads BRAT standoff (Stenetorp et al., 2012): every ``.txt`` with its ``.ann`` in a folder and its subfolders.

    Only ``T`` lines are read. A discontinuous span becomes one span from the start of its first fragment to the end of
    its last: BRAT also splits a span at every line end, and a flat head cannot learn gaps. If such a span overlaps
    another, :func:`longdoc.datasets.check_overlaps` reports it.

    Args:
        path: the folder, or one of the two files of a document.

    Raises:
        DataError: an annotation is malformed or its text is not the text at its offsets (names file and line), or a
            text or its annotations are missing (names the file).
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(folder.rglob("*")) if path.is_dir() else [path]
    stems = dict.fromkeys(str(file)[: -len(".txt")] for file in files if file.suffix in (".txt", ".ann"))
    for text_file, annotation_file in ((Path(f"{stem}.txt"), Path(f"{stem}.ann")) for stem in stems):
        for file, other in ((text_file, annotation_file), (annotation_file, text_file)):
            if not file.exists():
                raise DataError(f"{file}: missing next to {other.name}; a text without annotations needs an empty .ann")
        text, spans = read_text(text_file), []
        for number, line in numbered_lines(annotation_file):
            with errors_at(f"{annotation_file}, line {number}"):
                spans += _spans(line, text)
        yield Example(text_file.relative_to(folder).with_suffix("").as_posix(), text, tuple(spans))


def _spans(line: str, text: str) -> list[Span]:
    """The entity on a line; empty if the line is not an entity."""
    if not line.strip() or _OTHER_KINDS.match(line):
        return []
    identifier, *cells = line.split("\t", 2)
    if not identifier.startswith("T") or len(cells) != 2:
        raise ValueError(f"not a BRAT annotation: {line!r}; an entity is T1, a tab, label start end, a tab, its text")
    label, _, ranges = cells[0].partition(" ")
    fragments = [(int(start), int(end)) for start, end in map(str.split, ranges.split(";"))]
    for start, end in fragments:
        checked_span({"start": start, "end": end, "label": label}, text)
    start, end = min(fragments)[0], max(end for _, end in fragments)
    found = " ".join(text[start:end] for start, end in fragments)
    check_span_text(text, start, end, _one_line(cells[1]), _one_line(found))
    return [Span(start, end, label)]


def _one_line(text: str) -> str:
    """The text as BRAT repeats it in an annotation: line ends are spaces."""
    return re.sub(r"\s+", " ", text)
