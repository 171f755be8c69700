"""The glyphs of pages to raw text, and the edits that make it readable: lines, paragraphs, hyphens, ligatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import Edits
from longdoc.loaders.layout.characters import compose, reads_as
from longdoc.loaders.layout.furniture import find_furniture
from longdoc.loaders.layout.glyphs import LINE, NONE, SPACE, Glyphs, as_text, draws_ink, is_redrawn, is_white
from longdoc.loaders.layout.hyphens import join_hyphens
from longdoc.loaders.layout.lines import BLOCK_BREAK, DROP, SPACED, Lines, in_table, line_breaks, measure_lines
from longdoc.loaders.layout.raised_glyphs import close_up, raised_texts
from longdoc.parts import Furniture

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
"""Text and kind of the edits of gaps, numbered as in :mod:`longdoc.loaders.layout.lines`, and of furniture."""
_FURNITURE = len(_REPLACEMENTS) - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a Document that come from its glyphs; see the fields of the same names there."""

    raw_text: str
    boxes: NDArray[np.float32]
    """Shape ``(len(raw_text), 4)``."""
    lines: NDArray[np.int32]
    """Offset into ``raw_text`` and page number of each line; shape ``(N, 2)``."""
    edits: Edits
    page_starts: list[int]
    """Offset into the edited text where each page starts."""
    length: int
    """Length of the edited text in characters."""
    furniture: tuple[Furniture, ...] = ()


def lay_out(
    pages: Sequence[tuple[int, Glyphs]],
    *,
    sizes: Sequence[tuple[float, float]] | None = None,
    keep_furniture: bool = False,
    table_ends: Sequence[int] = (),
) -> Layout:
    """Joins the glyphs of pages into one text; at least one must be visible.

    There is at most one edit for the white space between two visible glyphs, and one for the furniture.

    Args:
        pages: page numbers and glyphs.
        sizes: width and height of each page in points; without them only hidden text is furniture.
        keep_furniture: leave it in the text.
        table_ends: positions after the last glyphs of tables, among all glyphs; a block ends there.
    """
    numbers = np.array([number for number, _ in pages])
    glyphs, borders = _concatenate([of_page for _, of_page in pages])
    page = np.repeat(np.arange(len(pages)), np.diff(borders))
    starts = np.flatnonzero(glyphs.breaks >= LINE)
    raw_text = as_text(glyphs.codes)
    composed, accents = _compose(glyphs, page)
    breaks = np.maximum(glyphs.breaks, is_white(glyphs.codes))
    visible = draws_ink(glyphs) & ~np.concatenate([is_redrawn(of_page) for _, of_page in pages])
    visible[accents] = False
    ink = np.flatnonzero(visible)
    gaps = _gaps(breaks, ink)
    lines = measure_lines(raw_text, glyphs.boxes, page, ink, gaps)
    furniture = find_furniture(lines, _line_texts(glyphs.codes[ink], gaps, lines), ink, glyphs.hidden, numbers, sizes)
    removed = _removed(furniture, keep_furniture, len(page), ink)
    if removed.any():
        _bridge(breaks, removed, ink[lines.first[in_table(lines)]])
        ink = np.flatnonzero(visible & ~removed)
        gaps = _gaps(breaks, ink)
        lines = measure_lines(raw_text, glyphs.boxes, page, ink, gaps)
    gaps[lines.first] = np.append(DROP, line_breaks(lines))
    close_up(gaps, ink, glyphs)
    ink, gaps = join_hyphens(raw_text, ink, gaps, lines)
    ends = np.searchsorted(ink, np.array(table_ends, np.int64))
    gaps[ends[(ends > 0) & (ends < len(ink))]] = BLOCK_BREAK
    changes = _changes(glyphs.codes, ink, composed)
    changes |= _raised(changes, glyphs.codes, raised_texts(glyphs.codes, glyphs.rises, ink, gaps))
    edits = _edits(glyphs.codes, ink, gaps, removed, changes)
    *page_starts, length = _text_offsets(borders, ink, edits)
    line_starts = np.stack([starts, numbers[page[starts]]], axis=1).astype(np.int32)
    return Layout(raw_text, glyphs.boxes, line_starts, edits, page_starts, length, furniture)


def _concatenate(parts: Sequence[Glyphs]) -> tuple[Glyphs, NDArray[np.int64]]:
    """Joins the glyphs of ``P`` pages; a line starts where a page starts and where hidden text starts and ends.

    Returns:
        The glyphs, and the position of the first of each page and of the end; shape ``(P + 1,)``.
    """
    glyphs = Glyphs.concatenate(parts)
    borders = np.cumsum([0, *(len(part.codes) for part in parts)])
    glyphs.breaks[borders[:-1][np.diff(borders) > 0]] = LINE
    changes = 1 + np.flatnonzero(np.diff(glyphs.hidden))
    glyphs.breaks[changes] = np.maximum(glyphs.breaks[changes], LINE)
    return glyphs, borders


def _compose(glyphs: Glyphs, page: NDArray[np.int64]) -> tuple[dict[int, str], NDArray[np.int64]]:
    """Composes letters with accents of their own, and removes the breaks between the two in place.

    Args:
        glyphs: the ``G`` glyphs of all pages.
        page: index of the page of each glyph; shape ``(G,)``.

    Returns:
        The composed letter by position of the letter, and the positions of the accents; shape ``(K,)``.
    """
    composed, accents = compose(glyphs.codes, glyphs.boxes, 2 * page + glyphs.hidden)
    glyphs.breaks[[max(at, accent) for at, accent in zip(composed, accents.tolist(), strict=True)]] = NONE
    return composed, accents


def _removed(furniture: Sequence[Furniture], keep: bool, n: int, ink: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of ``n`` characters are removed as furniture, only hidden text if ``keep``; shape ``(n,)``.

    Nothing is removed if no visible glyph would be left.
    """
    removed = np.zeros(n, bool)
    for each in furniture:
        if not keep or each.kind == "hidden":
            removed[each.raw_start : each.raw_end] = True
    return removed if not removed[ink].all() else np.zeros(n, bool)


def _bridge(breaks: NDArray[np.uint8], removed: NDArray[np.bool_], cells: NDArray[np.int64]) -> None:
    """Lets text continue across removed furniture, in place.

    Args:
        breaks: the break before each character; shape ``(G,)``.
        removed: which characters are removed; shape ``(G,)``.
        cells: positions of the first glyphs of table lines, which stay separate; shape ``(K,)``.
    """
    beside = removed | np.append(False, removed[:-1])
    beside[cells] = False
    breaks[beside] = np.minimum(LINE, breaks[beside])


def _line_texts(codes: NDArray[np.uint32], gaps: NDArray[np.int64], lines: Lines) -> list[str]:
    """The text of each line: its visible glyphs and the spaces between them.

    Args:
        codes: code points of the ``V`` visible glyphs; shape ``(V,)``.
        gaps: the break before each of them; shape ``(V,)``.
        lines: the lines of the visible glyphs.
    """
    spaces = np.flatnonzero(gaps == SPACE)
    text = as_text(np.insert(codes, spaces, ord(" ")))
    starts = (lines.first + np.searchsorted(spaces, lines.first)).tolist()
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def _gaps(breaks: NDArray[np.uint8], ink: NDArray[np.int64]) -> NDArray[np.int64]:
    """The strongest break between each visible glyph and the one before.

    Args:
        breaks: the break before each character; shape ``(G,)``.
        ink: positions of the visible glyphs; shape ``(V,)``.

    Returns:
        Shape ``(V,)``.
    """
    return np.maximum.reduceat(breaks[: ink[-1] + 1], np.append(0, ink[:-1] + 1)).astype(np.int64)


def _edits(
    codes: NDArray[np.uint32],
    ink: NDArray[np.int64],
    gaps: NDArray[np.int64],
    removed: NDArray[np.bool_],
    changes: dict[int, tuple[str, str]],
) -> Edits:
    """The edits of the gaps between visible glyphs, and of glyphs that are read as other characters.

    Args:
        codes: code points of the raw text; shape ``(G,)``.
        ink: positions of the visible glyphs; shape ``(V,)``.
        gaps: what precedes each of them in the text, DROP to HYPHEN; shape ``(V,)``.
        removed: which characters are removed as furniture; shape ``(G,)``.
        changes: replacement and kind of edit of glyphs that are read as other characters, by position.
    """
    starts, ends = np.append(0, ink + 1), np.append(ink, len(codes))
    kinds = np.append(gaps, DROP)
    single_space = (ends - starts == 1) & (kinds == SPACED) & (np.append(codes, 0)[starts] == ord(" "))
    changed = ~single_space & ((ends > starts) | (kinds != DROP))
    starts, ends, kinds = starts[changed], ends[changed], kinds[changed]
    # Furniture gets an edit of its own, so that the space before it does not include it.
    stops = np.append(np.flatnonzero(removed), len(codes))
    first = np.minimum(stops[np.searchsorted(stops, starts)], ends)
    cut = first < ends
    pairs = [*dict.fromkeys(changes.values())]
    positions = np.array([*changes], np.int64)
    replaced = np.array([len(_REPLACEMENTS) + pairs.index(pair) for pair in changes.values()], np.int64)
    starts = np.concatenate([starts, first[cut], positions])
    ends = np.concatenate([first, ends[cut], positions + 1])
    kinds = np.concatenate([kinds, np.full(int(cut.sum()), _FURNITURE), replaced])
    order = np.lexsort((ends, starts))
    ranges = np.stack([starts, ends], axis=1)[order].astype(np.int32)
    return Edits(ranges, kinds[order].astype(np.int32), (*_REPLACEMENTS, *pairs))


def _changes(codes: NDArray[np.uint32], ink: NDArray[np.int64], composed: dict[int, str]) -> dict[int, tuple[str, str]]:
    """The replacement and the kind of edit of each visible glyph that is read as another character, by position.

    Args:
        codes: code points of the raw text; shape ``(G,)``.
        ink: positions of the visible glyphs; shape ``(V,)``.
        composed: letters with the accents that were glyphs of their own, by position.
    """
    unusual = ink[codes[ink] >= 0x80]  # ASCII is read as it is
    changes = {code: reads_as(code) for code in np.unique(codes[unusual]).tolist()}
    changed = unusual[np.isin(codes[unusual], [code for code, change in changes.items() if change])].tolist()
    found = {at: change for at in changed if (change := changes[int(codes[at])])}
    at = np.array([*composed], np.int64)
    in_text = np.append(ink, -1)[np.searchsorted(ink, at)] == at
    return found | {at: (composed[at], "accent") for at in at[in_text].tolist()}


def _raised(
    changes: dict[int, tuple[str, str]], codes: NDArray[np.uint32], marks: dict[int, tuple[str, str]]
) -> dict[int, tuple[str, str]]:
    """The glyphs beside which something is inserted; it shares their boxes, and is in the same cell of a table.

    Args:
        changes: the other glyphs that are read as other characters, by position.
        codes: code points of the raw text; shape ``(G,)``.
        marks: what is inserted before and after a glyph, by position.
    """
    read = {at: changes[at][0] if at in changes else chr(codes[at]) for at in marks}
    return {at: (f"{left}{read[at]}{right}", "raised") for at, (left, right) in marks.items()}


def _text_offsets(borders: NDArray[np.int64], ink: NDArray[np.int64], edits: Edits) -> list[int]:
    """The offset into the edited text of each page, which starts at its first visible glyph, and of the end.

    Args:
        borders: position of the first glyph of each page, and the number of glyphs; shape ``(P + 1,)``.
        ink: positions of the visible glyphs; shape ``(V,)``.
        edits: the edits of the raw text.
    """
    ends = np.append(ink, borders[-1])
    first = ends[np.searchsorted(ends, borders)]
    offsets: list[int] = edits.to_text(np.stack([first, first], axis=1))[:, 0].tolist()
    return [0, *offsets[1:]]
