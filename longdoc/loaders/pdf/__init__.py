"""PDF: text with a box for every character, read by pdfium."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from longdoc.document import Document, OutlineItem, Source
from longdoc.errors import CorruptDocumentError, EncryptedDocumentError
from longdoc.loaders.layout.assemble import assemble
from longdoc.loaders.layout.isolate import attempt
from longdoc.loaders.layout.page import Interactive, ReadPage
from longdoc.loaders.options import Options
from longdoc.loaders.pdf.expansion import Expansion
from longdoc.loaders.pdf.glyphs import read_glyphs
from longdoc.loaders.pdf.interactive import draw_annotations, read_interactive, read_outline
from longdoc.loaders.pdf.layers import may_have_layers
from longdoc.loaders.pdf.miner import Miner
from longdoc.loaders.pdf.packed_objects import check_packed_objects
from longdoc.loaders.pdf.page import PdfFile, read_page
from longdoc.loaders.pdf.strings import Strings
from longdoc.loaders.pdf.unread import name_unread
from longdoc.pdfium import PDFIUM_LOCK

for _library in ("pdfminer", "pypdfium2"):  # their remarks on damaged files belong in a log, not on standard error
    logging.getLogger(_library).addHandler(logging.NullHandler())


@np.errstate(all="ignore")  # a file may have any coordinates; those that are not finite are near to nothing
def load_pdf(data: bytes, *, name: str, options: Options) -> Document:
    """Reads a PDF.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`; the password is tried only if the file does not open without one.

    Raises:
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: it is beyond repair, or has no pages.
        NoTextLayerError: none of the pages has text.
        LimitExceededError: it has more pages or characters than the limits allow.
        ValueError: ``options.pages`` starts after the last page.
    """
    check_packed_objects(data, name, options.limits)
    with PDFIUM_LOCK:
        pdf = _open(data, name, options.password)
        try:
            expansion = Expansion(pdf, name, options.limits)
            pdf.init_forms()
            strings = Strings(name, options.limits)
            file = PdfFile(pdf, options, may_have_layers(data), Miner(pdf))
            pages = list(_read_pages(file, name, expansion, strings))
            failures: list[str] = []
            no_outline: tuple[OutlineItem, ...] = ()
            no_metadata: dict[str, str] = {}
            outline = attempt("outline", lambda: read_outline(pdf, strings), no_outline, failures)
            metadata = attempt("metadata", lambda: _read_metadata(pdf), no_metadata, failures)
            failures += attempt("attachments and forms", lambda: name_unread(file, data, pages, strings), [], failures)
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
    return assemble(pages, source, options, warnings=failures, outline=outline)


def _read_metadata(pdf: pdfium.PdfDocument) -> dict[str, str]:
    return {key: value for key, value in pdf.get_metadata_dict().items() if value}


def _open(data: bytes, name: str, password: str | None) -> pdfium.PdfDocument:
    """Opens a PDF, without a password first: pdfium refuses a wrong one even for files that need none to be read."""
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code != pdfium_c.FPDF_ERR_PASSWORD:
            raise CorruptDocumentError(
                f"{name}: {len(data):,} bytes that start like a PDF but cannot be read as one (damaged, truncated or "
                "without pages); get it again, or repair it by printing it to a new PDF"
            ) from error
    if password is None:
        raise EncryptedDocumentError(f"{name}: encrypted; give its password: load(..., password=...)")
    try:
        return pdfium.PdfDocument(data, password)
    except pdfium.PdfiumError as error:
        raise EncryptedDocumentError(f"{name}: encrypted, and the password is wrong; give another one") from error


def _read_pages(file: PdfFile, name: str, expansion: Expansion, strings: Strings) -> Iterator[ReadPage]:
    """Reads the pages one by one, and releases each before the next."""
    pdf, options = file.pdf, file.options
    characters = 0
    for number in options.page_numbers(len(pdf), name):
        expansion.check_page(number)
        try:
            page = pdf[number - 1]
        except pdfium.PdfiumError as error:
            raise CorruptDocumentError(
                f"{name}: page {number} is damaged; leave it out: load(..., pages=...)"
            ) from error
        failures: list[str] = []
        part = f"links, form fields and comments of page {number}"
        interactive = attempt(part, partial(read_interactive, pdf, page, number, strings), Interactive(), failures)
        own = len(read_glyphs(page).codes) if interactive.draws_text else 0
        if interactive.draws_text:
            page = draw_annotations(pdf, page, number - 1)
        try:
            read = read_page(page, number, own, file, interactive.buttons)
        finally:
            page.close()
        characters += len(read.glyphs.codes)
        options.limits.check("characters", characters, name)
        yield replace(read, interactive=interactive, warnings=(*failures, *read.warnings))
