"""The dates of a document on a line: those that have a name, and all others as ticks."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib import dates as mdates

from longdoc.outputs.marks import Mark
from longdoc.outputs.panels import Theme, nothing, panel, shown
from longdoc.summary import count
from longdoc.values import parse_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE = 0.06
"""The height of the line, as a share of the panel's."""
_LEVELS = 5
"""Of names, one above the other."""
_TRIED = 40
"""Dates for whose names there may be room; to measure a name takes a millisecond."""
_GAP = 10
"""Pixels between two names."""
_LONGEST = 200
"""Characters of a passage that is read as a date."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A date, and what it is the date of; the name is empty for one that is only mentioned."""

    date: datetime.date
    name: str
    score: float


def draw_dates(axes: Axes, marks: Sequence[Mark], theme: Theme) -> None:
    """Draws the dates of the findings.

    Dates are the values of answers, what spans such as Agreement Date say, and the entities labelled DATE.
    """
    events = [event for mark in marks if (event := _event(mark))]
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    if not events:
        panel(axes, "Dates", "", theme)
        nothing(axes, "No dates.", theme)
        return
    _set_scale(axes, [event.date for event in events], theme)
    axes.axhline(_LINE, color=theme.muted, linewidth=1)
    named = _draw_named(axes, _best(events), theme)
    others = sorted({event.date for event in events} - named)
    axes.plot(_numbers(others), [_LINE] * len(others), "|", color=theme.muted, markersize=9, alpha=0.7)
    ticks = f"{count(len(others), 'other date')} as {'ticks' if len(others) > 1 else 'a tick'}"
    panel(axes, "Dates", ticks if named and others else "", theme)


def _event(mark: Mark) -> _Event | None:
    """The date that a finding is of, if it is of one."""
    value = getattr(mark.found, "value", None)
    is_date = "date" in mark.label.lower().replace("_", " ").split()
    if value is None and is_date and mark.end - mark.start <= _LONGEST:
        value = parse_value(mark.found.text, "date")
    if not isinstance(value, datetime.date):
        return None
    name = "" if mark.label.lower() == "date" else mark.label
    return _Event(datetime.date(value.year, value.month, value.day), name, mark.found.score)


def _best(events: Sequence[_Event]) -> list[_Event]:
    """The dates with names, each once, those with the highest scores first."""
    best: dict[tuple[str, datetime.date], _Event] = {}
    for event in sorted((event for event in events if event.name), key=lambda event: (-event.score, event.date)):
        best.setdefault((event.name.lower().replace("_", " "), event.date), event)
    return [*best.values()]


def _numbers(dates: Sequence[datetime.date]) -> list[float]:
    return [float(mdates.date2num(date)) for date in dates]  # type: ignore[no-untyped-call]


def _set_scale(axes: Axes, dates: Sequence[datetime.date], theme: Theme) -> None:
    """Shows all dates, and the years around them where calendars have any."""
    first, last = min(dates).toordinal(), max(dates).toordinal()
    room = max((last - first) * 0.05, 200)
    least, most = datetime.date.min.toordinal() + 400, datetime.date.max.toordinal() - 400
    limits = [min(max(each, least), most) for each in (round(first - room), round(last + room))]
    axes.set_xlim(*_numbers([datetime.date.fromordinal(each) for each in limits]))
    locator: Any = mdates.AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    axes.grid(axis="x", color=theme.faint, linewidth=0.8)
    axes.set_axisbelow(True)


def _draw_named(axes: Axes, events: Sequence[_Event], theme: Theme) -> set[datetime.date]:
    """A stem and a name for each date, as low as there is room; returns the dates for whose names there was room."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LEVELS)]  # on each level, in pixels
    colours: dict[datetime.date, str] = {}
    for event in events[:_TRIED]:
        (x,) = _numbers([event.date])
        text = f"{shown(event.name.replace('_', ' '), 30)}  {event.date.day} {event.date:%b} {event.date.year}"
        colour = colours.get(event.date, theme.series[len(colours) % len(theme.series)])
        if (height := _write(axes, x, text, taken, theme)) is not None:
            colours[event.date] = colour
            axes.plot([x, x], [_LINE, height], color=colour, linewidth=1, zorder=1)
            axes.plot([x], [_LINE], "o", color=colour, markersize=6, zorder=3)
    return set(colours)


def _write(axes: Axes, x: float, text: str, taken: list[list[tuple[float, float]]], theme: Theme) -> float | None:
    """Writes a name at the lowest level with room for it, and returns the height; None if there is no room."""
    edges = axes.get_window_extent()
    for side, shift in (("left", 4), ("right", -4)):
        box = {"facecolor": theme.page, "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
        align: dict[str, Any] = {"ha": side, "va": "center", "textcoords": "offset points"}
        name = axes.annotate(text, (x, 0.5), (shift, 0), color=theme.ink, size=8.5, bbox=box, **align)
        place = name.get_window_extent()
        for level, own in enumerate(taken):
            is_free = all(place.x1 + _GAP < start or end + _GAP < place.x0 for start, end in own)
            if is_free and edges.x0 <= place.x0 and place.x1 <= edges.x1:
                own.append((place.x0, place.x1))
                name.xy = (x, height := 0.2 + 0.17 * level)
                return height
        name.remove()
    return None
