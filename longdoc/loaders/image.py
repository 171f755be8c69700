"""Images of pages (PNG, JPEG, TIFF with any number of pages, BMP, GIF, WebP), read by OCR."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from longdoc.document import Document, Source
from longdoc.errors import CorruptDocumentError, LimitExceededError, NoTextLayerError
from longdoc.loaders.layout import ocr
from longdoc.loaders.layout.assemble import assemble
from longdoc.loaders.layout.page import ReadPage
from longdoc.loaders.options import Options

if TYPE_CHECKING:
    from PIL.Image import Image

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, OverflowError, KeyError, IndexError, TypeError)
"""What Pillow's decoders raise on damaged files."""
_PLAUSIBLE_DPI = (50, 2400)  # of a scanner


def load_image(data: bytes, *, name: str, options: Options) -> Document:
    """Reads an image; each of its frames is a page.

    The size of a page follows from the resolution that the image states, or 300 dots per inch if it states none.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.

    Raises:
        NoTextLayerError: OCR is not installed, not wanted, or finds no text.
        CorruptDocumentError: it cannot be decoded.
        LimitExceededError: it has more pixels or pages than the limits allow.
        ValueError: ``options.pages`` starts after the last page.
    """
    remedy = "load(..., ocr='auto') reads it" if options.ocr == "never" else ocr.missing(options.languages)
    if remedy:
        raise NoTextLayerError(f"{name}: an image, whose text only OCR can read. {remedy}")
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
    source = Source(
        name=name,
        media_type=PIL.Image.MIME.get(picture.format or "", "image/unknown"),
        sha256=hashlib.sha256(data).hexdigest(),
        loader="tesseract",
        version="1",
    )
    return assemble(pages, source, options)


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turns the errors of Pillow's decoders into document errors."""
    import PIL.Image

    try:
        yield
    except PIL.Image.DecompressionBombError as error:
        raise LimitExceededError(f"{name}: pixels: {error}; make the image smaller") from error
    except _BROKEN as error:
        raise CorruptDocumentError(f"{name}: an image that cannot be decoded ({error}); get it again") from error


def _points_per_pixel(picture: Image) -> float:
    """The size of a pixel, by the resolution that the image states if it is plausible."""
    dpi = float(picture.info.get("dpi", (0, 0))[0])
    return 72 / (dpi if _PLAUSIBLE_DPI[0] <= dpi <= _PLAUSIBLE_DPI[1] else ocr.DOTS_PER_INCH)


def _in_grey(picture: Image) -> Image:
    """The current frame in grey levels, with transparent parts in white."""
    import PIL.Image

    if "A" in picture.getbands() or "transparency" in picture.info:
        paper = PIL.Image.new("RGBA", picture.size, "white")
        return PIL.Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")
    return picture.convert("L")


def _read_frame(frame: Image, number: int, points: float, name: str, options: Options) -> ReadPage:
    try:
        glyphs, confidences = ocr.read_picture(frame, options.languages, points)
    except ocr.OcrError as error:
        raise NoTextLayerError(f"{name}: page {number} could not be read by OCR: {error}") from error
    return ReadPage(
        number=number,
        width=frame.width * points,
        height=frame.height * points,
        verdict="scanned",
        glyphs=glyphs,
        confidences=confidences,
    )
