"""Annotated documents, as every reader yields them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.errors import DataError
from longdoc.labels import Span

SHOWN = 10
"""Repeated ids that an error names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a document, or a hypothesis about it.

    Each span in ``answers`` is a complete answer; their labels are not used. No span means that the document does not
    answer the question. For a hypothesis the spans are the evidence, and ``label`` is the relation of the document to
    it (entailment, contradiction, not mentioned).
    """

    id: str
    text: str
    answers: tuple[Span, ...] = ()
    label: str | None = None
    category: str | None = None
    """What the question asks for, if several wordings ask for the same."""


@dataclass(frozen=True, slots=True)
class Example:
    """A document with the annotations that its corpus has: entities, questions, classes.

    Raises:
        DataError: two questions have the same id, so that one of them would be left out; a question is no
            :class:`Question`, or a text no text.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    """Entities."""
    questions: tuple[Question, ...] = ()
    labels: tuple[str, ...] = ()
    """Classes of the document."""

    def __post_init__(self) -> None:
        if not isinstance(self.questions, (tuple, list)) or not all(isinstance(q, Question) for q in self.questions):
            raise DataError(f"{self.id}: questions is {self.questions!r:.60}; give a tuple of Question")
        for text in (self.text, *(question.text for question in self.questions)):
            _check_text(self.id, text)
        times = Counter(question.id for question in self.questions)
        if repeated := [name for name, number in times.items() if number > 1]:
            more = f" and {len(repeated) - SHOWN:,} more" if len(repeated) > SHOWN else ""
            raise DataError(
                f"{self.id}: several questions have the id {', '.join(map(repr, repeated[:SHOWN]))}{more}; "
                "give each question of a document an id of its own"
            )


def _check_text(example: str, text: object) -> None:
    """Refuses what no tokenizer reads."""
    if not isinstance(text, str):
        raise DataError(f"{example}: a text is {text!r:.40}; give a string")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{example}: a text has half a surrogate pair at {error.start}, U+{ord(text[error.start]):04X}, which is "
            "no character; write it again from the source, or replace it by U+FFFD"
        ) from error


def first_wordings(questions: Sequence[Question]) -> list[Question]:
    """The first question of each category; questions without a category are all kept."""
    first: dict[str, Question] = {}
    for question in questions:
        first.setdefault(question.category or question.id, question)
    return list(first.values())
