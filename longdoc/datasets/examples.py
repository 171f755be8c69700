"""What every reader yields: one annotated document."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longdoc.labels import Span


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a document, or a hypothesis about it.

    ``answers`` are the spans that each answer it alone (their labels mean nothing), empty where the document holds no
    answer; for a hypothesis they are the evidence, and ``label`` says what the document makes of it.
    """

    id: str
    text: str
    answers: tuple[Span, ...] = ()
    label: str | None = None
    category: str | None = None
    """What the question asks for, where several wordings ask the same."""


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated document: entities, questions to it, classes of it; whatever the corpus has."""

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    questions: tuple[Question, ...] = ()
    labels: tuple[str, ...] = ()


def data_root() -> Path:
    """The folder of corpora: ``$LONGDOC_DATA``, else ``shared/data`` beside the project's folder."""
    return Path(os.environ.get("LONGDOC_DATA") or Path(__file__).parents[3] / "shared" / "data")


def checked_span(entity: Mapping[str, Any], text: str) -> Span:
    """A record of start, end and label as a span; a ValueError where its text stands elsewhere."""
    span = Span(entity["start"], entity["end"], entity["label"])
    if "text" in entity and text[span.start : span.end] != entity["text"]:
        raise ValueError(f"text[{span.start}:{span.end}] is {text[span.start : span.end]!r}, not {entity['text']!r}")
    return span
