"""One page of a PDF: its glyphs in reading order, its tables, and its verdict, which decides whether OCR reads it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from longdoc.document import Verdict
from longdoc.loaders.layout import ocr
from longdoc.loaders.layout.glyphs import Glyphs, is_blank, is_control
from longdoc.loaders.layout.grids import arrange
from longdoc.loaders.layout.isolate import attempt
from longdoc.loaders.layout.page import ReadPage
from longdoc.loaders.options import Options
from longdoc.loaders.pdf.detached import place_detached
from longdoc.loaders.pdf.glyphs import read_glyphs
from longdoc.loaders.pdf.interactive import place_drawn
from longdoc.loaders.pdf.reading_order import order
from longdoc.loaders.pdf.ruling_lines import TableError, read_rules
from longdoc.loaders.pdf.tables import find_tables
from longdoc.loaders.pdf.top_down import top_down
from longdoc.loaders.pdf.torn_lines import mend_lines

_FEW_GLYPHS = 50  # on a scan: stamps, page numbers
_SCAN_SHARE = 0.3  # of the page that the image of a scan covers, if the page has glyphs too
_PREVIEW_PIXELS = 500_000  # at most, of the rendering that shows whether a page is blank
_DARK = 160  # of 255: a grey level below this is ink
_INK_SHARE = 0.003  # of the pixels of a page that more than a rule or two is drawn on
_MOST_OBJECTS = 20_000  # searched for images: a scan has few


def read_page(page: pdfium.PdfPage, number: int, own: int, options: Options) -> ReadPage:
    """Reads a page.

    Args:
        page: the page, with its annotations drawn.
        number: the page number, from 1.
        own: how many of its glyphs, the first ones, are its own; annotations draw the rest.
        options: the options of :func:`longdoc.load`.
    """
    glyphs = place_detached(place_drawn(read_glyphs(page), own), partial(_rules, page))
    glyphs = top_down(order(mend_lines(glyphs)))
    verdict = _verdict(page, glyphs)
    width, height = page.get_size()
    read = ReadPage(number=number, width=width, height=height, verdict=verdict, glyphs=glyphs)
    if verdict == "text" and options.tables:
        failures: list[str] = []
        read = attempt(f"tables of page {number}", partial(_with_tables, page, read), read, failures)
        return replace(read, warnings=tuple(failures))
    try:
        if verdict in ("scanned", "garbled") and options.ocr != "never" and not ocr.missing(options.languages):
            seen, confidences = _read_by_ocr(page, options)
            return _with_seen(read, seen, confidences) if len(confidences) else read
    except ocr.OcrError as error:
        return replace(read, warnings=(f"page {number} could not be read by OCR: {error}",))
    return read


def _rules(page: pdfium.PdfPage) -> NDArray[np.float32]:
    """The ruling lines of a page, shape ``(K, 4)``; none of a drawing, which has too many."""
    try:
        return read_rules(page)
    except TableError:
        return np.zeros((0, 4), np.float32)


def _with_tables(page: pdfium.PdfPage, read: ReadPage) -> ReadPage:
    """Finds the tables of a page, and arranges its glyphs by their cells."""
    try:
        glyphs, tables = arrange(read.glyphs, find_tables(page, read.glyphs))
    except TableError as error:
        return replace(read, tables_unread=str(error))
    return replace(read, glyphs=glyphs, tables=tables)


def _verdict(page: pdfium.PdfPage, glyphs: Glyphs) -> Verdict:
    """The verdict on a page; one with next to no glyphs and a large image is a scan."""
    codes = glyphs.codes[~is_blank(glyphs.codes)]
    private = (codes >= 0xE000) & (codes < 0xF900)
    unmapped = (codes >= 0xFFF0) & (codes < 0x10000)
    if (is_control(codes) | private | unmapped).sum() > len(codes) / 2:
        return "garbled"
    if len(codes) < _FEW_GLYPHS and _image_share(page) > (_SCAN_SHARE if len(codes) else 0):
        return "scanned"
    return "text" if len(codes) else "scanned" if _has_ink(page) else "empty"


def _image_share(page: pdfium.PdfPage) -> float:
    """The share of the page that its largest image covers."""
    objects = islice(page.get_objects(), _MOST_OBJECTS)
    bounds = [item.get_bounds() for item in objects if item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE]
    width, height = page.get_size()
    largest = max(((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in bounds), default=0.0)
    return float(largest / max(width * height, 1.0))


def _has_ink(page: pdfium.PdfPage) -> bool:
    """Whether more than a rule or two is drawn on a page: its letters may be drawn as outlines."""
    width, height = page.get_size()
    scale = min(0.5, (_PREVIEW_PIXELS / max(width * height, 1.0)) ** 0.5)
    dark = page.render(scale=scale, grayscale=True).to_numpy() < _DARK
    return bool(dark.mean() > _INK_SHARE)


def _read_by_ocr(page: pdfium.PdfPage, options: Options) -> tuple[Glyphs, NDArray[np.float32]]:
    """Reads a rendering of a page, of no more pixels than the limits allow.

    Returns:
        ``N`` glyphs and their confidences; shape ``(N,)``.
    """
    width, height = page.get_size()
    scale = min(ocr.DOTS_PER_INCH / 72, (options.limits.pixels / max(width * height, 1.0)) ** 0.5)
    picture = page.render(scale=scale, grayscale=True).to_pil()
    return ocr.read_picture(picture, options.languages, 1 / scale)


def _with_seen(read: ReadPage, seen: Glyphs, confidences: NDArray[np.float32]) -> ReadPage:
    """Replaces the text of a page with what OCR saw, its own few glyphs included; those are hidden.

    Args:
        read: the page.
        seen: the ``N`` glyphs that OCR saw.
        confidences: OCR's confidence in each of them, 0 to 1; shape ``(N,)``.
    """
    own = replace(read.glyphs, hidden=np.ones(len(read.glyphs.codes), bool))
    unknown = np.full(len(own.codes), np.nan, np.float32)
    return replace(read, glyphs=Glyphs.concatenate([own, seen]), confidences=np.append(unknown, confidences))
