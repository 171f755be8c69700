"""BRAT's standoff format: each text has its annotations in a file next to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example
from longdoc.datasets.records import (
    Counting,
    check_span_text,
    checked_span,
    errors_at,
    numbered_lines,
    read_counted,
    read_text,
)
from longdoc.datasets.remarks import Remarks, remarks_on
from longdoc.errors import DataError
from longdoc.labels import Span

_OTHER_KINDS = re.compile(r"([REAMN])\d+\s|(#)\d*\s|(\*)\s")
"""Start of a line that is not an entity."""
_BY_LONGDOC = "# longdoc\n"
"""Start of a ``visual.conf`` whose labels are those that longdoc found, and brat's types stand for."""
_NAMES = {
    "R": "relation",
    "E": "event",
    "A": "attribute",
    "M": "modification",
    "N": "normalisation",
    "#": "note",
    "*": "equivalence",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BratConfig(ReaderConfig):
    """Keys of the reader ``brat``."""

    reader: Literal["brat"]


def read_brat(path: Path, *, remarks: Remarks | None = None) -> Iterator[Example]:
    """Reads BRAT standoff (Stenetorp et al., 2012): every ``.txt`` with its ``.ann`` in a folder and its subfolders.

    Only ``T`` lines are read; relations, events, attributes, normalisations and notes are counted in the remarks. A
    discontinuous span becomes one span from the start of its first fragment to the end of its last: BRAT also splits a
    span at every line end, and a flat head cannot learn gaps. If such a span overlaps another,
    :func:`longdoc.datasets.check_overlaps` reports it.

    The ``visual.conf`` next to a text, or else the nearest one above it up to ``path``, has the labels that its types
    stand for, if longdoc wrote it.

    Offsets count characters. Where the texts of a file's spans fit only if a Windows line end is one character, as BRAT
    itself counts it, or if characters are UTF-16 units, they are read so.

    Args:
        path: the folder, or one of the two files of a document.
        remarks: collects what is not read; by default it is logged.

    Raises:
        DataError: an annotation is malformed or its text is not the text at its offsets (names file and line), or a
            text or its annotations are missing (names the file).
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(folder.rglob("*")) if path.is_dir() else [path]
    known: dict[Path, dict[str, str]] = {}
    stems = dict.fromkeys(str(file)[: -len(".txt")] for file in files if file.suffix in (".txt", ".ann"))
    with remarks_on(path, remarks) as noted:
        for text_file, annotation_file in ((Path(f"{stem}.txt"), Path(f"{stem}.ann")) for stem in stems):
            for file, other in ((text_file, annotation_file), (annotation_file, text_file)):
                if not file.exists():
                    raise DataError(
                        f"{file}: missing next to {other.name}; a text without annotations needs an empty .ann"
                    )
            text, labels = read_text(text_file), _labels(text_file.parent, folder, known)
            spans = [replace(s, label=labels.get(s.label, s.label)) for s in _entities(annotation_file, text, noted)]
            yield Example(text_file.relative_to(folder).with_suffix("").as_posix(), text, tuple(spans))


def _labels(folder: Path, top: Path, known: dict[Path, dict[str, str]]) -> dict[str, str]:
    """The labels by type in the configuration of a folder, or else of the nearest one above it up to ``top``."""
    if folder not in known:
        file = folder / "visual.conf"
        if file.is_file() or folder == top:
            known[folder] = _configured(file)
        else:
            known[folder] = _labels(folder.parent, top, known)
    return known[folder]


def _configured(file: Path) -> dict[str, str]:
    """The labels by type in the configuration that longdoc wrote for brat; none in any other."""
    text = read_text(file) if file.is_file() else ""
    if not text.startswith(_BY_LONGDOC):
        return {}
    lines = text.partition("[labels]\n")[2].partition("\n[")[0].splitlines()
    pairs = (line.partition(" | ") for line in lines)
    return {type: unquote(label) for type, found, label in pairs if found}


def _entities(file: Path, text: str, remarks: Remarks) -> list[Span]:
    lines = [(f"{file}, line {number}", line) for number, line in numbered_lines(file) if line.strip()]
    entities = []
    for where, line in lines:
        other = _OTHER_KINDS.match(line)
        if other is None:
            entities.append((where, line))
        else:
            remarks.add(f"{_NAMES[other[1] or other[2] or other[3]]}, not read", where)

    def read(counting: Counting) -> list[tuple[Span, bool]]:
        found = []
        for where, line in entities:
            with errors_at(where):
                found.append(_entity(line, text, counting))
        return found

    spans, _ = read_counted(text, read)
    for (_, has_gap), (where, _) in zip(spans, entities, strict=True):
        if has_gap:
            remarks.add("discontinuous span, read from its first fragment to its last", where)
    return [span for span, _ in spans]


def _entity(line: str, text: str, counting: Counting) -> tuple[Span, bool]:
    """The entity on a line, and whether it has a gap that is more than the end of a line."""
    identifier, *cells = line.split("\t", 2)
    if not identifier.startswith("T") or len(cells) != 2:
        raise ValueError(f"not a BRAT annotation: {line!r}; an entity is T1, a tab, label start end, a tab, its text")
    label, _, ranges = cells[0].partition(" ")
    pairs = [(int(start), int(end)) for start, end in map(str.split, ranges.split(";"))]
    fragments = [(counting.place(start), counting.place(end)) for start, end in pairs]
    for start, end in fragments:
        checked_span({"start": start, "end": end, "label": label}, text)
    start, end = min(fragments)[0], max(end for _, end in fragments)
    found = " ".join(text[start:end] for start, end in fragments)
    check_span_text(text, start, end, _one_line(cells[1]), _one_line(found))
    ordered = sorted(fragments)
    gaps = (text[left[1] : right[0]] for left, right in pairwise(ordered))
    return Span(start, end, label), any(gap.strip() for gap in gaps)


def _one_line(text: str) -> str:
    """The text as BRAT repeats it in an annotation: line ends are spaces."""
    return re.sub(r"\s+", " ", text)
