"""Answers to questions about a document as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from longdoc.outputs.jsonl import as_json
from longdoc.plain import plain

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.labels import Answer

_WRITTEN = ("text", "score", "check", "start", "end", "page", "section", "source", "value", "alternative")
"""What is said of an answer."""


class AnswersLike(Protocol):
    """The answers to a question; :class:`longdoc.prediction.Answers`, whose module imports this package."""

    @property
    def coverage(self) -> float: ...
    @property
    def rejected(self) -> Answer | None: ...
    @property
    def absent(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Answer]: ...


def answers_json(document: Document, answered: Sequence[tuple[str, AnswersLike]]) -> str:
    """Questions with their answers, best first, as an indented JSON object."""
    record = {
        "document": document.source.name,
        "warnings": list(document.warnings),
        "questions": [_asked(question, answers) for question, answers in answered],
    }
    return as_json(record, indent=2)


def _asked(question: str, answers: AnswersLike) -> dict[str, Any]:
    return {
        "question": question,
        "coverage": round(answers.coverage, 4),
        "absent": list(answers.absent),
        "answers": [_plain(answer) for answer in answers],
        "rejected": None if answers.rejected is None else _plain(answers.rejected),
    }


def _plain(answer: Answer) -> dict[str, Any]:
    written = plain(answer)
    return {name: written[name] for name in _WRITTEN}
