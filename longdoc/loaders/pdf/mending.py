"""Glyphs whose characters pdfium does not know, or leaves out, with the characters that their fonts name."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from longdoc.edits import code_points
from longdoc.loaders.layout.glyphs import LINE, NONE, SPACE, Glyphs, is_blank, is_control
from longdoc.loaders.layout.letters import forms_no_words, seem_strange
from longdoc.loaders.pdf.glyphs import displayed, read_objects, read_origins
from longdoc.loaders.pdf.miner import FontCharacter, Miner, MinerError
from longdoc.loaders.pdf.objects import TEXT, Drawn, bind

_NEAR = 0.6  # points between the origins of one character as two libraries read it
_EAST_ASIAN = 0x4E00
_FULL_WIDTH = 900  # thousandths of the size: of East Asian characters
_FEWEST_SURE = 120  # letters in a Type 3 font that must form words to be believed
_font = bind(pdfium_c.FPDFTextObj_GetFont, ctypes.c_void_p, result=ctypes.c_void_p)


@dataclass(frozen=True)
class _Page:
    """A page and its ``N`` glyphs, in the order in which they are drawn."""

    page: pdfium.PdfPage
    drawn: Drawn
    glyphs: Glyphs

    @cached_property
    def texts(self) -> list[int]:
        """The handles of its texts."""
        return [self.drawn.handles[at] for at in self.drawn.where(TEXT).tolist()]

    @cached_property
    def fonts(self) -> dict[int, int]:
        """The handle of the font of each text, by the handle of the text."""
        return {handle: _font(handle) or 0 for handle in self.texts}

    @cached_property
    def font_of_glyph(self) -> NDArray[np.uint64]:
        """The handle of the font of each glyph, 0 if unknown; shape ``(N,)``."""
        objects = read_objects(self.page)
        handles, index = np.unique(objects, return_inverse=True)
        fonts: NDArray[np.uint64] = np.array([self.fonts.get(each, 0) for each in handles.tolist()], np.uint64)[index]
        return fonts


def mend(page: pdfium.PdfPage, drawn: Drawn, glyphs: Glyphs, miner: Miner, index: int) -> tuple[Glyphs, str]:
    """Gives glyphs the characters that their fonts name, where pdfium knows none, and adds those that it leaves out.

    Args:
        page: the page.
        drawn: what it draws.
        glyphs: its glyphs in the order in which they are drawn.
        miner: its file, as pdfminer reads it.
        index: the index of the page, from 0.

    Returns:
        The glyphs, and what is wrong with those that could not be mended; empty if nothing is.
    """
    whole = _Page(page, drawn, glyphs)
    doubtful = _doubtful(whole)
    silent = any(map(_is_silent, {whole.fonts[handle] for handle in _empty_texts(drawn)}))
    if not (silent or doubtful):
        return glyphs, ""
    texts = [chr(code) for code in np.where(glyphs.codes < 0x110000, glyphs.codes, 0xFFFD).tolist()]
    try:
        found = miner.characters(index)
    except MinerError as error:
        return glyphs, _unmended(glyphs, doubtful) or (
            f"some of its characters are left out: {error}" if silent else ""
        )
    glyph_of = _match(found, read_objects(page), read_origins(page))
    among = {at for group in doubtful for at in group.tolist()}
    for character, at in zip(found, glyph_of, strict=True):
        if at in among and character.text.isprintable() and character.text:
            texts[at] = character.text
    missing = [i for i, at in enumerate(glyph_of) if at < 0 and found[i].text.strip()] if silent else []
    mended = _with_texts(glyphs, texts)
    unmended = "" if len(mended.codes) != len(glyphs.codes) else _unmended(mended, doubtful)
    return _with_missing(mended, texts, found, glyph_of, missing, page), unmended


def _unmended(glyphs: Glyphs, doubtful: list[NDArray[np.int64]]) -> str:
    """What is wrong with the glyphs of some fonts; empty if their letters form words after all."""
    strange = sum(len(group) for group in doubtful if forms_no_words(glyphs.take(group)))
    if not strange:
        return ""
    return f"{strange:,} of its characters form no words: their fonts do not say which characters they draw"


def _doubtful(page: _Page) -> list[NDArray[np.int64]]:
    """The positions of glyphs that may stand for other characters than pdfium says, by font."""
    glyphs = page.glyphs
    strange, groups = seem_strange(glyphs), []
    for font in {*page.fonts.values()}:
        if not (strange or _is_type3(font)):
            continue
        own = np.flatnonzero(page.font_of_glyph == font)
        type3 = _is_type3(font)
        sure = not type3 or _count_letters(glyphs.codes[own]) >= _FEWEST_SURE
        if len(own) and (not sure or forms_no_words(glyphs.take(own), signs=type3)):
            groups.append(own)
    control = np.flatnonzero(_control_in_word(glyphs))
    return [*groups, control] if len(control) else groups


def _control_in_word(glyphs: Glyphs) -> NDArray[np.bool_]:
    """Which glyphs are control characters within words, as ligatures without names are; shape ``(N,)``."""
    control = is_control(glyphs.codes) & ~is_blank(glyphs.codes)
    if not control.any():
        return control
    letter = np.array([chr(code).isalpha() if code < 0x110000 else False for code in glyphs.codes.tolist()], bool)
    joined = glyphs.breaks == NONE
    after = np.append(False, letter[:-1]) & joined
    before = np.append(letter[1:] & joined[1:], False)
    in_word: NDArray[np.bool_] = control & (after | before)
    return in_word


def _count_letters(codes: NDArray[np.uint32]) -> int:
    return sum(chr(code).isalpha() for code in codes.tolist() if code < 0x110000)


def _is_type3(font: int) -> bool:
    """Whether a font has neither a name nor flags, as those of Type 3 have not."""
    item = ctypes.cast(font, pdfium_c.FPDF_FONT)
    return bool(font) and pdfium_c.FPDFFont_GetBaseFontName(item, None, 0) <= 1


def _empty_texts(drawn: Drawn) -> list[int]:
    """The handles of texts without a width: blanks, and those whose glyphs pdfium does not find."""
    texts = drawn.where(TEXT)
    empty = drawn.bounds[texts, 2] <= drawn.bounds[texts, 0]
    return [drawn.handles[at] for at in texts[empty].tolist()]


def _is_silent(font: int) -> bool:
    """Whether a font is East Asian and not in the file, so that pdfium may yield none of its characters."""
    item, width = ctypes.cast(font, pdfium_c.FPDF_FONT), ctypes.c_float()
    if not font or pdfium_c.FPDFFont_GetIsEmbedded(item):
        return False
    pdfium_c.FPDFFont_GetGlyphWidth(item, _EAST_ASIAN, 1000.0, ctypes.byref(width))
    return width.value >= _FULL_WIDTH


def _match(found: list[FontCharacter], objects: NDArray[np.uint64], origins: NDArray[np.float64]) -> list[int]:
    """The position of the glyph of each character, -1 if it has none.

    Characters that one operator draws are the glyphs of one text, if the first is at the same place and their number is
    the same: two libraries may differ in the widths of a font. Others are matched by place alone.

    Args:
        found: the characters.
        objects: the handle of the text of each of ``N`` glyphs; shape ``(N,)``.
        origins: the origin of each of them in PDF space, in points; shape ``(N, 2)``.
    """
    places = _Places(origins)
    matched = [-1] * len(found)
    starts = np.flatnonzero(np.append(True, np.diff(objects) != 0)[: len(objects)])
    sizes = dict(zip(starts.tolist(), np.diff(np.append(starts, len(objects))).tolist(), strict=True))
    for _, group in groupby(range(len(found)), key=lambda i: found[i].show):
        own = list(group)
        start = places.nearest(found[own[0]], among=sizes)
        if start >= 0 and sizes[start] == len(own):
            for i, at in zip(own, range(start, start + len(own)), strict=True):
                matched[i] = at
            places.taken.update(matched[i] for i in own)
    for i, character in enumerate(found):
        if matched[i] < 0 and character.text != " ":
            matched[i] = places.nearest(character)
            places.taken.add(matched[i])
    return matched


class _Places:
    """Finds glyphs by the places of their origins."""

    def __init__(self, origins: NDArray[np.float64]):
        self.origins = origins
        self.taken: set[int] = set()
        self._cells: dict[tuple[int, int], list[int]] = defaultdict(list)
        for at, (x, y) in enumerate(origins.tolist()):
            self._cells[round(x), round(y)].append(at)

    def nearest(self, character: FontCharacter, among: Container[int] | None = None) -> int:
        """The glyph at the place of a character that is not taken, -1 if there is none."""
        column, row = round(character.x), round(character.y)
        near = [at for x in (0, -1, 1) for y in (0, -1, 1) for at in self._cells.get((column + x, row + y), ())]
        distances = {
            at: abs(self.origins[at, 0] - character.x) + abs(self.origins[at, 1] - character.y)
            for at in near
            if at not in self.taken and (among is None or at in among)
        }
        best = min(distances, key=lambda at: distances[at], default=-1)
        return best if best >= 0 and distances[best] < _NEAR else -1


def _with_texts(glyphs: Glyphs, texts: list[str]) -> Glyphs:
    """Glyphs with other characters; the characters of a ligature share its box.

    Args:
        glyphs: the ``N`` glyphs.
        texts: the characters of each.
    """
    lengths = np.array([len(text) for text in texts], np.int64)
    spread = glyphs.take(np.repeat(np.arange(len(texts)), lengths))
    first = np.cumsum(lengths) - lengths
    breaks = np.full(len(spread.codes), NONE, np.uint8)
    breaks[first] = glyphs.breaks
    return replace(spread, codes=code_points("".join(texts)), breaks=breaks)


def _with_missing(
    glyphs: Glyphs,
    texts: list[str],
    found: list[FontCharacter],
    glyph_of: list[int],
    missing: list[int],
    page: pdfium.PdfPage,
) -> Glyphs:
    """Adds characters that have no glyph, each after the glyph of the character before it.

    Args:
        glyphs: the glyphs, with the characters of ``texts``.
        texts: the characters of each of the ``N`` glyphs of the page.
        found: the characters.
        glyph_of: the glyph of each, -1 for those that have none.
        missing: the positions of those to add.
        page: the page.
    """
    if not missing:
        return glyphs
    ends = np.cumsum([len(text) for text in texts])
    last = np.maximum.accumulate(np.array(glyph_of, np.int64))
    characters = [found[i] for i in missing]
    sides = [[c.x, c.y + 0.8 * c.size, c.x + c.width, c.y - 0.2 * c.size] for c in characters]
    added = Glyphs(
        code_points("".join(c.text[0] for c in characters)),
        displayed(page, np.array(sides, np.float32)),
        np.zeros(len(missing), np.uint8),
    )
    anchors = [int(ends[last[i]]) - 0.5 if last[i] >= 0 else -1.0 for i in missing]
    order = np.argsort(np.append(np.arange(len(glyphs.codes)), anchors), kind="stable")
    merged = Glyphs.concatenate([glyphs, added]).take(order)
    new = order >= len(glyphs.codes)
    beside = np.flatnonzero(new | np.append(False, new[:-1]))
    merged.breaks[beside] = np.maximum(merged.breaks[beside], _breaks(merged.boxes)[beside])
    return merged


def _breaks(boxes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """What separates each glyph from the one before, by their places.

    Args:
        boxes: in points; shape ``(N, 4)``.

    Returns:
        NONE, SPACE or LINE for each; shape ``(N,)``.
    """
    x0, y0, x1, y1 = boxes.T
    height = y1 - y0
    shared = np.minimum(y1, np.roll(y1, 1)) - np.maximum(y0, np.roll(y0, 1))
    gap = x0 - np.roll(x1, 1)
    line = (shared < 0.5 * np.minimum(height, np.roll(height, 1))) | (gap < -height)
    return np.where(line, LINE, np.where(gap > 0.3 * height, SPACE, NONE)).astype(np.uint8)
