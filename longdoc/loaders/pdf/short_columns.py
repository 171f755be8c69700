"""Short columns of prose, of two lines or more, that were drawn line by line across each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import SPACE, Glyphs, as_text, is_white
from longdoc.loaders.pdf.segments import Segments

_FEWEST_LINES = 2
_FEWEST_LETTERS = 12  # of a line of a column on average, and words
_FEWEST_WORDS = 2.5
_FEWEST_WORDS_OF_TWO = 4.0  # the same for columns of two lines, as those of names and titles are
_LEVEL = 0.3  # heights of a glyph: segments whose lower edges are this close are on one line
_GUTTER = 0.8  # heights of a glyph: the narrowest
_LEADING = 0.8  # heights of a glyph: the widest gap between two lines of a column
_ALIGNED = 0.5  # heights of a glyph: lines that start this close start together
_RAGGED = 0.15  # of the width of a column: how much more than a word a line may be shorter
_CONTINUING = 0.5  # of the lines of columns but the first: start in the middle of a sentence
_CLOSED = tuple(".:;!?")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a column."""

    segment: int
    x0: float
    x1: float
    text: str
    first_word: float
    """Width of its first word in points."""


def short_columns(glyphs: Glyphs, segments: Segments, which: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ranks segments so that short columns are read one after the other, and all else in its order.

    Args:
        glyphs: the glyphs of the page.
        segments: the ``S`` segments of the page.
        which: indices of the segments to rank, ascending; shape ``(K,)``.

    Returns:
        Shape ``(K,)``.
    """
    rank = np.arange(len(which), dtype=np.float64)
    if len(which) < 2 * _FEWEST_LINES:
        return rank
    box = segments.box[which]
    height = float(np.median(segments.size[which, 1]))
    for columns in _blocks(box, height):
        changes = np.count_nonzero(np.diff(_column_of(columns)))
        if changes < max(len(columns), min(map(len, columns))):
            continue  # drawn column by column
        if not all(_starts_together(box[column[1:], 0], height) for column in columns):
            continue
        lines = [[_line(glyphs, segments, int(which[i]), i) for i in column] for column in columns]
        if _is_prose(lines):
            order = [i for column in columns for i in column]
            rank[order] = min(order) + np.arange(len(order)) / len(order)
    return rank


def _blocks(box: NDArray[np.float32], height: float) -> list[list[list[int]]]:
    """The columns of each block of lines that have the same gutters, as segments from the top.

    Args:
        box: boxes of the segments; shape ``(K, 4)``.
        height: usual height of a glyph in points.
    """
    down = np.lexsort((box[:, 0], box[:, 3]))
    starts = np.diff(box[down, 3], prepend=-np.inf) > _LEVEL * height
    if starts.sum() > len(box) - _FEWEST_LINES:
        return []
    borders = [*np.flatnonzero(starts).tolist(), len(down)]
    blocks: list[list[list[int]]] = [[]]
    sides: list[list[float]] = []
    bottom = -np.inf
    for start, end in pairwise(borders):
        if end - start == 1 and len(sides) < 2:
            continue
        parts = sorted((*box[i].tolist(), i) for i in down[start:end].tolist())
        near = min(y0 for _, y0, _, _, _ in parts) - bottom < _LEADING * height
        places = _places(sides, parts, height) if near else None
        if places is None or any(len(blocks[-1][at]) < max(map(len, blocks[-1])) for at in places):
            sides = [[np.inf, -np.inf] for _ in parts]
            places = list(range(len(parts)))
            blocks.append([[] for _ in parts])
        for (x0, _, x1, _, i), at in zip(parts, places, strict=True):
            sides[at] = [min(sides[at][0], x0), max(sides[at][1], x1)]
            blocks[-1][at].append(int(i))
        bottom = max(y1 for _, _, _, y1, _ in parts)
    return [block for block in blocks if len(block) > 1 and min(map(len, block)) >= _FEWEST_LINES]


def _places(
    sides: Sequence[Sequence[float]], parts: Sequence[tuple[float, float, float, float, int]], height: float
) -> list[int] | None:
    """The column of each segment of a line, None if the line crosses a gutter or has text elsewhere.

    Args:
        sides: left and right end of each column so far, in points.
        parts: boxes of the segments of the line from left to right, and their indices.
        height: usual height of a glyph in points.
    """
    grown = [[*side] for side in sides]
    places: list[int] = []
    for x0, _, x1, _, _ in parts:
        inside = [at for at, (left, right) in enumerate(sides) if x0 < right and x1 > left]
        if len(inside) != 1 or inside[0] in places:
            return None
        places.append(inside[0])
        grown[inside[0]] = [min(grown[inside[0]][0], x0), max(grown[inside[0]][1], x1)]
    gutters = [b[0] - a[1] for a, b in pairwise(grown)]
    return places if all(gutter > _GUTTER * height for gutter in gutters) else None


def _column_of(columns: Sequence[Sequence[int]]) -> list[int]:
    """The column of each segment of a block, in the order in which they were drawn."""
    column = {i: at for at, members in enumerate(columns) for i in members}
    return [column[i] for i in sorted(column)]


def _line(glyphs: Glyphs, segments: Segments, segment: int, index: int) -> _Line:
    start = int(segments.first[segment])
    end = int(segments.first[segment + 1]) if segment + 1 < len(segments.first) else len(glyphs.codes)
    codes, breaks = glyphs.codes[start:end], glyphs.breaks[start:end]
    spaced = np.flatnonzero(is_white(codes) | (np.append(0, breaks[1:]) == SPACE))
    word = glyphs.boxes[start + max(int(spaced[0]) - 1, 0), 2] if len(spaced) else segments.box[segment, 2]
    text = " ".join(as_text(np.insert(codes, np.flatnonzero(breaks == SPACE), ord(" "))).split())
    x0, _, x1, _ = segments.box[segment].tolist()
    return _Line(index, x0, x1, text, float(word) - x0)


def _is_prose(columns: Sequence[Sequence[_Line]]) -> bool:
    """Whether each column is a text broken into lines, which is read as well down the columns as across them."""
    if not all(_is_broken_text(column) for column in columns):
        return False
    down = [line for column in columns for line in column]
    longest = max(map(len, columns))
    across = [column[i] for i in range(longest) for column in columns if i < len(column)]
    return _breaks_in_sentences(down) >= _breaks_in_sentences(across)


def _is_broken_text(column: Sequence[_Line]) -> bool:
    """Whether the lines of a column are long, and end where the next word did not fit."""
    letters = sum(sum(map(str.isalpha, line.text)) for line in column)
    characters = sum(len(line.text.replace(" ", "")) for line in column)
    words = [line.text.count(" ") + 1 for line in column]
    fewest = (_FEWEST_WORDS_OF_TWO if len(column) == 2 else _FEWEST_WORDS) * len(column)
    if letters < max(_FEWEST_LETTERS * len(column), 0.7 * characters) or sum(words) < fewest or min(words[:-1]) < 2:
        return False
    start, end = min(line.x0 for line in column[1:]), max(line.x1 for line in column)
    pairs = list(pairwise(column))
    room = end - _RAGGED * (end - start)
    full = [a.x1 + b.first_word > room for a, b in pairs if not a.text.endswith(_CLOSED)]
    lower = sum(_continues(line) for line in column[1:])
    return sum(full) >= 0.8 * len(full) and lower >= _CONTINUING * len(pairs)


def _starts_together(left: NDArray[np.float32], height: float) -> bool:
    """Whether lines with these left ends, shape ``(M,)``, start together."""
    return bool((left - left.min() < _ALIGNED * height).all())


def _breaks_in_sentences(lines: Sequence[_Line]) -> int:
    """How many lines end a sentence before one that starts one, or are within a sentence that the next continues."""
    return sum(a.text.endswith(_CLOSED) != _continues(b) for a, b in pairwise(lines))


def _continues(line: _Line) -> bool:
    """Whether a line starts in the middle of a sentence."""
    return next(filter(str.isalpha, line.text), "").islower()
