"""Superscripts and fractions that a page draws before or after their line: moved to where they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import (
    DENOMINATOR,
    LINE,
    NONE,
    NUMERATOR,
    RAISED,
    SPACE,
    Glyphs,
    bounding_boxes,
)

_PARTS = np.zeros(0x3000, bool)  # by code point: the characters of superscripts that are moved
_PARTS[[ord(char) for char in "0123456789 ,+-\u2212\u2013"]] = True
_WORD_ENDS = (
    ".,;:!?)]%\"'\u2019\u201d"  # what a superscript may follow besides letters and digits; signs are other fonts'
)
_LONGEST = 6  # glyphs of a superscript, of a numerator or of a denominator
_MOST_PIECES = 300  # of digits on a page: one with more is a table
_SMALL = 0.87  # of the height of its base: a superscript's
_NEAR = 0.35  # heights of the base: a wider gap is not within a word
_SPACE = 0.2  # heights of the base: a wider gap is a space


@dataclass(frozen=True, slots=True)
class _Move:
    """Glyphs that are read after the glyph ``after``, or first if it is -1."""

    start: int
    end: int
    after: int
    rise: int


def place_detached(glyphs: Glyphs, read_rules: Callable[[], NDArray[np.float32]]) -> Glyphs:
    """Puts superscripts after the words that they belong to, and the parts of fractions one after the other.

    Args:
        glyphs: the glyphs of a page.
        read_rules: reads its ruling lines, ``x0, y0, x1, y1`` in points; shape ``(K, 4)``; only if digits are stacked.
    """
    pieces, boxes = _digit_pieces(glyphs)
    if not 0 < len(pieces) <= _MOST_PIECES:
        return glyphs
    moves = _fractions(glyphs, pieces, boxes, read_rules)
    taken = {move.start for move in moves}
    for (start, end), box in zip(pieces.tolist(), boxes, strict=True):
        stays = start in taken or glyphs.rises[start] or not _is_detached(glyphs, start)
        base = -1 if stays else _base(glyphs, start, end, box)
        if base >= 0:
            moves.append(_Move(start, end, base, RAISED))
    return _moved(glyphs, moves) if moves else glyphs


def _digit_pieces(glyphs: Glyphs) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Short stretches of digits at one height, without gaps.

    Returns:
        Half-open ranges, shape ``(K, 2)``, and boxes, shape ``(K, 4)``.
    """
    x0, y0, x1, y1 = glyphs.boxes.T
    height = np.maximum(y1 - y0, 0.1)
    taller = np.maximum(height[1:], height[:-1])
    apart = (np.abs(x0[1:] - x1[:-1]) > _NEAR * taller) | (np.abs(np.diff(y1)) > 0.1 * taller)
    apart |= (np.abs(np.diff(height)) > 0.1 * taller) | (glyphs.breaks[1:] >= LINE)
    first = np.flatnonzero(np.append(True, apart)[: len(height)])
    if not len(first):
        return np.zeros((0, 2), np.int64), glyphs.boxes[:0]
    ends = np.append(first[1:], len(height))
    digit = (glyphs.codes >= ord("0")) & (glyphs.codes <= ord("9"))
    other = ~_PARTS[np.minimum(glyphs.codes, len(_PARTS) - 1)] | (glyphs.turns > 0)
    digits, others = (np.add.reduceat(which.astype(int), first) for which in (digit, other))
    chosen = (digits > 0) & (others == 0) & (ends - first <= _LONGEST)
    return np.stack([first, ends], axis=1)[chosen], bounding_boxes(glyphs.boxes, first)[chosen]


def _is_detached(glyphs: Glyphs, start: int) -> bool:
    """Whether a piece that starts at a glyph is not where the glyph before it leads: first, or after a jump."""
    if start == 0:
        return True
    (_, top, right, bottom), (x0, y0, _, y1) = glyphs.boxes[[start - 1, start]].tolist()
    taller, smaller = max(bottom - top, y1 - y0), min(bottom - top, y1 - y0)
    return not -0.5 * taller < x0 - right < 1.5 * taller or min(bottom, y1) - max(top, y0) < 0.2 * smaller


def _base(glyphs: Glyphs, start: int, end: int, box: NDArray[np.float32]) -> int:
    """The larger glyph directly before a piece, which is raised against it in a gap of its line; -1 if there is none.

    Args:
        glyphs: the glyphs of the page.
        start: position of the first glyph of the piece.
        end: position of the glyph after its last.
        box: of the piece; shape ``(4,)``.
    """
    x0, y0, x1, y1 = glyphs.boxes.T
    height, small = y1 - y0, box[3] - box[1]
    up = (y1 - box[3]) / np.maximum(height, 0.1)
    level = (small < _SMALL * height) & (up > 0.1) & (up < 0.6) & (box[3] > y0 + 0.2 * height)
    level[start:end] = False
    near = np.flatnonzero(level & (np.abs(box[0] - x1) < _NEAR * height))
    near = near[[chr(code).isalnum() or chr(code) in _WORD_ENDS for code in glyphs.codes[near].tolist()]]
    if not len(near) or (level & (np.minimum(x1, box[2]) - np.maximum(x0, box[0]) > 0.4 * (box[2] - box[0]))).any():
        return -1
    return int(near[x1[near].argmax()])


def _fractions(
    glyphs: Glyphs, pieces: NDArray[np.int64], boxes: NDArray[np.float32], read_rules: Callable[[], NDArray[np.float32]]
) -> list[_Move]:
    """Numerators and denominators: digits above and below a rule that is level with the middle of the text beside it.

    Args:
        glyphs: the glyphs of the page.
        pieces: half-open ranges of the pieces of digits; shape ``(K, 2)``.
        boxes: of the pieces; shape ``(K, 4)``.
        read_rules: reads the ruling lines of the page.
    """
    x0, y0, x1, y1 = boxes.T
    shared = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    down, height = y1 - y1[:, None], np.maximum(y1 - y0, 0.1)
    stacked = (shared > 0.6 * np.minimum(x1 - x0, (x1 - x0)[:, None])) & (down > 0.5 * height) & (down < 1.7 * height)
    pairs = np.argwhere(stacked)
    rules = read_rules() if len(pairs) else np.zeros((0, 4), np.float32)
    moves: list[_Move] = []
    for top, bottom in pairs.tolist():
        left, right = float(min(x0[top], x0[bottom])), float(max(x1[top], x1[bottom]))
        middle = [float(y0[i] + y1[i]) / 2 for i in (top, bottom)]
        bars = (rules[:, 1] > middle[0]) & (rules[:, 1] < middle[1]) & (rules[:, 3] - rules[:, 1] < 1)
        bars &= (
            (rules[:, 0] < left + 1) & (rules[:, 2] > right - 1) & (rules[:, 2] - rules[:, 0] < 2 * (right - left) + 4)
        )
        after = _beside(glyphs, rules[bars], pieces[[top, bottom]]) if bars.any() else None
        if after is not None:
            for piece, rise in ((top, NUMERATOR), (bottom, DENOMINATOR)):
                start, end = pieces[piece].tolist()
                moves.append(_Move(start, end, after, rise))
    return moves


def _beside(glyphs: Glyphs, bars: NDArray[np.float32], parts: NDArray[np.int64]) -> int | None:
    """The glyph before a fraction, or the one before that which follows it; None if no text is beside it.

    Args:
        glyphs: the glyphs of the page.
        bars: its bar; shape ``(K, 4)``.
        parts: half-open ranges of its numerator and its denominator; shape ``(2, 2)``.
    """
    left, y, right, _ = bars[0].tolist()
    x0, y0, x1, y1 = glyphs.boxes.T
    height = y1 - y0
    level = np.abs((y0 + y1) / 2 - y) < 0.3 * height
    for start, end in parts.tolist():
        level[start:end] = False
    before = level & (-0.15 * height < left - x1) & (left - x1 < 0.6 * height)
    following = level & (-0.15 * height < x0 - right) & (x0 - right < 0.6 * height)
    if before.any():
        return int(np.where(before, x1, -np.inf).argmax())
    return int(np.where(following, x0, np.inf).argmin()) - 1 if following.any() else None


def _moved(glyphs: Glyphs, moves: list[_Move]) -> Glyphs:
    """Moves pieces, and separates the glyphs again where the order has changed."""
    n = len(glyphs.codes)
    rank, rises = np.arange(n, dtype=np.float64), glyphs.rises.copy()
    piece = np.zeros(n, np.int64)
    for i, move in enumerate(moves, 1):
        piece[move.start : move.end] = i
        rank[move.start : move.end] = move.after + i / (len(moves) + 1)
        rises[move.start : move.end] = move.rise
    order = np.argsort(rank, kind="stable")
    # What is left behind keeps the strongest break that was before it.
    breaks = glyphs.breaks.copy()
    for move in moves:
        if move.end < n:
            breaks[move.end] = max(breaks[move.end], breaks[move.start])
    arranged = replace(glyphs, breaks=breaks, rises=rises).take(order)
    x0, y0, x1, y1 = arranged.boxes.T
    rejoined = 1 + np.flatnonzero(np.diff(piece[order]))
    for at in rejoined.tolist():
        tall = max(y1[at] - y0[at], y1[at - 1] - y0[at - 1])
        gap = x0[at] - x1[at - 1]
        if arranged.rises[at] == DENOMINATOR:
            arranged.breaks[at] = NONE
        elif (arranged.rises[at] or arranged.rises[at - 1]) and -tall < gap < 3 * tall:
            arranged.breaks[at] = SPACE if gap > _SPACE * tall else NONE
    return arranged
