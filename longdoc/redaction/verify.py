"""What is left of names in a PDF: by three readers, in every string and stream."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from longdoc.errors import NoTextLayerError, first_line
from longdoc.loaders.options import Options
from longdoc.pdfium import PDFIUM_LOCK
from longdoc.redaction.beside import FONT_NAMES, read_name, read_text
from longdoc.redaction.names import Search

READERS = ("pypdfium2", "pypdf", "pdfminer")
_DEEPEST = 100
_NAME = re.compile(rb"/[^\x00\s()<>\[\]{}/%]+")
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
    found = [*_by_pages(content, search), *_in_objects(content, search), *_in_loose_streams(content, search)]
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
    """What is left in the strings and streams of the file."""
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        contents = {each.objgen for each in _content_streams(pdf)}
        exempt = {each.objgen for item in pdf.objects for each in _exempt(item)}
        for item in pdf.objects:
            for what in _in_item(item, search, 0):
                yield Left(f"object {item.objgen[0]}", what)
            if isinstance(item, pikepdf.Stream) and item.objgen not in exempt:
                name = search.found_in_bytes(_searched(item, is_content=item.objgen in contents))
                if name is not None:
                    yield Left(f"the stream of object {item.objgen[0]}", f"has {name!r}")


def _in_loose_streams(content: bytes, search: Search) -> Iterator[Left]:
    """What the readers find in forms, patterns and glyphs, each on a page of its own."""
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf, pikepdf.new() as scratch:
        listed = {page.obj.objgen for page in pdf.pages}
        for item in pdf.objects:
            if _is_page(item) and item.objgen not in listed:
                yield Left(f"object {item.objgen[0]}", "is a page that is not among those of the file")
            for stream, resources in _loose_streams(item):
                data = _bytes(stream)
                if not _SHOWS.search(data):
                    continue
                page = scratch.add_blank_page(page_size=(2000, 2000))
                page.obj.Contents = scratch.make_stream(data)
                own = pdf.pages[0].resources if resources is None else resources
                own = own if own.is_indirect else pdf.make_indirect(own)
                page.obj.Resources = scratch.copy_foreign(own)
        if not len(scratch.pages):
            return
        loose = io.BytesIO()
        scratch.save(loose)
    for left in _by_pages(loose.getvalue(), search):
        yield Left("a form, pattern or glyph", f"{left.where} {left.what}")


def _is_page(item: Any) -> bool:
    from pikepdf import Dictionary

    return isinstance(item, Dictionary) and str(item.get("/Type", "")) == "/Page"


def _loose_streams(item: Any) -> Iterator[tuple[Any, Any]]:
    """The content streams of an object that are not those of a page, each with its resources, if it has any."""
    from pikepdf import Dictionary, Stream

    if isinstance(item, Stream):
        if "/BBox" in item or str(item.get("/Subtype", "")) == "/Form":
            yield item, item.get("/Resources")
    elif isinstance(item, Dictionary) and isinstance(glyphs := item.get("/CharProcs"), Dictionary):
        yield from ((each, item.get("/Resources")) for each in glyphs.values() if isinstance(each, Stream))


def _content_streams(pdf: Any) -> Iterator[Any]:
    """All content streams, of pages and others."""
    from pikepdf import Array

    for page in pdf.pages:
        own = page.obj.get("/Contents", ())
        yield from own if isinstance(own, (Array, tuple)) else (own,)
    for item in pdf.objects:
        yield from (stream for stream, _ in _loose_streams(item))


def _exempt(item: Any) -> Iterator[Any]:
    """What is not searched byte by byte."""
    from pikepdf import Stream

    yield from _programs(item)
    if isinstance(item, Stream) and str(item.get("/Type", "")) in ("/ObjStm", "/XRef"):
        yield item  # the objects in it are searched one by one


def _programs(item: Any) -> Iterator[Any]:
    """The font programs and colour profiles that an object refers to: what vendors wrote, names of theirs among it."""
    from pikepdf import Array, Dictionary, Stream

    if isinstance(item, Dictionary):
        yield from (item[key] for key in ("/FontFile", "/FontFile2", "/FontFile3", "/DestOutputProfile") if key in item)
        spaces = item.get("/ColorSpace")
        for each in spaces.values() if isinstance(spaces, Dictionary) else ():
            yield from _programs(each)
    elif isinstance(item, Stream):
        yield from _programs(item.get("/ColorSpace"))
    elif isinstance(item, Array) and len(item) == 2 and str(item[0]) == "/ICCBased":
        yield item[1]


def _in_item(item: Any, search: Search, depth: int) -> Iterator[str]:
    """What is left in the strings and names of an object; what it refers to aside."""
    from pikepdf import Array, Dictionary, Name, Stream, String

    found = None
    if isinstance(item, String):
        found = search.found(read_text(item))
    elif isinstance(item, Name):
        found = search.found_in_name(read_name(item))
    elif isinstance(item, (Dictionary, Stream, Array)):
        if depth >= _DEEPEST:
            yield "is nested too deeply to be searched"
            return
        is_array = isinstance(item, Array)
        keys = [] if is_array else list(item.keys())
        found = next((name for key in keys if (name := search.found_in_name(key[1:])) is not None), None)
        for each in item if is_array else (item[key] for key in keys if key not in FONT_NAMES):
            if not getattr(each, "is_indirect", False):
                yield from _in_item(each, search, depth + 1)
    if found is not None:
        yield f"has {found!r}"


def _searched(stream: Any, *, is_content: bool) -> bytes:
    """The content of a stream, and what its hexadecimal strings say; of a content stream without the names of PDF."""
    data = _bytes(stream)
    decoded = [_unhexed(each[1]) for each in _HEXADECIMAL.finditer(data)]
    return b"\n".join([_NAME.sub(b"/", data) if is_content else data, *decoded])


def _unhexed(digits: bytes) -> bytes:
    digits = b"".join(digits.split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _bytes(stream: Any) -> bytes:
    """The content of a stream, decoded as far as it has no samples of a picture."""
    import pikepdf

    try:
        return bytes(stream.read_bytes())
    except pikepdf.PdfError:
        return bytes(stream.read_raw_bytes())


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
