"""Superscripts, subscripts and fractions as text in which no number has another value than on the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import DENOMINATOR, LOWERED, NONE, NUMERATOR, RAISED, SPACE, Glyphs, as_text, unturn
from longdoc.loaders.raised import lowered_marks, raised_marks

_BEFORE, _AFTER = 40, 8  # characters that decide how a superscript is written
_CLOSING = ".,;:!?)]}\"'\u201d\u2019\u00bb%"
_BARS = ("/", "\u2044", "\u2215")  # of fractions
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
    borders = np.flatnonzero(np.append(True, (np.diff(rise) != 0) | (gaps[1:] > SPACE)))
    ends = np.append(borders[1:], len(ink))
    off = rise[borders] != 0
    for start, end in zip(borders[off].tolist(), ends[off].tolist(), strict=True):
        text = _text(codes, ink, gaps, start, end)
        before = _text(codes, ink, gaps, max(start - _BEFORE, 0), start) if gaps[start] == NONE else ""
        after = _text(codes, ink, gaps, end, end + _AFTER) if end < len(ink) and gaps[end] == NONE else ""
        left, right = _marks(int(rise[start]), before, text, after)
        if rise[start] == RAISED and gaps[start] == SPACE and _is_note(chr(codes[ink[start - 1]]), text, after):
            left, right = "[", "]"
        found[int(ink[start])] = (left, right if end - start == 1 else "")
        if end - start > 1:
            found[int(ink[end - 1])] = ("", right)
    return {at: marks for at, marks in found.items() if any(marks)}


def _is_note(before: str, text: str, after: str) -> bool:
    """Whether a raised text that a space separates from the character before is the mark of a note."""
    return (before.isalpha() or before in _CLOSING) and text.isdecimal() and not after.startswith(_BARS)


def _marks(rise: int, before: str, text: str, after: str) -> tuple[str, str]:
    """What to insert before and after a text that is off its line."""
    if rise == LOWERED:
        return lowered_marks(before, text, after)
    apart = " " if before[-1:].isdigit() else "", " " if after[:1].isdigit() else ""
    if rise == NUMERATOR:
        return apart[0], ""
    if rise == DENOMINATOR:
        return "/", apart[1]
    return raised_marks(before, text, after)


def _text(codes: NDArray[np.uint32], ink: NDArray[np.int64], gaps: NDArray[np.int64], start: int, end: int) -> str:
    """The visible glyphs of a range, with a space for each gap within it."""
    within = np.flatnonzero(gaps[start + 1 : end] != NONE) + 1
    return as_text(np.insert(codes[ink[start:end]], within, ord(" ")))
