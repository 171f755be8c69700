"""Counts for each kind of annotation, and the figures derived from them. Results of two documents can be added."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import reduce
from operator import add
from typing import Any, ClassVar, TypeAlias, TypeVar

from longdoc.metrics import (
    NAMES_IN_PARTS,
    AnswerCounts,
    ClassCounts,
    ClauseResults,
    Counts,
    Reliability,
    clause_results,
    is_clause,
    macro_f1,
    micro,
    reliability,
)

Row: TypeAlias = tuple[str, ...]
ResultT = TypeVar("ResultT", bound="Result")


@dataclass(frozen=True)
class Result(ABC):
    """Counts of one kind, and the figures derived from them."""

    kind: ClassVar[str]
    """What the data annotates."""
    main: ClassVar[str]
    """Name of the figure to compare by."""
    columns: ClassVar[Row]
    """Column headings of ``rows`` and ``totals``."""
    reliability: Reliability = field(default_factory=Reliability)
    """Calibration of the findings' scores."""

    def __add__(self: ResultT, other: ResultT) -> ResultT:
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return type(self)(**{name: _sum(*pair) for name, pair in pairs.items()})

    @property
    def figures(self) -> dict[str, float]:
        """All figures, by name."""
        found = self._figures()
        if sum(self.reliability.counts):
            found["calibration error"] = self.reliability.expected_calibration_error
        return found

    @property
    def value(self) -> float:
        """The main figure."""
        return self.figures[self.main]

    @property
    def rows(self) -> list[Row]:
        """The details, one row per label."""
        return []

    @property
    def totals(self) -> list[Row]:
        """Rows below the details: all labels together."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        bins = [list(row) for row in self.reliability.rows]
        return {"kind": self.kind, "figures": self.figures, **self._counted(), "reliability": bins}

    @abstractmethod
    def _figures(self) -> dict[str, float]:
        """The figures of this kind, by name."""

    @abstractmethod
    def _counted(self) -> dict[str, Any]:
        """The counts, for JSON."""


def total(results: Sequence[ResultT]) -> ResultT:
    """The sum of at least one result."""
    return reduce(add, results)


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping):
        shared = {key: one[key] + other[key] for key in one if key in other}
        return {**one, **other, **shared}
    return one + other


@dataclass(frozen=True)
class EntityResult(Result):
    """Exact spans."""

    kind = "entities"
    main = "micro F1"
    columns = ("label", "precision", "recall", "F1", "gold")
    counts: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        return _label_rows(self.counts)

    @property
    def totals(self) -> list[Row]:
        return _label_totals(self.counts)

    def _figures(self) -> dict[str, float]:
        both = micro(self.counts)
        return {
            "micro F1": both.f1,
            "precision": both.precision,
            "recall": both.recall,
            "macro F1": macro_f1(self.counts),
        }

    def _counted(self) -> dict[str, Any]:
        return {"counts": _plain(self.counts)}


@dataclass(frozen=True)
class AnswerResult(Result):
    """Answers as SQuAD 2.0 scores them."""

    kind = "answers"
    main = "F1"
    columns = ("questions", "exact", "F1", "number")
    answers: AnswerCounts = field(default_factory=AnswerCounts)

    @property
    def rows(self) -> list[Row]:
        a = self.answers
        answerable = ("with an answer", f"{a.has_answer_exact:.3f}", f"{a.has_answer_f1:.3f}", f"{a.answerable:,}")
        return [answerable, ("without one", f"{a.no_answer:.3f}", f"{a.no_answer:.3f}", f"{a.unanswerable:,}")]

    @property
    def totals(self) -> list[Row]:
        return [("all", f"{self.answers.exact:.3f}", f"{self.answers.f1:.3f}", f"{self.answers.total:,}")]

    def _figures(self) -> dict[str, float]:
        a = self.answers
        return {
            "exact": a.exact,
            "F1": a.f1,
            "has-answer exact": a.has_answer_exact,
            "has-answer F1": a.has_answer_f1,
            "no-answer": a.no_answer,
            "answerable share": a.answerable / a.total if a.total else 0.0,
        }

    def _counted(self) -> dict[str, Any]:
        return {"answers": asdict(self.answers)}


@dataclass(frozen=True)
class ClauseResult(Result):
    """Clauses as CUAD scores them, by category."""

    kind = "clauses"
    main = "AUPR"
    columns = ("category", "AUPR", "precision at 80 % recall", "precision at 90 % recall", "gold")
    categories: Mapping[str, ClauseResults] = field(default_factory=dict)

    @property
    def together(self) -> ClauseResults:
        """All categories."""
        return sum(self.categories.values(), ClauseResults())

    @property
    def rows(self) -> list[Row]:
        return [_clause_row(category, found) for category, found in self.categories.items()]

    @property
    def totals(self) -> list[Row]:
        return [_clause_row("all", self.together)]

    def _figures(self) -> dict[str, float]:
        return _clause_figures(self.together)

    def _counted(self) -> dict[str, Any]:
        return {"categories": {name: _clause_figures(found) for name, found in self.categories.items()}}


def clause_result(
    category: str, found: Sequence[tuple[str, float]], golds: Sequence[str], *, rated: int | None
) -> ClauseResult:
    """The result of the answers to one category in one document, with the calibration of the first ``rated`` ones.

    Args:
        category: its name.
        found: answers with their scores.
        golds: the gold answers.
        rated: the number of answers whose scores are rated; None for all.
    """
    in_parts = category == NAMES_IN_PARTS
    matched = [is_clause(text, golds, parts_count=in_parts) for text, _ in found[:rated]]
    scored = reliability([score for _, score in found[:rated]], matched)
    return ClauseResult(scored, {category: clause_results(found, golds, parts_count=in_parts)})


@dataclass(frozen=True)
class ClassResult(Result):
    """Classes of texts."""

    kind = "classes"
    main = "macro F1"
    columns = EntityResult.columns
    classes: ClassCounts = field(default_factory=ClassCounts)

    @property
    def rows(self) -> list[Row]:
        return _label_rows(self.classes.labels)

    @property
    def totals(self) -> list[Row]:
        return _label_totals(self.classes.labels)

    def _figures(self) -> dict[str, float]:
        return {"accuracy": self.classes.accuracy, "macro F1": self.classes.macro_f1}

    def _counted(self) -> dict[str, Any]:
        numbers = {"right": self.classes.right, "total": self.classes.total}
        return {**numbers, "counts": _plain(self.classes.labels)}


@dataclass(frozen=True)
class InferenceResult(ClassResult):
    """Classes of hypotheses, and whether the evidence overlaps the annotated one."""

    kind = "inferences"
    main = "accuracy"
    hits: int = 0
    """Decided hypotheses whose evidence shares a character with the annotated evidence."""
    decided: int = 0
    """Hypotheses that the document entails or contradicts, and that have annotated evidence."""

    def _figures(self) -> dict[str, float]:
        found = super()._figures()
        return {**found, "evidence hit rate": self.hits / self.decided} if self.decided else found

    def _counted(self) -> dict[str, Any]:
        return {**super()._counted(), "hits": self.hits, "decided": self.decided}


def _label_rows(table: Mapping[str, Counts]) -> list[Row]:
    return [_label_row(label, counts) for label, counts in sorted(table.items())]


def _label_totals(table: Mapping[str, Counts]) -> list[Row]:
    return [_label_row("micro", micro(table)), ("macro", "", "", f"{macro_f1(table):.3f}", "")]


def _label_row(label: str, counts: Counts) -> Row:
    ratios = (f"{ratio:.3f}" for ratio in (counts.precision, counts.recall, counts.f1))
    return (label, *ratios, f"{counts.true_positive + counts.false_negative:,}")


def _plain(table: Mapping[str, Counts]) -> dict[str, list[int]]:
    return {label: [c.true_positive, c.false_positive, c.false_negative] for label, c in table.items()}


def _clause_figures(found: ClauseResults) -> dict[str, float]:
    return {
        "AUPR": found.aupr,
        "precision at 80 % recall": found.precision_at_recall(0.8),
        "precision at 90 % recall": found.precision_at_recall(0.9),
    }


def _clause_row(name: str, found: ClauseResults) -> Row:
    return (name, *(f"{value:.3f}" for value in _clause_figures(found).values()), f"{len(found.wanted):,}")
