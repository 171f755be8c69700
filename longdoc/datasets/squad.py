"""Questions and answers in SQuAD's JSON format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import Counting, errors_at, load_json_key, read_counted
from longdoc.labels import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SquadConfig(ReaderConfig):
    """Keys of the reader ``squad``."""

    reader: Literal["squad"]


def read_squad(path: Path) -> Iterator[Example]:
    """Reads SQuAD 1.1 or 2.0 (Rajpurkar et al., 2016 and 2018); each paragraph is an example with its questions.

    Offsets count characters; where all answers of a paragraph fit only in UTF-16 units, or if a Windows line end is one
    character, they are read so.

    Raises:
        DataError: the file has another structure, or the text of an answer is not the text at its offset.
    """
    data = load_json_key(path, "data")
    with errors_at(str(path)):
        articles = [(each.get("title", path.stem), list(each.get("paragraphs", ()))) for each in data]
    for title, paragraphs in articles:
        for number, paragraph in enumerate(paragraphs):
            with errors_at(f"{path}, paragraph {number}"):
                text = paragraph["context"]
                questions = squad_questions(paragraph["qas"], text)
            yield Example(f"{title}-{number}", text, questions=questions)


def squad_questions(records: Sequence[Mapping[str, Any]], text: str) -> tuple[Question, ...]:
    """Converts the records of one text.

    Raises:
        ValueError: the text of an answer is not the text at its offset.
    """
    questions, _ = read_counted(text, lambda counting: tuple(_question(record, text, counting) for record in records))
    return questions


def _question(record: Mapping[str, Any], text: str, counting: Counting) -> Question:
    answers = []
    for answer in record["answers"]:
        offset, expected = answer["answer_start"], answer["text"]
        if not expected:
            continue
        start = counting.place(offset)
        if start < 0 or (found := text[start : start + len(expected)]) != expected:
            said = "before the text" if start < 0 else repr(found)
            raise ValueError(f"question {record['id']}: text at {offset} is {said}, expected {expected!r}")
        answers.append(Span(start, start + len(expected), ""))
    return Question(str(record["id"]), record["question"].strip(), tuple(dict.fromkeys(answers)))
