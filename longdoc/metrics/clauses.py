"""Precision and recall of overlapping clauses, as in CUAD (Hendrycks et al., 2021, arXiv:2103.06268)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from longdoc.metrics.counts import add_fields

MATCH = 0.5
NAMES_IN_PARTS = "Parties"
"""The category of which the published script takes an answer that contains an annotated one as correct."""
THRESHOLDS = np.append(np.arange(0.99, 0, -0.01), [0.001, 0.0])
"""Shape ``(101,)``: thresholds of the published script, descending; predictions above a threshold count."""


def jaccard(one: str, other: str) -> float:
    """Jaccard similarity of the words of two texts, 0 to 1.

    Punctuation and white space are treated as in the later version of the published script, which splits at any white
    space.

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
    """Results of several questions at every threshold; add with ``+``.

    ``wanted``: for each gold answer the highest confidence of a prediction that matches it, ``-inf`` if none does.
    ``wrong``: the confidences of the predictions that match no gold answer.
    """

    wanted: tuple[float, ...] = ()
    wrong: tuple[float, ...] = ()

    def __add__(self, other: ClauseResults) -> ClauseResults:
        return add_fields(self, other)

    @cached_property
    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The interpolated precision-recall curve, from the highest threshold to the lowest.

        Gold answers with a match count as true positives, predictions without one as false positives.

        Returns:
            recall, ascending, and the best precision at that recall or a higher one; both of shape ``(102,)``: the
            point at recall 0, then one per threshold.
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
        """Area under the precision-recall curve, by the trapezoidal rule."""
        recall, precision = self.curve
        return float(np.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2))

    def precision_at_recall(self, least: float) -> float:
        """The precision at the highest threshold with a recall of at least ``least``; 0 if there is none.

        As in the published script, the threshold 0 is not considered.
        """
        recall, precision = (values[:-1] for values in self.curve)
        index = int(np.searchsorted(recall, least, side="left"))
        return float(precision[index]) if index < len(recall) else 0.0


def is_clause(prediction: str, golds: Sequence[str], *, parts_count: bool = False) -> bool:
    """Whether an answer matches a gold answer; ``parts_count`` as for :func:`clause_results`."""
    return any(_matches(prediction, gold, parts_count) for gold in golds)


def _matches(prediction: str, gold: str, parts_count: bool) -> bool:
    return jaccard(prediction, gold) >= MATCH or (parts_count and gold in prediction)


def clause_results(
    predictions: Sequence[tuple[str, float]], golds: Sequence[str], *, parts_count: bool = False
) -> ClauseResults:
    """Matches the predictions for one question to its gold answers.

    Args:
        predictions: answers with their confidences.
        golds: the gold answers.
        parts_count: whether an answer that contains a gold answer matches it, as in the script for parties.
    """
    table = [[_matches(text, gold, parts_count) for gold in golds] for text, _ in predictions]
    wanted = tuple(
        max((c for (_, c), row in zip(predictions, table, strict=True) if row[i]), default=float("-inf"))
        for i in range(len(golds))
    )
    wrong = tuple(c for (_, c), row in zip(predictions, table, strict=True) if not any(row))
    return ClauseResults(wanted, wrong)
