"""The report as one page of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING

from longdoc.evaluation import plots
from longdoc.metrics.results import ClauseResult, Result

if TYPE_CHECKING:
    from longdoc.evaluation.report import Report, Table

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


def page(report: Report) -> str:
    """The page: the figures by encoder, drawn and in a table, then whether scores can be trusted, then the labels."""
    title = f"Evaluation of {report.model}"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(_described(report))}</p>", *_body(report)]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _described(report: Report) -> str:
    n_data = len(next(iter(report.results.values()), {}))
    encoders = " and ".join(report.results)
    return f"{n_data} data {'set' if n_data == 1 else 'sets'}, read by {encoders}. All counts are of whole documents."


def _body(report: Report) -> Iterator[str]:
    drawn = find_spec("matplotlib") is not None
    yield "<h2>All heads</h2>"
    yield _figure("Main figure of each data set, by encoder", plots.bars(report)) if drawn else _NO_PLOTS
    yield _table(report.summary())
    if drawn:
        yield from _curves(report)
    yield "<h2>Labels</h2>"
    yield from map(_table, report.details())
    yield "<h2>Every figure</h2>"
    yield _table(report.figures())


_NO_PLOTS = "<p>The plots are left out: they need matplotlib (pip install matplotlib).</p>"


def _curves(report: Report) -> Iterator[str]:
    by_name: dict[str, dict[str, Result]] = {}
    for encoder, name, outcome in report.outcomes():
        by_name.setdefault(name, {})[encoder] = outcome.result
    scored = {n: {e: r.reliability for e, r in own.items() if r.reliability.rows} for n, own in by_name.items()}
    if any(scored.values()):
        yield "<h2>Reliability of the scores</h2>"
        yield "<p>On the diagonal a score of 0.8 is right four times in five; a larger dot is more findings.</p>"
        yield '<div class="plots">'
        yield from (_figure(name, plots.reliability_plot(found)) for name, found in scored.items() if found)
        yield "</div>"
    clauses = {n: {e: r.together for e, r in own.items() if isinstance(r, ClauseResult)} for n, own in by_name.items()}
    if any(clauses.values()):
        yield "<h2>Precision and recall of clauses</h2>"
        yield '<div class="plots">'
        yield from (_figure(name, plots.precision_recall_plot(found)) for name, found in clauses.items() if found)
        yield "</div>"


def _figure(caption: str, drawn: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>\n{drawn}</figure>"


def _table(table: Table) -> str:
    heads = "".join(_cell("th", text, number >= table.n_names) for number, text in enumerate(table.columns))
    rows = []
    for row in table.rows:
        cells = "".join(_cell("td", text, number >= table.n_names) for number, text in enumerate(row))
        rows.append(f'<tr class="total">{cells}</tr>' if row in table.totals else f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table>\n<tr>{heads}</tr>\n' + "\n".join(rows) + "\n</table></div>"


def _cell(tag: str, text: str, is_number: bool) -> str:
    return f'<{tag} class="n">{escape(text)}</{tag}>' if is_number else f"<{tag}>{escape(text)}</{tag}>"
