"""The pages of a document as pictures, drawn from its file in other processes, small enough for one web page."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from longdoc.errors import DataError, LongdocError, first_line, require

if TYPE_CHECKING:
    from longdoc.document import Document, Page
    from longdoc.outputs.original import Original

PIXELS_PER_POINT = 2.0
MOST_BYTES = 26_000_000
"""Of all pictures of a document together, before they are encoded as text, which takes a third more."""
_MOST_OF_A_PAGE = 400_000
_FULL = "the pictures of the pages before fill the file"
_AT_A_TIME = 16  # pages that a process draws
_GREYS = [round(value * 15 / 255) * 17 for value in range(256)]
"""Of 256 greys, 16."""
_SMALL = 80_000  # bytes of a picture without a loss, from which one with a loss may be smaller
_COLOURED = 24  # the difference of two channels, of 255, from which a picture is not grey
_SHRINKING = (1.0, 0.75, 0.6, 0.45, 0.3)


def check_drawable(document: Document) -> None:
    """Checks that pictures can be drawn of the pages of a document.

    Raises:
        DataError: it has no pages that can be drawn, since it is no PDF and no image.
        MissingDependencyError: Pillow is not installed.
    """
    media_type = document.source.media_type
    is_drawn = media_type == "application/pdf" or media_type.startswith("image/")
    if not is_drawn or not any(page.width for page in document.pages):
        raise DataError(f"a document of the type {media_type} has no fixed pages, as PDFs and images have")
    require("PIL.Image", extra="draw", needed_by="drawing pages")


def page_pictures(document: Document, original: Original) -> Iterator[bytes | str]:
    """Yields for each page a picture in WebP, or why there is none.

    Pictures have up to 2 pixels a point; of long documents fewer, so that all together stay below ``MOST_BYTES``. The
    pages that are left then have none.

    Raises:
        DataError: the document has no pages to draw, or its file is not known, cannot be read or opened, or has
            changed.
        MissingDependencyError: Pillow is not installed.
    """
    check_drawable(document)
    content, pages = original.content(document), document.pages
    most = min(_MOST_OF_A_PAGE, MOST_BYTES // len(pages))
    draw = partial(_drawn, content, document, original.password, most)
    groups = [pages[i : i + _AT_A_TIME] for i in range(0, len(pages), _AT_A_TIME)]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as threads:
        left = MOST_BYTES
        for drawn in chain.from_iterable(threads.map(draw, groups)):
            if isinstance(drawn, bytes):
                left -= len(drawn)
            yield drawn if left >= 0 else _FULL


def _drawn(
    content: bytes, document: Document, password: str | None, most: int, pages: Sequence[Page]
) -> list[bytes | str]:
    """The pictures of some pages; if one cannot be drawn, the others are drawn without it."""
    from longdoc.loaders.isolated import isolated
    from longdoc.loaders.limits import MEMORY, SECONDS

    name, media_type = document.source.name, document.source.media_type
    seconds = SECONDS * len(pages) / _AT_A_TIME  # halves together take no longer than the whole
    try:
        given = content, media_type, pages, most, password
        return [*isolated(_draw, *given, name=name, timeout=seconds, memory=MEMORY, draws=True)]
    except DataError:  # none of the pages can be drawn
        raise
    except (LongdocError, ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, ValueError) as error:
        if len(pages) == 1:
            return [f"page {pages[0].number} cannot be drawn ({first_line(error)})"]
        half = len(pages) // 2
        return [
            each for some in (pages[:half], pages[half:]) for each in _drawn(content, document, password, most, some)
        ]


def _draw(content: bytes, media_type: str, pages: Sequence[Page], most: int, password: str | None) -> list[bytes]:
    from longdoc.drawing import draw_pages

    return draw_pages(
        content, media_type, pages, partial(_encoded, most=most), password=password, pixels_per_point=PIXELS_PER_POINT
    )


def _encoded(image: Any, most: int) -> bytes:
    """A picture as WebP of at most so many bytes: in few greys without a loss, or with one, whichever is smaller."""
    import numpy as np

    channels = np.asarray(image)
    is_grey = int((channels.max(axis=2) - channels.min(axis=2)).max(initial=0)) < _COLOURED
    encoded = b""
    for share in _SHRINKING:
        size = (max(round(image.width * share), 1), max(round(image.height * share), 1))
        smaller = image if share == 1 else image.resize(size)
        ways = [_webp(smaller.convert("L").point(_GREYS), lossless=True, quality=20)] if is_grey else []
        if not ways or len(ways[0]) > min(_SMALL, most):
            ways.append(_webp(smaller, quality=50))
        encoded = min(ways, key=len)
        if len(encoded) <= most:
            break
    return encoded


def _webp(image: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", method=2, **options)
    return stream.getvalue()
