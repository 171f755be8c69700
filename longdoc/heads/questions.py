"""Questions and hypotheses with their spans → groups of windows to learn from, some of which contain a span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import ceil
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import Question, read_labelled
from longdoc.heads.learnable import Learnable, check_spelling
from longdoc.heads.learning import Group, TaskConfig, TokenizedExample, token_span
from longdoc.heads.unanswerable import made_unanswerable
from longdoc.inputs import SpecialTokens, Template
from longdoc.labels import Span
from longdoc.windows import Window, split_with_random_lead, token_range, tokenize

ANSWER = "answer"
"""What the answers are counted as: they have no labels."""


@dataclass(frozen=True, slots=True)
class _Sampler:
    """Cuts windows for one question at a time."""

    task: TaskConfig
    tokenizer: Tokenizer
    template: Template
    rng: np.random.Generator
    _specials: dict[str, SpecialTokens] = field(default_factory=dict)

    def group(self, question: Question, document: TokenizedExample, *, whole: bool = False) -> Group | None:
        """A window that contains an answer, and some that do not; None if every answer is longer than a window.

        Of the many categories that a document lacks, only a share is learned. Hypotheses (with a label) always are.
        With ``whole`` nothing is drawn: the group has all windows, also those with a part of an answer.
        """
        is_lacking = not question.answers and question.category is not None and question.label is None
        if not whole and is_lacking and self.rng.random() >= self.task.empty:
            return None
        special = self.special(question)
        found = [token_span(answer.start, answer.end, document.tokens) for answer in question.answers]
        spans = np.array(found, dtype=np.int64).reshape(-1, 2)
        size, overlap = self.task.window - len(special), self.task.overlap
        windows = split_with_random_lead(
            len(document.tokens), size=size, overlap=overlap, cuts=document.cuts, rng=self.rng
        )
        contained = _contained(spans, windows)
        if len(spans) and not any(inside.any() for inside in contained):  # all windows cut it: one more is needed
            windows = [*windows, *self._around(spans, size, len(document.tokens))]
            contained = _contained(spans, windows)
        with_answer = [index for index, inside in enumerate(contained) if inside.any()]
        if len(spans) and not with_answer:
            return None
        touched = [((spans[:, 1] >= w.start) & (spans[:, 0] < w.end)).any() for w in windows]
        without = [index for index, any_part in enumerate(touched) if not any_part]
        chosen = list(range(len(windows))) if whole else self._choose(with_answer, without)
        if not chosen:
            return None
        inside = [spans[contained[index]] - windows[index].start for index in chosen]
        slices = tuple(document.tokens.ids[windows[index].start : windows[index].end] for index in chosen)
        return Group(self.task, document.example.id, slices, special, {"spans": inside, "label": question.label})

    def _around(self, spans: np.ndarray, size: int, n_tokens: int) -> list[Window]:
        """A window at random with the shortest of the spans, int ``(N, 2)`` inclusive; none if that is too long."""
        first, last = spans[np.argmin(spans[:, 1] - spans[:, 0])].tolist()
        low, high = max(last + 1 - size, 0), min(first, max(n_tokens - size, 0))
        if high < low:
            return []
        start = int(self.rng.integers(low, high + 1))
        return [Window(start, min(start + size, n_tokens))]

    def special(self, question: Question) -> SpecialTokens:
        """The tokens around a window, with the question."""
        if question.text not in self._specials:
            ids = tokenize(question.text, self.tokenizer).ids.tolist()
            self._specials[question.text] = self.template.asking(ids)
        return self._specials[question.text]

    def _choose(self, with_answer: Sequence[int], without: Sequence[int]) -> list[int]:
        n_without = int(self.rng.poisson(self.task.negatives)) + (not with_answer)
        chosen = [with_answer[int(self.rng.integers(len(with_answer)))]] if with_answer else []
        return [*chosen, *self.rng.permutation(np.array(without, dtype=np.int64))[:n_without].tolist()]


def _contained(spans: np.ndarray, windows: Sequence[Window]) -> list[np.ndarray]:
    """For each window which of the spans, int ``(N, 2)`` inclusive, it contains: bool ``(N,)``."""
    return [np.all((spans >= w.start) & (spans < w.end), axis=1) for w in windows]


def question_groups(
    task: TaskConfig, configs: Mapping[str, Any], tokenizer: Tokenizer, template: Template, rng: np.random.Generator
) -> Iterator[Group]:
    """Groups of ``task.passes`` passes over the questions; one of several wordings of a question is drawn each pass.

    A question without an answer is also asked of a random other document, and ``task.unanswerable`` adds versions of
    answerable questions that the document does not answer.
    """
    sampler = _Sampler(task, tokenizer, template, rng)
    (config,) = configs.values()
    documents = [TokenizedExample.of(example, tokenizer) for example in read_labelled(task.data).examples]
    documents = [_usable(document, sampler, config) for document in documents if len(document.tokens)]
    for number in range(ceil(task.passes)):
        for index, document in enumerate(documents):
            for question in _one_wording_each(document.example.questions, rng):
                if rng.random() < task.passes - number:
                    found = _variants(question, documents, index, sampler)
                    yield from (group for group in found if group is not None)


def whole_question_groups(
    task: TaskConfig, configs: Mapping[str, Any], tokenizer: Tokenizer, template: Template, rng: np.random.Generator
) -> Iterator[Group]:
    """Each question that can be learned, in all its wordings, with all windows of its own document."""
    sampler = _Sampler(task, tokenizer, template, rng)
    (config,) = configs.values()
    for example in read_labelled(task.data).examples:
        document = TokenizedExample.of(example, tokenizer)
        for question in _usable(document, sampler, config).example.questions if len(document.tokens) else ():
            if (group := sampler.group(question, document, whole=True)) is not None:
                yield group


def _usable(document: TokenizedExample, sampler: _Sampler, config: Any) -> TokenizedExample:
    """The document with the questions that can be learned, and of their answers those that contain a word."""
    questions = []
    for question in document.example.questions:
        answers = tuple(answer for answer in question.answers if _n_tokens(answer, document))
        if _reason(question, document, sampler, config) is None:
            questions.append(replace(question, answers=answers))
    return replace(document, example=replace(document.example, questions=tuple(questions)))


def _n_tokens(answer: Span, document: TokenizedExample) -> int:
    first, last = token_range(document.tokens, answer.start, answer.end)
    return last - first


def _reason(question: Question, document: TokenizedExample, sampler: _Sampler, config: Any) -> str | None:
    """Why a question or a hypothesis is not learned, if it is not. ``config`` has ``labels`` if these are learned."""
    labels = getattr(config, "labels", None)
    if labels is not None:
        if question.label is None:
            return "hypothesis without a label, left out"
        check_spelling([question.label], labels, ", ".join(sampler.task.data.files))
        if question.label not in labels:
            return "hypothesis with a label that the head lacks, left out"
    if not question.text.strip():
        return "question without a text, left out"
    size = sampler.task.window - len(sampler.special(question))
    if size <= sampler.task.overlap:
        return "question too long for the task's `window` and `overlap`, left out"
    lengths = [_n_tokens(answer, document) for answer in question.answers]
    if lengths and not any(lengths):
        return "question whose answer contains no word, left out"
    if lengths and not any(0 < length <= size for length in lengths):
        return "question whose answer is longer than the task's `window`, left out"
    return None


def learnable_questions(
    task: TaskConfig, configs: Mapping[str, Any], tokenizer: Tokenizer, template: Template
) -> Learnable:
    """Counts the answers, or for hypotheses the labels, that are learned, and the questions that are not.

    Raises:
        DataError: a label differs from one of the head's only in its spelling.
    """
    sampler = _Sampler(task, tokenizer, template, np.random.default_rng(0))
    labelled = read_labelled(task.data)
    (config,) = configs.values()
    labels = getattr(config, "labels", None)
    found = Learnable.of(task.data, labelled, configs, labels or ())
    for example in labelled.examples:
        document = TokenizedExample.of(example, tokenizer)
        if not len(document.tokens):
            found.remarks.add("text without a token, left out", example.id)
            continue
        for question in example.questions:
            found.in_data.update([question.label] if question.label else [])
            reason = _reason(question, document, sampler, config)
            if reason is not None:
                found.remarks.add(reason, f"{example.id}: {question.text[:80]!r}, {question.label or 'answers'}")
                continue
            found.learned.update([question.label] if labels is not None and question.label else [])
            size = task.window - len(sampler.special(question))
            for answer in question.answers:
                _count(answer, document, size, found, is_evidence=labels is not None)
    return found


def _count(answer: Span, document: TokenizedExample, size: int, found: Learnable, *, is_evidence: bool) -> None:
    """Counts an answer of a question that is learned."""
    what, text = "evidence" if is_evidence else ANSWER, document.example.text[answer.start : answer.end]
    n_tokens = _n_tokens(answer, document)
    if n_tokens and n_tokens <= size:
        found.learned.update([] if is_evidence else [ANSWER])
    else:
        problem = "that is longer than the task's `window`" if n_tokens else "that contains no word"
        found.remarks.add(f"{what} {problem}, not learned", f"{document.example.id}: {text[:80]!r}")


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
