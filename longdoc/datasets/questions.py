"""Corpora of questions: SQuAD's JSON, and ContractNLI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from longdoc.datasets.examples import Example, Question, naming
from longdoc.errors import DataError
from longdoc.labels import Span

NLI_LABELS = {"Entailment": "entailment", "Contradiction": "contradiction", "NotMentioned": "not mentioned"}


def read_squad(path: Path) -> Iterator[Example]:
    """SQuAD 1.1 or 2.0 (Rajpurkar et al., 2016 and 2018): a paragraph an example, with its questions.

    Raises:
        DataError: the file has another form, or an answer does not stand where it says.
    """
    for article in _load(path, "data"):
        for number, paragraph in enumerate(article.get("paragraphs", ())):
            with naming(f"{path}, paragraph {number}"):
                text = paragraph["context"]
                questions = tuple(question_of(record, text) for record in paragraph["qas"])
            yield Example(f"{article.get('title', path.stem)}-{number}", text, questions=questions)


def question_of(record: Mapping[str, Any], text: str) -> Question:
    """A question of SQuAD's; a ValueError where an answer does not stand where it says."""
    answers = []
    for answer in record["answers"]:
        start, said = answer["answer_start"], answer["text"]
        if text[start : start + len(said)] != said:
            raise ValueError(f"question {record['id']}: {said!r} does not stand at {start}")
        if said:
            answers.append(Span(start, start + len(said), ""))
    return Question(str(record["id"]), record["question"].strip(), tuple(dict.fromkeys(answers)))


def read_contract_nli(path: Path) -> Iterator[Example]:
    """ContractNLI (Koreeda and Manning, 2021, arXiv:2110.01799): hypotheses about agreements, with their evidence.

    Raises:
        DataError: the file has another form.
    """
    labels, documents = _load(path, "labels"), _load(path, "documents")
    for document in documents:
        with naming(f"{path}, document {document.get('id')}"):
            annotations = document["annotation_sets"][0]["annotations"]
            questions = tuple(
                Question(
                    f"{document['id']}/{name}",
                    labels[name]["hypothesis"],
                    tuple(
                        Span(start, end, "") for start, end in map(document["spans"].__getitem__, annotation["spans"])
                    ),
                    NLI_LABELS[annotation["choice"]],
                    name,
                )
                for name, annotation in annotations.items()
            )
            example = Example(str(document["id"]), document["text"], questions=questions)
        yield example


def _load(path: Path, key: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))[key]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not in the form of this corpus ({type(error).__name__}: {error})") from error
