"""Parts of a PDF that are not read, each named in a warning: embedded files, XFA forms, fields on no page, damage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from longdoc.loaders.layout.page import ReadPage
from longdoc.loaders.pdf.damage import find_damage
from longdoc.loaders.pdf.miner import Miner, MinerError
from longdoc.loaders.pdf.page import PdfFile
from longdoc.loaders.pdf.strings import Strings
from longdoc.summary import count

_MOST_NAMED = 20


def name_unread(file: PdfFile, data: bytes, pages: Sequence[ReadPage], strings: Strings) -> tuple[str, ...]:
    """Names the parts of a PDF that are not read.

    Args:
        file: the file.
        data: its content.
        pages: those of its pages that are read.
        strings: counts what is read of form fields.

    Raises:
        LimitExceededError: their names and values are longer than the limits allow.
    """
    pdf = file.pdf
    warnings = [*_embedded_files(pdf, [name for page in pages for name in page.interactive.files]), *_xfa(pdf)]
    all_pages = len(pages) == len(pdf)  # otherwise the others may have the fields
    if all_pages and pdfium_c.FPDF_GetFormType(pdf) != pdfium_c.FORMTYPE_NONE:
        warnings += _fields_on_no_page(
            {field.name for page in pages for field in page.interactive.fields}, file.miner, strings
        )
    damaged = sorted({*find_damage(data)})
    if damaged:
        numbers = ", ".join(map(str, damaged[:_MOST_NAMED]))
        warnings.append(
            f"the content of {count(len(damaged), 'page or form')} is damaged (object {numbers} of the file): text "
            "after the damage may be missing; compare the pages with a viewer"
        )
    return tuple(warnings)


def _embedded_files(pdf: pdfium.PdfDocument, on_pages: list[str]) -> Iterator[str]:
    """Names the files that are embedded in the document or attached to its pages."""
    number = max(pdfium_c.FPDFDoc_GetAttachmentCount(pdf), 0)
    names = [pdf.get_attachment(i).get_name() for i in range(min(number, _MOST_NAMED))] + on_pages
    names = [name or "a file without a name" for name in names]
    number += len(on_pages)
    if number:
        more = f" and {number - _MOST_NAMED} more" if number > _MOST_NAMED else ""
        yield (
            f"{count(number, 'embedded file')} not read: {', '.join(names[:_MOST_NAMED])}{more}; save what you need "
            "with a PDF viewer, and load it by itself"
        )


def _xfa(pdf: pdfium.PdfDocument) -> Iterator[str]:
    if pdfium_c.FPDF_GetFormType(pdf) == pdfium_c.FORMTYPE_XFA_FULL:
        yield (
            "an XFA form, whose pages only some viewers draw: its text and fields are not read, only what "
            "other viewers show in its place; print it to a new PDF"
        )


def _fields_on_no_page(shown: set[str], miner: Miner, strings: Strings) -> Iterator[str]:
    """Names the fields that have a value but are on no page, where pdfminer is installed: pdfium does not list them."""
    if not miner.is_installed:
        return
    try:
        values = miner.field_values(strings)
    except MinerError as error:
        yield f"form fields that are on no page could not be read: {error}"
        return
    missing = [f"{name} = {value!r}" for name, value in values.items() if value and name not in shown]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        yield f"{count(len(missing), 'form field')} on no page: {', '.join(missing[:_MOST_NAMED])}{more}"
