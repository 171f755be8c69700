"""Two readings of a page by pdfium, before and after: nothing is left in the boxes, and nothing else is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np

from longdoc.loaders.layout.glyphs import is_blank
from longdoc.loaders.pdf.glyphs import read_glyphs
from longdoc.parts import Box
from longdoc.pdfium import PDFIUM_LOCK

_SLACK = 0.02  # points
_INSET = 0.15  # of the height of a box: the middles of letters lie within it


def wrong_with(
    before: Any, after: Any, number: int, removed: Sequence[Box], drawn: Sequence[Box], *, complete: bool
) -> str | None:
    """What is wrong with a page that was written anew; None if nothing is.

    Args:
        before: the original as a ``pypdfium2.PdfDocument``.
        after: the redacted file.
        number: of the page, from 1.
        removed: the boxes around what is removed, on the page as displayed.
        drawn: the boxes drawn in their place.
        complete: whether all letters outside of the boxes have to be there, and all else if nothing is removed.
    """
    with PDFIUM_LOCK, closing(before[number - 1]) as old, closing(after[number - 1]) as new:
        (_, outside), (within, kept) = _letters(old, removed), _letters(new, drawn)
        is_same = removed or not complete or _kinds(old) == _kinds(new)
    if within:
        return "letters that stay when they are removed"
    if complete and outside - kept:
        return "letters that cannot be told from their neighbours"
    return None if is_same else "content that is not the same when it is written anew"


def _kinds(page: Any) -> Counter[int]:
    """How many texts, paths, pictures, shadings and forms a page draws, by kind."""
    import pypdfium2.raw as pdfium_c

    every = (pdfium_c.FPDFPage_GetObject(page, at) for at in range(pdfium_c.FPDFPage_CountObjects(page)))
    return Counter(map(pdfium_c.FPDFPageObj_GetType, every))


def _letters(page: Any, boxes: Sequence[Box]) -> tuple[Counter[int], Counter[int]]:
    """The letters of a page whose middles are in boxes, and the others, by code point."""
    glyphs = read_glyphs(page)
    codes, places = glyphs.codes, glyphs.boxes
    seen = ~is_blank(codes)
    codes, places = codes[seen], places[seen]
    middle = (places[:, :2] + places[:, 2:]) / 2
    inside = np.zeros(len(codes), bool)
    for box in boxes:
        inset = _INSET * min(box.x1 - box.x0, box.y1 - box.y0)
        low, high = np.array((box.x0, box.y0)), np.array((box.x1, box.y1))
        inner = np.array((0, inset) if box.x1 - box.x0 >= box.y1 - box.y0 else (inset, 0))
        inside |= ((middle >= low + inner - _SLACK) & (middle <= high - inner + _SLACK)).all(axis=1)
    return Counter(codes[inside].tolist()), Counter(codes[~inside].tolist())
