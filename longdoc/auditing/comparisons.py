"""A measure of one group beside that of another, and which of many are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from longdoc.auditing.measures import PROBABILITY

SMALL = 0.01
"""Clear differences below are counted, and not named: with many texts a gap of a thousandth is clear, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A measure of one group, beside that of the group that it is compared with, on the same texts."""

    swap: str
    """``names``, ``pronouns``, ``origins`` or ``pairs``."""
    kind: str
    """``recall``, ``classes``, ``answers`` or ``likelihood``."""
    measure: str
    group: str
    reference: str
    texts: int
    counted: int
    """The names, questions or texts in them."""
    unit: str
    """What is counted."""
    value: float
    reference_value: float
    gap: float
    """``value`` less ``reference_value``."""
    low: float | None
    high: float | None
    """The interval that holds 95 % of the resampled gaps; None with too few texts."""
    p: float | None
    """Adjusted for all comparisons of the report; None with too few texts."""
    verdict: str
    """``differs``, ``no clear difference`` or ``too few texts``."""


def by_measure(comparisons: Iterable[Comparison]) -> dict[tuple[str, str], list[Comparison]]:
    """The comparisons of each kind of swap and measure."""
    found: dict[tuple[str, str], list[Comparison]] = {}
    for each in comparisons:
        found.setdefault((each.swap, each.measure), []).append(each)
    return found


def is_shown(comparisons: Sequence[Comparison]) -> bool:
    """Whether the comparisons of a measure are shown: some are judged, and of a probability, not all gaps are small."""
    judged = [each for each in comparisons if each.verdict != "too few texts"]
    return any(PROBABILITY not in each.measure or abs(each.gap) >= SMALL for each in judged)


def shown_of(comparisons: Sequence[Comparison], swap: str) -> list[Comparison]:
    """The comparisons of a kind of swap that tables and pictures show."""
    found = by_measure(each for each in comparisons if each.swap == swap)
    return [each for own in found.values() if is_shown(own) for each in own]
