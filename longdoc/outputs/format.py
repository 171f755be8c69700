"""What an output format is, and what its writer is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.errors import DocumentError
    from longdoc.labels import Answer, Entity


class GapLike(Protocol):
    """Characters ``start:end`` of the text that the model did not see; :class:`longdoc.prediction.Gap`."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def reason(self) -> str: ...


GAPS_SHOWN = 5
"""Gaps shown of one reason; if there are more, only the first is shown, and the others are counted."""


def shown_gaps(gaps: Iterable[GapLike]) -> list[tuple[GapLike, int]]:
    """The gaps to show, by their reasons, and for how many others of the same reason each stands."""
    by_reason: dict[str, list[GapLike]] = {}
    for gap in gaps:
        by_reason.setdefault(gap.reason, []).append(gap)
    shown: list[tuple[GapLike, int]] = []
    for alike in by_reason.values():
        shown += [(gap, 0) for gap in alike] if len(alike) <= GAPS_SHOWN else [(alike[0], len(alike) - 1)]
    return shown


class PredictionLike(Protocol):
    """The part of :class:`longdoc.prediction.Prediction` that writers use; that module imports the writers."""

    @property
    def document(self) -> Document: ...
    @property
    def entities(self) -> Sequence[Entity]: ...
    @property
    def answers(self) -> Sequence[Answer]: ...
    @property
    def gaps(self) -> Sequence[GapLike]: ...
    @property
    def coverage(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A document and its prediction, or the error that prevented one."""

    source: str
    """The path or name that the caller gave."""
    result: PredictionLike | DocumentError
    fields: tuple[str, ...] = ()
    """The names of all fields of the schema, in order, if one was filled."""

    @property
    def answers_by_field(self) -> dict[str, list[Answer]]:
        """Answers by field of the schema, those without an answer too; of other answers, by question."""
        found: dict[str, list[Answer]] = {name: [] for name in self.fields}
        for answer in getattr(self.result, "answers", ()):
            found.setdefault(answer.label or answer.question, []).append(answer)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """An output format."""

    name: str
    """Its key in ``FORMATS``."""
    description: str
    """One phrase, for the command line's help."""
    suffix: str | None
    """The file suffix that selects it, such as ``".jsonl"``; None if it is not meant for files."""
    streams: bool
    """Whether the output is usable while it is being written."""
    write: Callable[[Iterable[Outcome], TextIO], None]
    """Consumes outcomes lazily and writes every one of them, failures included, in order."""
    answers: bool = False
    """Whether it shows answers, with their values. If not, it is refused for a schema."""
