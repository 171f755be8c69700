"""Counts that add, and the ratios derived from them. Merge documents, windows or workers with ``+``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives and false negatives.

    >>> (Counts(3, 1, 0) + Counts(1, 0, 1)).f1
    0.8
    """

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )

    @property
    def precision(self) -> float:
        found = self.true_positive + self.false_positive
        return self.true_positive / found if found else 0.0

    @property
    def recall(self) -> float:
        wanted = self.true_positive + self.false_negative
        return self.true_positive / wanted if wanted else 0.0

    @property
    def f1(self) -> float:
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Bits:
    """What it cost to predict tokens: the sum of ``-log2 p`` of the right ones, and how much text they are.

    >>> (Bits(3.0, 1, 4) + Bits(1.0, 1, 4)).per_character
    0.5
    """

    bits: float = 0.0
    tokens: int = 0
    characters: int = 0

    def __add__(self, other: Bits) -> Bits:
        return Bits(self.bits + other.bits, self.tokens + other.tokens, self.characters + other.characters)

    @property
    def per_token(self) -> float:
        return self.bits / self.tokens if self.tokens else 0.0

    @property
    def per_character(self) -> float:
        return self.bits / self.characters if self.characters else 0.0


SpanKey = tuple[int, int, str]


def span_counts(gold: Iterable[SpanKey], predicted: Iterable[SpanKey]) -> dict[str, Counts]:
    """Exact matches per label: a span is right when start, end and label are. Repeats count once."""
    wanted, found = set(gold), set(predicted)
    counts = {}
    for label in sorted({key[2] for key in wanted | found}):
        right = sum(key in wanted for key in found if key[2] == label)
        n_found = sum(key[2] == label for key in found)
        n_wanted = sum(key[2] == label for key in wanted)
        counts[label] = Counts(right, n_found - right, n_wanted - right)
    return counts


def add_counts(tables: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    """Sum of several tables of counts, label by label."""
    total: dict[str, Counts] = {}
    for table in tables:
        for label, counts in table.items():
            total[label] = total.get(label, Counts()) + counts
    return total


def micro(table: Mapping[str, Counts]) -> Counts:
    """All labels together."""
    return sum(table.values(), Counts())


def macro_f1(table: Mapping[str, Counts]) -> float:
    """Unweighted mean of the labels' F1, 0 for an empty table."""
    return sum(counts.f1 for counts in table.values()) / len(table) if table else 0.0
