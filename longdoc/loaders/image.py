"""Pictures of pages (PNG, JPEG, TIFF with any number of pages, BMP, GIF, WebP), by OCR."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from longdoc.document import Document, Source
from longdoc.errors import CorruptDocumentError, LimitExceededError, NoTextLayerError
from longdoc.loaders.layout import ocr as _ocr
from longdoc.loaders.layout.assemble import ReadPage, assemble
from longdoc.loaders.options import Options

if TYPE_CHECKING:
    from PIL.Image import Image

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, OverflowError, KeyError, IndexError, TypeError)
"""What Pillow's decoders raise on damaged files."""
_PLAUSIBLE_DPI = (50, 2400)


def load_image(data: bytes, *, name: str, options: Options) -> Document:
    """Reads a picture; each of its frames is a page.

    Pages are as large, in points, as the picture says it was scanned; where it does not say, as 300 dots an inch make
    it.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        options: how to read it.

    Raises:
        NoTextLayerError: OCR is not installed or not wanted, or finds no text.
        CorruptDocumentError: it cannot be decoded.
        LimitExceededError: it has more pixels or pages than the limits allow.
        ValueError: ``options.pages`` starts after the last page.
    """
    lacking = "" if options.ocr == "never" else _ocr.missing(_ocr.languages(options.ocr))
    if options.ocr == "never" or lacking:
        remedy = lacking or "load(..., ocr='auto') reads it"
        raise NoTextLayerError(f"{name}: a picture, which has text only for OCR. {remedy}")
    import PIL.Image

    with _decoding(name):
        picture = PIL.Image.open(io.BytesIO(data))
        count = getattr(picture, "n_frames", 1)
    pages = []
    for number in options.page_numbers(count, name):
        with _decoding(name):
            picture.seek(number - 1)
            options.limits.check("pixels", picture.width * picture.height, name)
            points = _points_per_pixel(picture)
            frame = _in_grey(picture)
        pages.append(_read_frame(frame, number, points, name, options))
    kind = picture.format or "unknown"
    source = Source(
        name=name,
        media_type=PIL.Image.MIME.get(kind, "image/unknown"),
        sha256=hashlib.sha256(data).hexdigest(),
        loader="tesseract",
        version="1",
    )
    return assemble(pages, source, options)


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """What Pillow's decoders raise on damaged files becomes one error."""
    import PIL.Image

    try:
        yield
    except PIL.Image.DecompressionBombError as error:
        raise LimitExceededError(f"{name}: pixels: {error}; make the picture smaller") from error
    except _BROKEN as error:
        raise CorruptDocumentError(f"{name}: a picture that cannot be decoded ({error}); get it again") from error


def _points_per_pixel(picture: Image) -> float:
    """By the resolution the picture claims, where it is one that scanners have."""
    dpi = float(picture.info.get("dpi", (0, 0))[0])
    return 72 / (dpi if _PLAUSIBLE_DPI[0] <= dpi <= _PLAUSIBLE_DPI[1] else _ocr.DOTS_PER_INCH)


def _in_grey(picture: Image) -> Image:
    """The current frame in grey, what is transparent as paper."""
    import PIL.Image

    if "A" in picture.getbands() or "transparency" in picture.info:
        paper = PIL.Image.new("RGBA", picture.size, "white")
        return PIL.Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")
    return picture.convert("L")


def _read_frame(frame: Image, number: int, points: float, name: str, options: Options) -> ReadPage:
    try:
        glyphs, confidences = _ocr.read_picture(frame, _ocr.languages(options.ocr), points)
    except _ocr.OcrError as error:
        raise NoTextLayerError(f"{name}: page {number} could not be read by OCR: {error}") from error
    return ReadPage(
        number=number,
        width=frame.width * points,
        height=frame.height * points,
        verdict="scanned",
        glyphs=glyphs,
        confidences=confidences,
    )
