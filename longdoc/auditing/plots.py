"""A picture of the gaps of one kind of swap: a row a group, a panel a measure, a line for the interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from longdoc.auditing.comparisons import Comparison
from longdoc.auditing.measures import PROBABILITY
from longdoc.auditing.wording import AGAIN
from longdoc.outputs.panels import FONT, LIGHT_PAGE, panel, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = 5
"""Measures in a picture, at most: of probabilities of classes, those with the largest gaps."""
LEAST_WIDTH = 0.05
"""Of an axis, to each side, so that small gaps look small."""
_DOTS_PER_INCH = 150
_STYLE = {"font.family": FONT, "font.size": 9, "text.parse_math": False}
_TITLE_CHARACTERS = 34


def plot_gaps(own: Sequence[Comparison], path: Path) -> None:
    """Draws the gaps of one kind of swap into a ``.png``."""
    measures = _measures(own)
    groups = sorted(dict.fromkeys(each.group for each in own), key=lambda group: group == AGAIN)
    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]  # the names are known
        size = (2.6 + 2.5 * len(measures), 1.5 + 0.27 * len(groups))
        figure = Figure(figsize=size, dpi=_DOTS_PER_INCH, facecolor=LIGHT_PAGE.page)
        FigureCanvasAgg(figure)
        left, top = 2.2 / size[0], 1 - 0.8 / size[1]
        sides = {"left": left, "right": 0.98, "top": top, "bottom": 0.55 / size[1], "wspace": 0.18}
        grid = figure.add_gridspec(1, len(measures), **sides)
        for number, measure in enumerate(measures):
            rows = {each.group: each for each in own if each.measure == measure}
            axes = figure.add_subplot(grid[number])
            _draw(axes, measure, rows, groups)
            axes.set_yticks(range(len(groups)), groups if number == 0 else [""] * len(groups))
        figure.savefig(path, format="png")


def _measures(comparisons: Sequence[Comparison]) -> list[str]:
    """The measures that are shown: all but probabilities of classes, and of these those with the largest gaps."""
    sizes: dict[str, float] = {}
    for each in comparisons:
        sizes[each.measure] = max(sizes.get(each.measure, 0.0), abs(each.gap))
    probable = [each for each in sizes if PROBABILITY in each]
    first = [each for each in sizes if each not in probable][:PANELS]
    others = sorted(probable, key=lambda each: -sizes[each])[: PANELS - len(first)]
    return [each for each in sizes if each in first or each in others]


def _draw(axes: Axes, measure: str, rows: dict[str, Comparison], groups: Sequence[str]) -> None:
    theme = LIGHT_PAGE
    any_row = next(iter(rows.values()))
    panel(axes, "", "", theme)
    head, _, title = measure.rpartition(": ")
    heading = f"{head}\n{shown(title, _TITLE_CHARACTERS)}" if head else f"\n{shown(title, _TITLE_CHARACTERS)}"
    axes.set_title(heading, loc="left", color=theme.ink, size=9.5, weight="bold", pad=8)
    axes.axvline(0, color=theme.muted, linewidth=0.9)
    for place, group in enumerate(groups):
        axes.axhline(place, color=theme.faint, linewidth=0.7, zorder=0)
        each = rows.get(group)
        if each is None:
            continue
        if each.low is None or each.high is None:
            axes.plot([each.gap], [place], "o", color=theme.muted, markersize=4, markerfacecolor="none")
            continue
        colour = theme.series[1] if each.verdict == "differs" else theme.series[0]
        axes.plot([each.low, each.high], [place, place], color=colour, linewidth=1.6, solid_capstyle="round")
        axes.plot([each.gap], [place], "o" if each.verdict != "differs" else "D", color=colour, markersize=4.5)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    widest = max(
        LEAST_WIDTH, *(abs(end) for each in rows.values() for end in (each.gap, each.low or 0.0, each.high or 0.0))
    )
    axes.set_xlim(-1.1 * widest, 1.1 * widest)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel(f"gap to {shown(any_row.reference, 30)}", color=theme.muted, size=8.5)
    axes.tick_params(axis="y", colors=theme.ink)
