"""CUAD's evaluation: precision and recall of clauses that overlap (Hendrycks et al., 2021, arXiv:2103.06268)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

MATCH = 0.5
THRESHOLDS = np.append(np.arange(0.99, 0, -0.01), [0.001, 0.0])
"""Those of the published script; predictions above one of them count."""


def jaccard(one: str, other: str) -> float:
    """Share of the words of both texts together that are in both.

    Punctuation and white space are as in the published script (in its later version, which splits at any white space).

    >>> jaccard("the State of Ohio.", "State of Ohio")
    0.75
    """
    words, others = _words(one), _words(other)
    return len(words & others) / max(len(words | others), 1)


def _words(text: str) -> set[str]:
    for mark in ".,;:":
        text = text.replace(mark, "")
    return set(text.lower().replace("/", " ").split())


@dataclass(frozen=True)
class ClauseResults:
    """What was found for some questions, at every threshold; adds.

    ``wanted``: for each right answer the highest confidence of a prediction that matches it, ``-inf`` if none does.
    ``wrong``: the confidences of the predictions that match no right answer.
    """

    wanted: tuple[float, ...] = ()
    wrong: tuple[float, ...] = ()

    def __add__(self, other: ClauseResults) -> ClauseResults:
        return ClauseResults(self.wanted + other.wanted, self.wrong + other.wrong)

    @cached_property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Recall, ascending, and the best precision at that recall or a higher one, from the highest threshold on.

        Right answers that are met count as true positives, predictions that meet none as false ones.
        """
        wanted, wrong = np.sort(self.wanted)[::-1], np.sort(self.wrong)[::-1]
        hits = np.searchsorted(-wanted, -THRESHOLDS, side="left")
        misses = np.searchsorted(-wrong, -THRESHOLDS, side="left")
        precision = np.concatenate([[1.0], hits / np.maximum(hits + misses, 1)])
        recall = np.concatenate([[0.0], hits / max(len(wanted), 1)])
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return recall, best

    @property
    def aupr(self) -> float:
        """Area under the precision-recall curve, by trapezoids."""
        recall, precision = self.curve
        return float(np.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2))

    def precision_at_recall(self, least: float) -> float:
        """The precision at the first threshold whose recall is at least ``least``; 0 if there is none.

        As in the published script, the threshold 0 does not count.
        """
        recall, precision = (values[:-1] for values in self.curve)
        index = int(np.searchsorted(recall, least, side="left"))
        return float(precision[index]) if index < len(recall) else 0.0


def clause_results(
    predictions: Sequence[tuple[str, float]], golds: Sequence[str], *, parts_count: bool = False
) -> ClauseResults:
    """The results of one question.

    Args:
        predictions: answers with their confidences.
        golds: the right answers.
        parts_count: whether an answer that holds a right one matches it, as the script has it for parties.
    """

    def matches(prediction: str, gold: str) -> bool:
        return jaccard(prediction, gold) >= MATCH or (parts_count and gold in prediction)

    table = [[matches(text, gold) for gold in golds] for text, _ in predictions]
    wanted = tuple(
        max((c for (_, c), row in zip(predictions, table, strict=True) if row[i]), default=float("-inf"))
        for i in range(len(golds))
    )
    wrong = tuple(c for (_, c), row in zip(predictions, table, strict=True) if not any(row))
    return ClauseResults(wanted, wrong)
