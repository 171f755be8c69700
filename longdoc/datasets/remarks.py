"""What a data set has that is not read or not learned: counted by what it is, with the first place of each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Remarks:
    """Numbers of what was left out or read in another way, by what it is, and where each was first met.

    >>> remarks = Remarks()
    >>> remarks.add("relation, not read", "lease.ann, line 3")
    >>> remarks.add("relation, not read", "loan.ann, line 9")
    >>> print(remarks)
    relation, not read: 2 (the first: lease.ann, line 3)
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, where: str, number: int = 1) -> None:
        """Counts one more, or ``number`` more."""
        self.counts[what] += number
        self.first.setdefault(what, where)

    def update(self, other: Remarks) -> None:
        """Adds the numbers of another collection."""
        for what, number in other.counts.items():
            self.add(what, other.first[what], number)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __str__(self) -> str:
        return "; ".join(f"{what}: {number} (the first: {self.first[what]})" for what, number in self.counts.items())


@contextmanager
def remarks_on(source: object, remarks: Remarks | None) -> Iterator[Remarks]:
    """The remarks that a caller collects; without a caller's, new ones, which are logged at the end."""
    if remarks is not None:
        yield remarks
        return
    own = Remarks()
    yield own
    if own:
        logger.warning("%s: %s", source, own)
