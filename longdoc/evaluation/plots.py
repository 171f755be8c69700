"""Plots as SVG, in the text colour of the page, so that they suit light and dark pages."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from longdoc.errors import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from longdoc.metrics import ClauseResults, Reliability
    from longdoc.metrics.results import Result

COLORS = ("#3f7fbf", "#d9822b", "#4d9966", "#a8629a")
"""One per encoder; legible on white and on black."""
_INK = "#010203"  # replaced by the text colour of the page


def bars(results: Mapping[str, Mapping[str, Result]]) -> str:
    """The main figure of each data set, with one bar per encoder.

    Args:
        results: by encoder, then by the name of the data set; each encoder has the same data sets.
    """
    first = next(iter(results.values()), {})
    figure, axes = _figure(6.8, 0.7 + len(first) * (0.2 + 0.22 * len(results)))
    height = 0.8 / max(len(results), 1)
    for number, (encoder, by_name) in enumerate(results.items()):
        values = [by_name[name].value for name in first]
        offset = (number - (len(results) - 1) / 2) * height
        drawn = axes.barh(
            [row + offset for row in range(len(first))], values, height * 0.88, color=_color(number), label=encoder
        )
        axes.bar_label(drawn, fmt="%.3f", padding=3, fontsize=8, color=_INK)
    axes.set_yticks(range(len(first)), [f"{name}, {result.main}" for name, result in first.items()])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    _legend(axes)
    return _svg(figure)


def reliability_plot(by_encoder: Mapping[str, Reliability]) -> str:
    """The share of correct findings by score, with one line per encoder; calibrated scores lie on the diagonal."""
    figure, axes = _figure(3.4, 3.2)
    axes.plot([0, 1], [0, 1], color=_INK, alpha=0.35, linewidth=1, linestyle="--")
    for number, (encoder, found) in enumerate(by_encoder.items()):
        scores, shares, counts = zip(*found.rows, strict=True)
        sizes = [12 + 60 * count / max(counts) for count in counts]
        axes.plot(scores, shares, color=_color(number), linewidth=1.2, alpha=0.7)
        axes.scatter(scores, shares, s=sizes, color=_color(number), linewidths=0, label=encoder)
    _unit_square(axes, "score", "share correct")
    return _svg(figure)


def precision_recall_plot(by_encoder: Mapping[str, ClauseResults]) -> str:
    """Precision by recall over all categories, with one line per encoder."""
    figure, axes = _figure(3.4, 3.2)
    for number, (encoder, found) in enumerate(by_encoder.items()):
        recall, precision = found.curve
        axes.plot(recall, precision, color=_color(number), linewidth=1.6, label=f"{encoder} ({found.aupr:.3f})")
    _unit_square(axes, "recall", "precision")
    return _svg(figure)


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure: Figure = require("matplotlib.figure", extra="evaluate", needed_by="a plot").Figure(
        figsize=(width, height), layout="constrained"
    )
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    axes.tick_params(colors=_INK, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_color(_INK)
        spine.set_alpha(0.4)
        spine.set_visible(name in ("left", "bottom"))
    return figure, axes


def _unit_square(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x_label, color=_INK, fontsize=9)
    axes.set_ylabel(y_label, color=_INK, fontsize=9)
    _legend(axes)


def _legend(axes: Axes) -> None:
    names: Sequence[str] = axes.get_legend_handles_labels()[1]
    if names:
        axes.legend(frameon=False, fontsize=8, labelcolor=_INK, loc="best", markerscale=0.8)


def _svg(figure: Figure) -> str:
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "longdoc"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    drawn = re.sub(r' id="\w+_\d+"', "", drawn[drawn.index("<svg") :]).replace(_INK, "currentColor")
    drawn = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"(font: [\d.]+px) [^;\"]*", r"\1 system-ui, sans-serif", drawn)  # matplotlib before 3.10
    return re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", drawn)
