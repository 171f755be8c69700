"""A report as a self-contained web page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.util import find_spec
from typing import TypeAlias

from longdoc.evaluation import plots
from longdoc.evaluation.tables import Table
from longdoc.metrics.results import ClauseResult, Result

Results: TypeAlias = Mapping[str, Mapping[str, Result]]
"""Results by encoder, then by the name of the data set."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d8dde3; --page: #ffffff; --band: #f5f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #98a2ad; --line: #343b44; --page: #14181d; --band: #1b2027; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 62rem; color: var(--ink); background: var(--page);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .8rem; }
p { color: var(--soft); margin: 0 0 1rem; max-width: 44rem; }
.scroll { overflow-x: auto; margin: 0 0 1.4rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: .32rem .7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom-width: 2px; }
th.n, td.n { text-align: right; }
tr.total td { font-weight: 650; background: var(--band); }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; flex: 0 1 auto; max-width: 100%; }
figcaption { font-size: .875rem; color: var(--soft); margin-bottom: .3rem; }
svg { max-width: 100%; height: auto; color: var(--ink); }
"""


def page(model: str, results: Results, *, summary: Table, details: Sequence[Table], figures: Table) -> str:
    """Builds the page: plots, if matplotlib is installed, and tables.

    Args:
        model: the name of the model.
        results: what the plots show.
        summary: the main figure of each data set.
        details: the figures of each label.
        figures: all figures.
    """
    title = f"Evaluation of {model}"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(_description(results))}</p>"]
    drawn = find_spec("matplotlib") is not None
    body.append("<h2>All heads</h2>")
    body.append(_figure("Main figure of each data set, by encoder", plots.bars(results)) if drawn else _NO_PLOTS)
    body.append(summary.to_html())
    if drawn:
        body += _curves(results)
    body += ["<h2>Labels</h2>", *(table.to_html() for table in details)]
    body += ["<h2>All figures</h2>", figures.to_html()]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _description(results: Results) -> str:
    n_data = len(next(iter(results.values()), {}))
    sets = f"{n_data} data {'set' if n_data == 1 else 'sets'}"
    return f"{sets}, read with {' and '.join(results)}. All figures are over whole documents."


_NO_PLOTS = "<p>Plots need matplotlib: pip install 'longdoc[evaluate]'</p>"


def _curves(results: Results) -> Iterator[str]:
    """Yields the reliability diagrams, then the precision-recall curves of clauses, one per data set."""
    by_name: dict[str, dict[str, Result]] = {}
    for encoder, by_data in results.items():
        for name, result in by_data.items():
            by_name.setdefault(name, {})[encoder] = result
    scored = {n: {e: r.reliability for e, r in own.items() if r.reliability.rows} for n, own in by_name.items()}
    if any(scored.values()):
        yield "<h2>Reliability of the scores</h2>"
        yield "<p>On the diagonal, 80% of the findings that score 0.8 are correct. Dot size: number of findings.</p>"
        yield '<div class="plots">'
        yield from (_figure(name, plots.reliability_plot(found)) for name, found in scored.items() if found)
        yield "</div>"
    clauses = {n: {e: r.together for e, r in own.items() if isinstance(r, ClauseResult)} for n, own in by_name.items()}
    if any(clauses.values()):
        yield "<h2>Precision and recall of clauses</h2>"
        yield '<div class="plots">'
        yield from (_figure(name, plots.precision_recall_plot(found)) for name, found in clauses.items() if found)
        yield "</div>"


def _figure(caption: str, svg: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>\n{svg}</figure>"
