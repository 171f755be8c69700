"""What the panels of a picture share: colours, titles, and text that the font can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.transforms import Transform, blended_transform_factory

from longdoc.outputs.palette import DARK, LIGHT
from longdoc.summary import on_one_line, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FONT = "DejaVu Sans"
"""It comes with matplotlib."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a light or a dark picture."""

    page: str
    ink: str
    muted: str
    faint: str
    series: tuple[str, ...]


LIGHT_PAGE = Theme("#ffffff", "#1f2630", "#5c6773", "#e3e7ec", LIGHT)
DARK_PAGE = Theme("#14181f", "#e8ecf2", "#9aa6b4", "#2b333d", DARK)


def shown(text: str, most: int) -> str:
    """A text on one line, shortened, with a box for each character that the font lacks.

    >>> shown("Lease of 東京", 40)
    'Lease of ▯▯'
    """
    font = get_font(findfont(FontProperties(family=FONT)))
    line = shortened(on_one_line(text), most)
    line = line if len(line) <= most else f"{line[: most - 2]} …"
    return "".join(each if each.isprintable() and font.get_char_index(ord(each)) else "▯" for each in line)


def panel(axes: Axes, title: str, said: str, theme: Theme, *, left: float | None = None) -> None:
    """Styles a panel: a title above it, what it says beside that, and no frame.

    Args:
        axes: the panel.
        title: its title.
        said: what stands beside it.
        theme: the colours.
        left: where the title starts, as a share of the picture's width; by default where the panel does.
    """
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=theme.muted, labelsize=8.5, length=0)
    up: dict[str, Any] = {"textcoords": "offset points", "va": "bottom"}
    place, within = (0.0, axes.transAxes) if left is None else (left, in_figure(axes))
    heading = axes.annotate(title, (place, 1), (0, 8), xycoords=within, color=theme.ink, size=10.5, weight="bold", **up)
    axes.annotate(said, (1, 0), (8, 0), xycoords=heading, color=theme.muted, size=9, **up)


def in_figure(axes: Axes) -> Transform:
    """Shares of the picture's width, and of the panel's height."""
    return blended_transform_factory(axes.figure.transFigure, axes.transAxes)


def nothing(axes: Axes, said: str, theme: Theme) -> None:
    """Says in a panel that there is nothing to show."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.0, 0.9, said, transform=axes.transAxes, color=theme.muted, size=9.5)
