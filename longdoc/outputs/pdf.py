"""A PDF with what was found in it: the original pages, highlights with notes, and bookmarks by label."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import IO, TYPE_CHECKING, Any

from longdoc.errors import ConfigError, DocumentError, OutputWarning, require
from longdoc.outputs.format import Format, Outcome, PredictionLike, is_doubtful, passages
from longdoc.outputs.marks import count_unplaced
from longdoc.outputs.omissions import Omissions, read, telling
from longdoc.pdf_files import Bounds, Frame, check_is_pdf, opened, saved
from longdoc.summary import OBEYED, count, given_by, place, shortened

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.labels import Answer, Entity
    from longdoc.parts import Box

COLOURS = (
    ((0.72, 0.87, 0.97), (0.00, 0.45, 0.70)),  # blue
    ((1.00, 0.87, 0.62), (0.90, 0.62, 0.00)),  # orange
    ((0.70, 0.91, 0.82), (0.00, 0.62, 0.45)),  # green
    ((0.96, 0.80, 0.90), (0.80, 0.47, 0.65)),  # pink
    ((0.99, 0.94, 0.60), (0.72, 0.63, 0.00)),  # yellow
    ((0.99, 0.79, 0.69), (0.84, 0.37, 0.00)),  # vermilion
    ((0.80, 0.82, 0.95), (0.33, 0.33, 0.62)),  # violet
    ((0.87, 0.87, 0.87), (0.45, 0.45, 0.45)),  # grey
)
"""Of a highlight and of the line below it, told apart by colour-blind readers, too (after Okabe and Ito)."""
_LINE = 0.08  # of the height of a highlight: the line below it
_LONG = 200  # characters: a longer passage is paler, since other findings are in it
_DEEPEST = 6  # highlights on one another whose lines lie apart
_DASH = 3.0  # points of a dash, and of the gap after it
_NOTE = 120  # characters of a text in a bookmark
_PRINTED = 4  # the flag of annotations that are printed, too
_OBEYED = re.compile(f"(?!\n)[{OBEYED}]")


@dataclass(frozen=True, slots=True)
class _Mark:
    """A finding on the pages."""

    label: str
    found: Entity | Answer
    index: int
    """In the order of the text."""

    @property
    def is_long(self) -> bool:
        """Whether it is a passage in which other findings are."""
        return len(self.found.text) > _LONG

    @property
    def is_doubtful(self) -> bool:
        """Whether a person should check it."""
        return is_doubtful(self.found)

    @property
    def note(self) -> str:
        """What the note says: the label, the value if there is one, the score and the place."""
        from longdoc.labels import Answer  # not above: `longdoc --help` imports this module and must stay fast

        value = getattr(self.found, "value", None)
        first = self.label if value is None else f"{self.label}: {value}"
        check = ", check" if self.is_doubtful else ""
        given = given_by(self.found) if isinstance(self.found, Answer) else ""
        return _plain(f"{first}\nscore {self.found.score:.2f}, {place(self.found)}{given}{check}")


def write(outcomes: Iterable[Outcome], stream: IO[bytes]) -> None:
    """Writes the original of one document with a highlight for each finding.

    A finding on several lines has a quadrilateral for each. The original's encryption is kept.

    Raises:
        MissingDependencyError: pikepdf is not installed.
        ConfigError: there is not one document.
        DataError: the document was not loaded from a PDF, or the file is not there or has changed.
        DocumentError: it could not be read, or the file is too damaged to be changed.
    """
    given = list(islice(outcomes, 2))
    if len(given) != 1:
        raise ConfigError(
            f"the format pdf holds one document, got {'none' if not given else 'several'}; write each to a file"
        )
    (outcome,) = given
    if isinstance(outcome.result, DocumentError):
        raise outcome.result
    document, original = outcome.result.document, outcome.original
    check(document)
    content = original.content(document)
    opening = opened(content, document.source.name, original.password, "the format pdf")
    with telling("pdf") as omissions, opening as (pdf, frames):
        for _, prediction in read(given, omissions):
            _annotate(pdf, frames, _marks(prediction), document.source.name, omissions)
            omissions.add("classes", len(prediction.labels))
            count_unplaced(prediction, omissions)
        stream.write(saved(pdf, encrypted=pdf.is_encrypted))


def check(document: Document) -> None:
    """Refuses what was not loaded from a PDF.

    Raises:
        DataError: it was not.
        MissingDependencyError: pikepdf is not installed.
    """
    check_is_pdf(document, "the format pdf")
    require("pikepdf", extra="pdf", needed_by="the format pdf")


def _marks(prediction: PredictionLike) -> list[_Mark]:
    """The findings, in the order of the text."""
    found: list[tuple[str, Entity | Answer]] = [(entity.label, entity) for entity in prediction.entities]
    found += [(label, each) for label, own in passages(prediction).items() for each in own if each.end > each.start]
    found.sort(key=lambda each: (each[1].start, -each[1].end))
    return [_Mark(_plain(label), each, index) for index, (label, each) in enumerate(found)]


def _annotate(pdf: Any, frames: Sequence[Frame], marks: Sequence[_Mark], name: str, omissions: Omissions) -> None:
    """Adds highlights and bookmarks; counts findings without a place."""
    labels = sorted({mark.label for mark in marks})
    colours = {label: COLOURS[at % len(COLOURS)] for at, label in enumerate(labels)}
    new: dict[int, list[Any]] = {}
    for mark, depth in _layered(marks):
        for page, boxes in groupby(mark.found.boxes, key=lambda box: box.page):
            highlight = _highlight(pdf, frames[page - 1], list(boxes), mark, colours[mark.label], depth)
            new.setdefault(page, []).append(highlight)
    for page, highlights in new.items():
        own = pdf.pages[page - 1].obj
        own.Annots = _array([*own.get("/Annots", ()), *highlights])
    placed = [mark for mark in marks if mark.found.boxes]
    _add_bookmarks(pdf, frames, placed, labels, colours)
    omissions.add("findings without a place on a page", len(marks) - len(placed))
    if _is_signed(pdf):
        warnings.warn(
            f"{name}: is signed; the signature does not hold for the PDF with highlights", OutputWarning, stacklevel=4
        )


def _layered(marks: Sequence[_Mark]) -> Iterator[tuple[_Mark, int]]:
    """The marks, the longest first, so that those within others can be clicked; and on how many others each lies.

    Long passages do not count: they are pale.
    """
    depths = bytearray(max((mark.found.end for mark in marks), default=0))
    for mark in sorted(marks, key=lambda mark: mark.found.start - mark.found.end):
        start, end = mark.found.start, mark.found.end
        if mark.is_long:
            yield mark, 0
        else:
            depth = max(depths[start:end])
            depths[start:end] = bytes([min(depth + 1, _DEEPEST)]) * (end - start)
            yield mark, depth


def _array(items: Iterable[Any]) -> Any:
    import pikepdf

    return pikepdf.Array(items)


def _highlight(pdf: Any, frame: Frame, boxes: list[Box], mark: _Mark, colours: Any, depth: int) -> Any:
    """The annotation for the boxes of a finding on one page, which lies on ``depth`` others."""
    from pikepdf import Dictionary, Name

    bounds = [frame.bounds(box) for box in boxes]
    corners = [coordinate for box in boxes for point in frame.corners(box) for coordinate in point]
    annotation = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Highlight,
        Rect=_numbers(_around(bounds)),
        QuadPoints=_numbers(corners),
        C=_numbers(colours[0]),
        F=_PRINTED,
        NM=f"longdoc-{mark.index}-{boxes[0].page}",
        T="longdoc",
        Subj=mark.label,
        Contents=mark.note,
        AP=Dictionary(N=_appearance(pdf, frame, boxes, colours, depth, mark)),
        P=pdf.pages[boxes[0].page - 1].obj,
    )
    return pdf.make_indirect(annotation)


def _appearance(pdf: Any, frame: Frame, boxes: list[Box], colours: Any, depth: int, mark: _Mark) -> Any:
    """How the highlight is drawn: it darkens the page, so that the text stays as it is; a line runs below it.

    One that lies on others has only the line, above theirs: colours on colours cannot be told apart. A doubtful one is
    pale, and its line dashed.
    """
    from pikepdf import Dictionary, Name, Stream

    fill, line = colours
    filled = boxes if depth == 0 else []
    drawn = ["/G gs", _operands(fill) + " rg"]
    drawn += [_operands(_rectangle(frame.bounds(box))) + " re" for box in filled] + ["f", _operands(line) + " rg"]
    for box in boxes:
        thick = (_LINE / 2 if mark.is_long else _LINE) * (box.y1 - box.y0)
        low = box.y1 - depth * 1.5 * thick
        for left, right in _dashes(box) if mark.is_doubtful else [(box.x0, box.x1)]:
            below = type(box)(box.page, left, low - thick, right, low)
            drawn.append(_operands(_rectangle(frame.bounds(below))) + " re")
    state = Dictionary(Type=Name.ExtGState, BM=Name.Multiply, ca=0.45 if mark.is_long or mark.is_doubtful else 1)
    form = Stream(pdf, "\n".join([*drawn, "f"]).encode())
    form.Type, form.Subtype = Name.XObject, Name.Form
    form.BBox = _numbers(_around([frame.bounds(box) for box in boxes]))
    form.Resources = Dictionary(ExtGState=Dictionary(G=state))
    return pdf.make_indirect(form)


def _dashes(box: Box) -> Iterator[tuple[float, float]]:
    """The left and the right of dashes over the width of a box."""
    left = box.x0
    while left < box.x1:
        yield left, min(left + _DASH, box.x1)
        left += 2 * _DASH


def _around(bounds: Sequence[Bounds]) -> Bounds:
    lefts, bottoms, rights, tops = zip(*bounds, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _rectangle(bounds: Bounds) -> tuple[float, float, float, float]:
    """The left, bottom, width and height."""
    left, bottom, right, top = bounds
    return left, bottom, right - left, top - bottom


def _operands(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.3f}" for number in numbers)


def _numbers(numbers: Iterable[float]) -> Any:
    return _array(round(float(number), 3) for number in numbers)


def _plain(text: str) -> str:
    """A text without control characters, which PDF viewers may obey, and lone surrogates, which PDF cannot hold."""
    return _OBEYED.sub("\ufffd", text)


def _add_bookmarks(
    pdf: Any, frames: Sequence[Frame], marks: Sequence[_Mark], labels: Sequence[str], colours: Any
) -> None:
    """Adds a bookmark for each label, below it one for each finding, after the bookmarks that there are."""
    from pikepdf import Dictionary, Name

    if not marks:
        return
    root = pdf.Root.get("/Outlines")
    if not isinstance(root, Dictionary):
        root = pdf.Root.Outlines = pdf.make_indirect(Dictionary(Type=Name.Outlines))
    n_doubtful = sum(mark.is_doubtful for mark in marks)
    legend = f"; {n_doubtful:,} to check: pale, dashed line" if n_doubtful else ""
    top = _bookmark(pdf, root, f"longdoc: {count(len(marks), 'finding')}{legend}")
    previous = _last(root)
    _append(root, top, previous)
    for label in labels:
        own = [mark for mark in marks if mark.label == label]
        if own:
            node = _bookmark(pdf, top, f"{label} ({len(own)})", C=_numbers(colours[label][1]), F=2)
            _append(top, node, top.get("/Last"))
            for mark in own:
                title = f"{_plain(shortened(mark.found.text, _NOTE))}, page {mark.found.page}"
                _append(node, _bookmark(pdf, node, title, Dest=_destination(pdf, frames, mark)), node.get("/Last"))
            node.Count = -len(own)  # closed
    top.Count = sum(1 for _ in _siblings(top.get("/First")))
    root.Count = max(int(root.get("/Count", 0)), 0) + 1 + int(top.Count)


def _bookmark(pdf: Any, parent: Any, title: str, **more: Any) -> Any:
    from pikepdf import Dictionary

    return pdf.make_indirect(Dictionary(Title=title, Parent=parent, **more))


def _append(parent: Any, node: Any, previous: Any) -> None:
    if previous is None:
        parent.First = node
    else:
        node.Prev, previous.Next = previous, node
    parent.Last = node


def _last(root: Any) -> Any:
    """The last bookmark of the outermost level, by the links between them: /Last may be wrong."""
    *_, last = None, *_siblings(root.get("/First"))
    return last


def _siblings(first: Any) -> Iterator[Any]:
    """Bookmarks of one level, each once."""
    from pikepdf import Dictionary

    seen = set()
    while isinstance(first, Dictionary) and first.objgen not in seen:
        yield first
        seen.add(first.objgen)
        first = first.get("/Next")


def _destination(pdf: Any, frames: Sequence[Frame], mark: _Mark) -> Any:
    """The top of the finding, a little below the top of the window; the zoom stays."""
    from pikepdf import Name

    box = mark.found.boxes[0]
    left, _, _, top = frames[box.page - 1].bounds(box)
    return _array([pdf.pages[box.page - 1].obj, Name.XYZ, round(max(left - 36, 0), 1), round(top + 36, 1), 0])


def _is_signed(pdf: Any) -> bool:
    form = pdf.Root.get("/AcroForm")
    return form is not None and bool(int(form.get("/SigFlags", 0)) & 1)


FORMAT = Format(
    name="pdf",
    description="the original PDF with a highlight and a note for each finding, and bookmarks",
    suffix=".pdf",
    streams=False,
    write=write,
    check=check,
    answers=True,
    binary=True,
    single=True,
)
