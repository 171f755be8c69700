r"""BRAT standoff: a zip archive with a ``.txt`` and an ``.ann`` for each document, and the configuration of both.

Unpacked into brat's data folder it is a collection; the reader ``brat`` of ``longdoc.datasets`` reads the folder.
Offsets count code points of ``document.text``. brat counts a Windows line end as one character, so the ``\\r`` of
``\\r\\n`` is written as a space: all offsets stay as they are. A finding over several lines or pages has a fragment for
each.

brat's types consist of ``[a-zA-Z0-9_-]``: other characters of a label become ``_``, and ``visual.conf`` has the label
itself, which brat shows and the reader restores. Scores, values and ``check`` are notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from longdoc.outputs.format import Format, Outcome, PredictionLike
from longdoc.outputs.marks import Mark, marks_of, text_of
from longdoc.outputs.names import Names
from longdoc.outputs.omissions import Omissions, read, telling
from longdoc.summary import on_one_line

_IN_LINES = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
"""Parts of a text without the characters at which brat ends a line of an ``.ann``: those of ``str.splitlines``."""
_ANNOTATION_CONF = """\
[entities]
{types}
[relations]
<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>

[events]

[attributes]
"""
_VISUAL_CONF = """\
# longdoc
[labels]
{labels}
[drawing]
SPAN_DEFAULT\tfgColor:black, bgColor:lightgreen, borderColor:darken
ARC_DEFAULT\tcolor:black, arrowHead:triangle-5
"""
"""The reader takes the labels of a file that starts so."""


def write(outcomes: Iterable[Outcome], stream: IO[bytes]) -> None:
    """Writes two files for each document, and at the end the configuration of brat."""
    files, types = Names(r"[^\w.-]"), Names("[^a-zA-Z0-9_-]")
    with telling("brat") as omissions, ZipFile(stream, "w") as archive:
        for source, prediction in read(outcomes, omissions):
            name = files.new(re.split(r"[/\\]", source)[-1])
            text = text_of(prediction, omissions).replace("\r\n", " \n")
            _add(archive, f"{name}.txt", text)
            _add(archive, f"{name}.ann", "".join(_lines(prediction, text, types, omissions)))
        shown = "".join(f"{type} | {_shown(label)}\n" for label, type in types.given.items())
        _add(archive, "annotation.conf", _ANNOTATION_CONF.format(types="".join(f"{t}\n" for t in types.given.values())))
        _add(archive, "visual.conf", _VISUAL_CONF.format(labels=shown))


def _add(archive: ZipFile, name: str, text: str) -> None:
    """Adds a file without the time, so that the same predictions give the same bytes."""
    archive.writestr(ZipInfo(name), text.encode(), ZIP_DEFLATED)


def _lines(prediction: PredictionLike, text: str, types: Names, omissions: Omissions) -> Iterator[str]:
    omissions.add("classes", len(prediction.labels))
    number = 0
    for mark in marks_of(prediction, omissions):
        fragments = _fragments(mark, text)
        if not any(text[start:end].strip() for start, end in fragments):
            omissions.add("findings of white space alone")
            continue
        number += 1
        ranges = ";".join(f"{start} {end}" for start, end in fragments)
        words = " ".join(text[start:end] for start, end in fragments)
        yield f"T{number}\t{types.of(mark.label)} {ranges}\t{words}\n"
        said = ", ".join(filter(None, (f"score {mark.found.score:.4f}", mark.remark)))
        yield f"#{number}\tAnnotatorNotes T{number}\t{on_one_line(said)}\n"


def _fragments(mark: Mark, text: str) -> list[tuple[int, int]]:
    """The parts of a mark between line ends."""
    lines = _IN_LINES.finditer(text[mark.start : mark.end])
    return [(mark.start + line.start(), mark.start + line.end()) for line in lines]


def _shown(label: str) -> str:
    """A label as brat shows it; what its file cannot hold is percent-encoded."""
    odd = r"[|%\x00-\x1f\x7f-\x9f\u2028\u2029]|^\s+|\s+$"
    return re.sub(odd, lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), label)


FORMAT = Format(
    name="brat",
    description="a zip archive of texts with BRAT's standoff annotations",
    suffix=None,
    streams=False,
    write=write,
    answers=True,
    binary=True,
    failures=False,
)
