"""The lines of a document as they stand on its pages, and how each flows into the next."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE, SPACE, LINE, CELL, ROW, BLOCK = range(6)
"""What separates a glyph from the one before: nothing, a space, the end of a line (the layout decides whether it flows
on), the border of a table cell, of a table row, of a block of text that flows into no other."""
DROP, SPACED, FLOW, BREAK, PARAGRAPH, PAGE_FLOW, PAGE_BREAK, CELL_BREAK, ROW_BREAK, BLOCK_BREAK, HYPHEN = range(11)
"""What stands between two visible glyphs in the text; the first two are NONE and SPACE."""
_LIST_MARKER = re.compile(r"\(?(\d{1,3}|[a-zA-Z]|[ivx]{1,5})(\.\d+)*[.)]|[•▪●·\uf0b7–-](?!\w)|(?i:section|article)\b")
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
        first_word=box[word_last, 2] - box[first, 0],
        forced=gaps[first],
        starts=[raw_text[i : min(i + 12, j + 1)] for i, j in zip(ink[first].tolist(), ink[last].tolist(), strict=True)],
        ends=[raw_text[max(i - 1, 0) : i + 1] for i in ink[last].tolist()],
    )


def line_breaks(lines: Lines) -> NDArray[np.int64]:
    """What each break between two lines becomes; shape ``(N - 1,)``.

    A line flows into the next unless the next one's first word would have fitted on it, or it closes a sentence and
    the next is indented or numbered. A gap wider than usual on the page separates paragraphs. Over the end of a page or
    a column it flows on in the middle of a sentence. Cells, rows and blocks are kept apart as they are.
    """
    box, height = lines.box, lines.height[:-1]
    same_page = np.diff(lines.page) == 0
    pitch = np.diff(box[:, 3])
    wide = pitch > 1.4 * _usual_pitch(lines)[:-1]
    closed = np.array([bool(_SENTENCE_END.search(end)) for end in lines.ends[:-1]], bool)
    finished = closed | np.array([end[-1].isdigit() for end in lines.ends[:-1]], bool)  # an entry of a contents
    lower = np.array([start[0].islower() for start in lines.starts[1:]], bool)
    marked = np.array([bool(_LIST_MARKER.match(start)) for start in lines.starts[1:]], bool)
    rule = np.array([not any(map(str.isalnum, start)) for start in lines.starts], bool)
    spare = (_reach(lines) - box[:, 2])[:-1]
    short = spare > lines.first_word[1:] + 0.3 * height + 2
    indented = box[1:, 0] > box[:-1, 0] + height
    resized = np.abs(np.diff(lines.height)) > 0.2 * height
    breaks = short | resized | wide | (finished & (marked | indented)) | rule[1:] | rule[:-1]
    flows = lower & ~closed & (spare < 0.3 * (box[:-1, 2] - box[:-1, 0]))
    kind = np.select([flows, wide & (pitch > 0), breaks], [FLOW, PARAGRAPH, BREAK], FLOW)
    # A last line set off from the one above is a page number or a footer: no sentence runs on from it.
    footer = np.append(False, wide[:-1])
    runs_on = ~closed & ~footer & (lower | ~(short | resized | marked | rule[1:] | rule[:-1] | finished))
    kind = np.where(same_page & (pitch < -height), np.where(runs_on, FLOW, BREAK), kind)  # the top of another column
    kind = np.where(same_page, kind, np.where(runs_on, PAGE_FLOW, PAGE_BREAK))
    forced = lines.forced[1:]
    return np.where(forced > LINE, forced - CELL + CELL_BREAK, kind).astype(np.int64)


def _reach(lines: Lines) -> NDArray[np.float32]:
    """How far right the lines around each line go, those above and below it only; shape ``(N,)``."""
    box = lines.box
    reach: NDArray[np.float32] = box[:, 2].copy()
    for step in (1, 2, 3):
        one, other = box[:-step], box[step:]
        near = (lines.page[step:] == lines.page[:-step]) & (other[:, 0] < one[:, 2]) & (other[:, 2] > one[:, 0])
        np.maximum(reach[:-step], np.where(near, other[:, 2], 0), out=reach[:-step])
        np.maximum(reach[step:], np.where(near, one[:, 2], 0), out=reach[step:])
    return reach


def _usual_pitch(lines: Lines) -> NDArray[np.float64]:
    """Median distance of successive lines on the page of each line; shape ``(N,)``."""
    usual = np.full(len(lines.page), np.inf)
    pitch = np.diff(lines.box[:, 3])
    regular = (np.diff(lines.page) == 0) & (pitch > 0.5 * lines.height[:-1]) & (pitch < 4 * lines.height[:-1])
    for number in np.unique(lines.page[:-1][regular]).tolist():
        of_page = lines.page == number
        usual[of_page] = np.median(pitch[regular & of_page[:-1]])
    return usual
