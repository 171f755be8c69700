"""Annotated documents, as every reader yields them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.labels import Span


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
    """A document with the annotations that its corpus has: entities, questions, classes."""

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    """Entities."""
    questions: tuple[Question, ...] = ()
    labels: tuple[str, ...] = ()
    """Classes of the document."""


def first_wordings(questions: Sequence[Question]) -> list[Question]:
    """The first question of each category; questions without a category are all kept."""
    first: dict[str, Question] = {}
    for question in questions:
        first.setdefault(question.category or question.id, question)
    return list(first.values())
