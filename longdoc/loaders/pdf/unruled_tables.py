"""Tables without ruling lines: rows of numbers whose wide gaps are below one another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from longdoc.loaders.layout.glyphs import Glyphs, as_text, split_segments

_MOST_COLUMNS = 60
_FEWEST_ROWS = 3
_APART = 2.0  # points between two columns, or less in small print
_LONGEST = 45  # characters of a cell on average; with more, columns are prose
NUMBER = re.compile(r"[($€£+-]*\d[\d.,/%)$€£ -]*|[$€£—–-]+")
"""The text of a cell that is a number, an amount or a dash."""
_LEADERS = re.compile(r"(\.\s?){4}|_{4}|…")


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of a line without a wide gap."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str

    @property
    def height(self) -> float:
        return self.y1 - self.y0


def find_aligned(visible: Glyphs) -> list[list[tuple[float, float, float, float]]]:
    """Finds the tables without ruling lines on a page.

    Columns count as a table only if one of them, other than the first, contains mostly numbers.

    Args:
        visible: the glyphs of the page that are not white space.

    Returns:
        The boxes of the cells of each table: ``x0, y0, x1, y1`` in points.
    """
    tables: list[list[tuple[float, float, float, float]]] = []
    rows: list[list[_Segment]] = []
    columns: list[tuple[float, float]] = []
    for row in [*_rows(visible), []]:
        merged = _merge(columns, row)
        follows = rows and row and row[0].y0 - rows[-1][0].y1 < 2 * row[0].height
        if len(row) > 1 and (not rows or (follows and len(merged) >= max(2, len(columns) - 1))):
            rows, columns = [*rows, row], merged
            continue
        if _is_table(rows, columns):
            tables.append(_cells(rows, columns))
        rows, columns = ([row], _merge([], row)) if len(row) > 1 else ([], [])
    return tables


def _rows(visible: Glyphs) -> list[list[_Segment]]:
    """The segments of a page in rows from top to bottom, each from left to right."""
    rows: list[list[_Segment]] = []
    for segment in sorted(_segments(visible), key=lambda segment: segment.y0 + segment.y1):
        middle = (segment.y0 + segment.y1) / 2
        if rows and middle < rows[-1][0].y1 - 0.3 * min(segment.height, rows[-1][0].height):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [sorted(row, key=lambda segment: segment.x0) for row in rows]


def _segments(visible: Glyphs) -> list[_Segment]:
    x0, y0, x1, y1 = visible.boxes.T
    gap = x0[1:] - x1[:-1]
    height = np.maximum(y1 - y0, 1)[1:]
    first, boxes = split_segments(visible, (np.abs(gap) > height) | (np.abs(y1[1:] - y1[:-1]) > 0.7 * height))
    text = as_text(visible.codes)
    borders = pairwise([*first.tolist(), len(text)])
    return [
        _Segment(x0, y0, x1, y1, text[start:end])
        for (x0, y0, x1, y1), (start, end) in zip(boxes.tolist(), borders, strict=True)
    ]


def _merge(columns: list[tuple[float, float]], row: list[_Segment]) -> list[tuple[float, float]]:
    """The columns, as ranges of x in points, that given columns and the segments of a row form together."""
    merged: list[tuple[float, float]] = []
    apart = min([_APART, *(0.25 * segment.height for segment in row)])
    for x0, x1 in sorted([*columns, *((segment.x0, segment.x1) for segment in row)]):
        if merged and x0 < merged[-1][1] + apart:
            merged[-1] = (merged[-1][0], max(merged[-1][1], x1))
        else:
            merged.append((x0, x1))
    return merged


def _is_table(rows: list[list[_Segment]], columns: list[tuple[float, float]]) -> bool:
    """Whether rows fill columns of short cells, one of them with numbers; dot leaders make a table of contents."""
    if len(rows) < _FEWEST_ROWS or not 2 <= len(columns) <= _MOST_COLUMNS:
        return False
    segments = [segment for row in rows for segment in row]
    leaders = sum(any(_LEADERS.search(segment.text) for segment in row) for row in rows)
    filled = sum(len({_column(segment, columns) for segment in row}) for row in rows)
    if leaders > 0.2 * len(rows) or filled < 0.6 * len(rows) * len(columns):
        return False
    if sum(len(segment.text) for segment in segments) > _LONGEST * len(segments):
        return False
    return any(
        _is_numeric([segment.text for segment in segments if _column(segment, columns) == i])
        for i in range(1, len(columns))
    )


def _column(segment: _Segment, columns: list[tuple[float, float]]) -> int:
    """The index of the column that a segment starts in."""
    return sum(x0 <= segment.x0 for x0, _ in columns) - 1


def _is_numeric(texts: list[str]) -> bool:
    """Whether most texts are numbers, but not ascending ones, as in a table of contents or a column of line numbers."""
    numbers = [text for text in texts if NUMBER.fullmatch(text)]
    plain = [int(text) for text in numbers if text.isascii() and text.isdigit() and len(text) < 5]
    ascending = len(plain) == len(numbers) and all(a <= b for a, b in pairwise(plain))
    return len(numbers) >= max(_FEWEST_ROWS, 0.6 * len(texts)) and not ascending


def _cells(rows: list[list[_Segment]], columns: list[tuple[float, float]]) -> list[tuple[float, float, float, float]]:
    """The boxes of the cells of a table, with borders halfway between columns and between rows."""
    x = [columns[0][0] - 1, *((a[1] + b[0]) / 2 for a, b in pairwise(columns))]
    x.append(columns[-1][1] + 1)
    tops = [min(segment.y0 for segment in row) for row in rows]
    bottoms = [max(segment.y1 for segment in row) for row in rows]
    y = [tops[0] - 0.5, *((a + b) / 2 for a, b in zip(bottoms[:-1], tops[1:], strict=True)), bottoms[-1] + 0.5]
    return [(x[j], y[i], x[j + 1], y[i + 1]) for i in range(len(rows)) for j in range(len(columns)) if y[i] < y[i + 1]]
