"""What is left of names in a PDF: by three readers, in every string and stream."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from longdoc.document import Document
from longdoc.errors import NoTextLayerError, first_line
from longdoc.loaders.options import Options
from longdoc.pdfium import PDFIUM_LOCK
from longdoc.redaction.beside import names_a_font
from longdoc.redaction.drawings import NAME, borrowed, loose_streams, page_streams, parsed
from longdoc.redaction.inner_files import font_programs, is_profile
from longdoc.redaction.names import Search
from longdoc.redaction.objects import DEEPEST, containers, is_page, name_of, reached, read_name, read_text, unpacked

READERS = ("pypdfium2", "pypdf", "pdfminer")
_HEXADECIMAL = re.compile(rb"<([0-9A-Fa-f\s]+)>")
_SHOWS = re.compile(rb"Tj|TJ|Do\b|['\"]")
for _library in READERS[1:]:  # their remarks on damaged files belong in a log, not on standard error
    logging.getLogger(_library).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a name, or why that is not known."""

    where: str
    what: str
    page: int | None = None
    """The page to make an image of; None for what is not on a page."""

    def __str__(self) -> str:
        page = f"page {self.page}, " if self.page else ""
        return f"{page}{self.where}: {self.what}"


def left_over(content: bytes, search: Search) -> list[Left]:
    """What is left of names in a PDF.

    Args:
        content: the content of a file that is not encrypted.
        search: finds the names.
    """
    found = [*_by_pages(content, search), *_in_objects(content, search)]
    if not found:
        found += _by_loading(content, search)
    return found


def _by_pages(content: bytes, search: Search) -> Iterator[Left]:
    """What the readers find on the pages."""
    counts = []
    for reader, read in zip(READERS, (_pdfium_texts, _pypdf_texts, _pdfminer_texts), strict=True):
        number = 0
        try:
            for number, text in enumerate(read(content), 1):
                if isinstance(text, Exception):
                    yield Left(reader, f"cannot read it ({first_line(text)})", number)
                elif (name := search.found(text)) is not None:
                    yield Left(reader, f"finds {name!r}", number)
        except Exception as error:  # the readers raise many kinds; each is told
            yield Left(reader, f"cannot read the file ({first_line(error)})")
        counts.append(number)
    if len(set(counts)) > 1:
        yield Left(", ".join(READERS), f"read {counts} pages")


def _pdfium_texts(content: bytes) -> Iterator[str | Exception]:
    import pypdfium2 as pdfium

    with PDFIUM_LOCK, closing(pdfium.PdfDocument(content)) as pdf:
        for index in range(len(pdf)):
            with closing(pdf[index]) as page, closing(page.get_textpage()) as text:
                yield text.get_text_range()


def _pypdf_texts(content: bytes) -> Iterator[str | Exception]:
    import pypdf

    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        try:
            yield page.extract_text()
        except Exception as error:  # pypdf raises many kinds; each is told
            yield error


def _pdfminer_texts(content: bytes) -> Iterator[str | Exception]:
    from pdfminer.converter import TextConverter
    from pdfminer.layout import LAParams
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage

    resources = PDFResourceManager()
    for page in PDFPage.get_pages(io.BytesIO(content)):
        stream = io.StringIO()
        converter = TextConverter(resources, stream, laparams=LAParams(all_texts=True, boxes_flow=None))
        try:
            PDFPageInterpreter(resources, converter).process_page(page)
        except Exception as error:
            yield error
        else:
            yield stream.getvalue()


def _in_objects(content: bytes, search: Search) -> Iterator[Left]:
    """What is left in the objects of the file, and in forms, patterns and glyphs, each read on a page of its own."""
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        found = [*_in_each(pdf, search), *_in_loose_streams(pdf, search)]
        if not found:
            return
        below = {number: reached(page.obj, through_pages=False) for number, page in enumerate(pdf.pages, 1)}
        for objgen, left in found:
            pages = [number for number, own in below.items() if objgen in own]
            yield from (replace(left, page=page) for page in pages) if pages else [left]


def _in_each(pdf: Any, search: Search) -> Iterator[tuple[tuple[int, int], Left]]:
    """What is left in the strings and streams, with the numbers of their objects."""
    from pikepdf import Stream

    drawings = {stream.objgen for item in pdf.objects for stream, _ in loose_streams(item)}
    contents = drawings | {each.objgen for each in page_streams(pdf)}
    fonts = font_programs(pdf)
    listed = {page.obj.objgen for page in pdf.pages}
    for item in pdf.objects:
        objgen = getattr(item, "objgen", (0, 0))  # numbers of Python have none
        if is_page(item) and objgen not in listed:
            yield objgen, Left(f"object {objgen[0]}", "is a page that is not among those of the file")
        for what in _in_item(item, search):
            yield objgen, Left(f"object {objgen[0]}", what)
        if isinstance(item, Stream) and str(item.get("/Type", "")) not in ("/ObjStm", "/XRef"):  # read one by one
            is_file = objgen in fonts or is_profile(item) or str(item.get("/Subtype", "")) == "/Image"
            told = _in_file(item, search) if is_file else _in_code(item, search, objgen in contents)
            if told is None and objgen in drawings:
                told = _in_drawing(item, search)
            if told is not None:
                yield objgen, Left(f"the stream of object {objgen[0]}", told)


def _in_file(stream: Any, search: Search) -> str | None:
    """What is left in a picture, a font or a colour profile."""
    name = search.found_in_bytes(unpacked(stream))
    return None if name is None else f"has {name!r}"


def _in_code(stream: Any, search: Search, is_content: bool) -> str | None:
    """What is left in a stream that is made of words; of a content stream each name is searched by itself."""
    data = unpacked(stream)
    decoded = [_unhexed(each[1]) for each in _HEXADECIMAL.finditer(data)]
    name = search.found_in_code(b"\n".join([NAME.sub(b"/", data) if is_content else data, *decoded]))
    if name is None and is_content:
        each = (search.found_in_name(name_of(written)) for written in set(NAME.findall(data)))
        name = next(filter(None, each), None)
    return None if name is None else f"has {name!r}"


def _in_drawing(stream: Any, search: Search) -> str | None:
    """What is left in the texts of a content stream that is not that of a page: shown or not."""
    from pikepdf import Array, PdfError, String

    try:
        instructions = parsed(stream)
    except PdfError:
        return "is damaged, so that it cannot be searched"
    for instruction in instructions:
        for operand in instruction.operands:
            if isinstance(operand, Array):
                operand = String(b"".join(bytes(each) for each in operand if isinstance(each, String)))  # noqa: PLW2901
            for what in _in_item(operand, search):
                return what
    return None


def _in_loose_streams(pdf: Any, search: Search) -> Iterator[tuple[tuple[int, int], Left]]:
    """What the readers find in forms, patterns and glyphs, with the numbers of their objects."""
    import pikepdf

    with pikepdf.new() as scratch:
        origins, lenders = [], borrowed(pdf)
        for item in pdf.objects:
            for stream, own in loose_streams(item):
                if not _SHOWS.search(data := unpacked(stream)):
                    continue
                for resources in [own] if own is not None else lenders.get(item.objgen, [pdf.pages[0].resources]):
                    page = scratch.add_blank_page(page_size=(2000, 2000))
                    page.obj.Contents = scratch.make_stream(data)
                    shared = resources if resources.is_indirect else pdf.make_indirect(resources)
                    page.obj.Resources = scratch.copy_foreign(shared)
                    origins.append(stream.objgen)
        if not origins:
            return
        loose = io.BytesIO()
        scratch.save(loose)
    for left in _by_pages(loose.getvalue(), search):
        objgen = origins[left.page - 1] if left.page else (0, 0)
        yield objgen, Left("a form, pattern or glyph", f"{left.where} {left.what}")


def _in_item(item: Any, search: Search) -> Iterator[str]:
    """What is left in the strings and names of an object; what it refers to aside."""
    from pikepdf import Array, Name, String

    if isinstance(item, (String, Name)):
        yield from _in_value(item, search)
    for own, _, depth in containers(item):
        if depth == DEEPEST:
            yield "is nested too deeply to be searched"
            continue
        keys = [] if isinstance(own, Array) else list(own.keys())
        for key in keys:
            if (name := search.found_in_name(key[1:])) is not None:
                yield f"has {name!r}"
        for each in own if isinstance(own, Array) else [own[key] for key in keys if not names_a_font(key, own[key])]:
            yield from _in_value(each, search)


def _in_value(value: Any, search: Search) -> Iterator[str]:
    from pikepdf import Name, String

    if isinstance(value, String):
        name = search.found(read_text(value))
    else:
        name = search.found_in_name(read_name(value)) if isinstance(value, Name) else None
    if name is not None:
        yield f"has {name!r}"


def _unhexed(digits: bytes) -> bytes:
    digits = b"".join(digits.split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def read_by_ocr(content: bytes, pages: tuple[int, int]) -> Document | None:
    """The first to the last of some pages, scans of them read by OCR; None if nothing of them can be read.

    Headers and footers are in its text: the raw text of a scan has no spaces, so that no words are found in it.
    """
    from longdoc.loaders import read

    try:
        return read(content, name="redacted.pdf", options=Options(tables=False, keep_furniture=True, pages=pages))
    except NoTextLayerError:
        return None


def _by_loading(content: bytes, search: Search) -> Iterator[Left]:
    """What longdoc finds: the text with that of form fields and comments, bookmarks, links and metadata."""
    from longdoc.loaders import read

    try:
        document = read(content, name="redacted.pdf", options=Options(ocr="never", tables=False))
    except NoTextLayerError:
        return
    beside = [*document.source.metadata.values(), *(item.title for item in document.outline)]
    beside += [each for field in document.fields for each in (field.name, field.value)]
    beside += [each for note in document.annotations for each in (note.text, note.author)]
    beside += [link.uri for link in document.links]
    for text in [document.raw_text, document.text, *beside]:
        if (name := search.found(text)) is not None:
            yield Left("longdoc", f"finds {name!r}")
