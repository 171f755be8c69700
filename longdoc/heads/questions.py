"""Questions and hypotheses with their spans → groups of windows to learn from, some of which contain a span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import Question, read_dataset
from longdoc.encoders import Template
from longdoc.heads.learning import Group, TaskConfig, TokenizedExample, token_span
from longdoc.heads.unanswerable import made_unanswerable
from longdoc.windows import split_with_random_lead, tokenize


@dataclass(frozen=True, slots=True)
class _Sampler:
    """Cuts windows for one question at a time."""

    task: TaskConfig
    tokenizer: Tokenizer
    template: Template
    rng: np.random.Generator

    def group(self, question: Question, document: TokenizedExample) -> Group | None:
        """A window that contains an answer, and some that do not; None if every answer is longer than a window.

        Of the many categories that a document lacks, only a share is learned. Hypotheses (with a label) always are.
        """
        is_lacking = not question.answers and question.category is not None and question.label is None
        if is_lacking and self.rng.random() >= self.task.empty:
            return None
        special = self.template.asking(tokenize(question.text, self.tokenizer).ids.tolist())
        spans = np.array([token_span(answer.start, answer.end, document.tokens) for answer in question.answers])
        spans = spans.reshape(-1, 2)
        size, overlap = self.task.window - len(special), self.task.overlap
        windows = split_with_random_lead(
            len(document.tokens), size=size, overlap=overlap, cuts=document.cuts, rng=self.rng
        )
        contained = [((spans >= w.start) & (spans < w.end)).all(axis=1) for w in windows]
        with_answer = [index for index, inside in enumerate(contained) if inside.any()]
        if len(spans) and not with_answer:
            return None
        touched = [((spans[:, 1] >= w.start) & (spans[:, 0] < w.end)).any() for w in windows]
        chosen = self._choose(with_answer, [index for index, any_part in enumerate(touched) if not any_part])
        if not chosen:
            return None
        inside = [spans[contained[index]] - windows[index].start for index in chosen]
        slices = tuple(document.tokens.ids[windows[index].start : windows[index].end] for index in chosen)
        return Group(self.task, document.example.id, slices, special, {"spans": inside, "label": question.label})

    def _choose(self, with_answer: Sequence[int], without: Sequence[int]) -> list[int]:
        n_without = int(self.rng.poisson(self.task.negatives)) + (not with_answer)
        chosen = [with_answer[int(self.rng.integers(len(with_answer)))]] if with_answer else []
        return [*chosen, *self.rng.permutation(np.array(without, dtype=np.int64))[:n_without].tolist()]


def question_groups(
    task: TaskConfig, configs: Mapping[str, Any], tokenizer: Tokenizer, template: Template, rng: np.random.Generator
) -> Iterator[Group]:
    """Groups of ``task.passes`` passes over the questions; one of several wordings of a question is drawn each pass.

    A question without an answer is also asked of a random other document, and ``task.unanswerable`` adds versions of
    answerable questions that the document does not answer.
    """
    sampler = _Sampler(task, tokenizer, template, rng)
    documents = [TokenizedExample.of(example, tokenizer) for example in read_dataset(task.data)]
    documents = [document for document in documents if len(document.tokens)]
    for number in range(ceil(task.passes)):
        for index, document in enumerate(documents):
            for question in _one_wording_each(document.example.questions, rng):
                if rng.random() < task.passes - number:
                    found = _variants(question, documents, index, sampler)
                    yield from (group for group in found if group is not None)


def _variants(
    question: Question, documents: Sequence[TokenizedExample], index: int, sampler: _Sampler
) -> Iterator[Group | None]:
    """A question about its own document, and the unanswerable questions derived from it."""
    task, rng, document = sampler.task, sampler.rng, documents[index]
    yield sampler.group(question, document)
    if document.example.questions[0].category is None and len(documents) > 1 and rng.random() < task.empty:
        other = documents[(index + int(rng.integers(1, len(documents)))) % len(documents)]
        yield sampler.group(Question("", question.text), other)
    if question.answers and rng.random() < task.unanswerable:
        made = made_unanswerable(question, document, rng)
        yield made and sampler.group(*made)


def _one_wording_each(questions: Sequence[Question], rng: np.random.Generator) -> Iterator[Question]:
    for _, alike in groupby(questions, key=lambda question: question.category or question.id):
        wordings = list(alike)
        yield wordings[int(rng.integers(len(wordings)))]
