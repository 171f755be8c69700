"""What a format leaves out or changes: counted while it is written, and told at the end."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from longdoc.errors import DocumentError, OutputWarning
from longdoc.outputs.format import Outcome, PredictionLike


@dataclass(slots=True)
class Omissions:
    """Numbers of what is not in a file, or not as it was found, by what it is."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, number: int = 1) -> None:
        """Counts one more, or ``number`` more."""
        if number:
            self.counts[what] += number

    def __str__(self) -> str:
        return "; ".join(f"{what}: {number:,}" for what, number in self.counts.items())


@contextmanager
def telling(format: str) -> Iterator[Omissions]:
    """Collects what a format leaves out while it is written, and warns at the end, if there is something.

    Warns:
        OutputWarning: something was left out or changed; the message counts it by what it is.
    """
    omissions = Omissions()
    yield omissions
    if omissions.counts:
        warnings.warn(f"the format {format} does not hold everything: {omissions}", OutputWarning, stacklevel=4)


def read(outcomes: Iterable[Outcome], omissions: Omissions) -> Iterator[tuple[str, PredictionLike]]:
    """The sources and predictions of the documents that could be read; counts the others, and what was not read."""
    for outcome in outcomes:
        if isinstance(outcome.result, DocumentError):
            omissions.add("documents that could not be read")
        else:
            omissions.add("places that the model did not read", len(outcome.result.gaps))
            omissions.add("warnings of documents", len(outcome.result.document.warnings))
            yield outcome.source, outcome.result
