"""What is left of names in a PDF: by three readers, in every string and stream."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from longdoc.errors import NoTextLayerError, first_line
from longdoc.loaders.options import Options
from longdoc.pdfium import PDFIUM_LOCK
from longdoc.redaction.beside import read_name, read_text
from longdoc.redaction.names import Search

READERS = ("pypdfium2", "pypdf", "pdfminer")
_DEEPEST = 100
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
    """What is left in the strings and streams of the file."""
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        exempt = {each.objgen for item in pdf.objects for each in _exempt(item)}
        for item in pdf.objects:
            for text in _texts(item, 0):
                if (name := search.found(text)) is not None:
                    yield Left(f"object {item.objgen[0]}", f"has {name!r}")
            if isinstance(item, pikepdf.Stream) and item.objgen not in exempt:
                name = search.found_in_bytes(_bytes(item))
                if name is not None and (shown := _shown(item)) is not None:
                    name = search.found_in_bytes(shown)
                if name is not None:
                    yield Left(f"the stream of object {item.objgen[0]}", f"has {name!r}")


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


def _texts(item: Any, depth: int) -> Iterator[str]:
    """The strings of an object, and the names in it that are several words; what it refers to aside."""
    from pikepdf import Array, Dictionary, Name, Stream, String

    if isinstance(item, String):
        yield read_text(item)
    elif isinstance(item, Name):
        if " " in (name := read_name(item)):
            yield name
    elif isinstance(item, (Dictionary, Stream, Array)) and depth < _DEEPEST:
        is_array = isinstance(item, Array)
        for key in () if is_array else item.keys():
            if " " in key:
                yield key[1:]
        for each in item if is_array else item.values():
            if not getattr(each, "is_indirect", False):
                yield from _texts(each, depth + 1)


def _shown(stream: Any) -> bytes | None:
    """The strings of a content stream, without its operators and the names of PDF; None if it is none.

    The parts of one shown text are one string.
    """
    import pikepdf

    try:
        instructions = pikepdf.parse_content_stream(stream)
    except (pikepdf.PdfError, TypeError, ValueError):
        return None
    parts: list[bytes] = []
    for instruction in instructions:
        for operand in instruction.operands:
            if isinstance(operand, pikepdf.String):
                parts.append(bytes(operand))
            elif isinstance(operand, pikepdf.Array):
                parts.append(b"".join(bytes(each) for each in operand if isinstance(each, pikepdf.String)))
            elif isinstance(operand, pikepdf.Dictionary):
                parts += [text.encode("utf-8", "replace") for text in _texts(operand, 0)]
            elif not isinstance(operand, (int, float, Decimal, pikepdf.Name)):
                return None  # a picture within the content
    return b"\n".join(parts)


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
