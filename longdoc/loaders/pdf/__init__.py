"""PDF: text and a box for every character, by pdfium."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from longdoc.document import Document, Source, Verdict
from longdoc.edits import WHITE_SPACE
from longdoc.errors import CorruptDocumentError, EncryptedDocumentError
from longdoc.loaders.layout import ocr as _ocr
from longdoc.loaders.layout.assemble import ReadPage, assemble
from longdoc.loaders.layout.text import ZERO_WIDTH, Glyphs, is_control
from longdoc.loaders.options import Options
from longdoc.loaders.pdf.columns import order
from longdoc.loaders.pdf.glyphs import read_glyphs
from longdoc.loaders.pdf.interactive import draw_annotations, place_drawn, read_interactive, read_outline
from longdoc.loaders.pdf.ruling_lines import TableError
from longdoc.loaders.pdf.tables import arrange, find_tables
from longdoc.loaders.pdf.top_down import top_down

_LOCK = threading.Lock()  # pdfium keeps global state and may be entered by one thread at a time
_FEW_GLYPHS = 50
_FEW_PIXELS, _DARK, _INK = 500_000, 160, 0.003  # how a page is drawn to see whether it is blank
_MOST_OBJECTS = 20_000  # looked at for pictures: a scan has few


def load_pdf(data: bytes, *, name: str, options: Options) -> Document:
    """Reads a PDF.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        options: how to read it; the password is tried only when the file does not open without one.

    Raises:
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: it is beyond repair, or has no pages.
        NoTextLayerError: none of the pages has text.
        LimitExceededError: it has more pages or characters than the limits allow.
        ValueError: ``options.pages`` starts after the last page.
    """
    with _LOCK:
        pdf = _open(data, name, options.password)
        try:
            pdf.init_forms()
            pages = list(_read_pages(pdf, name, options))
            outline = read_outline(pdf)
            metadata = {key: value for key, value in pdf.get_metadata_dict().items() if value}
        finally:
            pdf.close()
    source = Source(
        name=name,
        media_type="application/pdf",
        sha256=hashlib.sha256(data).hexdigest(),
        loader="pypdfium2",
        version=str(pdfium.PYPDFIUM_INFO),
        metadata=metadata,
    )
    return assemble(pages, source, options, outline=outline)


def _open(data: bytes, name: str, password: str | None) -> pdfium.PdfDocument:
    """Opens without a password first: with a wrong one pdfium refuses files that need none to be read."""
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code != pdfium_c.FPDF_ERR_PASSWORD:
            raise CorruptDocumentError(
                f"{name}: {len(data):,} bytes that start as a PDF and cannot be read as one (damaged, truncated or "
                "without pages); get it again, or repair it by printing it to a new PDF"
            ) from error
    if password is None:
        raise EncryptedDocumentError(f"{name}: encrypted; give its password: load(..., password=...)")
    try:
        return pdfium.PdfDocument(data, password)
    except pdfium.PdfiumError as error:
        raise EncryptedDocumentError(f"{name}: encrypted, and not by the password given; give another one") from error


def _read_pages(pdf: pdfium.PdfDocument, name: str, options: Options) -> Iterator[ReadPage]:
    """The pages one by one, each released before the next is read."""
    characters = 0
    for number in options.page_numbers(len(pdf), name):
        try:
            page = pdf[number - 1]
        except pdfium.PdfiumError as error:
            raise CorruptDocumentError(
                f"{name}: page {number} is damaged; leave it out: load(..., pages=...)"
            ) from error
        interactive = read_interactive(pdf, page, number)
        own = len(read_glyphs(page).codes) if interactive.draws_text else 0
        if interactive.draws_text:
            page = draw_annotations(pdf, page, number - 1)
        try:
            read = _read_page(page, number, own, options)
        finally:
            page.close()
        characters += len(read.glyphs.codes)
        options.limits.check("characters", characters, name)
        yield replace(read, interactive=interactive)


def _read_page(page: pdfium.PdfPage, number: int, own: int, options: Options) -> ReadPage:
    """One page; the first ``own`` glyphs are its own, annotations draw the rest."""
    glyphs = top_down(order(place_drawn(read_glyphs(page), own)))
    verdict = _verdict(page, glyphs)
    width, height = page.get_size()
    read = ReadPage(number=number, width=width, height=height, verdict=verdict, glyphs=glyphs)
    try:
        if verdict == "text" and options.tables:
            glyphs, placed = arrange(glyphs, find_tables(page, glyphs))
            return replace(read, glyphs=glyphs, placed=placed)
        if (
            verdict in ("scanned", "garbled")
            and options.ocr != "never"
            and not _ocr.missing(_ocr.languages(options.ocr))
        ):
            seen, confidences = _read_by_ocr(page, options)
            return _with_seen(read, seen, confidences) if len(confidences) else read
    except TableError as error:
        warning = f"tables of page {number} could not be read: {error}; its text is in reading order"
        return replace(read, warnings=(warning,))
    except _ocr.OcrError as error:
        return replace(read, warnings=(f"page {number} could not be read by OCR: {error}",))
    return read


def _verdict(page: pdfium.PdfPage, glyphs: Glyphs) -> Verdict:
    """What a page holds: an image with next to no glyphs on it is a scan."""
    codes = glyphs.codes[~np.isin(glyphs.codes, (*WHITE_SPACE, *ZERO_WIDTH))]
    private = (codes >= 0xE000) & (codes < 0xF900)
    unmapped = (codes >= 0xFFF0) & (codes < 0x10000)
    if (is_control(codes) | private | unmapped).sum() > len(codes) / 2:
        return "garbled"
    if len(codes) < _FEW_GLYPHS and _image_share(page) > (0.3 if len(codes) else 0):
        return "scanned"
    return "text" if len(codes) else "scanned" if _is_drawn_on(page) else "empty"


def _image_share(page: pdfium.PdfPage) -> float:
    """Area of the page's largest image over that of the page."""
    objects = islice(page.get_objects(), _MOST_OBJECTS)
    bounds = [item.get_bounds() for item in objects if item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE]
    width, height = page.get_size()
    largest = max(((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in bounds), default=0.0)
    return float(largest / max(width * height, 1.0))


def _is_drawn_on(page: pdfium.PdfPage) -> bool:
    """Whether more is drawn than a rule or two: letters may be drawn as outlines."""
    width, height = page.get_size()
    scale = min(0.5, (_FEW_PIXELS / max(width * height, 1.0)) ** 0.5)
    dark = page.render(scale=scale, grayscale=True).to_numpy() < _DARK
    return bool(dark.mean() > _INK)


def _with_seen(read: ReadPage, seen: Glyphs, confidences: NDArray[np.float32]) -> ReadPage:
    """A page as OCR read it; the few glyphs of its own, which OCR saw too, stay in the raw text."""
    own = read.glyphs
    glyphs = Glyphs(
        np.concatenate([own.codes, seen.codes]),
        np.concatenate([own.boxes, seen.boxes]),
        np.concatenate([own.breaks, seen.breaks]),
        np.arange(len(own.codes) + len(seen.codes)) < len(own.codes),
    )
    sure = np.append(np.full(len(own.codes), np.nan, np.float32), confidences)
    return replace(read, glyphs=glyphs, confidences=sure)


def _read_by_ocr(page: pdfium.PdfPage, options: Options) -> tuple[Glyphs, NDArray[np.float32]]:
    """Glyphs and confidences of a page that is drawn and read; a huge page is drawn no larger than the limits allow."""
    width, height = page.get_size()
    scale = min(_ocr.DOTS_PER_INCH / 72, (options.limits.pixels / max(width * height, 1.0)) ** 0.5)
    picture = page.render(scale=scale, grayscale=True).to_pil()
    return _ocr.read_picture(picture, _ocr.languages(options.ocr), 1 / scale)
