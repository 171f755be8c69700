"""Lines whose parts were drawn apart, as values filled into a form are: put together again.

A page is drawn in pieces. Most lines are one piece, and so are the lines of columns; a line is torn where two pieces
on it belong together: where one fills a gap of the other, where there is no more than a space between them and no
gutter, and where most of the pieces drawn together with them show it, or are labels with their values.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import LINE, NONE, SPACE, Glyphs, as_text, is_blank
from longdoc.loaders.pdf.pieces import Pieces, breaks_before

_SPACE = 0.7  # heights of a glyph: the widest space between two words; gutters are wider
_OVERLAP = 0.3  # heights of a glyph: pieces that overlap further are drawn over one another
_WIDEST_MARKER = 4.0  # heights of a glyph: the number or bullet before a paragraph
_ALIGNED = 0.2  # heights of a glyph: lines that start this close start together
_SMALL = 0.85  # of the height of a line: exponents and limits are smaller
_LETTER_GAP = 0.05  # heights of a glyph: a wider gap is a space
_SHARE = 0.6  # of the neighbours of a run that must belong together for all to do so
_SHARE_ACROSS = 0.9  # the same across gutters
_FEWEST_SCATTERED = 10  # pieces of a page whose words were drawn in no order
_MOST_PIECES = 3000  # of a page, and of a line: those of a drawing are in no order
_MOST_ON_LINE = 60
_WORDS = re.compile(r"[^\W\d_]{3,}|\d[\d.,]+|\w{1,40}:")
_LABEL = re.compile(r"[:$#£€]$")
_NUMBER = re.compile(r"[$£€-]?(\d[\d.,]*%?|[ivxlc]+|[IVXLC]+)")


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two neighbours on a line."""

    left: int
    right: int
    joined: bool
    """Whether they belong together by themselves."""
    named: bool = False
    """Whether they are a label and its value, or an entry and its number."""
    gutter: bool = False
    """Whether the gap between them separates columns or cells."""


def mend_lines(glyphs: Glyphs) -> Glyphs:
    """Moves pieces of torn lines to their neighbours, and leaves all else in its order."""
    ink = np.flatnonzero(~is_blank(glyphs.codes)) if _may_be_torn(glyphs) else np.zeros(0, np.int64)
    if not len(ink):
        return glyphs
    pieces = Pieces.of(glyphs, ink)
    rows, counts = np.unique(pieces.row, return_counts=True)
    if len(pieces.row) > _MOST_PIECES or counts.max() == 1:
        return glyphs
    climbs = np.diff(pieces.box[:, 3], prepend=pieces.box[0, 3]) < -0.5 * pieces.height
    run = np.cumsum(climbs, dtype=np.int64)
    pairs: list[_Pair] = []
    scattered = _is_scattered(pieces)
    upright = glyphs.turns[pieces.first[pieces.starts[:-1]]] == 0
    for row in rows[(counts > 1) & (counts <= _MOST_ON_LINE)].tolist():
        pairs += _pairs(pieces, np.flatnonzero((pieces.row == row) & upright).tolist(), scattered)
    rank = np.arange(len(pieces.first), dtype=np.float64)
    sizes = np.bincount(run, np.diff(np.append(pieces.first, len(glyphs.codes))[pieces.starts]))[run].tolist()
    line = np.arange(len(pieces.row))
    for group in _groups(_joined(pairs, run)):
        _gather(pieces, group, sizes, rank)
        line[group] = group[0]
    order = np.lexsort((pieces.segments[:, 0], rank))
    if (np.diff(order) == 1).all():
        return glyphs
    breaks = np.zeros_like(glyphs.breaks)
    breaks[ink] = breaks_before(glyphs, ink)
    return _reordered(replace(glyphs, breaks=breaks), pieces, order, np.repeat(line, np.diff(pieces.starts)))


def _may_be_torn(glyphs: Glyphs) -> bool:
    """Whether not all lines of a page run to the right, each below the one before, as they do on most pages."""
    x0, y0, x1, y1 = glyphs.boxes.T
    height, down = (y1 - y0)[1:], np.diff(y1)
    elsewhere = (np.abs(down) > 0.5 * height) | (x1[1:] < x0[:-1] - 0.5 * height)
    return bool(np.where(glyphs.breaks[1:] >= LINE, down < 0.5 * height, elsewhere).any())


def _is_scattered(pieces: Pieces) -> bool:
    """Whether the words of a page were drawn in no order: it keeps going back up, but not to the top of a column."""
    if len(pieces.box) < _FEWEST_SCATTERED:
        return False
    left, _, right, bottom = pieces.box.T
    down, height = np.diff(bottom), pieces.height
    below = (down > 0.5 * height) & (down < 2 * height) & (left[1:] < right[:-1]) & (left[:-1] < right[1:])
    return bool((down < -0.5 * height).mean() > 0.25 and below.mean() < 0.3)


def _pairs(pieces: Pieces, row: Sequence[int], scattered: bool) -> Iterator[_Pair]:
    """The neighbours on one line.

    Args:
        pieces: the pieces of the page.
        row: indices of the pieces on the line.
        scattered: whether they were drawn in no order, which then says nothing about gutters.
    """
    text = " ".join(map(pieces.text, row))
    if 2 * sum(map(len, _WORDS.findall(text))) < sum(map(str.isalnum, text)):
        return  # a formula, or the letters of a drawing
    left, _, right, _ = pieces.box.T
    overlap = _OVERLAP * pieces.height
    for p, q in combinations(sorted(row, key=lambda piece: float(left[piece])), 2):
        if left[q] < right[p] - overlap:
            if _fills_gap(pieces, q, p):
                yield _Pair(p, q, joined=True)
        elif not any(left[r] < left[q] - overlap and right[r] > right[p] + overlap for r in row if r not in (p, q)):
            close = bool(left[q] - right[p] < _SPACE * pieces.height)
            if scattered and close:
                yield _Pair(p, q, joined=True)
            elif not _is_raised_between(pieces, p, q):
                gutter = _is_gutter(pieces, p, q)
                yield _Pair(p, q, joined=close and not gutter, named=_is_named(pieces, p, q), gutter=gutter)


def _is_raised_between(pieces: Pieces, left: int, right: int) -> bool:
    """Whether nothing was drawn between two neighbours but exponents, limits and what is between them on the page."""
    between = pieces.box[left + 1 : right]
    if not len(between):
        return right == left + 1
    x0, y0, x1, y1 = between.T
    beside = (x0 > pieces.box[left, 2] - pieces.height) & (x1 < pieces.box[right, 0] + pieces.height)
    reach = 1.5 * pieces.height
    near = (y1 > pieces.box[left, 1] - reach) & (y0 < pieces.box[left, 3] + reach)
    small = y1 - y0 < _SMALL * min(pieces.box[piece, 3] - pieces.box[piece, 1] for piece in (left, right))
    return bool(((beside | small) & near).all())


def _fills_gap(pieces: Pieces, piece: int, host: int) -> bool:
    """Whether a piece overlaps no other text of its host than a line to write on."""
    text = [i for i in pieces.members(host) if not pieces.blank[i]]
    x0, _, x1, _ = pieces.segments[text].T[..., None]
    other0, _, other1, _ = pieces.segments[list(pieces.members(piece))].T[:, None]
    overlap = np.minimum(x1, other1) - np.maximum(x0, other0)
    return not (overlap > _OVERLAP * pieces.height).any()


def _is_named(pieces: Pieces, left: int, right: int) -> bool:
    """Whether two neighbours are a label and its value, or an entry and its number, as in a table of contents."""
    label, value = pieces.text(left), pieces.text(right)
    if ":" in value or not value:
        return False
    number = bool(_NUMBER.fullmatch(value)) and sum(map(str.isalpha, label)) > 2
    return bool(number or _LABEL.search(label) or pieces.blank[pieces.starts[left + 1] - 1])


def _is_gutter(pieces: Pieces, left: int, right: int) -> bool:
    """Whether the gap between two neighbours separates columns or cells, each of them drawn by itself."""
    near, far = pieces.box[left, 2] - _OVERLAP * pieces.height, pieces.box[right, 0] + _OVERLAP * pieces.height
    between = pieces.box[left + 1 : right]
    under = _is_next_line(pieces, left, left + 1) and pieces.box[left + 1, 2] <= far
    wide = pieces.box[left, 2] - pieces.box[left, 0] > _WIDEST_MARKER * pieces.height
    if (under and (between[:, 2] <= far).all()) or (wide and _is_paragraph(pieces, right)):
        return True
    beside = [_is_next_line(pieces, right, i) and bool(pieces.box[i, 0] >= near) for i in (right - 1, right + 1)]
    above = _is_next_line(pieces, left, left - 1) and pieces.box[left - 1, 2] <= far
    return bool((under or above) and any(beside))


def _is_paragraph(pieces: Pieces, piece: int) -> bool:
    """Whether the next piece is the next line of the same paragraph, which starts where this one does."""
    below = _is_next_line(pieces, piece, piece + 1) and pieces.box[piece + 1, 3] > pieces.box[piece, 3]
    return bool(below and abs(pieces.box[piece + 1, 0] - pieces.box[piece, 0]) < _ALIGNED * pieces.height)


def _is_next_line(pieces: Pieces, one: int, other: int) -> bool:
    """Whether a piece is on the line directly above or below another, within its width; ``other`` may be no piece."""
    if not 0 <= other < len(pieces.box):
        return False
    (a0, _, a1, a), (b0, _, b1, b) = pieces.box[[one, other]].tolist()
    return bool(a0 < b1 and b0 < a1 and 0.5 * pieces.height < abs(a - b) < 3 * pieces.height)


def _joined(pairs: Sequence[_Pair], run: NDArray[np.int64]) -> list[_Pair]:
    """The pairs that belong together, by themselves or because most of those drawn together with them do.

    Args:
        pairs: neighbours on lines.
        run: index of the run, drawn without going back up, of each piece; shape ``(P,)``.
    """
    size = np.bincount(run)
    alike: dict[tuple[int, int], list[_Pair]] = defaultdict(list)
    for pair in pairs:
        runs = [int(run[piece]) if size[run[piece]] > 1 else -1 for piece in (pair.left, pair.right)]
        alike[runs[0], runs[1]].append(pair)
    found: list[_Pair] = []
    for group in alike.values():
        several = len(group) > 1
        shown = sum(pair.joined or (pair.named and (several or not pair.gutter)) for pair in group)
        share = _SHARE if sum(pair.gutter for pair in group) < _SHARE * len(group) else _SHARE_ACROSS
        found += group if shown >= share * len(group) else [pair for pair in group if pair.joined]
    return found


def _groups(pairs: Sequence[_Pair]) -> list[list[int]]:
    """Pieces that belong together, directly or through others."""
    group_of: dict[int, list[int]] = {}
    for pair in pairs:
        one, other = (group_of.setdefault(piece, [piece]) for piece in (pair.left, pair.right))
        if one is not other:
            one += other
            group_of |= dict.fromkeys(other, one)
    return list({id(group): group for group in group_of.values()}.values())


def _gather(pieces: Pieces, group: Sequence[int], sizes: Sequence[float], rank: NDArray[np.float64]) -> None:
    """Ranks the segments of pieces beside those of the one that was drawn with the most others, in place.

    Args:
        pieces: the pieces of the page.
        group: indices of the pieces that belong together.
        sizes: number of glyphs of the run of each of the ``P`` pieces.
        rank: rank of each segment; shape ``(S,)``.
    """
    host = max(group, key=lambda piece: (sizes[piece], -piece))
    members = pieces.members(host)
    # A value is read before the line that it is written on.
    edges = [float(pieces.segments[i, 2 if pieces.blank[i] else 0]) for i in members]
    for piece in group:
        if piece != host:
            for i in pieces.members(piece):
                before = [at for at, edge in zip(members, edges, strict=True) if edge <= pieces.segments[i, 0] + 1]
                rank[i] = before[-1] + 0.25 if before else members[0] - 0.25


def _reordered(glyphs: Glyphs, pieces: Pieces, order: NDArray[np.int64], line: NDArray[np.int64]) -> Glyphs:
    """Puts the segments of a page into another order, and separates them again.

    Args:
        glyphs: the glyphs of the page, with the break before each visible one on itself.
        pieces: its pieces.
        order: permutation of the segments; shape ``(S,)``.
        line: number of the mended line, or else of the piece, of each segment; shape ``(S,)``.
    """
    moved, starts = glyphs.reorder(pieces.first, order)
    box, line = pieces.segments[order], line[order]
    for at, (one, other) in enumerate(pairwise(order.tolist()), 1):
        if other != one + 1:
            gap = box[at, 0] - box[at - 1, 2]
            letters = moved.codes[starts[at] - 1 : starts[at] + 1]
            space = SPACE if abs(gap) > _LETTER_GAP * pieces.height or not _is_word(letters) else NONE
            moved.breaks[starts[at]] = space if line[at] == line[at - 1] else max(LINE, moved.breaks[starts[at]])
    return moved


def _is_word(codes: NDArray[np.uint32]) -> bool:
    """Whether all of these code points are letters."""
    return as_text(codes).isalpha()
