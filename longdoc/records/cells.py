"""A cell of a record: a passage of the document, what it says, and what gave it."""

from __future__ import annotations

from typing import Any

from longdoc.document import Document
from longdoc.findings import place
from longdoc.labels import Answer
from longdoc.values import to_plain

CHECK_BELOW = 0.7
"""A cell whose score is lower is marked for a person to check."""


def cell(
    document: Document,
    start: int,
    end: int,
    *,
    label: str,
    source: str,
    score: float,
    value: Any = None,
) -> Answer:
    """The cell for ``text[start:end]``, without white space at its ends.

    Args:
        document: the document.
        start: first character.
        end: one past the last character.
        label: the field of the record.
        source: what gave it, such as ``opening paragraph``.
        score: how sure it is, 0 to 1.
        value: what the text says, as a date, a duration, a place ...
    """
    passage = document.text[start:end]
    start += len(passage) - len(passage.lstrip())
    end -= len(passage) - len(passage.rstrip())
    found = place(document, start, end)
    return Answer(label=label, source=source, score=score, value=value, check=score < CHECK_BELOW, **found)


def one_line(text: str) -> str:
    """Replaces each run of white space with a single space."""
    return " ".join(text.split())


def cell_to_dict(answer: Answer) -> dict[str, Any]:
    """A cell with what JSON can hold."""
    value = answer.value if answer.value is None or isinstance(answer.value, str) else to_plain(answer.value)
    boxes = [[box.page, box.x0, box.y0, box.x1, box.y1] for box in answer.boxes]
    names = ("text", "start", "end", "page", "section", "score", "source", "check")
    return {**{name: getattr(answer, name) for name in names}, "value": value, "boxes": boxes}
