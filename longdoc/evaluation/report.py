"""The report of an evaluation, and the forms it is saved in: JSON, Markdown and HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longdoc.errors import ConfigError
from longdoc.evaluation.cost import Cost
from longdoc.evaluation.page import page
from longdoc.evaluation.tables import Table
from longdoc.metrics import Counts
from longdoc.metrics.results import ClassResult, EntityResult, Result, Row
from longdoc.outputs import replacing

WHOLE = "all"
"""How the tables mark results of the model on whole documents, beside those of baselines."""
_COST = ("documents", "tokens", "tokens/s", "peak MB")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result and cost of one data set with one encoder."""

    result: Result
    cost: Cost
    baselines: Mapping[str, Result] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """Results and costs by encoder and data set."""

    model: str
    results: Mapping[str, Mapping[str, Outcome]] = field(default_factory=dict)
    """Outcomes by encoder, then by the name of the data set; each encoder has the same data sets."""

    @property
    def counts(self) -> dict[str, dict[str, Mapping[str, Counts]]]:
        """Counts by encoder, data set and label, of the data sets of entities and classes."""
        found: dict[str, dict[str, Mapping[str, Counts]]] = {encoder: {} for encoder in self.results}
        for encoder, name, outcome in self.outcomes():
            if isinstance(outcome.result, EntityResult):
                found[encoder][name] = outcome.result.counts
            elif isinstance(outcome.result, ClassResult):
                found[encoder][name] = outcome.result.classes.labels
        return found

    @property
    def costs(self) -> dict[str, dict[str, Cost]]:
        """Costs by encoder and data set."""
        return {
            encoder: {name: outcome.cost for name, outcome in by_name.items()}
            for encoder, by_name in self.results.items()
        }

    def outcomes(self) -> Iterator[tuple[str, str, Outcome]]:
        """Yields encoder, data set and outcome, grouped by data set."""
        for name in next(iter(self.results.values()), {}):
            for encoder, by_name in self.results.items():
                yield encoder, name, by_name[name]

    def summary(self) -> Table:
        """The main figure of each data set by encoder, and the cost of reading it."""
        columns = ("data", "kind", "encoder", "read", "figure", "value", *_COST)
        rows: list[Row] = []
        for encoder, name, outcome in self.outcomes():
            main, names = outcome.result.main, (name, outcome.result.kind, encoder)
            rows.append((*names, WHOLE, main, f"{outcome.result.value:.3f}", *outcome.cost.cells))
            rows += [
                (*names, baseline, main, f"{result.value:.3f}", *[""] * len(_COST))
                for baseline, result in outcome.baselines.items()
            ]
        own = frozenset(row for row in rows if row[3] == WHOLE)
        return Table(columns, rows, own if len(own) < len(rows) else frozenset(), n_names=5, bold=5)

    def figures(self) -> Table:
        """All figures of all results, including baselines."""
        rows: list[Row] = []
        for encoder, name, outcome in self.outcomes():
            for read, result in {WHOLE: outcome.result, **outcome.baselines}.items():
                rows += [(encoder, name, read, figure, f"{value:.3f}") for figure, value in result.figures.items()]
        return Table(("encoder", "data", "read", "figure", "value"), rows, n_names=4)

    def details(self) -> list[Table]:
        """The figures of each label, in one table per set of columns."""
        found: dict[Row, list[Row]] = {}
        totals: dict[Row, set[Row]] = {}
        for encoder, by_name in self.results.items():
            for name, outcome in by_name.items():
                result, names = outcome.result, (encoder, name)
                last = [(*names, *row) for row in result.totals]
                found.setdefault(result.columns, []).extend([(*names, *row) for row in result.rows] + last)
                totals.setdefault(result.columns, set()).update(last)
        return [
            Table(("encoder", "data", *columns), rows, frozenset(totals[columns]), n_names=3)
            for columns, rows in found.items()
        ]

    def __str__(self) -> str:
        """The report in Markdown: the summary, all figures, the figures of each label."""
        return "\n\n".join(table.to_markdown() for table in (self.summary(), self.figures(), *self.details()))

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold."""
        return {
            "model": self.model,
            "encoders": {
                encoder: {name: _plain(outcome) for name, outcome in by_name.items()}
                for encoder, by_name in self.results.items()
            },
        }

    def to_html(self) -> str:
        """A self-contained web page; with plots if matplotlib is installed."""
        results = {
            encoder: {name: outcome.result for name, outcome in by_name.items()}
            for encoder, by_name in self.results.items()
        }
        return page(self.model, results, summary=self.summary(), details=self.details(), figures=self.figures())

    def save(self, path: str | Path) -> None:
        """Writes the report in the form that the suffix selects, a key of ``FORMS``; folders are created.

        Raises:
            ConfigError: the suffix selects no form, or the file cannot be written.
        """
        suffix = Path(path).suffix
        if suffix not in FORMS:
            raise ConfigError(f"{path}: unknown suffix {suffix!r}; allowed: {', '.join(FORMS)}")
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror or error}); name another file") from error
        with replacing(path) as stream:
            stream.write(FORMS[suffix](self))


FORMS: dict[str, Callable[[Report], str]] = {
    ".json": lambda report: json.dumps(report.to_dict(), indent=2) + "\n",
    ".md": lambda report: f"{report}\n",
    ".html": Report.to_html,
}
"""The forms of a report, by file suffix."""


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        **outcome.result.to_dict(),
        "documents": outcome.cost.documents,
        "tokens": outcome.cost.tokens,
        "seconds": round(outcome.cost.seconds, 3),
        "megabytes": outcome.cost.megabytes,
        "baselines": {name: result.to_dict() for name, result in outcome.baselines.items()},
    }
