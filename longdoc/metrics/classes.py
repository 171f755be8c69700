"""Document classification with one or several classes per document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from longdoc.metrics.counts import Counts, add_counts, macro_f1, micro, ratio


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """The number of documents with exactly the correct classes, and counts by class; add with ``+``.

    >>> both = class_counts(["fees"], ["fees"]) + class_counts(["term"], ["fees"])
    >>> both.accuracy, both.labels["fees"].recall
    (0.5, 0.5)
    """

    right: int = 0
    total: int = 0
    labels: Mapping[str, Counts] = field(default_factory=dict)

    def __add__(self, other: ClassCounts) -> ClassCounts:
        return ClassCounts(self.right + other.right, self.total + other.total, add_counts([self.labels, other.labels]))

    @property
    def accuracy(self) -> float:
        """Share of the documents with exactly the correct classes."""
        return ratio(self.right, self.total)

    @property
    def micro(self) -> Counts:
        return micro(self.labels)

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that are gold or predicted in at least one document."""
        return macro_f1(self.labels)


def class_counts(predicted: Iterable[str], gold: Iterable[str]) -> ClassCounts:
    """The counts of one document."""
    found, wanted = set(predicted), set(gold)
    labels = {
        label: Counts(int(label in found & wanted), int(label in found - wanted), int(label in wanted - found))
        for label in sorted(found | wanted)
    }
    return ClassCounts(int(found == wanted), 1, labels)
