"""Words hyphenated at the end of a line: which hyphens are removed, and which belong to the word."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import code_points
from longdoc.loaders.layout.glyphs import CELL, NONE, as_text
from longdoc.loaders.layout.lines import BREAK, FLOW, HYPHEN, PAGE_FLOW, Lines

_DASHES = "-\u2010\u2011\u2012\u2013"
_CODE = re.compile(r"\d\d|[A-Z]\d|\d[A-Z]")  # around a dash within a code
_LONG = 20  # heights of a line: one of prose
_LONGEST_HALF = 40  # characters of a word on either side of its hyphen


def join_hyphens(
    raw_text: str, ink: NDArray[np.int64], gaps: NDArray[np.int64], lines: Lines
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Joins words that are hyphenated at the end of a line.

    The hyphen is removed if the document writes the word without it elsewhere. If it writes neither form, the hyphen
    is removed only from a document that mostly hyphenates: contracts rarely do, and break lines at real hyphens.

    Args:
        raw_text: the document's raw text.
        ink: positions of the ``V`` visible glyphs in ``raw_text``; shape ``(V,)``.
        gaps: what precedes each of them in the text; shape ``(V,)``. Changed in position where words are joined.
        lines: the lines of the visible glyphs.

    Returns:
        ``ink`` and ``gaps`` without the hyphens that were removed.
    """
    _join_numbers(gaps, lines)
    cut = [i for i, end in enumerate(lines.ends[:-1]) if end[-1:] in "-\xad\u2010" and end[:1].isalpha()]
    cut = [i for i in cut if lines.starts[i + 1][:1].isalpha() and lines.forced[i + 1] < CELL]
    if not cut:
        return ink, gaps
    spaced = as_text(np.insert(code_points(raw_text)[ink], np.flatnonzero(gaps), ord(" ")))
    position = np.arange(len(ink)) + np.cumsum(gaps != 0)  # of each visible glyph in the spaced text
    words = Counter(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", spaced.lower()))
    parts = Counter(part for word in words.elements() for part in word.split("-"))
    halves = [_halves(spaced, int(position[lines.last[i]]), int(position[lines.first[i + 1]])) for i in cut]
    parts.subtract(half for pair in halves for half in pair)
    soft = [words[left + right] > words[f"{left}-{right}"] for left, right in halves]
    hard = [words[f"{left}-{right}"] > 0 or parts[left] > 0 < parts[right] for left, right in halves]
    hyphenates = sum(soft) > sum(hard)
    removed = []
    for i, joins, keeps in zip(cut, soft, hard, strict=True):
        gaps[lines.first[i + 1]] = NONE
        if joins or (hyphenates and not keeps and lines.starts[i + 1][0].islower()):
            gaps[lines.first[i + 1]] = HYPHEN
            removed.append(lines.last[i])
    return np.delete(ink, removed), np.delete(gaps, removed)


def _join_numbers(gaps: NDArray[np.int64], lines: Lines) -> None:
    """Joins, in place, numbers and codes that a line ends after their hyphen or dash, which stays.

    Args:
        gaps: what precedes each visible glyph in the text.
        lines: the lines of the visible glyphs.
    """
    for i, end in enumerate(lines.ends[:-1]):
        after = lines.first[i + 1]
        if len(end) == 2 and end[1] in _DASHES and _CODE.fullmatch(end[0] + lines.starts[i + 1][:1]):
            # Amounts with a minus behind them stand in columns, not in long lines.
            x0, _, x1, _ = lines.box[i]
            is_long = not lines.tabbed[i] and x1 - x0 > _LONG * lines.height[i]
            if gaps[after] in (FLOW, PAGE_FLOW) or (gaps[after] == BREAK and is_long):
                gaps[after] = NONE


def _halves(text: str, hyphen: int, after: int) -> tuple[str, str]:
    """The letters directly before the offset of a hyphen and directly from another offset on, in lower case."""
    left = re.search(r"[^\W\d_]*$", text[max(hyphen - _LONGEST_HALF, 0) : hyphen].lower())
    right = re.match(r"[^\W\d_]*", text[after : after + _LONGEST_HALF].lower())
    return left[0] if left else "", right[0] if right else ""
