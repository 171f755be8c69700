"""The report of an evaluation, as Markdown, JSON or a page of HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longdoc.evaluation.cost import Cost
from longdoc.metrics import Counts
from longdoc.metrics.results import ClassResult, EntityResult, Result, Row

FORMS = (".json", ".md", ".html")
"""Suffixes of files a report can be saved to."""
WHOLE = "all"
"""What the model itself reads, in the table of all results."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one data set, read in one way."""

    result: Result
    cost: Cost
    baselines: Mapping[str, Result] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under their heads: first names, then numbers."""

    columns: Row
    rows: list[Row]
    totals: frozenset[Row] = frozenset()
    """Rows that stand out, by the cell in column ``bold``."""
    n_names: int = 2
    bold: int = 2


@dataclass(frozen=True, slots=True)
class Report:
    """Results and costs by encoder and data set."""

    model: str
    results: Mapping[str, Mapping[str, Outcome]] = field(default_factory=dict)
    """Encoder: data: outcome."""

    @property
    def counts(self) -> dict[str, dict[str, Mapping[str, Counts]]]:
        """Encoder: data: label: counts, of the data sets that mark entities or classes."""
        found: dict[str, dict[str, Mapping[str, Counts]]] = {encoder: {} for encoder in self.results}
        for encoder, name, outcome in self.outcomes():
            if isinstance(outcome.result, EntityResult):
                found[encoder][name] = outcome.result.counts
            elif isinstance(outcome.result, ClassResult):
                found[encoder][name] = outcome.result.classes.labels
        return found

    @property
    def costs(self) -> dict[str, dict[str, Cost]]:
        """Encoder: data: cost."""
        return {
            encoder: {name: outcome.cost for name, outcome in by_name.items()}
            for encoder, by_name in self.results.items()
        }

    def outcomes(self) -> Iterator[tuple[str, str, Outcome]]:
        """Encoder, data and outcome, the encoders of each data set side by side."""
        for name in next(iter(self.results.values()), {}):
            for encoder, by_name in self.results.items():
                yield encoder, name, by_name[name]

    def summary(self) -> Table:
        """All heads in one table: the main figure of each data set by encoder, and what reading cost."""
        columns = ("data", "kind", "encoder", "read", "figure", "value", *_COST)
        rows: list[Row] = []
        for encoder, name, outcome in self.outcomes():
            main, what = outcome.result.main, (name, outcome.result.kind, encoder)
            rows.append((*what, WHOLE, main, f"{outcome.result.value:.3f}", *outcome.cost.cells))
            rows += [
                (*what, baseline, main, f"{result.value:.3f}", *[""] * len(_COST))
                for baseline, result in outcome.baselines.items()
            ]
        own = frozenset(row for row in rows if row[3] == WHOLE)
        return Table(columns, rows, own if len(own) < len(rows) else frozenset(), n_names=5, bold=5)

    def figures(self) -> Table:
        """Every figure of every result, baselines included."""
        rows: list[Row] = []
        for encoder, name, outcome in self.outcomes():
            for read, result in {WHOLE: outcome.result, **outcome.baselines}.items():
                rows += [(encoder, name, read, figure, f"{value:.3f}") for figure, value in result.figures.items()]
        return Table(("encoder", "data", "read", "figure", "value"), rows, n_names=4)

    def details(self) -> list[Table]:
        """Figures of each label, a table for results that have the same columns."""
        found: dict[Row, list[Row]] = {}
        totals: dict[Row, set[Row]] = {}
        for encoder, by_name in self.results.items():
            for name, outcome in by_name.items():
                result, where = outcome.result, (encoder, name)
                last = [(*where, *row) for row in result.totals]
                found.setdefault(result.columns, []).extend([(*where, *row) for row in result.rows] + last)
                totals.setdefault(result.columns, set()).update(last)
        return [
            Table(("encoder", "data", *columns), rows, frozenset(totals[columns]), n_names=3)
            for columns, rows in found.items()
        ]

    def __str__(self) -> str:
        """Markdown: all heads in one table, then every figure, then the labels."""
        return "\n\n".join(map(_markdown, (self.summary(), self.figures(), *self.details())))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "encoders": {
                encoder: {name: _plain(outcome) for name, outcome in by_name.items()}
                for encoder, by_name in self.results.items()
            },
        }

    def to_html(self) -> str:
        """A page that needs no other file; with plots where matplotlib is installed."""
        from longdoc.evaluation.page import page

        return page(self)

    def save(self, path: str | Path) -> None:
        """Writes the report in the form that the suffix names, one of ``FORMS``."""
        suffix = Path(path).suffix
        if suffix == ".json":
            text = json.dumps(self.to_dict(), indent=2) + "\n"
        else:
            text = self.to_html() if suffix == ".html" else f"{self}\n"
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")


_COST = ("documents", "tokens", "tokens/s", "MB at the peak")


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        **outcome.result.to_dict(),
        "documents": outcome.cost.documents,
        "tokens": outcome.cost.tokens,
        "seconds": round(outcome.cost.seconds, 3),
        "megabytes": outcome.cost.megabytes,
        "baselines": {name: result.to_dict() for name, result in outcome.baselines.items()},
    }


def _markdown(table: Table) -> str:
    align = ["---"] * table.n_names + ["---:"] * (len(table.columns) - table.n_names)
    lines = [_line(table.columns), f"|{'|'.join(align)}|"]
    for row in table.rows:
        escaped = [cell.replace("|", "\\|") for cell in row]
        if row in table.totals:
            escaped[table.bold] = f"**{escaped[table.bold]}**"
        lines.append(_line(escaped))
    return "\n".join(lines)


def _line(cells: Row | list[str]) -> str:
    return f"| {' | '.join(cells)} |"
