"""Questions about contracts of CUAD whose answers were marked by hand, in a YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.config import load_yaml
from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.cuad import read_cuad
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import checked_span, errors_at
from longdoc.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class CuadMarksConfig(ReaderConfig):
    """Keys of the reader ``cuad marks``."""

    reader: Literal["cuad marks"]
    marks: str
    """YAML file with the questions that were asked about contracts, and their answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedQuestion:
    """A question about one contract; without ``answers`` the contract does not answer it."""

    id: str
    contract: str
    """Its id in the corpus."""
    question: str
    kind: str
    """Where the answer is: a name that the file's author chose."""
    answers: tuple[dict[str, Any], ...] = ()
    """Acceptable answers: ``text``, ``start``, ``end``."""
    value: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """A file of questions."""

    questions: tuple[MarkedQuestion, ...]


def read_contract_marks(folder: Path, *, marks: str) -> Iterator[Example]:
    """Reads the contracts of CUAD that a file asks about, with its questions, in the order of the corpus.

    Raises:
        ConfigError: the YAML file is missing or malformed.
        DataError: the corpus has no such contract, or an answer is not the text at its offsets.
    """
    asked: dict[str, list[MarkedQuestion]] = {}
    for marked in load_yaml(Marks, marks).questions:
        asked.setdefault(marked.contract, []).append(marked)
    for contract in read_cuad(folder):
        if own := asked.pop(contract.id, None):
            yield Example(contract.id, contract.text, questions=tuple(_question(q, contract.text, marks) for q in own))
    if asked:
        raise DataError(f"{marks}: {folder} has no contract {', '.join(sorted(asked))}")


def _question(marked: MarkedQuestion, text: str, file: str) -> Question:
    with errors_at(f"{file}, question {marked.id}"):
        answers = tuple(checked_span({**answer, "label": ""}, text) for answer in marked.answers)
    return Question(marked.id, marked.question, answers)
