"""Superscripts, subscripts and fractions as text in which no number has another value than on the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import DENOMINATOR, LOWERED, NONE, NUMERATOR, RAISED, SPACE, Glyphs, as_text, unturn
from longdoc.loaders.raised import Kind, Piece, exponent_length, line_marks

_KINDS: dict[int, Kind] = {
    **{0: "plain", RAISED: "raised", LOWERED: "lowered"},
    **{NUMERATOR: "numerator", DENOMINATOR: "denominator"},
}
_CLOSING = ".,;:!?)]}\"'\u201d\u2019\u00bb%"
_THIN = 0.19  # of the height of a glyph: less than a space between words


def close_up(gaps: NDArray[np.int64], ink: NDArray[np.int64], glyphs: Glyphs) -> None:
    """Removes, in place, the thin space between a word and the raised text that belongs to it.

    Args:
        gaps: what separates each of the ``V`` visible glyphs from the one before, SPACE for a space; shape ``(V,)``.
        ink: their positions; shape ``(V,)``.
        glyphs: all glyphs.
    """
    if not glyphs.rises.any():
        return
    raised = glyphs.rises[ink] == RAISED
    at = 1 + np.flatnonzero(raised[1:] & ~raised[:-1] & (gaps[1:] == SPACE))
    word, mark = (unturn(glyphs.boxes[ink[which]], glyphs.turns[ink[at]]) for which in (at - 1, at))
    thin = np.abs(mark[:, 0] - word[:, 2]) < _THIN * (word[:, 3] - word[:, 1])
    follows = np.array([_takes_mark(chr(code)) for code in glyphs.codes[ink[at - 1]].tolist()], bool)
    gaps[at[thin & follows]] = NONE


def _takes_mark(char: str) -> bool:
    """Whether the mark of a note can follow a character: not a sign or an opening bracket, as in formulas."""
    return char.isalnum() or char in _CLOSING


def raised_texts(
    codes: NDArray[np.uint32], rises: NDArray[np.int8], ink: NDArray[np.int64], gaps: NDArray[np.int64]
) -> dict[int, tuple[str, str]]:
    """What is written before and after the glyphs at the borders of raised and lowered text, by position.

    Args:
        codes: code points of the raw text; shape ``(G,)``.
        rises: how each is set against its line; shape ``(G,)``.
        ink: positions of the ``V`` visible glyphs; shape ``(V,)``.
        gaps: what separates each of them from the one before, NONE where nothing does; shape ``(V,)``.
    """
    found: dict[int, tuple[str, str]] = {}
    rise = rises[ink]
    if not rise.any():
        return found
    line = np.append(True, gaps[1:] > SPACE)[: len(ink)]
    # Spaces divide raised text too: it may be an exponent and the mark of a note.
    borders = np.flatnonzero(line | np.append(True, (np.diff(rise) != 0) | ((rise[1:] != 0) & (gaps[1:] == SPACE))))
    ends = np.append(borders[1:], len(ink))
    off = rise[borders] != 0
    of_line = np.cumsum(line[borders]) - 1
    near = np.isin(of_line, of_line[off])
    pieces: dict[int, list[tuple[int, int]]] = {}
    for number, start, end in zip(of_line[near].tolist(), borders[near].tolist(), ends[near].tolist(), strict=True):
        pieces.setdefault(number, []).append((start, end))
    for ranges in pieces.values():
        texts: list[Piece] = [(_KINDS[int(rise[a])], _text(codes, ink, gaps, a, b)) for a, b in ranges]
        _cut_marks(ranges, texts)
        for (start, end), (left, right) in zip(ranges, line_marks(texts), strict=True):
            first, last = int(ink[start]), int(ink[end - 1])
            found[first] = (left, right if first == last else "")
            if first != last:
                found[last] = ("", right)
    return {at: marks for at, marks in found.items() if any(marks)}


def _cut_marks(ranges: list[tuple[int, int]], texts: list[Piece]) -> None:
    """Cuts, in place, the marks of notes from the exponents directly before them."""
    for at in range(len(texts) - 1, 0, -1):
        (kind, text), (start, end) = texts[at], ranges[at]
        length = exponent_length(texts[at - 1][1], text) if kind == "raised" and len(text) == end - start else 0
        if length:
            texts[at : at + 1] = [(kind, text[:length]), (kind, text[length:])]
            ranges[at : at + 1] = [(start, start + length), (start + length, end)]


def _text(codes: NDArray[np.uint32], ink: NDArray[np.int64], gaps: NDArray[np.int64], start: int, end: int) -> str:
    """The visible glyphs of a range, with a space for each gap, one before the first included."""
    spaces = np.flatnonzero((gaps[start:end] != NONE) & (gaps[start:end] <= SPACE))
    return as_text(np.insert(codes[ink[start:end]], spaces, ord(" ")))
