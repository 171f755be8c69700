"""ContractNLI: hypotheses about non-disclosure agreements, or questions about what they state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import errors_at, load_json_key
from longdoc.datasets.remarks import Remarks, remarks_on
from longdoc.datasets.wordings import load_wordings
from longdoc.labels import Span

NLI_LABELS = {"Entailment": "entailment", "Contradiction": "contradiction", "NotMentioned": "not mentioned"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractNliConfig(ReaderConfig):
    """Keys of the reader ``contract_nli``."""

    reader: Literal["contract_nli"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractNliQuestionsConfig(ReaderConfig):
    """Keys of the reader ``contract_nli questions``."""

    reader: Literal["contract_nli questions"]
    wordings: str
    """YAML file with the questions to ask for each hypothesis."""


def read_contract_nli(path: Path, *, remarks: Remarks | None = None) -> Iterator[Example]:
    """Reads ContractNLI (Koreeda and Manning, 2021, arXiv:2110.01799): agreements with hypotheses and their evidence.

    Of several annotations of an agreement the first is read; the others are counted in the remarks, which are logged if
    the caller collects none.

    Raises:
        DataError: the file has another structure.
    """
    labels, documents = load_json_key(path, "labels"), load_json_key(path, "documents")
    with remarks_on(path, remarks) as noted:
        for number, document in enumerate(documents if isinstance(documents, list) else [documents]):
            where = f"{path}, document {document['id'] if isinstance(document, dict) and 'id' in document else number}"
            with errors_at(where):
                first, *others = document["annotation_sets"]
                questions = tuple(
                    _hypothesis(document, name, labels[name]["hypothesis"], annotation)
                    for name, annotation in first["annotations"].items()
                )
                example = Example(str(document["id"]), document["text"], questions=questions)
            if others:
                noted.add("further annotation of an agreement, not read", where, len(others))
            yield example


def _hypothesis(document: Mapping[str, Any], name: str, text: str, annotation: Mapping[str, Any]) -> Question:
    ranges = [document["spans"][index] for index in annotation["spans"]]
    evidence = tuple(Span(start, end, "") for start, end in ranges)
    choice = annotation.get("choice")
    if choice and choice not in NLI_LABELS:
        raise ValueError(f"hypothesis {name}: choice is {choice!r}; allowed: {', '.join(NLI_LABELS)}")
    label = NLI_LABELS[choice] if choice else None  # a hypothesis that nobody has decided
    return Question(f"{document['id']}/{name}", text, evidence, label, name)


def read_contract_nli_questions(path: Path, *, wordings: str, remarks: Remarks | None = None) -> Iterator[Example]:
    """Reads ContractNLI as questions in the words of a YAML file; the answers are the evidence for or against.

    Raises:
        ConfigError: the YAML file is missing or malformed, or names a hypothesis that the corpus lacks.
        DataError: the file has another structure.
    """
    worded = load_wordings(wordings, load_json_key(path, "labels"), "hypothesis")
    for example in read_contract_nli(path, remarks=remarks):
        questions = [
            replace(hypothesis, id=f"{hypothesis.id}/{number}", text=wording, label=None)
            for hypothesis in example.questions
            if hypothesis.label is not None
            for number, wording in enumerate(worded.get(hypothesis.category or "", ()))
        ]
        yield replace(example, questions=tuple(questions))
