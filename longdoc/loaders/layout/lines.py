"""The lines of a document as they stand on its pages, and how each flows into the next."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE, SPACE, LINE, CELL, ROW, BLOCK = range(6)
"""What separates a glyph from the one before: nothing, a space, the end of a line (the layout decides whether it flows
on), the border of a table cell, of a table row, of a block of text that flows into no other."""
DROP, SPACED, FLOW, BREAK, PARAGRAPH, PAGE_FLOW, PAGE_BREAK, CELL_BREAK, ROW_BREAK, BLOCK_BREAK, HYPHEN = range(11)
"""What stands between two visible glyphs in the text; the first two are NONE and SPACE."""
_LIST_MARKER = re.compile(
    r"\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5})(\.\d+)*[.)](?!\w\.)|[•▪●·\uf0b7–-](?!\w)|(?i:section|article)\b"
)
_LEADER = re.compile(r"([._·…] ?){5}.{0,40}\d$")  # of an entry in a contents
_TAB = 2.0  # heights
_TAB_STOP = 6.0  # points
_FEWEST_ALIKE = 8  # lines that start below one another
_FEWEST_FLOWING = 4  # lines of a page that tell how far apart its lines stand
_SENTENCE_END = re.compile(r"[.:;!?\u037e][\"'”’)\]]?$")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of visible glyphs, ``N`` of them; ``first`` and ``last`` are glyph indices, both inclusive."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    page: NDArray[np.int64]
    box: NDArray[np.float32]
    height: NDArray[np.float64]
    """Mean height of the line's glyphs."""
    tabbed: NDArray[np.bool_]
    """Whether a wide gap or a row of dots parts the line: one of a contents, a form, signatures side by side."""
    first_word: NDArray[np.float32]
    """Width of the line's first word."""
    forced: NDArray[np.int64]
    """The break before each line: LINE, or the CELL, ROW or BLOCK that starts there."""
    starts: list[str]
    """First characters of each line, 12 at most."""
    ends: list[str]
    """Last two characters of each line."""


def measure_lines(
    raw_text: str, boxes: NDArray[np.float32], page: NDArray[np.int64], ink: NDArray[np.int64], gaps: NDArray[np.int64]
) -> Lines:
    """Measures the lines that ``gaps`` cuts the visible glyphs into."""
    first = np.flatnonzero(gaps >= LINE)
    last = np.append(first[1:], len(ink)) - 1
    box = boxes[ink]
    words = np.append(np.flatnonzero(gaps), len(ink))
    word_last = words[np.searchsorted(words, first, side="right")] - 1
    return Lines(
        first=first,
        last=last,
        page=page[ink[first]],
        box=np.hstack([np.minimum.reduceat(box[:, :2], first), np.maximum.reduceat(box[:, 2:], first)]),
        height=np.add.reduceat(box[:, 3] - box[:, 1], first) / (last + 1 - first),
        tabbed=_tabbed(raw_text, box, ink, first, last),
        first_word=box[word_last, 2] - box[first, 0],
        forced=gaps[first],
        starts=[raw_text[i : min(i + 12, j + 1)] for i, j in zip(ink[first].tolist(), ink[last].tolist(), strict=True)],
        ends=[raw_text[max(i - 1, 0) : i + 1] for i in ink[last].tolist()],
    )


def _tabbed(
    raw_text: str, box: NDArray[np.float32], ink: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether a wide gap or a row of dots stands in each line."""
    after = np.append(0, box[1:, 0] - box[:-1, 2])
    after[first] = 0
    wide = np.maximum.reduceat(after > _TAB * (box[:, 3] - box[:, 1]), first)
    spans = zip(ink[first].tolist(), ink[last].tolist(), strict=True)
    texts = (raw_text[i : j + 1] for i, j in spans)
    leader = np.array([bool(_LEADER.search(text)) for text in texts], bool)
    return np.asarray(wide | leader)


def line_breaks(lines: Lines) -> NDArray[np.int64]:
    """What each break between two lines becomes; shape ``(N - 1,)``.

    A line flows into the next unless the next one's first word would have fitted on it, or it closes a sentence and
    the next is indented or numbered. A gap wider than usual on the page separates paragraphs. Over the end of a page or
    a column it flows on in the middle of a sentence. Cells, rows and blocks are kept apart as they are.
    """
    box, height = lines.box, lines.height[:-1]
    same_page = np.diff(lines.page) == 0
    pitch = np.diff(box[:, 3])
    closed = np.array([bool(_SENTENCE_END.search(end)) for end in lines.ends[:-1]], bool)
    finished = closed | np.array([end[-1].isdigit() for end in lines.ends[:-1]], bool)  # an entry of a contents
    lower = np.array([start[0].islower() for start in lines.starts[1:]], bool)
    marked = np.array([bool(_LIST_MARKER.match(start)) for start in lines.starts], bool)
    rule = np.array([not any(map(str.isalnum, start)) for start in lines.starts], bool)
    wide = pitch > 1.4 * _usual_pitch(lines, lower & ~closed)[:-1]
    reach = _reach(lines)
    spare = (reach - box[:, 2])[:-1]
    short = spare > lines.first_word[1:] + 0.3 * height + 2
    indented = box[1:, 0] > box[:-1, 0] + height
    resized = np.abs(np.diff(lines.height)) > 0.2 * height
    parted = short | resized | rule[1:] | rule[:-1]
    apart = ((_first_indented(lines, short) & ~marked[:-1]) | _stands_alone(lines, reach)) & ~lower
    breaks = parted | wide | apart | (finished & (marked[1:] | indented))
    rows = lines.tabbed[:-1] & lines.tabbed[1:]
    flows = lower & ~closed & ~marked[1:] & ~rows & (spare < 0.3 * (box[:-1, 2] - box[:-1, 0]))
    after = box[1:, 0] - box[:-1, 2]
    flows |= (np.abs(pitch) < 0.3 * height) & (after > -0.5 * height) & (after < 3 * height)  # one line, cut in two
    kind = np.select([flows, wide & (pitch > 0), breaks | rows], [FLOW, PARAGRAPH, BREAK], FLOW)
    # A last line set off from the one above is a page number or a footer: no sentence runs on from it.
    footer = np.append(False, wide[:-1])
    runs_on = ~closed & ~footer & ~rows & (lower | ~(parted | marked[1:] | finished))
    kind = np.where(same_page & (pitch < -height), np.where(runs_on, FLOW, BREAK), kind)  # the top of another column
    kind = np.where(same_page, kind, np.where(runs_on, PAGE_FLOW, PAGE_BREAK))
    forced = lines.forced[1:]
    return np.where(forced > LINE, forced - CELL + CELL_BREAK, kind).astype(np.int64)


def _first_indented(lines: Lines, short: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which lines but the first stick in beside the one above and the one below, into which they run: ``(N - 1,)``."""
    left = lines.box[:, 0]
    found = np.zeros(len(short), bool)
    same_page = (lines.page[2:] == lines.page[1:-1]) & (lines.page[1:-1] == lines.page[:-2])
    least = left[1:-1] - 0.7 * lines.height[1:-1]
    found[:-1] = same_page & (left[:-2] < least) & (left[2:] < least) & ~short[1:]
    return found


def _stands_alone(lines: Lines, reach: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which lines but the last start far right of the next, or end far left of those that start where they do.

    Such are dates, the lines of addresses, lists of names; shape ``(N - 1,)``.
    """
    box, right = lines.box[:-1], _usual_right(lines)[:-1]
    after = lines.box[1:, 0]
    alone: NDArray[np.bool_] = (box[:, 0] - after > 0.4 * (reach[:-1] - after)) | (
        right - box[:, 2] > 0.4 * (right - box[:, 0])
    )
    return alone


def _reach(lines: Lines) -> NDArray[np.float32]:
    """How far right the lines of one size around each line go, those above and below it only; shape ``(N,)``."""
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
    """How far right lines go on a page, by the median, that start where this one does; 0 for few; shape ``(N,)``."""
    _, group, count = np.unique(
        lines.page * 10_000 + np.round(lines.box[:, 0] / _TAB_STOP).astype(np.int64),
        return_inverse=True,
        return_counts=True,
    )
    ends = lines.box[np.lexsort((lines.box[:, 2], group)), 2]
    middle = np.cumsum(count) - (count + 1) // 2
    return np.where(count >= _FEWEST_ALIKE, ends[middle], 0).astype(np.float32)[group]


def _usual_pitch(lines: Lines, flowing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median distance of successive lines of a paragraph on the page of each line; shape ``(N,)``.

    Args:
        lines: ``N`` of them.
        flowing: shape ``(N - 1,)``: which lines go on in the next one by all appearances.
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
    """Which lines are cells of a table of two columns or more; shape ``(N,)``."""
    following = np.append(lines.forced[1:] == CELL, False)
    inside: NDArray[np.bool_] = np.isin(lines.forced, (CELL, ROW)) | following[: len(lines.forced)]
    return inside
