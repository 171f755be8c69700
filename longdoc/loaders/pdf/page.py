"""One page of a PDF: its glyphs in reading order, its tables, and its verdict, which decides whether OCR reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from longdoc.document import FormField, Verdict
from longdoc.loaders.layout import ocr
from longdoc.loaders.layout.glyphs import BLOCK, LINE, Glyphs, is_blank, is_control
from longdoc.loaders.layout.grids import arrange
from longdoc.loaders.layout.isolate import attempt
from longdoc.loaders.layout.letters import forms_no_words, seem_strange
from longdoc.loaders.layout.page import ReadPage
from longdoc.loaders.options import Options
from longdoc.loaders.pdf.buttons import place_buttons
from longdoc.loaders.pdf.detached import place_detached
from longdoc.loaders.pdf.glyphs import read_glyphs, read_objects
from longdoc.loaders.pdf.interactive import place_drawn
from longdoc.loaders.pdf.mending import mend
from longdoc.loaders.pdf.miner import Miner
from longdoc.loaders.pdf.objects import Drawn, read_drawn
from longdoc.loaders.pdf.reading_order import order
from longdoc.loaders.pdf.ruling_lines import TableError, read_rules
from longdoc.loaders.pdf.scans import is_scan, is_written
from longdoc.loaders.pdf.tables import find_tables
from longdoc.loaders.pdf.top_down import top_down
from longdoc.loaders.pdf.torn_lines import mend_lines
from longdoc.loaders.pdf.visibility import inactive, seen_texts

_FEWEST_SEEN = 40  # characters of a picture of text among a page's own text
_SURE = 0.6  # mean confidence of OCR in a picture that shows text


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A file, as its pages are read."""

    pdf: pdfium.PdfDocument
    options: Options
    layered: bool
    """Whether it may have layers."""
    miner: Miner


def read_page(
    page: pdfium.PdfPage, number: int, own: int, file: PdfFile, buttons: Sequence[FormField] = ()
) -> ReadPage:
    """Reads a page.

    Args:
        page: the page, with its annotations drawn.
        number: the page number, from 1.
        own: how many of its glyphs, the first ones, are its own; annotations draw the rest.
        file: its file.
        buttons: its check boxes and radio buttons, which are not drawn.
    """
    drawn, options = read_drawn(page), file.options
    as_drawn, unmended = mend(page, drawn, read_glyphs(page, drawn, layered=file.layered), file.miner, number - 1)
    placed = place_detached(place_buttons(place_drawn(as_drawn, own), buttons), partial(_rules, page))
    glyphs = top_down(order(mend_lines(placed)))
    verdict = _verdict(page, drawn, glyphs)
    width, height = page.get_size()
    problems = [unmended] if unmended and verdict == "text" else []
    problems += [] if drawn.complete else ["draws too many objects to look for hidden text among all of them"]
    warnings = tuple(f"page {number}: {problem}" for problem in problems)
    read = ReadPage(number=number, width=width, height=height, verdict=verdict, glyphs=glyphs, warnings=warnings)
    try:
        if verdict in ("scanned", "garbled") and options.ocr != "never" and not ocr.missing(options.languages):
            read = _read_by_ocr(page, drawn, as_drawn, read, options)
    except ocr.OcrError as error:
        return replace(read, warnings=(*warnings, f"page {number} could not be read by OCR: {error}"))
    if read.verdict != "text" or not options.tables:
        return read
    failures: list[str] = []
    with_tables = attempt(f"tables of page {number}", partial(_with_tables, page, read), read, failures)
    return replace(with_tables, warnings=(*read.warnings, *failures))


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


def _verdict(page: pdfium.PdfPage, drawn: Drawn, glyphs: Glyphs) -> Verdict:
    """The verdict on a page."""
    codes = glyphs.codes[~is_blank(glyphs.codes)]
    private = (codes >= 0xE000) & (codes < 0xF900)
    unmapped = (codes >= 0xFFF0) & (codes < 0x10000)
    if (is_control(codes) | private | unmapped).sum() > len(codes) / 2:
        return "garbled"
    if is_scan(page, drawn, glyphs):
        return "scanned"
    if seem_strange(glyphs) and forms_no_words(glyphs):
        return "garbled"
    return "text" if len(codes) else "empty"


def _read_by_ocr(page: pdfium.PdfPage, drawn: Drawn, as_drawn: Glyphs, read: ReadPage, options: Options) -> ReadPage:
    """Reads a rendering of a page, of no more pixels than the limits allow.

    What a reader sees of the own text of a scan, such as a stamp, is kept, and OCR reads the rest.

    Args:
        page: the page.
        drawn: what it draws.
        as_drawn: its glyphs in the order in which they are drawn.
        read: the page without OCR.
        options: the options of :func:`longdoc.load`.
    """
    width, height = page.get_size()
    scale = min(ocr.DOTS_PER_INCH / 72, (options.limits.pixels / max(width * height, 1.0)) ** 0.5)
    stamps = seen_texts(page, drawn) if read.verdict == "scanned" else []
    with inactive(stamps):
        picture = page.render(scale=scale, grayscale=True).to_pil()
    seen, confidences = ocr.read_picture(picture, options.languages, 1 / scale)
    own = _of_texts(page, as_drawn, stamps)
    if is_written(as_drawn) and (len(confidences) < _FEWEST_SEEN or confidences.mean() < _SURE):
        return replace(read, verdict="text") if read.verdict == "scanned" else read
    return _with_seen(read, as_drawn, own, seen, confidences) if len(confidences) else read


def _of_texts(page: pdfium.PdfPage, glyphs: Glyphs, texts: list[int]) -> NDArray[np.bool_]:
    """Which glyphs of a page some of its texts draw, hidden ones aside; shape ``(N,)``.

    Args:
        page: the page.
        glyphs: its ``N`` glyphs in the order in which they are drawn.
        texts: handles of texts.
    """
    objects = read_objects(page) if texts else np.zeros(0, np.uint64)
    if len(objects) != len(glyphs.codes):
        return np.zeros(len(glyphs.codes), bool)
    own: NDArray[np.bool_] = np.isin(objects, np.array(texts, np.uint64)) & ~glyphs.hidden
    return own


def _with_seen(
    read: ReadPage, as_drawn: Glyphs, own: NDArray[np.bool_], seen: Glyphs, confidences: NDArray[np.float32]
) -> ReadPage:
    """Puts what OCR saw between the lines of a page's own text that are kept; the rest of it is hidden.

    Args:
        read: the page.
        as_drawn: its ``N`` glyphs in the order in which they are drawn.
        own: which of them are kept; shape ``(N,)``.
        seen: the ``M`` glyphs that OCR saw.
        confidences: OCR's confidence in each of them, 0 to 1; shape ``(M,)``.
    """
    rest = as_drawn.take(np.flatnonzero(~own))
    kept = top_down(order(as_drawn.take(np.flatnonzero(own))))
    above = np.zeros(len(kept.codes), bool)
    if len(above):
        first = np.flatnonzero(np.append(True, kept.breaks[1:] >= LINE))
        higher = kept.boxes[first, 1] < np.median(seen.boxes[:, 1])
        above = np.repeat(higher, np.diff(np.append(first, len(above))))
    parts = [replace(rest, hidden=np.ones(len(rest.codes), bool)), kept.take(np.flatnonzero(above))]
    parts += [seen, kept.take(np.flatnonzero(~above))]
    for part in parts:
        part.breaks[:1] = BLOCK
    unknown = [np.full(len(part.codes), np.nan, np.float32) for part in parts]
    return replace(
        read,
        glyphs=Glyphs.concatenate(parts),
        confidences=np.concatenate([unknown[0], unknown[1], confidences, unknown[3]]),
    )
