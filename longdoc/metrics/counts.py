"""Additive counts, and the ratios derived from them. Merge documents, windows or workers with ``+``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def add_fields(one: T, other: T) -> T:
    """Adds two dataclasses of counts field by field."""
    return replace(one, **{f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(one)})


def ratio(part: float, whole: float) -> float:
    """``part / whole``, and 0 if ``whole`` is 0."""
    return part / whole if whole else 0.0


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
        return add_fields(self, other)

    @property
    def precision(self) -> float:
        return ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        return ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        return ratio(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)


@dataclass(frozen=True, slots=True)
class Bits:
    """Cross-entropy of predicted tokens in bits, with the number of tokens and characters to normalise it by.

    >>> (Bits(3.0, 1, 4) + Bits(1.0, 1, 4)).per_character
    0.5
    """

    bits: float = 0.0
    tokens: int = 0
    characters: int = 0

    def __add__(self, other: Bits) -> Bits:
        return add_fields(self, other)

    @property
    def per_token(self) -> float:
        return ratio(self.bits, self.tokens)

    @property
    def per_character(self) -> float:
        return ratio(self.bits, self.characters)


SpanKey = tuple[int, int, str]


def span_counts(gold: Iterable[SpanKey], predicted: Iterable[SpanKey]) -> dict[str, Counts]:
    """Counts exact matches by label: start, end and label must be equal. Duplicates count once."""
    wanted, found = set(gold), set(predicted)
    counts = {}
    for label in sorted({key[2] for key in wanted | found}):
        right = sum(key in wanted for key in found if key[2] == label)
        n_found = sum(key[2] == label for key in found)
        n_wanted = sum(key[2] == label for key in wanted)
        counts[label] = Counts(right, n_found - right, n_wanted - right)
    return counts


def add_counts(tables: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    """Sums several tables of counts, label by label."""
    total: dict[str, Counts] = {}
    for table in tables:
        for label, counts in table.items():
            total[label] = total.get(label, Counts()) + counts
    return total


def micro(table: Mapping[str, Counts]) -> Counts:
    """The counts of all labels together."""
    return sum(table.values(), Counts())


def macro_f1(table: Mapping[str, Counts]) -> float:
    """Unweighted mean of the F1 of the labels; 0 for an empty table."""
    return ratio(sum(counts.f1 for counts in table.values()), len(table))
