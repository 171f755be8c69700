"""Which glyphs of a PDF page are set as superscripts and subscripts: smaller than their neighbours, and off their line.

Only digits can change the value of what they follow, so that only lines with a digit out of line are measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import LINE, LOWERED, NONE, RAISED, SPACE, Glyphs, unturn

_DIGITS_AND_SIGNS = np.zeros(0x3000, bool)
_DIGITS_AND_SIGNS[[ord(char) for char in "0123456789+-\u2212\u2013"]] = True
_SMALL, _TINY = 0.87, 0.4  # of the size of its base: a superscript's; what is smaller follows a drop cap
_SAME = 1.02  # of the size of its base: text raised at its own size
_NEAR = 0.35  # sizes of the base: a wider gap is not within a word
_EVEN = 0.9  # of the height of a neighbour: a digit's, if it is neither raised nor lowered
_LEAST_UP, _MOST_UP = 0.13, 0.75  # of the size of the base, between the two baselines
_SAME_SIZE_UP = 0.25  # the same for text that is raised at its own size
_LEAST_DOWN, _MOST_DOWN = 0.05, 0.5  # the same for subscripts
_LONGEST = 12  # glyphs of a superscript; longer text is smaller for another reason


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbours of one size on one baseline."""

    start: int
    end: int
    """Positions of its first glyph and of the one after its last."""
    joined: bool
    """Whether nothing separates it from the glyph before."""
    x0: float
    x1: float
    base: float
    """Height of the baseline, in points; greater is higher."""
    size: float
    """Of the font, in points."""
    is_mark: bool
    """Whether it is of digits and signs alone, after a space."""


def find_rises(glyphs: Glyphs, measure: Callable[[int], tuple[float, float]]) -> NDArray[np.int8]:
    """Finds the glyphs that are raised or lowered against the word that they belong to.

    Args:
        glyphs: the ``N`` glyphs of a page, in lines.
        measure: gives, for a position, the height of the glyph's baseline and the size of its font, in points.

    Returns:
        RAISED, LOWERED or 0; shape ``(N,)``.
    """
    rises = np.zeros(len(glyphs.codes), np.int8)
    visible = np.flatnonzero((glyphs.codes != 0x20) & (glyphs.codes != 0xA0))
    if len(visible) < 2:
        return rises
    boxes = unturn(glyphs.boxes, glyphs.turns)[visible]
    breaks = np.maximum.reduceat(glyphs.breaks[: visible[-1] + 1], np.append(0, visible[:-1] + 1))
    breaks[1:] = np.maximum(breaks[1:], np.diff(visible) > 1)
    codes = glyphs.codes[visible]
    for start, end in _lines_to_measure(codes, boxes, breaks):
        measured = [measure(at) for at in visible[start:end].tolist()]
        runs = list(_runs(measured, boxes[start:end], breaks[start:end], _is_digit(codes[start:end])))
        for run, rise in _rises(runs):
            rises[visible[start + run.start] : visible[start + run.end - 1] + 1] = rise
    return rises


def _lines_to_measure(
    codes: NDArray[np.uint32], boxes: NDArray[np.floating], breaks: NDArray[np.uint8]
) -> list[tuple[int, int]]:
    """The lines in which a digit and its neighbour differ in height, or are not level.

    Args:
        codes: code points of the ``V`` visible glyphs; shape ``(V,)``.
        boxes: as if all were upright, in points; shape ``(V, 4)``.
        breaks: the break before each of them; shape ``(V,)``.

    Returns:
        Half-open ranges of visible glyphs.
    """
    height, bottom = boxes[:, 3] - boxes[:, 1], boxes[:, 3]
    digit = _is_digit(codes)
    higher, lower = np.maximum(height[1:], height[:-1]), np.minimum(height[1:], height[:-1])
    uneven = (lower < _EVEN * higher) | (np.abs(np.diff(bottom)) > (1 - _EVEN) * higher)
    within = uneven & (digit[1:] | digit[:-1]) & (breaks[1:] == NONE)
    mark = digit[1:] & (height[1:] < _SMALL * height[:-1]) & (np.diff(bottom) < -_LEAST_UP * height[:-1])
    found = 1 + np.flatnonzero(within | (mark & (breaks[1:] == SPACE)))
    starts = np.flatnonzero(np.append(True, breaks[1:] >= LINE))
    lines = np.unique(np.searchsorted(starts, found, side="right") - 1)
    ends = np.append(starts[1:], len(codes))
    return list(zip(starts[lines].tolist(), ends[lines].tolist(), strict=True))


def _is_digit(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which code points are digits or signs; of the same shape."""
    return _DIGITS_AND_SIGNS[np.minimum(codes, len(_DIGITS_AND_SIGNS) - 1)]


def _runs(
    measured: list[tuple[float, float]],
    boxes: NDArray[np.floating],
    breaks: NDArray[np.uint8],
    digits: NDArray[np.bool_],
) -> Iterator[_Run]:
    """Divides a line into runs of glyphs of one size on one baseline.

    Args:
        measured: height of the baseline and size of the font of each glyph, in points.
        boxes: as if all were upright, in points; shape ``(K, 4)``.
        breaks: the break before each glyph; shape ``(K,)``.
        digits: which glyphs are digits or signs; shape ``(K,)``.
    """
    base, size = np.array(measured).T
    box = boxes[:, 3] - boxes[:, 1]
    # Fonts that draw their own letters may be of any size; their boxes are as high as others' are.
    size = np.where((size > 0.4 * box) & (size < 1.6 * box), size, box / 1.2)
    smaller = np.minimum(size[1:], size[:-1])
    changes = (np.abs(np.diff(size)) > 0.06 * smaller) | (np.abs(np.diff(base)) > 0.06 * smaller)
    first = np.flatnonzero(np.append(True, changes))
    for start, end in pairwise([*first.tolist(), len(base)]):
        x0, x1 = float(boxes[start, 0]), float(boxes[end - 1, 2])
        joined = start > 0 and bool(breaks[start] == NONE)
        is_mark = start > 0 and bool(breaks[start] == SPACE and digits[start:end].all())
        yield _Run(start, end, joined, x0, x1, float(base[start]), float(size[start]), is_mark)


def _rises(runs: list[_Run]) -> Iterator[tuple[_Run, int]]:
    """The runs of a line that are raised or lowered, each with RAISED or LOWERED."""
    base: _Run | None = None  # the last run on the line itself
    risen: _Run | None = None  # the last one that is not
    for i, run in enumerate(runs):
        rise, is_short = 0, run.end - run.start <= _LONGEST
        before = runs[i - 1] if i else None
        if base and before and run.joined and is_short:
            edges = (base.x1,) if before is base else (base.x1, before.x0, before.x1)
            rise = _rise(run, base, min((run.x0 - edge for edge in edges), key=abs))
        elif base and base is before and run.is_mark and is_short and run.size < _SMALL * base.size:
            rise = max(_rise(run, base, run.x0 - base.x1), 0)  # after a thin space
        if is_short and not rise and not (base and run.joined):
            rise = _rise_before(runs, i, is_stacked=run.joined and before is risen)
        if rise:
            risen = run
            yield run, rise
        else:
            base = run


def _rise_before(runs: list[_Run], i: int, *, is_stacked: bool) -> int:
    """Whether a run is raised against what follows: the mark before the text of a note, or the mass of an isotope.

    Args:
        runs: the runs of the line.
        i: index of the run.
        is_stacked: it is below or above the run before it.
    """
    run, following = runs[i], runs[i + 1 : i + 3]
    for base in following:
        if not base.joined:
            break
        if run.size < _SMALL * base.size:
            rise = _rise(run, base, following[0].x0 - run.x1)
            return rise if is_stacked or base is not following[0] else max(rise, 0)
    return 0


def _rise(run: _Run, base: _Run, gap: float) -> int:
    """Whether a run is raised or lowered against its base, at a gap in points: RAISED, LOWERED or 0."""
    if base.size <= 0:  # the letters of a damaged font
        return 0
    up, share = (run.base - base.base) / base.size, run.size / base.size
    if not (_TINY < share < _SAME and abs(gap) < _NEAR * base.size):
        return 0
    if _LEAST_UP < up < _MOST_UP and (share < _SMALL or up > _SAME_SIZE_UP):
        return RAISED
    return LOWERED if share < _SMALL and _LEAST_DOWN < -up < _MOST_DOWN else 0
