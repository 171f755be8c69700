"""Questions and answers in SQuAD's JSON format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import errors_at, load_json_key
from longdoc.labels import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SquadConfig(ReaderConfig):
    """Keys of the reader ``squad``."""

    reader: Literal["squad"]


def read_squad(path: Path) -> Iterator[Example]:
    """Reads SQuAD 1.1 or 2.0 (Rajpurkar et al., 2016 and 2018); each paragraph is an example with its questions.

    Raises:
        DataError: the file has another structure, or the text of an answer is not the text at its offset.
    """
    for article in load_json_key(path, "data"):
        for number, paragraph in enumerate(article.get("paragraphs", ())):
            with errors_at(f"{path}, paragraph {number}"):
                text = paragraph["context"]
                questions = tuple(squad_question(record, text) for record in paragraph["qas"])
            yield Example(f"{article.get('title', path.stem)}-{number}", text, questions=questions)


def squad_question(record: Mapping[str, Any], text: str) -> Question:
    """Converts one record of SQuAD.

    Raises:
        ValueError: the text of an answer is not the text at its offset.
    """
    answers = []
    for answer in record["answers"]:
        start, expected = answer["answer_start"], answer["text"]
        if (found := text[start : start + len(expected)]) != expected:
            raise ValueError(f"question {record['id']}: text at {start} is {found!r}, expected {expected!r}")
        if expected:
            answers.append(Span(start, start + len(expected), ""))
    return Question(str(record["id"]), record["question"].strip(), tuple(dict.fromkeys(answers)))
