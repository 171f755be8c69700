"""From the glyphs of pages to raw text and the edits that make it readable: lines, paragraphs, hyphens, ligatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import WHITE_SPACE, Edits
from longdoc.loaders.layout.characters import SOFT_HYPHEN, compose, reads_as
from longdoc.loaders.layout.furniture import Size, find_furniture
from longdoc.loaders.layout.hyphens import join_hyphens
from longdoc.loaders.layout.lines import (
    BLOCK,
    CELL,
    DROP,
    LINE,
    NONE,
    ROW,
    SPACE,
    SPACED,
    Lines,
    in_table,
    line_breaks,
    measure_lines,
)
from longdoc.parts import Furniture

__all__ = ["BLOCK", "CELL", "LINE", "NONE", "ROW", "SPACE", "ZERO_WIDTH", "Glyphs", "Layout", "is_control", "lay_out"]

ZERO_WIDTH = (0x200B, 0x2060, 0xFEFF)
_REPLACEMENTS = (
    ("", "dropped"),
    (" ", "space"),
    (" ", "line"),
    ("\n", "line"),
    ("\n\n", "paragraph"),
    (" ", "page"),
    ("\n", "page"),
    ("\t", "cell"),
    ("\n", "row"),
    ("\n\n", "block"),
    ("", "hyphen"),
    ("", "furniture"),
)
"""Of gaps, in the order of :mod:`longdoc.loaders.layout.lines`; those of characters come after them."""
_FURNITURE = len(_REPLACEMENTS) - 1


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What stands on one page, in reading order, ``n`` glyphs."""

    codes: NDArray[np.uint32]
    """Shape ``(n,)``: code points."""
    boxes: NDArray[np.float32]
    """Shape ``(n, 4)``: ``x0, y0, x1, y1`` in points from the top left of the page as displayed."""
    breaks: NDArray[np.uint8]
    """Shape ``(n,)``: what separates a glyph from the one before: NONE, SPACE, LINE, CELL, ROW or BLOCK."""
    hidden: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """Shape ``(n,)``: whether a reader of the page does not see it; by default, all are seen."""

    def __post_init__(self) -> None:
        if len(self.hidden) != len(self.codes):
            object.__setattr__(self, "hidden", np.zeros(len(self.codes), bool))

    def take(self, index: NDArray[np.integer]) -> Glyphs:
        """The glyphs at these positions, in this order, all that is known of each."""
        return Glyphs(*(getattr(self, each.name)[index] for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a Document that come from its glyphs; see the fields of that name there."""

    raw_text: str
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]
    edits: Edits
    page_starts: list[int]
    """Offset into the edited text where each page starts."""
    length: int
    """Of the edited text."""
    furniture: tuple[Furniture, ...] = ()


def lay_out(
    pages: Sequence[tuple[int, Glyphs]], *, sizes: Sequence[Size] | None = None, keep_furniture: bool = False
) -> Layout:
    """Joins the glyphs of pages to one text; at least one must be visible.

    Between two visible glyphs stands one edit at most, white space, generated or real, which becomes a single space, a
    line break or a paragraph break; and one for the furniture between them.

    Args:
        pages: page numbers and glyphs.
        sizes: width and height of each page in points; furniture is only looked for where they are given.
        keep_furniture: leave it in the text.
    """
    codes, boxes, breaks, hidden = (
        np.concatenate([getattr(glyphs, name) for _, glyphs in pages])
        for name in ("codes", "boxes", "breaks", "hidden")
    )
    borders = np.cumsum([0, *(len(glyphs.codes) for _, glyphs in pages)])
    page = np.repeat(np.arange(len(pages)), np.diff(borders))
    _separate(breaks, borders, hidden)
    starts = np.flatnonzero(breaks >= LINE)
    raw_text = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    numbers = np.array([number for number, _ in pages])

    composed, accents = compose(codes, boxes, 2 * page + hidden)
    breaks[[max(at, accent) for at, accent in zip(composed, accents.tolist(), strict=True)]] = NONE
    breaks_or_spaces = np.maximum(breaks, np.isin(codes, WHITE_SPACE))
    visible = _visible(codes, boxes, breaks) & ~np.concatenate([_repeated(glyphs) for _, glyphs in pages])
    visible[accents] = False
    ink = np.flatnonzero(visible)
    gaps = _gaps(breaks_or_spaces, ink)
    lines = measure_lines(raw_text, boxes, page, ink, gaps)
    furniture = find_furniture(lines, _line_texts(codes, ink, gaps, lines), ink, hidden, numbers, sizes)
    taken = _taken([each for each in furniture if not keep_furniture or each.kind == "hidden"], len(codes), ink)
    if taken.any():
        beside = taken | np.append(False, taken[:-1])
        beside[ink[lines.first[in_table(lines)]]] = False  # a table starts after a header as after anything else
        breaks_or_spaces[beside] = np.minimum(LINE, breaks_or_spaces[beside])
        ink = np.flatnonzero(visible & ~taken)
        gaps = _gaps(breaks_or_spaces, ink)
        lines = measure_lines(raw_text, boxes, page, ink, gaps)
    gaps[lines.first] = np.append(DROP, line_breaks(lines))
    ink, gaps = join_hyphens(raw_text, ink, gaps, lines)
    edits = _edits(codes, ink, gaps, taken, composed)
    *page_starts, length = _text_offsets(borders, ink, edits)
    return Layout(
        raw_text=raw_text,
        boxes=boxes,
        lines=np.stack([starts, numbers[page[starts]]], axis=1).astype(np.int32),
        edits=edits,
        page_starts=page_starts,
        length=length,
        furniture=furniture,
    )


def _separate(breaks: NDArray[np.uint8], borders: NDArray[np.int64], hidden: NDArray[np.bool_]) -> None:
    """Starts a line where a page starts, and where what is hidden starts and ends."""
    breaks[borders[:-1][np.diff(borders) > 0]] = LINE
    changes = 1 + np.flatnonzero(np.diff(hidden))
    breaks[changes] = np.maximum(breaks[changes], LINE)


def _taken(furniture: Sequence[Furniture], n: int, ink: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which characters furniture takes out of the text; none if nothing would be left."""
    taken = np.zeros(n, bool)
    for each in furniture:
        taken[each.raw_start : each.raw_end] = True
    return taken if not taken[ink].all() else np.zeros(n, bool)


def _line_texts(codes: NDArray[np.uint32], ink: NDArray[np.int64], gaps: NDArray[np.int64], lines: Lines) -> list[str]:
    """The visible characters of each line and the spaces between them."""
    spaces = np.flatnonzero(gaps == SPACE)
    text = np.insert(codes[ink], spaces, ord(" ")).astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    starts = (lines.first + np.searchsorted(spaces, lines.first)).tolist()
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def _visible(codes: NDArray[np.uint32], boxes: NDArray[np.float32], breaks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which glyphs draw something: no white space, nothing without width, no control character."""
    unseen = is_control(codes) | np.isin(codes, (*WHITE_SPACE, *ZERO_WIDTH)) | _soft_hyphens(codes, boxes, breaks)
    return ~unseen


def _soft_hyphens(
    codes: NDArray[np.uint32], boxes: NDArray[np.float32], breaks: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Soft hyphens within a line that draw nothing; those that take up room were drawn as hyphens."""
    drawn = boxes[:, 2] - boxes[:, 0] > 0.1 * (boxes[:, 3] - boxes[:, 1])
    soft: NDArray[np.bool_] = (codes == SOFT_HYPHEN) & ~drawn & (np.append(breaks[1:], LINE) == NONE)
    return soft


def is_control(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether these are control characters, which a font gives that does not say what it draws; shape ``(n,)``."""
    return (codes < 0x20) | ((codes >= 0x7F) & (codes < 0xA0))


def _repeated(glyphs: Glyphs) -> NDArray[np.bool_]:
    """Glyphs of a page drawn again on the same spot, as some writers do for bold; shape ``(n,)``.

    Neighbours with one and the same box are no repetition but the letters of a ligature.
    """
    codes, boxes = glyphs.codes, glyphs.boxes
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    x, y = np.clip(np.round(middle), 0, 2**13 - 1).astype(np.int64).T
    order = np.argsort(((codes.astype(np.int64) << 13) + y << 13) + x)  # one key sorts three times as fast as three
    one, other = np.sort([order[:-1], order[1:]], axis=0)
    near = (np.abs(middle[one] - middle[other]) < (0.35, 0.15) * size[one]).all(axis=1)
    ligature = (other == one + 1) & (boxes[one] == boxes[other]).all(axis=1)
    repeated = np.zeros(len(codes), bool)
    near &= (codes[one] == codes[other]) & (glyphs.hidden[one] == glyphs.hidden[other])
    repeated[other[near & ~ligature]] = True
    return repeated


def _gaps(breaks: NDArray[np.uint8], ink: NDArray[np.int64]) -> NDArray[np.int64]:
    """What stands before each visible glyph: the strongest break since the last one; shape ``(len(ink),)``."""
    return np.maximum.reduceat(breaks[: ink[-1] + 1], np.append(0, ink[:-1] + 1)).astype(np.int64)


def _edits(
    codes: NDArray[np.uint32],
    ink: NDArray[np.int64],
    gaps: NDArray[np.int64],
    taken: NDArray[np.bool_],
    composed: dict[int, str],
) -> Edits:
    """Edits of the gaps between visible glyphs, and of the glyphs that stand for other characters."""
    starts, ends = np.append(0, ink + 1), np.append(ink, len(codes))
    kinds = np.append(gaps, DROP)
    plain = (ends - starts == 1) & (kinds == SPACED) & (np.append(codes, 0)[starts] == ord(" "))
    changed = ~plain & ((ends > starts) | (kinds != DROP))
    starts, ends, kinds = starts[changed], ends[changed], kinds[changed]
    # Furniture has an edit of its own, so that the space before it does not stand for it.
    places = np.append(np.flatnonzero(taken), len(codes))
    first = np.minimum(places[np.searchsorted(places, starts)], ends)
    cut = first < ends
    changes = _changes(codes, ink, composed)
    pairs = [*dict.fromkeys(changes.values())]
    places = np.array([*changes], np.int64)
    meant = np.array([len(_REPLACEMENTS) + pairs.index(pair) for pair in changes.values()], np.int64)
    starts = np.concatenate([starts, first[cut], places])
    ends = np.concatenate([first, ends[cut], places + 1])
    kinds = np.concatenate([kinds, np.full(int(cut.sum()), _FURNITURE), meant])
    order = np.lexsort((ends, starts))
    ranges = np.stack([starts, ends], axis=1)[order].astype(np.int32)
    return Edits(ranges, kinds[order].astype(np.int32), (*_REPLACEMENTS, *pairs))


def _changes(codes: NDArray[np.uint32], ink: NDArray[np.int64], composed: dict[int, str]) -> dict[int, tuple[str, str]]:
    """What single glyphs read as where that is another character, and the kind of that edit, by position."""
    glyphs = codes[ink]
    unusual = ink[glyphs >= 0x80]  # everything below reads as it is
    changes = {code: reads_as(code) for code in np.unique(codes[unusual]).tolist()}
    changed = unusual[np.isin(codes[unusual], [code for code, change in changes.items() if change])].tolist()
    found = {at: change for at in changed if (change := changes[int(codes[at])])}
    read = np.isin([*composed], ink).tolist()
    return found | {at: (letter, "accent") for (at, letter), kept in zip(composed.items(), read, strict=True) if kept}


def _text_offsets(borders: NDArray[np.int64], ink: NDArray[np.int64], edits: Edits) -> list[int]:
    """Where the pages with these borders in the raw text start in the edited text: at the first visible glyph."""
    ends = np.append(ink, borders[-1])
    first = ends[np.searchsorted(ends, borders)]
    lengths = np.array([len(text) for text, _ in edits.replacements])[edits.codes]
    shifts = np.append(0, np.cumsum(lengths - np.diff(edits.ranges, axis=1)[:, 0]))
    offsets: list[int] = (first + shifts[np.searchsorted(edits.ranges[:, 1], first, side="right")]).tolist()
    return [0, *offsets[1:]]
