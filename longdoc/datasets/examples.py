"""What every reader yields, one annotated document, and how a reader says where a file is malformed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longdoc.errors import DataError
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


def first_wordings(questions: Sequence[Question]) -> list[Question]:
    """The first question of each category; questions without a category are all kept."""
    first: dict[str, Question] = {}
    for question in questions:
        first.setdefault(question.category or question.id, question)
    return list(first.values())


def data_root() -> Path:
    """The folder of corpora: ``$LONGDOC_DATA``, else ``shared/data`` beside the project's folder."""
    return Path(os.environ.get("LONGDOC_DATA") or Path(__file__).parents[3] / "shared" / "data")


def checked_span(entity: Mapping[str, Any], text: str) -> Span:
    """A record of start, end and label as a span; a ValueError where its text, if it has one, stands elsewhere."""
    start, end, label = entity["start"], entity["end"], entity["label"]
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(label, str)):
        raise ValueError(f"a span needs two whole numbers and a label; got {start!r}, {end!r}, {label!r}")
    span = Span(start, end, label)
    check_place(text, start, end, entity.get("text", text[start:end]))
    return span


def check_place(text: str, start: int, end: int, said: str, found: str | None = None) -> None:
    """A ValueError where ``text[start:end]``, or what was ``found`` there, is not what the corpus says it is."""
    found = text[start:end] if found is None else found
    ends = "; its line ends are Windows', and each counts as two characters" if "\r\n" in text else ""
    counting = f"offsets count characters (code points) from 0, and the end is the character after the last{ends}"
    if end > len(text):
        raise ValueError(f"the span {start}-{end} ends beyond the text of {len(text)} characters; {counting}")
    if found != said:
        raise ValueError(f"text[{start}:{end}] is {found!r}, not {said!r}; {counting}")


@contextmanager
def naming(place: str) -> Iterator[None]:
    """What a malformed record raises becomes a DataError that begins with the record's place."""
    try:
        yield
    except KeyError as error:
        raise DataError(f"{place}: no {error}") from error
    except ValueError as error:
        raise DataError(f"{place}: {error}") from error
    except (AttributeError, IndexError, TypeError) as error:
        raise DataError(f"{place}: not in the form of this corpus ({type(error).__name__}: {error})") from error


def whole_text(path: Path) -> str:
    """A file's text with its line ends as they are, since offsets count them.

    Raises:
        DataError: it is not UTF-8.
    """
    with _utf8(path):
        return path.read_bytes().decode("utf-8")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from 1, without their ends.

    Raises:
        DataError: the file is not UTF-8.
    """
    with _utf8(path), path.open(encoding="utf-8-sig", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            yield number, line.rstrip("\r\n")


@contextmanager
def _utf8(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
