"""From ruling lines to the cells between them: snap and join the lines, find their crossings, close rectangles."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]
Crossings = dict[Point, tuple[set[int], set[int]]]
"""Where lines cross, ``(x, y)``, with the numbers of the vertical and of the horizontal lines that meet there."""

_TOLERANCE = 3.0  # points: gaps between lines that are meant to touch


def find_crossings(rules: NDArray[np.float32]) -> Crossings:
    """The points at which ruling lines cross or nearly touch.

    Args:
        rules: boxes of the lines in points, ``(N, 4)``: x0, y0, x1, y1. A line is horizontal if it is wider than high.
    """
    wide = rules[:, 2] - rules[:, 0] > rules[:, 3] - rules[:, 1]
    vertical = _joined(rules[~wide][:, [0, 1, 3]])
    horizontal = _joined(rules[wide][:, [1, 0, 2]])
    (x, top, bottom), (y, left, right) = vertical.T[:, :, None], horizontal.T[:, None, :]
    touches = (top <= y + _TOLERANCE) & (bottom >= y - _TOLERANCE)
    touches &= (x >= left - _TOLERANCE) & (x <= right + _TOLERANCE)
    crossings: Crossings = defaultdict(lambda: (set(), set()))
    for v, h in np.argwhere(touches).tolist():
        verticals, horizontals = crossings[float(vertical[v, 0]), float(horizontal[h, 0])]
        verticals.add(v)
        horizontals.add(h)
    return dict(crossings)


def _joined(lines: NDArray[np.float32]) -> NDArray[np.float64]:
    """Parallel lines moved onto common positions, and those that continue each other joined; short ones are dropped.

    Args:
        lines: position, start and end of each line in points, ``(N, 3)``.

    Returns:
        The same of the lines that result, ``(M, 3)``.
    """
    order = np.argsort(lines[:, 0], kind="stable")
    position, start, end = lines[order].astype(np.float64).T
    group = np.cumsum(np.diff(position, prepend=position[:1]) > _TOLERANCE)
    means = np.bincount(group, position) / np.bincount(group)
    joined: list[list[float]] = []
    for i in np.lexsort((start, group)).tolist():
        where = float(means[group[i]])
        if joined and joined[-1][0] == where and start[i] <= joined[-1][2] + _TOLERANCE:
            joined[-1][2] = max(joined[-1][2], float(end[i]))
        else:
            joined.append([where, float(start[i]), float(end[i])])
    return np.array([line for line in joined if line[2] - line[1] >= _TOLERANCE]).reshape(-1, 3)


def find_cells(crossings: Crossings) -> list[Rectangle]:
    """For each crossing, the smallest rectangle of lines of which it is the top left corner."""
    below: dict[float, list[Point]] = defaultdict(list)
    beside: dict[float, list[Point]] = defaultdict(list)
    for point in sorted(crossings):
        below[point[0]].append(point)
        beside[point[1]].append(point)

    def is_cell(corner: Point, under: Point, right: Point) -> bool:
        opposite = (right[0], under[1])
        return opposite in crossings and bool(
            crossings[opposite][0] & crossings[right][0] and crossings[opposite][1] & crossings[under][1]
        )

    cells = []
    for corner, (verticals, horizontals) in sorted(crossings.items()):
        unders = [p for p in below[corner[0]] if p[1] > corner[1] and verticals & crossings[p][0]]
        rights = [p for p in beside[corner[1]] if p[0] > corner[0] and horizontals & crossings[p][1]]
        pairs = product(unders, rights)
        cells += [(*corner, right[0], under[1]) for under, right in pairs if is_cell(corner, under, right)][:1]
    return cells


def group_cells(cells: list[Rectangle]) -> list[list[Rectangle]]:
    """Cells that touch at a corner, directly or through others, together; from the top, lone cells left out."""
    by_corner: dict[Point, list[Rectangle]] = defaultdict(list)
    for cell in cells:
        for corner in product(cell[::2], cell[1::2]):
            by_corner[corner].append(cell)
    groups = []
    left = dict.fromkeys(cells)
    while left:
        group, waiting = [], [left.popitem()[0]]
        while waiting:
            cell = waiting.pop()
            group.append(cell)
            for corner in product(cell[::2], cell[1::2]):
                for other in by_corner[corner]:
                    if other in left:
                        del left[other]
                        waiting.append(other)
        groups.append(sorted(group))
    groups = [group for group in groups if len(group) > 1]
    return sorted(groups, key=lambda group: min((y0, x0) for x0, y0, _, _ in group))
