"""The texts of an audit: sentences of open corpora that are shipped with longdoc, or a user's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from longdoc.auditing.wording import ASSETS
from longdoc.datasets import Example, Question, read_jsonl
from longdoc.labels import Span

SHIPPED = {
    "sentences.jsonl": "sentences of Universal NER, English Web Treebank (CC BY-SA 4.0)",
    "questions.jsonl": "questions of SQuADShifts, Wikipedia (CC BY 4.0)",
    "wikipedia.jsonl": "sentences of Wikipedia from Wikigold and SQuADShifts (CC BY 4.0)",
}
"""File in ``assets/audit`` → what it is, and its licence."""


def shipped_texts() -> tuple[list[Example], tuple[str, ...]]:
    """The texts that longdoc ships, with their questions, and where they are from."""
    examples: list[Example] = []
    for name in SHIPPED:
        path = ASSETS / name
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for example, record in zip(read_jsonl(path), lines, strict=True):
            questions = tuple(_question(each, example.text) for each in record.get("questions", ()))
            examples += texts_of(replace(example, questions=questions))
    return examples, tuple(SHIPPED.values())


def _question(record: dict[str, str], text: str) -> Question:
    start = text.index(record["answer"])
    return Question(record["id"], record["question"], (Span(start, start + len(record["answer"]), "answer"),))


def texts_of(example: Example) -> Iterator[Example]:
    """A document line by line, so that little is left out; whole, if a name goes over lines or there are questions."""
    cuts = [0, *(place + 1 for place, character in enumerate(example.text) if character == "\n"), len(example.text)]
    if example.questions or any("\n" in example.text[span.start : span.end] for span in example.spans):
        yield example
        return
    for number, (start, end) in enumerate(pairwise(cuts)):
        if example.text[start:end].strip():
            own = tuple(
                Span(span.start - start, span.end - start, span.label)
                for span in example.spans
                if start <= span.start and span.end <= end
            )
            yield Example(f"{example.id}:{number}", example.text[start:end].rstrip("\n"), own)
