"""The lines of a document as printed on its pages, and how each flows into the next."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import CELL, LINE, ROW, bounding_boxes

DROP, SPACED, FLOW, BREAK, PARAGRAPH, PAGE_FLOW, PAGE_BREAK, CELL_BREAK, ROW_BREAK, BLOCK_BREAK, HYPHEN = range(11)
"""What separates two visible glyphs in the text, by number; the first two equal NONE and SPACE."""
_LIST_MARKER = re.compile(
    r"\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5})(\.\d+)*[.)](?!\w\.)|[•▪●·\uf0b7–-](?!\w)|(?i:section|article)\b"
)
_LEADER = re.compile(r"([._·…] ?){5}.{0,40}\d$")  # of an entry in a table of contents
_TAB = 2.0  # heights of a glyph: a wider gap is a tab
_TAB_STOP = 6.0  # points: lines that start within this distance start together
_FEWEST_ALIGNED = 8  # lines with the same start, to estimate how far right they usually extend
_FEWEST_FLOWING = 4  # lines within paragraphs, to estimate the usual line spacing of a page
_SENTENCE_END = re.compile(r"[.:;!?\u037e][\"'”’)\]]?$")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of visible glyphs, ``N`` of them."""

    first: NDArray[np.int64]
    """Index of the first visible glyph; shape ``(N,)``."""
    last: NDArray[np.int64]
    """Index of the last visible glyph, inclusive; shape ``(N,)``."""
    page: NDArray[np.int64]
    """Index of the page; shape ``(N,)``."""
    box: NDArray[np.float32]
    """In points; shape ``(N, 4)``."""
    height: NDArray[np.float64]
    """Mean height of the line's glyphs in points; shape ``(N,)``."""
    tabbed: NDArray[np.bool_]
    """Whether the line has a wide gap or a dot leader, as in a table of contents or a form; shape ``(N,)``."""
    first_word: NDArray[np.float32]
    """Width of the line's first word in points; shape ``(N,)``."""
    forced: NDArray[np.int64]
    """The break before each line: LINE, or CELL, ROW or BLOCK; shape ``(N,)``."""
    starts: list[str]
    """The first characters of each line, 12 at most."""
    ends: list[str]
    """The last two characters of each line."""


def measure_lines(
    raw_text: str, boxes: NDArray[np.float32], page: NDArray[np.int64], ink: NDArray[np.int64], gaps: NDArray[np.int64]
) -> Lines:
    """Measures the lines of a document.

    Args:
        raw_text: the document's raw text, ``G`` characters.
        boxes: boxes of its characters, in points; shape ``(G, 4)``.
        page: index of the page of each character; shape ``(G,)``.
        ink: positions of the ``V`` visible glyphs in ``raw_text``; shape ``(V,)``.
        gaps: the break before each visible glyph, LINE or above where a line starts; shape ``(V,)``.
    """
    first = np.flatnonzero(gaps >= LINE)
    last = np.append(first[1:], len(ink)) - 1
    box = boxes[ink]
    words = np.append(np.flatnonzero(gaps), len(ink))
    word_last = words[np.searchsorted(words, first, side="right")] - 1
    spans = list(zip(ink[first].tolist(), ink[last].tolist(), strict=True))
    return Lines(
        first=first,
        last=last,
        page=page[ink[first]],
        box=bounding_boxes(box, first),
        height=np.add.reduceat(box[:, 3] - box[:, 1], first) / (last + 1 - first),
        tabbed=_tabbed(box, first, [raw_text[i : j + 1] for i, j in spans]),
        first_word=box[word_last, 2] - box[first, 0],
        forced=gaps[first],
        starts=[raw_text[i : min(i + 12, j + 1)] for i, j in spans],
        ends=[raw_text[max(j - 1, 0) : j + 1] for _, j in spans],
    )


def _tabbed(box: NDArray[np.float32], first: NDArray[np.int64], texts: list[str]) -> NDArray[np.bool_]:
    """Which lines have a wide gap or a dot leader; shape ``(N,)``.

    Args:
        box: boxes of the visible glyphs, in points; shape ``(V, 4)``.
        first: index of the first visible glyph of each line; shape ``(N,)``.
        texts: the texts of the lines.
    """
    after = np.append(0, box[1:, 0] - box[:-1, 2])
    after[first] = 0
    wide = np.maximum.reduceat(after > _TAB * (box[:, 3] - box[:, 1]), first)
    leaders = [text[-1:].isdecimal() and _LEADER.search(text) is not None for text in texts]
    return np.asarray(wide | np.array(leaders, bool))


def line_breaks(lines: Lines) -> NDArray[np.int64]:
    """What each break between two lines becomes: FLOW to BLOCK_BREAK; shape ``(N - 1,)``.

    A line flows into the next unless the first word of the next would have fitted on it, or it ends a sentence and the
    next is indented or numbered. A gap wider than usual on the page separates paragraphs. A sentence continues across
    the end of a page or column. Cells, rows and blocks stay separate.
    """
    box, height = lines.box, lines.height[:-1]
    same_page = np.diff(lines.page) == 0
    pitch = np.diff(box[:, 3])
    closed = np.array([bool(_SENTENCE_END.search(end)) for end in lines.ends[:-1]], bool)
    finished = closed | np.array(
        [end[-1].isdigit() for end in lines.ends[:-1]], bool
    )  # an entry of a table of contents
    lower = np.array([start[0].islower() for start in lines.starts[1:]], bool)
    marked = np.array([bool(_LIST_MARKER.match(start)) for start in lines.starts], bool)
    wide = pitch > 1.4 * _usual_pitch(lines, lower & ~closed)[:-1]
    reach = _reach(lines)
    spare = (reach - box[:, 2])[:-1]
    short = spare > lines.first_word[1:] + 0.3 * height + 2
    separate = _separate(lines, short)
    indented = box[1:, 0] > box[:-1, 0] + height
    isolated = ((_first_indented(lines, short) & ~marked[:-1]) | _is_isolated(lines, reach)) & ~lower
    breaks = separate | wide | isolated | (finished & (marked[1:] | indented))
    rows = lines.tabbed[:-1] & lines.tabbed[1:]
    flows = lower & ~closed & ~marked[1:] & ~rows & (spare < 0.3 * (box[:-1, 2] - box[:-1, 0]))
    flows |= _same_line(lines)
    kind = np.select([flows, wide & (pitch > 0), breaks | rows], [FLOW, PARAGRAPH, BREAK], FLOW)
    # A last line set off from the one above is a page number or a footer: no sentence continues from it.
    footer = np.append(False, wide[:-1])
    runs_on = ~closed & ~footer & ~rows & (lower | ~(separate | marked[1:] | finished))
    kind = np.where(same_page & (pitch < -height), np.where(runs_on, FLOW, BREAK), kind)  # the top of another column
    kind = np.where(same_page, kind, np.where(runs_on, PAGE_FLOW, PAGE_BREAK))
    forced = lines.forced[1:]
    return np.where(forced > LINE, forced - CELL + CELL_BREAK, kind).astype(np.int64)


def _separate(lines: Lines, short: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which lines end early, or differ in size from the next, or are rules as the next may be; shape ``(N - 1,)``.

    Args:
        lines: the ``N`` lines.
        short: which lines end although the next word would have fitted; shape ``(N - 1,)``.
    """
    rule = np.array([not any(map(str.isalnum, start)) for start in lines.starts], bool)
    resized = np.abs(np.diff(lines.height)) > 0.2 * lines.height[:-1]
    separate: NDArray[np.bool_] = short | resized | rule[1:] | rule[:-1]
    return separate


def _same_line(lines: Lines) -> NDArray[np.bool_]:
    """Which lines continue in the next at the same height, as one line that was cut in two; shape ``(N - 1,)``."""
    box, height = lines.box, lines.height[:-1]
    after = box[1:, 0] - box[:-1, 2]
    level = np.abs(np.diff(box[:, 3])) < 0.3 * height
    same: NDArray[np.bool_] = level & (after > -0.5 * height) & (after < 3 * height)
    return same


def _first_indented(lines: Lines, short: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which lines are indented against the one above and the one below, into which they flow; shape ``(N - 1,)``.

    Args:
        lines: the ``N`` lines.
        short: which lines end although the next word would have fitted; shape ``(N - 1,)``.
    """
    left = lines.box[:, 0]
    found = np.zeros(len(short), bool)
    same_page = (lines.page[2:] == lines.page[1:-1]) & (lines.page[1:-1] == lines.page[:-2])
    margin = left[1:-1] - 0.7 * lines.height[1:-1]
    found[:-1] = same_page & (left[:-2] < margin) & (left[2:] < margin) & ~short[1:]
    return found


def _is_isolated(lines: Lines, reach: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which lines start far right of the next, or end far left of others with the same start; shape ``(N - 1,)``.

    Examples are dates, the lines of an address and lists of names.

    Args:
        lines: the ``N`` lines.
        reach: right end of the lines around each line, in points; shape ``(N,)``.
    """
    box, right = lines.box[:-1], _usual_right(lines)[:-1]
    after = lines.box[1:, 0]
    isolated: NDArray[np.bool_] = (box[:, 0] - after > 0.4 * (reach[:-1] - after)) | (
        right - box[:, 2] > 0.4 * (right - box[:, 0])
    )
    return isolated


def _reach(lines: Lines) -> NDArray[np.float32]:
    """Right end of each line and of the lines of its size directly above and below it, in points; shape ``(N,)``."""
    box, height = lines.box, lines.height
    reach: NDArray[np.float32] = box[:, 2].copy()
    for step in (1, 2, 3):
        one, other = box[:-step], box[step:]
        near = (lines.page[step:] == lines.page[:-step]) & (other[:, 0] < one[:, 2]) & (other[:, 2] > one[:, 0])
        near &= np.abs(height[step:] - height[:-step]) < 0.25 * height[:-step]
        near &= np.abs(other[:, 1] - one[:, 1]) < 4 * step * height[:-step]
        np.maximum(reach[:-step], np.where(near, other[:, 2], 0), out=reach[:-step])
        np.maximum(reach[step:], np.where(near, one[:, 2], 0), out=reach[step:])
    return reach


def _usual_right(lines: Lines) -> NDArray[np.float32]:
    """Median right end, in points, of the lines on a page with the same start; 0 if they are few; shape ``(N,)``."""
    _, group, count = np.unique(
        lines.page * 10_000 + np.round(lines.box[:, 0] / _TAB_STOP).astype(np.int64),
        return_inverse=True,
        return_counts=True,
    )
    ends = lines.box[np.lexsort((lines.box[:, 2], group)), 2]
    middle = np.cumsum(count) - (count + 1) // 2
    return np.where(count >= _FEWEST_ALIGNED, ends[middle], 0).astype(np.float32)[group]


def _usual_pitch(lines: Lines, flowing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median line spacing within paragraphs on the page of each line, in points; shape ``(N,)``.

    Args:
        lines: the ``N`` lines.
        flowing: which lines appear to continue in the next one; shape ``(N - 1,)``.
    """
    usual = np.full(len(lines.page), np.inf)
    pitch = np.diff(lines.box[:, 3])
    regular = (np.diff(lines.page) == 0) & (pitch > 0.5 * lines.height[:-1]) & (pitch < 4 * lines.height[:-1])
    borders = [*np.flatnonzero(np.diff(lines.page, prepend=-1)).tolist(), len(lines.page)]
    for start, end in itertools.pairwise(borders):
        found = regular[start : end - 1]
        within = found & flowing[start : end - 1]
        found = within if within.sum() >= _FEWEST_FLOWING else found
        if found.any():
            usual[start:end] = np.median(pitch[start : end - 1][found])
    return usual


def in_table(lines: Lines) -> NDArray[np.bool_]:
    """Which lines are in the cells of a table with at least two columns; shape ``(N,)``."""
    following = np.append(lines.forced[1:] == CELL, False)
    inside: NDArray[np.bool_] = np.isin(lines.forced, (CELL, ROW)) | following[: len(lines.forced)]
    return inside
