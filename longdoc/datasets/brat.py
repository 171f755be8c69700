"""BRAT's standoff format: a text, and beside it the file of its annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from longdoc.datasets.examples import Example, check_place, checked_span, naming, numbered_lines, whole_text
from longdoc.errors import DataError
from longdoc.labels import Span

_OTHER_KINDS = re.compile(r"(?:[REAMN]\d+|#\d*|\*)\s")
"""How lines begin that are relations, events, attributes, modifications, normalisations, notes and equivalences."""


def read_brat(path: Path) -> Iterator[Example]:
    """BRAT standoff (Stenetorp et al., 2012): every ``.txt`` with its ``.ann`` in a folder and those below it.

    Only ``T`` lines are read. A discontinuous span becomes the one that covers all its fragments: BRAT also writes a
    span that goes on in the next line of text as two, and a flat head learns neither gaps nor halves. Where such a
    span then overlaps another, :func:`longdoc.datasets.check_overlaps` says so.

    Args:
        path: the folder, or one of the two files of a document.

    Raises:
        DataError: naming file and line, where an annotation is malformed or its text stands elsewhere; or naming the
            file whose text or annotations are missing.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(folder.rglob("*")) if path.is_dir() else [path]
    stems = dict.fromkeys(str(file)[: -len(".txt")] for file in files if file.suffix in (".txt", ".ann"))
    for text_file, marks_file in ((Path(f"{stem}.txt"), Path(f"{stem}.ann")) for stem in stems):
        for file, other in ((text_file, marks_file), (marks_file, text_file)):
            if not file.exists():
                raise DataError(f"{file}: missing beside {other.name}; an empty .ann says that nothing is marked")
        text, spans = whole_text(text_file), []
        for number, line in numbered_lines(marks_file):
            with naming(f"{marks_file}, line {number}"):
                spans += _spans(line, text)
        yield Example(text_file.relative_to(folder).with_suffix("").as_posix(), text, tuple(spans))


def _spans(line: str, text: str) -> list[Span]:
    """The entity of a line; none where the line is of another kind."""
    if not line.strip() or _OTHER_KINDS.match(line):
        return []
    identifier, *cells = line.split("\t", 2)
    if not identifier.startswith("T") or len(cells) != 2:
        raise ValueError(f"no line of BRAT's: {line!r}; an entity is T1, a tab, label start end, a tab, its text")
    label, _, places = cells[0].partition(" ")
    fragments = [(int(start), int(end)) for start, end in map(str.split, places.split(";"))]
    for start, end in fragments:
        checked_span({"start": start, "end": end, "label": label}, text)
    start, end = min(fragments)[0], max(end for _, end in fragments)
    found = " ".join(text[start:end] for start, end in fragments)
    check_place(text, start, end, _one_line(cells[1]), _one_line(found))
    return [Span(start, end, label)]


def _one_line(text: str) -> str:
    """The text as BRAT repeats it in an annotation, without line ends."""
    return re.sub(r"\s+", " ", text)
