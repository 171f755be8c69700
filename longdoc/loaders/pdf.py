"""PDF: text and a box for every character, by pdfium."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from longdoc.document import Document, Page, Source, Verdict
from longdoc.edits import WHITE_SPACE
from longdoc.errors import CorruptDocumentError, EncryptedDocumentError, NoTextLayerError
from longdoc.loaders._columns import order_columns
from longdoc.loaders._glyphs import read_glyphs
from longdoc.loaders._layout import ZERO_WIDTH, Glyphs, is_control, lay_out

_LOCK = threading.Lock()  # pdfium keeps global state and may be entered by one thread at a time
_FEW_GLYPHS = 50
_NEEDS_OCR = "OCR is not part of this release; give a version with a text layer, for example one made by OCR software"


def load_pdf(data: bytes, *, name: str, password: str | None = None, pages: tuple[int, int] | None = None) -> Document:
    """Reads a PDF.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        password: tried only when the file does not open without one.
        pages: first and last page number to read, from 1, both included.

    Raises:
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: it is beyond repair, or has no pages.
        NoTextLayerError: none of the pages has text.
        ValueError: ``pages`` starts after the last page.
    """
    with _LOCK:
        pdf = _open(data, name, password)
        try:
            numbers = _numbers(len(pdf), pages, name)
            read = [_read_page(pdf, number, name) for number in numbers]
            metadata = {key: value for key, value in pdf.get_metadata_dict().items() if value}
        finally:
            pdf.close()
    verdicts = {number: verdict for number, (_, _, verdict) in zip(numbers, read, strict=True)}
    if "text" not in verdicts.values():
        counts = ", ".join(f"{count} {verdict}" for verdict, count in Counter(verdicts.values()).items())
        raise NoTextLayerError(f"{name}: no page has text that can be read; its pages are: {counts}. {_NEEDS_OCR}")
    layout = lay_out([(number, glyphs) for number, (glyphs, _, _) in zip(numbers, read, strict=True)])
    borders = [*layout.page_starts, layout.length]
    return Document(
        source=Source(
            name=name,
            media_type="application/pdf",
            sha256=hashlib.sha256(data).hexdigest(),
            loader="pypdfium2",
            version=str(pdfium.PYPDFIUM_INFO),
            metadata=metadata,
        ),
        pages=tuple(
            Page(number=number, width=width, height=height, start=borders[i], end=borders[i + 1], verdict=verdict)
            for i, (number, (_, (width, height), verdict)) in enumerate(zip(numbers, read, strict=True))
        ),
        raw_text=layout.raw_text,
        boxes=layout.boxes,
        lines=layout.lines,
        edits=layout.edits,
        warnings=_warnings(verdicts),
    )


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


def _numbers(n_pages: int, pages: tuple[int, int] | None, name: str) -> range:
    first, last = pages or (1, n_pages)
    if first > n_pages:
        raise ValueError(f"{name}: pages={pages} starts after the last page; allowed: 1 to {n_pages}")
    return range(first, min(last, n_pages) + 1)


def _read_page(pdf: pdfium.PdfDocument, number: int, name: str) -> tuple[Glyphs, tuple[float, float], Verdict]:
    """Glyphs in reading order, width and height as displayed, and verdict of one page."""
    try:
        page = pdf[number - 1]
    except pdfium.PdfiumError as error:
        raise CorruptDocumentError(f"{name}: page {number} is damaged; leave it out: load(..., pages=...)") from error
    try:
        glyphs = order_columns(read_glyphs(page))
        return glyphs, page.get_size(), _verdict(page, glyphs)
    finally:
        page.close()


def _verdict(page: pdfium.PdfPage, glyphs: Glyphs) -> Verdict:
    """What a page holds: an image with next to no glyphs on it is a scan."""
    codes = glyphs.codes[~np.isin(glyphs.codes, (*WHITE_SPACE, *ZERO_WIDTH))]
    private = (codes >= 0xE000) & (codes < 0xF900)
    unmapped = (codes >= 0xFFF0) & (codes < 0x10000)
    if (is_control(codes) | private | unmapped).sum() > len(codes) / 2:
        return "garbled"
    if len(codes) < _FEW_GLYPHS and _image_share(page) > (0.3 if len(codes) else 0):
        return "scanned"
    return "text" if len(codes) else "empty"


def _image_share(page: pdfium.PdfPage) -> float:
    """Area of the page's largest image over that of the page."""
    bounds = [image.get_bounds() for image in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE])]
    width, height = page.get_size()
    largest = max(((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in bounds), default=0.0)
    return float(largest / (width * height))


def _warnings(verdicts: dict[int, Verdict]) -> tuple[str, ...]:
    """One warning for each kind of page whose text is missing."""
    remedies = {"scanned": _NEEDS_OCR, "garbled": f"its fonts do not say which characters they draw. {_NEEDS_OCR}"}
    listed = {kind: [str(number) for number, verdict in verdicts.items() if verdict == kind] for kind in remedies}
    return tuple(f"{kind} page(s) {', '.join(found)}: {remedies[kind]}" for kind, found in listed.items() if found)
