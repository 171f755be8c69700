"""A picture of a prediction: findings by page and label, their scores, the dates in the text, and what was read."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from longdoc.arguments import check_type
from longdoc.errors import ConfigError
from longdoc.labels import DOUBTFUL
from longdoc.outputs import replacing
from longdoc.outputs.format import PredictionLike
from longdoc.outputs.marks import Mark, marks_of
from longdoc.outputs.omissions import Omissions
from longdoc.outputs.palette import colours
from longdoc.outputs.panels import DARK_PAGE, FONT, LIGHT_PAGE, Theme, in_figure, nothing, panel, shown
from longdoc.outputs.timeline import draw_dates
from longdoc.summary import count, page_ranges, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import SubplotSpec

    from longdoc.document import Document
    from longdoc.parts import Page

SUFFIXES = (".png", ".svg", ".pdf")
_LEFT = 0.055
"""Where the picture starts, as a share of its width."""
_PARTS = 96
"""Of the axis of pages, at least, if there are fewer pages."""
LABELS_SHOWN = 12
"""Labels with a row of their own; the others share one."""
_DOTS_PER_INCH = 150
_STYLE: Any = {"font.family": FONT, "font.size": 9, "text.parse_math": False, "svg.hashsalt": "longdoc"}
_KINDS = {"entity": "entities", "span": "spans", "answer": "answers"}


class Picture(Figure):
    """A figure that notebooks show, whether or not pyplot is in use."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        with matplotlib.rc_context(_STYLE):
            self.savefig(stream, format="png")
        return stream.getvalue()


def plot(prediction: PredictionLike, path: str | Path | None = None, *, dark: bool = False) -> Picture:
    """The result of :meth:`longdoc.prediction.Prediction.plot`.

    Raises:
        ConfigError: the path has another suffix than ``SUFFIXES``, or is not that of a file in a folder that exists.
    """
    if path is not None:
        check_picture(path)
    with matplotlib.rc_context(_STYLE):
        picture = _drawn(prediction, DARK_PAGE if dark else LIGHT_PAGE)
        if path is not None:
            with replacing(path, binary=True) as stream:
                picture.savefig(stream, format=Path(path).suffix[1:].lower())
    return picture


def check_picture(path: str | Path) -> None:
    """Checks that a path is that of a picture.

    Raises:
        ConfigError: it has another suffix.
    """
    check_type("path", path, "the path of a picture", str, Path)
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: unknown suffix {Path(path).suffix!r}; pictures are {', '.join(SUFFIXES)}")


def _drawn(prediction: PredictionLike, theme: Theme) -> Picture:
    picture = Picture(figsize=(11, 7.4), dpi=_DOTS_PER_INCH, facecolor=theme.page)
    FigureCanvasAgg(picture)
    marks = marks_of(prediction, Omissions())
    _add_head(picture, prediction, len(marks), theme)
    rows, scale = _rows(marks), _Scale.of(prediction.document)
    upper = _half(picture, 0, left=0.19).subgridspec(
        2, 2, width_ratios=(2.6, 1), height_ratios=(11, 1), wspace=0.04, hspace=0.12
    )
    where = picture.add_subplot(upper[0, 0])
    _draw_pages(where, scale, rows, theme)
    _draw_counts(picture.add_subplot(upper[0, 1]), rows, theme)
    _draw_coverage(picture.add_subplot(upper[1, 0], sharex=where), prediction, scale, theme)
    lower = _half(picture, 1, left=_LEFT).subgridspec(1, 2, width_ratios=(1, 1.75), wspace=0.12)
    _draw_scores(picture.add_subplot(lower[0]), marks, theme)
    draw_dates(picture.add_subplot(lower[1]), marks, theme)
    return picture


def _half(picture: Figure, number: int, *, left: float) -> SubplotSpec:
    """The upper or the lower part of a picture, from ``left`` on, as a share of its width."""
    sides = {"left": left, "right": 0.97, "top": 0.83, "bottom": 0.075}
    return picture.add_gridspec(2, 1, height_ratios=(1.75, 1), hspace=0.42, **sides)[number]


def _add_head(picture: Figure, prediction: PredictionLike, n_found: int, theme: Theme) -> None:
    """The title, and below it the facts."""
    document = prediction.document
    facts = [shown(document.source.name, 60), count(len(document.pages), "page"), count(n_found, "finding")]
    kind = [prediction.kind] if prediction.kind not in ("", "other") else []
    title = shown(document.title or document.source.name, 90)
    picture.text(_LEFT, 0.955, title, color=theme.ink, size=14, weight="bold", va="center")
    picture.text(_LEFT, 0.918, "  ·  ".join([*facts, *kind]), color=theme.muted, size=9.5, va="center")


def _rows(marks: Sequence[Mark]) -> dict[str, list[Mark]]:
    """The findings by label, the most frequent first; those of rare labels in one row at the end."""
    by_label: dict[str, list[Mark]] = {}
    for mark in marks:
        by_label.setdefault(mark.label, []).append(mark)
    ordered = sorted(by_label, key=lambda label: (-len(by_label[label]), label))
    shared = ordered[LABELS_SHOWN:] if len(ordered) > LABELS_SHOWN + 1 else []
    rows = {label: by_label[label] for label in ordered if label not in set(shared)}
    if shared:
        rows[f"{len(shared)} other labels"] = [mark for label in shared for mark in by_label[label]]
    return rows


@dataclass(frozen=True, slots=True)
class _Scale:
    """The axis of pages: the page at position ``n`` (from 0) goes from ``n + 0.5`` to ``n + 1.5``."""

    pages: tuple[Page, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, document: Document) -> _Scale:
        return cls(document.pages, tuple(page.end for page in document.pages))

    def place(self, offset: int) -> float:
        """Where a character of the text is."""
        at = min(bisect_right(self.ends, offset), len(self.pages) - 1)
        page = self.pages[at]
        return at + 0.5 + (offset - page.start) / max(page.end - page.start, 1)

    @property
    def end(self) -> float:
        return len(self.pages) + 0.5

    def counts(self, marks: Sequence[Mark]) -> np.ndarray:
        """The number of marks in each part of the axis, int64 ``(pages x parts,)``; a page of few has several parts."""
        parts = max(_PARTS // len(self.pages), 1)
        steps = np.zeros(len(self.pages) * parts + 1, dtype=np.int64)
        for mark in marks:
            steps[int((self.place(mark.start) - 0.5) * parts)] += 1
            steps[min(int((self.place(mark.end - 1) - 0.5) * parts) + 1, len(steps) - 1)] -= 1
        return steps.cumsum()[:-1]


def _draw_pages(axes: Axes, scale: _Scale, rows: dict[str, list[Mark]], theme: Theme) -> None:
    """A row a label: where its findings are, stronger where there are more."""
    panel(axes, "Findings by page" if len(scale.pages) > 1 else "Findings in the text", "", theme, left=_LEFT)
    axes.tick_params(axis="x", labelbottom=False)
    axes.set_xlim(0.5, scale.end)
    if not rows:
        axes.set_yticks([])
        axes.text(_LEFT, 0.9, "Nothing was found.", transform=in_figure(axes), color=theme.muted, size=9.5)
        return
    for row, (label, own) in enumerate(rows.items()):
        numbers = scale.counts(own)
        strength = np.where(numbers > 0, 0.35 + 0.65 * np.sqrt(numbers / max(numbers.max(), 1)), 0)
        image = np.empty((1, len(numbers), 4))
        image[..., :3], image[0, :, 3] = to_rgb(_colours(rows, theme)[label]), strength
        axes.axhspan(row - 0.36, row + 0.36, color=theme.faint, alpha=0.45, linewidth=0)
        extent = (0.5, scale.end, row + 0.36, row - 0.36)
        axes.imshow(image, extent=extent, aspect="auto", interpolation="nearest", zorder=2)
    if len(scale.pages) <= _PARTS // 2:
        axes.vlines(
            [each + 0.5 for each in range(1, len(scale.pages))],
            -0.5,
            len(rows) - 0.5,
            theme.page,
            linewidth=1.5,
            zorder=1,
        )
    axes.set_xlim(0.5, scale.end)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [shown(label.replace("_", " "), 24) for label in rows], color=theme.ink)


def _colours(rows: dict[str, list[Mark]], theme: Theme) -> dict[str, str]:
    found = colours(rows, dark=theme is DARK_PAGE)
    return {label: theme.muted if label.endswith(" other labels") else own for label, own in found.items()}


def _draw_counts(axes: Axes, rows: dict[str, list[Mark]], theme: Theme) -> None:
    """The number of findings of each label, beside the rows of pages."""
    panel(axes, "By label" if rows else "", "", theme)
    axes.set_xticks([])
    axes.set_yticks([])
    if not rows:
        return
    numbers = [len(own) for own in rows.values()]
    axes.barh(
        range(len(rows)),
        numbers,
        0.72,
        color=list(_colours(rows, theme).values()),
    )
    for row, number in enumerate(numbers):
        axes.annotate(
            f"{number:,}", (number, row), (4, 0), textcoords="offset points", va="center", color=theme.ink, size=8.5
        )
    axes.set_xlim(0, max(numbers) * 1.25)
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _draw_coverage(axes: Axes, prediction: PredictionLike, scale: _Scale, theme: Theme) -> None:
    """A strip over the pages: what was read, what was not, and pages without text."""
    text = prediction.document.text
    panel(axes, "", "", theme)
    read = f"{_percent(prediction.coverage)} read" if text.strip() else "no text"
    axes.set_yticks([0.5], [read], color=theme.ink)
    axes.set_ylim(0, 1)
    axes.axvspan(0.5, scale.end, color=theme.muted, alpha=0.35, linewidth=0)
    ends = [(scale.place(gap.start), scale.place(gap.end - 1)) for gap in prediction.gaps]
    gaps = [(start, max(end - start, 0.004 * len(scale.pages))) for start, end in ends]
    axes.broken_barh(gaps, (0, 1), color=theme.series[1], linewidth=0)
    without = [at for at, page in enumerate(scale.pages) if not text[page.start : page.end].strip()]
    blank = [(at + 0.5, 1) for at in without]
    axes.broken_barh(blank, (0, 1), facecolor=theme.page, edgecolor=theme.muted, hatch="////", linewidth=0)
    said = [f"{count(len(prediction.gaps), 'place')} not read"] if prediction.gaps else []
    if without:
        numbers = shortened(page_ranges(scale.pages[at].number for at in without), 40)
        said.append(f"without text: {'pages' if len(without) > 1 else 'page'} {numbers}")
    _name_pages(axes, scale, said, theme)


def _name_pages(axes: Axes, scale: _Scale, said: Sequence[str], theme: Theme) -> None:
    """Numbers the pages; of a single one, says that the axis is its text."""
    name = "page" if len(scale.pages) > 1 else "from the start of the text to its end"
    axes.set_xlabel("  ·  ".join([name, *said]), color=theme.muted, size=8.5, labelpad=3)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _number(x, scale)))
    if len(scale.pages) == 1:
        axes.set_xticks([])


def _percent(share: float) -> str:
    """A share in percent; 100 only if it is all."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def _number(place: float, scale: _Scale) -> str:
    """The number of the page at a place of the axis."""
    at = round(place) - 1
    return str(scale.pages[at].number) if place == round(place) and 0 <= at < len(scale.pages) else ""


def _draw_scores(axes: Axes, marks: Sequence[Mark], theme: Theme) -> None:
    """A histogram of the scores, by kind of finding."""
    scores = {kind: [mark.found.score for mark in marks if mark.kind == kind] for kind in _KINDS}
    every = [score for own in scores.values() for score in own]
    doubtful = sum(score < DOUBTFUL for score in every)
    panel(axes, "Scores", f"{doubtful:,} of {len(every):,} below {DOUBTFUL}" if every else "", theme)
    if not every:
        nothing(axes, "No scores.", theme)
        return
    kinds = [kind for kind, own in scores.items() if own]
    series = [theme.series[[*_KINDS].index(kind)] for kind in kinds]
    names = [f"{_KINDS[kind]}" for kind in kinds]
    axes.hist(
        [scores[kind] for kind in kinds],
        bins=np.linspace(0, 1, 21).tolist(),
        stacked=True,
        color=series,
        label=names,
        rwidth=0.88,
    )
    axes.axvline(DOUBTFUL, color=theme.muted, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.set_xlim(0, 1)
    axes.grid(axis="y", color=theme.faint, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.legend(frameon=False, fontsize=8.5, labelcolor=theme.ink, loc="upper left", handlelength=0.9, borderpad=0)
