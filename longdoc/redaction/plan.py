"""What is left out of a page so that nothing is left in its regions, and where its boxes are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longdoc.pdf_files import Bounds
from longdoc.redaction.matrices import overlap, within
from longdoc.redaction.text_state import Glyph
from longdoc.redaction.walk import Changes, Paint, Walk

SLACK = 0.02  # of the font size: a glyph may end this much beyond the box that another reader gives it
NEAR = 2.0  # points: what is drawn around a word
_LETTER = 3.0  # of the height of a region: how long a stroke of a letter is at most
_MOST_STROKES = 4  # in a region; more may be letters
_APART = 2.0  # font sizes: a wider gap is not within a line, but between columns
_INVISIBLE_SLACK = 0.25  # of the height of a region: the text below a scan may lie this far off


@dataclass(slots=True)
class Plan:
    """The changes of a page."""

    glyphs: set[int] = field(default_factory=set)
    paints: set[int] = field(default_factory=set)
    images: dict[int, list[Bounds]] = field(default_factory=dict)
    """Images by their numbers, and what is painted over in each."""
    shifts: dict[int, tuple[float, float]] = field(default_factory=dict)
    boxes: list[Bounds] = field(default_factory=list)
    """What is drawn in black."""
    unsafe: list[str] = field(default_factory=list)
    """Why the page has to become an image."""

    def changes(self, images: dict[int, Any]) -> Changes:
        """The changes, with the new images."""
        return Changes(glyphs=self.glyphs, shifts=self.shifts, paints=self.paints, images=images)


def plan(walk: Walk, regions: Sequence[Bounds], *, rounded: bool) -> Plan:
    """Plans the changes of a page.

    Args:
        walk: what the page draws.
        regions: what is removed, in the coordinates of the content.
        rounded: whether the gaps that are left become as wide as a whole number of font sizes.
    """
    made = Plan(unsafe=list(walk.unsafe), boxes=list(regions))
    if not regions:
        return made
    places = Places(walk.glyphs)
    inside = places.inside(regions)
    made.glyphs = set(np.flatnonzero(inside.any(axis=1)).tolist())
    if any(walk.glyphs[at].is_drawn for at in made.glyphs):
        made.unsafe.append("letters that are drawings (a font of Type 3)")
    for number, paint in enumerate(walk.paints):
        _add_paint(made, number, paint, regions)
    kept = [each for number, each in enumerate(walk.paints) if each.kind == "path" and number not in made.paints]
    if _may_be_letters(kept, regions):
        made.unsafe.append("a drawing that may show letters")
    if rounded and not made.images:
        round_gaps(made, places, inside, regions)
    return made


def _add_paint(made: Plan, number: int, paint: Paint, regions: Sequence[Bounds]) -> None:
    """Adds what is done to a picture or path."""
    under = [region for region in regions if overlap(paint.bounds, region)]
    if not under:
        return
    if paint.kind == "image":
        made.images[number] = under
    elif paint.kind == "inline image":
        made.unsafe.append("a picture within the content")
    elif paint.kind == "path" and any(within(paint.bounds, region, NEAR) for region in under):
        made.paints.add(number)
    elif paint.is_outline:
        made.unsafe.append("a drawing that may show letters")


def _may_be_letters(paths: Sequence[Paint], regions: Sequence[Bounds]) -> bool:
    """Whether parts of paths in a region may be strokes of letters; lines of tables are longer, and few."""
    every = [piece for path in paths for piece in path.pieces or (path.bounds,)]
    pieces = np.array(every, np.float64).reshape(-1, 4)
    longest = (pieces[:, 2:] - pieces[:, :2]).max(axis=1, initial=0)
    for left, bottom, right, top in regions:
        most = _LETTER * min(right - left, top - bottom)
        across = (pieces[:, 0] < right) & (pieces[:, 2] > left)
        up = (pieces[:, 1] < top) & (pieces[:, 3] > bottom)
        if int((across & up & (longest <= most)).sum()) > _MOST_STROKES:
            return True
    return False


class Places:
    """The places of the glyphs of a page, as arrays."""

    def __init__(self, glyphs: Sequence[Glyph]) -> None:
        self.glyphs = glyphs
        shape = (len(glyphs), 2)
        self.start = np.array([glyph.start for glyph in glyphs], np.float64).reshape(shape)
        self.end = np.array([glyph.end for glyph in glyphs], np.float64).reshape(shape)
        self.middle = np.array([glyph.middle for glyph in glyphs], np.float64).reshape(shape)
        corners = np.array([glyph.corners for glyph in glyphs], np.float64).reshape(-1, 2, 2)
        self.low, self.high = corners.min(axis=1), corners.max(axis=1)
        self.size = np.array([glyph.size for glyph in glyphs], np.float64)
        self.invisible = np.array([glyph.is_invisible for glyph in glyphs], bool)

    def inside(self, regions: Sequence[Bounds]) -> NDArray[np.bool_]:
        """Which glyph is in which region; shape ``(G, R)``.

        A glyph that is seen is in a region if its middle is; one that is not, if it touches it.
        """
        area = np.array(regions, np.float64).reshape(-1, 4)
        low, high = area[None, :, :2], area[None, :, 2:]
        slack = SLACK * self.size[:, None, None]
        middle = self.middle[:, None, :]
        within = ((middle >= low - slack) & (middle <= high + slack)).all(axis=2)
        off = _INVISIBLE_SLACK * (high - low).min(axis=2, keepdims=True)
        touched = ((self.high[:, None, :] > low - off) & (self.low[:, None, :] < high + off)).all(axis=2)
        found: NDArray[np.bool_] = np.where(self.invisible[:, None], touched, within)
        return found


def round_gaps(made: Plan, places: Places, inside: NDArray[np.bool_], regions: Sequence[Bounds]) -> None:
    """Rounds the width of each gap, and moves what follows it on its line.

    Args:
        made: the plan, whose boxes and shifts are changed.
        places: of the ``G`` glyphs.
        inside: which glyph is in which region; shape ``(G, R)``.
        regions: the ``R`` regions.
    """
    moves, edges = np.zeros((len(places.glyphs), 2)), np.zeros((len(regions), 4))
    gone: NDArray[np.bool_] = np.logical_or.reduce(inside, axis=1)
    for at, region in enumerate(regions):
        own = np.flatnonzero(inside[:, at] & ~places.invisible)
        way = _way(places, own)
        em = float(np.median(places.size[own])) if way else 0.0
        if way is None or em <= 0:
            continue
        axis, sign = way
        width = region[axis + 2] - region[axis]
        change = max(round(width / em), 1) * em - width
        glyphs, boxes = _followers(places, gone, regions, at, way, em)
        moves[glyphs, axis] += sign * change
        edges[boxes, axis] += sign * change
        edges[boxes, axis + 2] += sign * change
        edges[at, axis + 2 if sign > 0 else axis] += sign * change
    made.shifts = {at: (float(moves[at, 0]), float(moves[at, 1])) for at in np.flatnonzero(moves.any(axis=1)).tolist()}
    rounded = (np.array(regions) + edges).tolist()
    made.boxes = [(left, bottom, right, top) for left, bottom, right, top in rounded]


def _way(places: Places, own: NDArray[np.int64]) -> tuple[int, int] | None:
    """The axis along which glyphs are set, and the sign of its direction; None if they run otherwise."""
    steps = (places.end - places.start)[own].sum(axis=0)
    axis = int(np.abs(steps).argmax()) if len(own) else 0
    if not len(own) or abs(steps[axis]) < 1e-6 or abs(steps[1 - axis]) > 1e-3 * abs(steps[axis]):
        return None
    return axis, 1 if steps[axis] > 0 else -1


def _followers(
    places: Places, gone: NDArray[np.bool_], regions: Sequence[Bounds], at: int, way: tuple[int, int], em: float
) -> tuple[list[int], list[int]]:
    """The glyphs and the regions that follow a region on its line, up to a gap as between columns."""
    axis, sign = way
    across = 1 - axis
    low, high = regions[at][across], regions[at][across + 2]
    edge = regions[at][axis + 2] if sign > 0 else -regions[at][axis]
    line = (places.middle[:, across] > low) & (places.middle[:, across] < high) & ~gone
    starts, ends = sign * places.start[:, axis], sign * places.end[:, axis]
    found = [(starts[i], ends[i], "glyph", i) for i in np.flatnonzero(line & (starts > edge - 0.3 * em)).tolist()]
    for i, region in enumerate(regions):
        middle = (region[across] + region[across + 2]) / 2
        start, end = sorted((sign * region[axis], sign * region[axis + 2]))
        if i != at and low < middle < high and start > edge - 0.3 * em:
            found.append((start, end, "region", i))
    glyphs: list[int] = []
    boxes: list[int] = []
    reached = edge
    for start, end, kind, i in sorted(found):
        if start - reached > _APART * em:
            break
        (glyphs if kind == "glyph" else boxes).append(i)
        reached = max(reached, end)
    return glyphs, boxes
