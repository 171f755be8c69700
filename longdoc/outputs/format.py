"""What an output format is, and what its writer is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from longdoc.outputs.original import Original
from longdoc.summary import searched

if TYPE_CHECKING:
    from longdoc.document import Document
    from longdoc.errors import DocumentError
    from longdoc.labels import Answer, Entity, Label


Images: TypeAlias = Literal["inside", "beside", "none"]
"""Where the pictures of pages are."""


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


def said_gaps(gaps: Iterable[GapLike]) -> list[str]:
    """The gaps to show in words."""
    said = []
    for gap, others in shown_gaps(gaps):
        more = f" and in {others:,} other places" if others else ""
        said.append(f"Not read: characters {gap.start} to {gap.end}{more} ({gap.reason})")
    return said


class NoticeLike(Protocol):
    """What was not done for a field; :class:`longdoc.prediction.Notice`."""

    @property
    def field(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def left_out(self) -> int: ...
    @property
    def in_part(self) -> bool: ...


class PredictionLike(Protocol):
    """The part of :class:`longdoc.prediction.Prediction` that writers use; that module imports the writers."""

    @property
    def document(self) -> Document: ...
    @property
    def entities(self) -> Sequence[Entity]: ...
    @property
    def spans(self) -> Sequence[Entity]: ...
    @property
    def labels(self) -> Sequence[Label]: ...
    @property
    def answers(self) -> Sequence[Answer]: ...
    @property
    def rejected(self) -> Sequence[Answer]: ...
    @property
    def beside(self) -> Sequence[Answer]: ...
    @property
    def kind(self) -> str: ...
    @property
    def sought(self) -> Sequence[str]: ...
    @property
    def searched(self) -> Mapping[str, float]: ...
    @property
    def fields(self) -> Mapping[str, Sequence[Answer]]: ...
    @property
    def notices(self) -> Sequence[NoticeLike]: ...
    @property
    def record(self) -> Any: ...
    @property
    def gaps(self) -> Sequence[GapLike]: ...
    @property
    def coverage(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...


def is_doubtful(found: Answer | Entity) -> bool:
    """Whether a person should look at a finding: it says so, or its score is low."""
    from longdoc.labels import DOUBTFUL  # not above: `longdoc --help` imports this module and must stay fast

    return getattr(found, "check", False) or found.score < DOUBTFUL


def passages(prediction: PredictionLike) -> dict[str, list[Answer | Entity]]:
    """Answers by field, fields without an answer too, or by question; then spans by label, in document order.

    The spans that a record was made from are in it, and not shown again.
    """
    found: dict[str, list[Answer | Entity]] = {name: [*own] for name, own in prediction.fields.items()}
    spans = () if prediction.record is not None else prediction.spans
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        found.setdefault(span.label, []).append(span)
    return found


def classes(prediction: PredictionLike) -> dict[str, list[tuple[str, float]]]:
    """The classes of the document, then those of its sections: where each was found, with its score."""
    found: dict[str, list[tuple[str, float]]] = {}
    for label in sorted(prediction.labels, key=lambda label: -1 if label.start is None else label.start):
        where = "document" if label.start is None else f"section {label.section}" if label.section else "a section"
        found.setdefault(label.name, []).append((where, label.score))
    return found


def not_found(prediction: PredictionLike) -> list[str]:
    """The fields and labels without an answer, those that were not sought aside."""
    not_sought = unsought(prediction)
    return [name for name, own in passages(prediction).items() if not own and name not in not_sought]


def unsought(prediction: PredictionLike) -> dict[str, str]:
    """The fields that were not sought, and why."""
    named = (notice for notice in prediction.notices if notice.field)
    return {notice.field: notice.reason for notice in named if not (notice.left_out or notice.in_part)}


def said_notices(prediction: PredictionLike) -> list[str]:
    """The notices in words: one line for the document, and one for all fields with the same reason."""
    whole = [notice.reason for notice in prediction.notices if not notice.field]
    by_reason: dict[tuple[str, str], list[str]] = {}
    for notice in prediction.notices:
        what = "Left out" if notice.left_out else "Sought in part" if notice.in_part else "Not sought"
        more = f" ({notice.left_out} or more)" if notice.left_out else ""
        if notice.field:
            by_reason.setdefault((what, notice.reason), []).append(f"{notice.field}{more}")
    return [*whole, *(f"{what}: {', '.join(names)} ({reason})" for (what, reason), names in by_reason.items())]


def rejected_for(prediction: PredictionLike, field: str) -> Answer | None:
    """The best candidate for a field that was not found; its score was too low."""
    return next((answer for answer in prediction.rejected if answer.label == field), None)


def searched_in_part(prediction: PredictionLike) -> list[str]:
    """The fields for which questions were asked that did not search all of the text, each with the share."""
    return [searched_in(prediction, name) for name in prediction.searched if _share(prediction, name) < 1]


def searched_in(prediction: PredictionLike, field: str) -> str:
    """How much of the text was searched for a field, if a question was asked that did not search all of it."""
    share = _share(prediction, field)
    return f"{field} ({searched(share)})" if share < 1 else field


def _share(prediction: PredictionLike, field: str) -> float:
    """The share of the text that was searched; all of it for a field that another source than a question fills."""
    sources = [answer.source for answer in prediction.fields.get(field, ())]
    is_stated = bool(sources) and all(source and not source.startswith("question") for source in sources)
    return 1.0 if is_stated else prediction.searched.get(field, 1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A document and its prediction, or the error that prevented one."""

    source: str
    """The path or name that the caller gave."""
    result: PredictionLike | DocumentError
    original: Original = field(default_factory=Original)
    """Where its file is, for formats that show or change its pages."""
    folder: Path | None = None
    """Beside the output, for a format that writes further files; None if the output is a stream. It need not exist."""
    images: Images = "inside"
    """Where a format that shows pages puts their pictures: in its file, into ``folder`` (``"beside"``), or nowhere."""


def any_document(document: Document) -> None:
    """For a format of every document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """An output format."""

    name: str
    """Its key in ``FORMATS``."""
    description: str
    """One phrase, for the command line's help."""
    suffix: str | None
    """The file suffix that selects it, such as ``".jsonl"``; None if it is chosen by its name alone."""
    streams: bool
    """Whether the output is usable while it is being written."""
    write: Callable[[Iterable[Outcome], Any], None]
    """Consumes outcomes lazily and writes them in order, failures included, unless it has no place for them."""
    check: Callable[[Document], None] = any_document
    """Refuses a document that it cannot hold, or that a library is not installed, before a model reads the document."""
    answers: bool = False
    """Whether it shows answers, with their values. If not, it is refused for a schema."""
    binary: bool = False
    """Whether it is written to a stream of bytes instead of text."""
    folder: bool = False
    """Whether it shows pages, and writes further files into ``Outcome.folder``."""
    entities: bool = True
    """Whether it shows entities. If not, it is refused without a schema or a record."""
    single: bool = False
    """Whether a file holds one document; its writer refuses a second, and a failure."""
    failures: bool = True
    """Whether it has a place for documents that failed. If not, they are left out, and an ``OutputWarning`` says so."""
