"""Exact match and F1 of answers, as in the evaluation script of SQuAD 2.0: some questions have no answer.

Rajpurkar, Jia and Liang (2018), arXiv:1806.03822.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.metrics.counts import add_fields, ratio

_PUNCTUATION = frozenset(string.punctuation)


def normalize_answer(text: str) -> str:
    """Lower-cases the text and removes ASCII punctuation, articles and extra white space.

    >>> normalize_answer("The  state of New-York.")
    'state of newyork'
    """
    bare = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare, flags=re.UNICODE).split())


def exact_match(prediction: str, golds: Sequence[str]) -> int:
    """1 if the normalised answer equals a gold answer, else 0. Without gold answers the empty one is correct."""
    return max(int(normalize_answer(prediction) == normalize_answer(gold)) for gold in _non_empty(golds))


def token_f1(prediction: str, golds: Sequence[str]) -> float:
    """F1 of the words shared with the most similar gold answer."""
    return max(_f1(prediction, gold) for gold in _non_empty(golds))


def _non_empty(golds: Sequence[str]) -> Sequence[str]:
    """The gold answers that are not empty once normalised; the empty one if the question has none."""
    return [gold for gold in golds if normalize_answer(gold)] or [""]


def _f1(prediction: str, gold: str) -> float:
    found, wanted = normalize_answer(prediction).split(), normalize_answer(gold).split()
    if not found or not wanted:
        return float(found == wanted)
    shared = sum((Counter(found) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(found), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Sums over the questions that have an answer and over those that have none; add with ``+``.

    >>> (answer_counts("in Paris", ["Paris"]) + answer_counts("", [])).exact
    0.5
    """

    answerable_exact: int = 0
    answerable_f1: float = 0.0
    answerable: int = 0
    unanswerable_right: int = 0
    unanswerable: int = 0

    def __add__(self, other: AnswerCounts) -> AnswerCounts:
        return add_fields(self, other)

    @property
    def total(self) -> int:
        return self.answerable + self.unanswerable

    @property
    def exact(self) -> float:
        return ratio(self.answerable_exact + self.unanswerable_right, self.total)

    @property
    def f1(self) -> float:
        return ratio(self.answerable_f1 + self.unanswerable_right, self.total)

    @property
    def has_answer_exact(self) -> float:
        return ratio(self.answerable_exact, self.answerable)

    @property
    def has_answer_f1(self) -> float:
        return ratio(self.answerable_f1, self.answerable)

    @property
    def no_answer(self) -> float:
        """Share of the unanswerable questions that were left unanswered."""
        return ratio(self.unanswerable_right, self.unanswerable)


def answer_counts(prediction: str, golds: Sequence[str]) -> AnswerCounts:
    """The counts of one question: an empty ``prediction`` is no answer; empty ``golds`` mean that there is none."""
    exact = exact_match(prediction, golds)
    if any(normalize_answer(gold) for gold in golds):
        return AnswerCounts(exact, token_f1(prediction, golds), 1)
    return AnswerCounts(unanswerable_right=exact, unanswerable=1)


def best_threshold(
    scores: Sequence[float], credits: Sequence[float], has_answer: Sequence[bool]
) -> tuple[float, float]:
    """The threshold on the score with the highest mean credit, as ``find_best_thresh`` in the script.

    The three sequences have one item per question.

    Args:
        scores: confidence that the question has an answer (the null odds of the script, negated).
        credits: exact match or F1 that the answer would earn, 0 to 1.
        has_answer: whether the question has an answer.

    Returns:
        the best mean credit, 0 to 1, and the threshold: questions with at least that score are answered.
    """
    current = best = float(sum(not has for has in has_answer))
    threshold = float("inf")
    for index in sorted(range(len(scores)), key=lambda i: -scores[i]):
        current += credits[index] if has_answer[index] else -1.0
        if current > best:
            best, threshold = current, scores[index]
    return ratio(best, len(scores)), threshold
