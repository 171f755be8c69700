"""Whether a page is a scan: pictures, in one piece or in strips, that show lines of text where it has no glyphs."""

from __future__ import annotations

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import Glyphs, is_blank
from longdoc.loaders.pdf.glyphs import displayed
from longdoc.loaders.pdf.objects import PICTURE, TEXT, Drawn
from longdoc.loaders.pdf.visibility import inactive, seen_texts

_FEW_GLYPHS = 50  # on a scan: stamps, page numbers
_SCAN_SHARE = 0.3  # of the page that the pictures of a scan cover, if the page has few glyphs
_COVERED = 0.5  # of the page that they cover, if it has more
_CELLS = 64  # of a page, along each side
_LINE = 12.0  # points
_WRITTEN = 0.6  # of the height of the pictures that has glyphs: no scan, or one with a text layer
_PREVIEW_PIXELS = 500_000  # at most, of a rendering that shows whether there is text
_DARK = 160  # of 255: a grey level below this is ink
_INK_SHARE = 0.003  # of the pixels of a page that more than a rule or two is drawn on
_MOST_INK = 0.35  # of the pixels of a picture of text
_STRIPES = 8  # side by side, so that lines that are a little askew are apart
_HEIGHTS = (3.0, 30.0)  # points: of a line of text
_FEWEST_LINES = 5


def is_scan(page: pdfium.PdfPage, drawn: Drawn, glyphs: Glyphs) -> bool:
    """Whether pictures show text that the glyphs of a page do not have.

    Args:
        page: the page.
        drawn: what it draws.
        glyphs: its glyphs.
    """
    written = is_written(glyphs)
    if written and not len(drawn.where(PICTURE)):
        return False
    covered = _covered(page, drawn)
    share = float(covered.mean())
    if not written:
        blank = bool(is_blank(glyphs.codes).all())
        if blank:
            return share > 0 or _has_ink(page)
        return share > _SCAN_SHARE and _count_lines(page, drawn, glyphs) > 1
    if 2 * len(seen_texts(page, drawn)) < len(drawn.where(TEXT)):
        return False  # it has a text layer
    if share < _COVERED or _written_share(page, covered, glyphs) > _WRITTEN:
        return False
    return _count_lines(page, drawn, glyphs) >= _FEWEST_LINES


def is_written(glyphs: Glyphs) -> bool:
    """Whether a page has more text of its own than the stamps and numbers of a scan."""
    return int((~is_blank(glyphs.codes)).sum()) >= _FEW_GLYPHS


def _covered(page: pdfium.PdfPage, drawn: Drawn) -> NDArray[np.bool_]:
    """Which cells of a page its pictures cover; shape ``(64, 64)``, by row and column."""
    cells = np.zeros((_CELLS, _CELLS), bool)
    sides = drawn.bounds[drawn.where(PICTURE)]
    boxes = displayed(page, sides[:, [0, 3, 2, 1]]) / np.array([*page.get_size()] * 2) * _CELLS
    for x0, y0, x1, y1 in np.clip(np.nan_to_num(boxes).round(), 0, _CELLS).astype(int).tolist():
        cells[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = True
    return cells


def _written_share(page: pdfium.PdfPage, covered: NDArray[np.bool_], glyphs: Glyphs) -> float:
    """The share of the height of the pictures that has glyphs.

    Args:
        page: the page.
        covered: which cells of it pictures cover; shape ``(64, 64)``.
        glyphs: its glyphs.
    """
    height = max(page.get_size()[1], 1.0)
    rows = max(int(height / _LINE), 1)
    pictured = np.asarray(covered.any(axis=1))[np.arange(rows) * _CELLS // rows]
    middle = (glyphs.boxes[:, 1] + glyphs.boxes[:, 3]) / 2 * rows / height
    written = np.bincount(np.clip(middle, 0, rows - 1).astype(np.int64), minlength=rows) > 0
    return float((pictured & written).sum() / max(pictured.sum(), 1))


def _preview(page: pdfium.PdfPage) -> tuple[NDArray[np.bool_], float]:
    """Where a page is dark, and the pixels per point; shape ``(height, width)``."""
    width, height = page.get_size()
    scale = min(1.0, (_PREVIEW_PIXELS / max(width * height, 1.0)) ** 0.5)
    grey = page.render(scale=scale, grayscale=True).to_numpy()
    return grey.reshape(grey.shape[:2]) < _DARK, scale


def _has_ink(page: pdfium.PdfPage) -> bool:
    """Whether more than a rule or two is drawn on a page: its letters may be drawn as outlines."""
    return bool(_preview(page)[0].mean() > _INK_SHARE)


def _count_lines(page: pdfium.PdfPage, drawn: Drawn, glyphs: Glyphs) -> int:
    """The number of lines of text that a page seems to have where it has no glyphs."""
    with inactive(seen_texts(page, drawn)):
        dark, scale = _preview(page)
    if dark.mean() > _MOST_INK:
        return 0
    sides = np.clip(np.nan_to_num(glyphs.boxes * scale), 0, max(dark.shape)).astype(int)
    for x0, y0, x1, y1 in sides.tolist():
        dark[y0 : y1 + 1, x0 : x1 + 1] = False
    low, high = (height * scale for height in _HEIGHTS)
    most = 0
    for stripe in np.array_split(dark, _STRIPES, axis=1):
        rows = np.concatenate([[False], stripe.any(axis=1), [False]])
        borders = np.flatnonzero(np.diff(rows))
        heights = borders[1::2] - borders[::2]
        most = max(most, int(((heights >= low) & (heights <= high)).sum()))
    return most
