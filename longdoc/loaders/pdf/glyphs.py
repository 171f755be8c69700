"""The glyphs of a PDF page, read from pdfium character by character."""

from __future__ import annotations

import ctypes
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import LINE, NONE, SPACE, Glyphs
from longdoc.loaders.pdf.objects import INDEX, Drawn, bind
from longdoc.loaders.pdf.rises import find_rises
from longdoc.loaders.pdf.stacks import join_stacks
from longdoc.loaders.pdf.visibility import find_suspects, unseen

_HYPHEN = 0x02  # pdfium's code for the hyphen of a word that is hyphenated at the end of a line
_NO_CHARACTER = 0xFFFE  # stands for that hyphen in pdfium's text
_INVISIBLE = pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE
_UPRIGHT = 0.1  # quarter turns: text that is rotated by less was scanned a little askew
_SMALLEST = 0.5  # points: smaller glyphs cannot be read


_P = ctypes.c_void_p
_text = bind(pdfium_c.FPDFText_GetText, _P, ctypes.c_int, ctypes.c_int, _P)
_unicode = bind(pdfium_c.FPDFText_GetUnicode, _P, INDEX)
_is_generated = bind(pdfium_c.FPDFText_IsGenerated, _P, INDEX)
_is_hyphen = bind(pdfium_c.FPDFText_IsHyphen, _P, INDEX)
_loose_box = bind(pdfium_c.FPDFText_GetLooseCharBox, _P, INDEX, _P)
_angle = bind(pdfium_c.FPDFText_GetCharAngle, _P, INDEX, result=ctypes.c_float)
_origin = bind(pdfium_c.FPDFText_GetCharOrigin, _P, INDEX, _P, _P)
_font_size = bind(pdfium_c.FPDFText_GetFontSize, _P, INDEX, result=ctypes.c_double)
_char_matrix = bind(pdfium_c.FPDFText_GetMatrix, _P, INDEX, _P)
_text_object = bind(pdfium_c.FPDFText_GetTextObject, _P, INDEX, result=_P)
_render_mode = bind(pdfium_c.FPDFTextObj_GetTextRenderMode, _P)


def read_glyphs(page: pdfium.PdfPage, drawn: Drawn | None = None, *, layered: bool = True) -> Glyphs:
    """Reads the glyphs of a page in the order of its content stream.

    Args:
        page: the page.
        drawn: what it draws; without it, only glyphs that are drawn invisibly or off the page are hidden.
        layered: whether the file may have layers.
    """
    textpage = page.get_textpage()
    try:
        handle = ctypes.cast(textpage.raw, ctypes.c_void_p).value
        n = textpage.count_chars()
        codes = _read_codes(handle, n)
        breaks = np.full(n, NONE, np.uint8)
        for at in np.flatnonzero(_may_be_break(codes)).tolist():
            if _is_generated(handle, at):
                breaks[at] = SPACE if codes[at] == 0x20 else LINE
        real = np.flatnonzero(breaks == NONE)
        boxes = np.zeros((n, 4), np.float32)  # an FS_RECTF each: left, top, right, bottom
        deque(map(_loose_box, repeat(handle), real.tolist(), (boxes.ctypes.data + 16 * real).tolist()), 0)
        hyphens = [at for at in np.flatnonzero(codes == _HYPHEN).tolist() if _is_hyphen(handle, at)]
        codes[hyphens] = ord("-")
        glyphs = drop_generated(codes, displayed(page, boxes), breaks)
        _join_turned(glyphs, handle, real)
        hidden = _is_hidden(glyphs.boxes, page.get_size(), _is_invisible(handle, real, glyphs.breaks))
        if drawn is not None:
            hidden |= _is_unseen(page, handle, real, glyphs, find_suspects(page, drawn, layered))
        turns = _quarter_turns(handle, real, glyphs.breaks, page.get_rotation())
        glyphs = replace(glyphs, hidden=hidden, turns=turns)
        _divide_stacked(glyphs)
        stacked = join_stacks(glyphs)
        glyphs = replace(glyphs, rises=find_rises(glyphs, lambda at: _measure(handle, int(real[at]))))
        glyphs.breaks[stacked[glyphs.rises[stacked] == glyphs.rises[stacked - 1]]] = SPACE
    finally:
        textpage.close()
    after = np.searchsorted(real, hyphens) + 1
    glyphs.breaks[after[after < len(glyphs.breaks)]] = LINE
    return join_surrogates(glyphs)


def read_objects(page: pdfium.PdfPage) -> NDArray[np.uint64]:
    """The handle of the text that draws each glyph of :func:`read_glyphs`, 0 if unknown; shape ``(N,)``."""
    textpage = page.get_textpage()
    try:
        handle = ctypes.cast(textpage.raw, ctypes.c_void_p).value
        codes, real = _own(textpage)
        objects = [found or 0 for found in map(_text_object, repeat(handle), real.tolist())]
    finally:
        textpage.close()
    return np.array(objects, np.uint64)[_of_pairs(codes)]


def read_origins(page: pdfium.PdfPage) -> NDArray[np.float64]:
    """The origin of each glyph of :func:`read_glyphs` in PDF space, in points; shape ``(N, 2)``."""
    textpage = page.get_textpage()
    try:
        handle = ctypes.cast(textpage.raw, ctypes.c_void_p).value
        codes, real = _own(textpage)
        origins = np.zeros((len(real), 2))
        rows = range(origins.ctypes.data, origins.ctypes.data + 16 * len(real), 16)  # two doubles each
        for at, row in zip(real.tolist(), rows, strict=True):
            _origin(handle, at, row, row + 8)
    finally:
        textpage.close()
    return origins[_of_pairs(codes)]


def _own(textpage: pdfium.PdfTextPage) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The code points of the page's own characters and pdfium's index of each; both of shape ``(N,)``."""
    handle, n = ctypes.cast(textpage.raw, ctypes.c_void_p).value, textpage.count_chars()
    codes = _read_codes(handle, n)
    generated = [at for at in np.flatnonzero(_may_be_break(codes)).tolist() if _is_generated(handle, at)]
    real = np.delete(np.arange(n), generated)
    return codes[real], real


def _read_codes(handle: Any, n: int) -> NDArray[np.uint32]:
    """The code points of the characters of a page; shape ``(N,)``.

    Args:
        handle: address of pdfium's text page.
        n: the number of its characters.
    """
    units = np.zeros(n + 1, np.uint16)
    got = _text(handle, 0, n, units.ctypes.data)
    units = units[:-1]
    # All in one call, unless characters are left out, as control characters are, or take two units.
    if got != n + 1 or ((units >= 0xD800) & (units < 0xE000)).any():
        return np.fromiter(map(_unicode, repeat(handle), range(n)), np.uint32, n)
    codes = units.astype(np.uint32)
    for at in np.flatnonzero((units == 0) | (units == _NO_CHARACTER)).tolist():
        codes[at] = _unicode(handle, at)
    return codes


def _may_be_break(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which characters pdfium may have generated between words and lines; of the same shape."""
    may_be: NDArray[np.bool_] = (codes == 0x20) | (codes == 0x0D) | (codes == 0x0A)
    return may_be


def displayed(page: pdfium.PdfPage, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Converts boxes from PDF space to the page as displayed.

    Args:
        page: the page, which may be rotated and cropped.
        boxes: ``left, top, right, bottom`` in PDF space, in points; shape ``(N, 4)``.

    Returns:
        ``x0, y0, x1, y1`` from the top left of the displayed page, in points; shape ``(N, 4)``.
    """
    bounds = pdfium_c.FS_RECTF()
    pdfium_c.FPDF_GetPageBoundingBox(page, bounds)
    left, top, right, bottom = boxes.T
    west, east = left - bounds.left, right - bounds.left
    north, south = bounds.top - top, bounds.top - bottom
    width, height = bounds.right - bounds.left, bounds.top - bounds.bottom
    sides = west, north, east, south
    match page.get_rotation():
        case 90:
            sides = height - south, west, height - north, east
        case 180:
            sides = width - east, height - south, width - west, height - north
        case 270:
            sides = north, width - east, south, width - west
    return np.stack(sides, axis=1)


def drop_generated(codes: NDArray[np.uint32], boxes: NDArray[np.float32], breaks: NDArray[np.uint8]) -> Glyphs:
    """Drops the spaces and line ends that pdfium generated, and keeps the strongest of them as the break.

    Args:
        codes: code points; shape ``(M,)``.
        boxes: in points; shape ``(M, 4)``.
        breaks: NONE for the page's own characters, SPACE or LINE for generated ones; shape ``(M,)``.

    Returns:
        The page's own characters.
    """
    real = np.flatnonzero(breaks == NONE)
    if not len(real):
        return Glyphs(codes[real], boxes[real], breaks[real])
    codes, boxes = codes[real], boxes[real]
    generated = np.flatnonzero(breaks[: real[-1]] != NONE)
    before = np.full(len(real), NONE, np.uint8)
    np.maximum.at(before, np.searchsorted(real, generated), breaks[generated])
    # pdfium reports a superscript as a line of its own; it overlaps its neighbour and is to its right.
    (x0, y0, _, y1), (_, top, right, bottom) = boxes.T, boxes[np.arange(-1, len(boxes) - 1)].T
    height = np.minimum(y1 - y0, bottom - top)
    beside = np.minimum(y1, bottom) - np.maximum(y0, top) > 0.5 * height
    advance = x0 - right
    same_line = beside & (advance > -0.5 * height) & (advance < height) & (before == LINE)
    before[same_line] = np.where(advance > 0.2 * height, SPACE, NONE)[same_line]
    return Glyphs(codes, boxes, before)


def _join_turned(glyphs: Glyphs, handle: Any, real: NDArray[np.int64]) -> None:
    """Joins, in place, words that run up or down the page, whose letters pdfium reports as one line each.

    Args:
        glyphs: the ``N`` glyphs.
        handle: address of pdfium's text page.
        real: pdfium's index of each glyph; shape ``(N,)``.
    """
    starts = 1 + np.flatnonzero(glyphs.breaks[1:] == LINE)
    (x0, y0, x1, y1), (left, top, right, bottom) = glyphs.boxes[starts].T, glyphs.boxes[starts - 1].T
    thickness = x1 - x0
    gap = np.maximum(y0, top) - np.minimum(y1, bottom)
    stacked = (np.abs(x0 - left) + np.abs(x1 - right) < 0.3 * thickness) & (np.abs(gap) < 0.7 * thickness)
    wide = gap > 0.2 * thickness
    for i in np.flatnonzero(stacked).tolist():
        if abs(math.sin(_angle(handle, int(real[starts[i]])))) > 0.7:
            glyphs.breaks[starts[i]] = SPACE if wide[i] else NONE


def _quarter_turns(handle: Any, real: NDArray[np.int64], breaks: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """The quarter turns of glyphs on the page as displayed; on most pages a sample shows that all are upright.

    Args:
        handle: address of pdfium's text page.
        real: pdfium's index of each glyph; shape ``(N,)``.
        breaks: the break before each glyph; shape ``(N,)``.
        rotation: of the page, in degrees clockwise.

    Returns:
        Anticlockwise, 0 for other angles; shape ``(N,)``.
    """
    sample = np.flatnonzero((breaks == LINE) | (np.arange(len(real)) % 64 == 0))
    for which in (sample, np.arange(len(real))):
        angles = np.fromiter(map(_angle, repeat(handle), real[which].tolist()), np.float64, len(which))
        sizes = np.fromiter(map(_font_size, repeat(handle), real[which].tolist()), np.float64, len(which))
        turns = rotation / -90 - angles / (math.pi / 2) + 2 * (sizes < 0)  # a negative size is half a turn
        if (np.abs(turns - 4 * np.round(turns / 4)) < _UPRIGHT).all():
            return np.zeros(len(real), np.uint8)
    whole = np.round(turns)
    return np.where(np.abs(turns - whole) < _UPRIGHT, whole % 4, 0).astype(np.uint8)


def _measure(handle: Any, index: int) -> tuple[float, float]:
    """Height of the baseline of a character, and size of its font, in points; upwards as it is read.

    Args:
        handle: address of pdfium's text page.
        index: pdfium's index of the character.
    """
    x, y, matrix = ctypes.c_double(), ctypes.c_double(), pdfium_c.FS_MATRIX()
    _origin(handle, index, ctypes.addressof(x), ctypes.addressof(y))
    _char_matrix(handle, index, ctypes.addressof(matrix))
    size, scale = _font_size(handle, index), math.hypot(matrix.a, matrix.b) or 1.0
    upwards = math.copysign(1, size) * (matrix.a * y.value - matrix.b * x.value) / scale
    return upwards, abs(size) * math.hypot(matrix.c, matrix.d)


def _divide_stacked(glyphs: Glyphs) -> None:
    """Puts the digits of a column on lines of their own, in place: pdfium joins single ones to one number."""
    digit = (glyphs.codes >= ord("0")) & (glyphs.codes <= ord("9"))
    _, y0, _, y1 = glyphs.boxes.T
    apart = (y0[1:] > y1[:-1] - 0.1 * (y1 - y0)[1:]) | (y1[1:] < y0[:-1] + 0.1 * (y1 - y0)[1:])
    apart &= (digit[1:] | digit[:-1]) & (glyphs.turns[1:] == 0) & (glyphs.breaks[1:] < LINE)
    glyphs.breaks[1:][apart] = LINE


def _is_invisible(handle: Any, real: NDArray[np.int64], breaks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which glyphs are drawn with neither fill nor outline; on most pages a sample shows that none is.

    Args:
        handle: address of pdfium's text page.
        real: pdfium's index of each glyph; shape ``(N,)``.
        breaks: the break before each glyph; shape ``(N,)``.

    Returns:
        Shape ``(N,)``.
    """
    sample = (breaks == LINE) | (np.arange(len(real)) % 16 == 0)
    invisible = np.zeros(len(real), bool)
    for which in (sample, ~sample):
        objects = map(_text_object, repeat(handle), real[which].tolist())
        modes = np.fromiter(map(_render_mode, objects), np.int32, int(which.sum()))
        invisible[which] = modes == _INVISIBLE
        if not invisible.any():
            break
    return invisible


def _is_unseen(
    page: pdfium.PdfPage, handle: Any, real: NDArray[np.int64], glyphs: Glyphs, suspects: Sequence[list[int]]
) -> NDArray[np.bool_]:
    """Which glyphs nobody sees, of texts that are suspected of it; shape ``(N,)``.

    Args:
        page: the page.
        handle: address of pdfium's text page.
        real: pdfium's index of each glyph; shape ``(N,)``.
        glyphs: the ``N`` glyphs.
        suspects: handles of texts.
    """
    if not any(suspects):
        return np.zeros(len(real), bool)
    objects = np.array([found or 0 for found in map(_text_object, repeat(handle), real.tolist())], np.uint64)
    return unseen(page, glyphs, objects, suspects)


def _is_hidden(
    boxes: NDArray[np.float32], size: tuple[float, float], invisible: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which glyphs are off the page, invisible or too small; if most are invisible, as under a scan, only those off it.

    Args:
        boxes: in points; shape ``(N, 4)``.
        size: width and height of the page in points.
        invisible: which glyphs are drawn with neither fill nor outline; shape ``(N,)``.

    Returns:
        Shape ``(N,)``.
    """
    x0, y0, x1, y1 = boxes.T
    off = (x1 <= 0) | (y1 <= 0) | (x0 >= size[0]) | (y0 >= size[1])
    unseen = invisible | (np.maximum(x1 - x0, y1 - y0) < _SMALLEST)
    hidden: NDArray[np.bool_] = off | unseen if 2 * unseen.sum() < len(boxes) else off
    return hidden


def join_surrogates(glyphs: Glyphs) -> Glyphs:
    """Joins pairs of UTF-16 surrogates, which pdfium reports one after the other, into one character with one box."""
    high = _high_surrogates(glyphs.codes)
    if not len(high):
        return glyphs
    codes, boxes = glyphs.codes.copy(), glyphs.boxes.copy()
    codes[high] = 0x10000 + ((codes[high] - 0xD800) << 10) + (codes[high + 1] - 0xDC00)
    boxes[high, :2] = np.minimum(boxes[high, :2], boxes[high + 1, :2])
    boxes[high, 2:] = np.maximum(boxes[high, 2:], boxes[high + 1, 2:])
    return replace(glyphs, codes=codes, boxes=boxes).take(_of_pairs(glyphs.codes))


def _of_pairs(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The positions of characters but for the second of each pair of surrogates; shape ``(M,)``."""
    return np.delete(np.arange(len(codes)), _high_surrogates(codes) + 1)


def _high_surrogates(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The positions of the first surrogates of pairs; shape ``(K,)``."""
    kind = codes >> 10
    return np.flatnonzero((kind[:-1] == 0xD800 >> 10) & (kind[1:] == 0xDC00 >> 10))
