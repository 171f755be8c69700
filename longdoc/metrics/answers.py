"""Exact match and F1 of answers, with questions that have none: the arithmetic of SQuAD 2.0's evaluation script.

Rajpurkar, Jia and Liang (2018), arXiv:1806.03822.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass

_PUNCTUATION = frozenset(string.punctuation)


def normalize_answer(text: str) -> str:
    """Lower case, without ASCII punctuation, articles and superfluous white space.

    >>> normalize_answer("The  state of New-York.")
    'state of newyork'
    """
    bare = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare, flags=re.UNICODE).split())


def exact_match(prediction: str, golds: Sequence[str]) -> int:
    """1 if the normalised answer is one of the right ones, else 0. No right ones: the empty answer is right."""
    return max(int(normalize_answer(prediction) == normalize_answer(gold)) for gold in _right(golds))


def token_f1(prediction: str, golds: Sequence[str]) -> float:
    """F1 of the words that the answer shares with the right one it is most like."""
    return max(_f1(prediction, gold) for gold in _right(golds))


def _right(golds: Sequence[str]) -> Sequence[str]:
    """The right answers that are left after normalisation; the empty one where the question has none."""
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
    """Sums over questions that have an answer, and over those that have none.

    >>> (answer_counts("in Paris", ["Paris"]) + answer_counts("", [])).exact
    0.5
    """

    answerable_exact: int = 0
    answerable_f1: float = 0.0
    answerable: int = 0
    unanswerable_right: int = 0
    unanswerable: int = 0

    def __add__(self, other: AnswerCounts) -> AnswerCounts:
        return AnswerCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        return self.answerable + self.unanswerable

    @property
    def exact(self) -> float:
        return (self.answerable_exact + self.unanswerable_right) / self.total if self.total else 0.0

    @property
    def f1(self) -> float:
        return (self.answerable_f1 + self.unanswerable_right) / self.total if self.total else 0.0

    @property
    def has_answer_exact(self) -> float:
        return self.answerable_exact / self.answerable if self.answerable else 0.0

    @property
    def has_answer_f1(self) -> float:
        return self.answerable_f1 / self.answerable if self.answerable else 0.0

    @property
    def no_answer(self) -> float:
        """Share of the questions without an answer that were left unanswered."""
        return self.unanswerable_right / self.unanswerable if self.unanswerable else 0.0


def answer_counts(prediction: str, golds: Sequence[str]) -> AnswerCounts:
    """The counts of one question; ``prediction`` is empty where it was left unanswered, ``golds`` where it must be."""
    exact = exact_match(prediction, golds)
    if any(normalize_answer(gold) for gold in golds):
        return AnswerCounts(exact, token_f1(prediction, golds), 1)
    return AnswerCounts(unanswerable_right=exact, unanswerable=1)


def best_threshold(
    scores: Sequence[float], credits: Sequence[float], has_answer: Sequence[bool]
) -> tuple[float, float]:
    """The score from which on to answer, for the highest mean credit: the script's ``find_best_thresh``.

    Args:
        scores: how sure the model is that a question has an answer (the script's null odds with the other sign).
        credits: exact match or F1 of each question's answer, were it given.
        has_answer: whether the question has one.

    Returns:
        the best mean credit, 0..1, and the threshold: questions whose score is at least that high are answered.
    """
    current = best = float(sum(not has for has in has_answer))
    threshold = float("inf")
    for index in sorted(range(len(scores)), key=lambda i: -scores[i]):
        current += credits[index] if has_answer[index] else -1.0
        if current > best:
            best, threshold = current, scores[index]
    return best / len(scores) if len(scores) else 0.0, threshold
