"""What annotation formats hold of a prediction: labelled ranges of its text."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longdoc.outputs.format import PredictionLike
from longdoc.outputs.omissions import Omissions
from longdoc.outputs.surrogates import escaped, n_lone, replaced
from longdoc.values import alternative_of

if TYPE_CHECKING:
    from longdoc.labels import Answer, Entity


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding as a labelled, half-open range ``start:end`` of the text."""

    start: int
    end: int
    label: str
    """Of an answer, the field that it fills, or the question; what it is, if it has no label."""
    kind: str
    """``entity``, ``span`` or ``answer``."""
    found: Entity | Answer

    @property
    def remark(self) -> str:
        """What is known of it besides: a typed value with its other reading, and whether a person should look."""
        value = getattr(self.found, "value", None)
        other = None if value is None else alternative_of(value)
        said = [] if value is None else [f"value {value}" if other is None else f"value {value} or {other}"]
        return ", ".join([*said, *(["check"] if getattr(self.found, "check", False) else [])])


def marks_of(prediction: PredictionLike, omissions: Omissions) -> list[Mark]:
    """Everything that was found in the text: entities, then spans, then answers, as the prediction has them.

    What has no place in the text, as the authors that only a file's metadata name, is counted as left out.
    """
    marks = [
        Mark(found.start, found.end, _label(found, kind), kind, found)
        for kind, every in (("entity", prediction.entities), ("span", prediction.spans), ("answer", prediction.answers))
        for found in every
    ]
    count_unplaced(prediction, omissions)
    return marks


def count_unplaced(prediction: PredictionLike, omissions: Omissions) -> None:
    """Counts what is no finding at a place: values of metadata, and what a record holds beside its fields."""
    from longdoc.record_types import all_cells  # not above: `longdoc --help` imports this module and must stay fast

    omissions.add("values that only the metadata of a file have", len(prediction.beside))
    cells = sum(1 for _ in all_cells(prediction.record))
    within = cells - len(prediction.answers) - len(prediction.beside)
    omissions.add("details of the record, such as roles and mentions", max(within, 0))


def _label(found: Entity | Answer, kind: str) -> str:
    label: str = escaped(found.label or getattr(found, "question", "") or kind)
    return label


def text_of(prediction: PredictionLike, omissions: Omissions) -> str:
    """The text of the document as UTF-8 can hold it: U+FFFD for each lone surrogate, which are counted."""
    text = prediction.document.text
    omissions.add("characters that UTF-8 cannot hold, written as U+FFFD", n := n_lone(text))
    return replaced(text) if n else text


def flat(marks: Iterable[Mark]) -> list[Mark]:
    """The marks of which no two overlap, in the order of the text: of two that do the longer, or else the first."""
    kept: list[tuple[int, int, Mark]] = []
    for mark in sorted(marks, key=lambda mark: (mark.start - mark.end, mark.start)):
        at = bisect(kept, mark.start, key=lambda each: each[0])
        is_free = (at == 0 or kept[at - 1][1] <= mark.start) and (at == len(kept) or mark.end <= kept[at][0])
        if is_free:
            insort(kept, (mark.start, mark.end, mark), key=lambda each: each[0])
    return [mark for _, _, mark in kept]


def trimmed(mark: Mark, text: str) -> tuple[int, int]:
    """The range of a mark without the white space at its ends; empty if there is nothing else in it."""
    own = text[mark.start : mark.end]
    start = mark.start + len(own) - len(own.lstrip())
    return start, max(start, mark.start + len(own.rstrip()))


def split(ranges: Iterable[tuple[int, int]], borders: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending ranges that do not overlap, split at the borders inside them, which ascend, too.

    >>> list(split([(0, 3), (4, 6)], [2, 4, 6]))
    [(0, 2), (2, 3), (4, 6)]
    """
    at = 0
    for start, end in ranges:
        left = start
        while at < len(borders) and borders[at] < end:
            if borders[at] > left:
                yield left, borders[at]
                left = borders[at]
            at += 1
        yield left, end
