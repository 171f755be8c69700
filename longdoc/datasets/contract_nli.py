"""ContractNLI: hypotheses about non-disclosure agreements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from longdoc.datasets.config import ReaderConfig
from longdoc.datasets.examples import Example, Question
from longdoc.datasets.records import errors_at, load_json_key
from longdoc.labels import Span

NLI_LABELS = {"Entailment": "entailment", "Contradiction": "contradiction", "NotMentioned": "not mentioned"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractNliConfig(ReaderConfig):
    """Keys of the reader ``contract_nli``."""

    reader: Literal["contract_nli"]


def read_contract_nli(path: Path) -> Iterator[Example]:
    """Reads ContractNLI (Koreeda and Manning, 2021, arXiv:2110.01799): agreements with hypotheses and their evidence.

    Raises:
        DataError: the file has another structure.
    """
    labels, documents = load_json_key(path, "labels"), load_json_key(path, "documents")
    for document in documents:
        with errors_at(f"{path}, document {document.get('id')}"):
            annotations = document["annotation_sets"][0]["annotations"]
            questions = tuple(
                _hypothesis(document, name, labels[name]["hypothesis"], annotation)
                for name, annotation in annotations.items()
            )
            example = Example(str(document["id"]), document["text"], questions=questions)
        yield example


def _hypothesis(document: Mapping[str, Any], name: str, text: str, annotation: Mapping[str, Any]) -> Question:
    ranges = [document["spans"][index] for index in annotation["spans"]]
    evidence = tuple(Span(start, end, "") for start, end in ranges)
    return Question(f"{document['id']}/{name}", text, evidence, NLI_LABELS[annotation["choice"]], name)
