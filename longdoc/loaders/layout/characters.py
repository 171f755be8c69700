"""Characters that are read as others: ligatures, accents drawn as glyphs of their own, full-width forms, quotes."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import SOFT_HYPHEN

_ACCENTS = {0xB4: "\u0301", 0x60: "\u0300", 0x2C6: "\u0302", 0x5E: "\u0302", 0x2DC: "\u0303", 0xA8: "\u0308"} | {
    0xB8: "\u0327", 0x2C7: "\u030c", 0x2D8: "\u0306", 0x2D9: "\u0307", 0x2DA: "\u030a", 0x2DD: "\u030b", 0xAF: "\u0304"
}  # fmt: skip
"""Spacing accents and the combining characters that look the same."""
_SYMBOLS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0FC: "✓", 0xF0D8: "➢"}  # of the fonts Symbol and Wingdings

_QUOTES = {0x2018: "'", 0x2019: "'", 0x201A: "'", 0x201B: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"', 0x201F: '"'}
"""Curly quotes become straight: most text that is not typeset has straight ones, and a search expects them."""


def reads_as(code: int) -> tuple[str, str] | None:
    """The text that a character is replaced with and the kind of that edit; None if it is kept."""
    if 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE:
        return "\ufffd", "unmapped"
    if code in _SYMBOLS:
        return _SYMBOLS[code], "symbol"
    if code in _QUOTES:
        return _QUOTES[code], "quote"
    if code == SOFT_HYPHEN:  # the caller has removed those that draw nothing
        return "-", "hyphen"
    char = chr(code)
    if 0xFB00 <= code <= 0xFB06:
        return unicodedata.normalize("NFKC", char), "ligature"
    full_width = 0xFF01 <= code <= 0xFF5E
    normal = unicodedata.normalize("NFKC", char) if full_width else unicodedata.normalize("NFC", char)
    return (normal, "unicode") if normal != char else None


def compose(
    codes: NDArray[np.uint32], boxes: NDArray[np.float32], part: NDArray[np.int64]
) -> tuple[dict[int, str], NDArray[np.int64]]:
    """Composes letters with accents that are glyphs of their own, directly before or after the letter.

    Args:
        codes: code points; shape ``(N,)``.
        boxes: boxes of the glyphs, in points; shape ``(N, 4)``.
        part: number of the part of the document each glyph is in; a letter and its accent share it. Shape ``(N,)``.

    Returns:
        The composed letter by position of the letter, and the positions of the accents, in the same order; shape
        ``(K,)``.
    """
    marks = np.flatnonzero(np.isin(codes, list(_ACCENTS)) | ((codes >= 0x300) & (codes < 0x370)))
    composed: dict[int, str] = {}
    accents = []
    for at in marks.tolist():
        mark = _ACCENTS.get(int(codes[at]), chr(codes[at]))
        for letter in (at + 1, at - 1) if codes[at] in _ACCENTS else (at - 1,):
            if not 0 <= letter < len(codes) or letter in composed or part[letter] != part[at]:
                continue
            if not _overlap(boxes[at], boxes[letter]):
                continue
            char = chr(codes[letter]).replace("ı", "i").replace("\u0237", "j")
            whole = unicodedata.normalize("NFC", char + mark) if char.isalpha() else ""
            if len(whole) == 1:
                composed[letter] = whole
                accents.append(at)
                break
    return composed, np.array(accents, np.int64)


def _overlap(accent: NDArray[np.float32], letter: NDArray[np.float32]) -> bool:
    """Whether an accent belongs to a letter: they share a line and half the width of the narrower one.

    Args:
        accent: its box; shape ``(4,)``.
        letter: its box; shape ``(4,)``.
    """
    shared = min(accent[2], letter[2]) - max(accent[0], letter[0])
    width = max(min(accent[2] - accent[0], letter[2] - letter[0]), 0)
    same_line = min(accent[3], letter[3]) > max(accent[1], letter[1])
    return bool(same_line and shared >= 0.5 * width)
