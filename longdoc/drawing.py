"""The pages of a document with what was read drawn over them: a self-contained web page without scripts."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TextIO

from longdoc.errors import DataError, require
from longdoc.pdf_files import opened_by_pdfium
from longdoc.pdfium import PDFIUM_LOCK
from longdoc.summary import count

if TYPE_CHECKING:
    from longdoc.document import Box, Document, Page, Section

PAGES = 30
"""Default maximum of pages drawn: each embeds its image."""
_PIXELS_PER_POINT = 1.5
_MOST_PIXELS, _LONGEST_SIDE = 20_000_000, 20_000  # of a page; larger ones are drawn at a lower resolution
_LEGEND = {
    "text": "lines of text, shaded by paragraph, numbered in reading order",
    "heading": "headings of sections",
    "table": "tables and their cells",
    "furniture": "furniture: on the page, not in the text",
    "link": "links, form fields and comments",
}
_CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #ececea; color: #1d1d1f; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.4rem; margin: 0; }
.facts, figcaption { color: #66666b; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; padding: 0; margin: .8rem 0 0; list-style: none;
  font-size: .9rem; }
.legend svg { width: 1.6em; height: .9em; vertical-align: -.05em; margin-right: .4em; }
.warnings { color: #a40; }
figure { margin: 1.6rem 0 0; }
figcaption { display: flex; justify-content: space-between; font-size: .85rem; padding-bottom: .3rem; }
svg.page { display: block; width: 100%; height: auto; background: #fff; box-shadow: 0 1px 4px #0003; }
.odd { fill: #2b6cb033; } .even { fill: #2f855a33; }
.heading { fill: none; stroke: #6b21a8; stroke-width: 1.2; }
.table { fill: #b7791f14; stroke: #b7791f; stroke-width: .6; }
.furniture { fill: #e53e3e2b; stroke: #c53030; stroke-width: .8; stroke-dasharray: 3 2; }
.link { fill: none; stroke: #0987a0; stroke-width: .8; }
.order { fill: none; stroke: #c05621; stroke-width: .9; stroke-opacity: .75; marker-end: url(#arrow); }
.badge { fill: #1a365d; } .number { fill: #fff; font: 600 6px system-ui, sans-serif; text-anchor: middle; }
"""


def write(
    document: Document, source: bytes, stream: TextIO, *, password: str | None = None, limit: int = PAGES
) -> None:
    """Writes a web page with the pages of a document and what was found on them.

    Args:
        document: a document with geometry, from a PDF or an image.
        source: the content of the file it was loaded from, which supplies the page images.
        stream: where to write.
        password: for an encrypted PDF.
        limit: the maximum number of pages to draw, from the first.

    Raises:
        ValueError: the document has no geometry.
    """
    if not any(page.width for page in document.pages):
        raise ValueError(
            f"{document.source.name}: {document.source.media_type} has no pages to draw; give a PDF or an image"
        )
    pages = document.pages[:limit]
    stream.write(_head(document, n_drawn=len(pages)))
    images = draw_pages(source, document.source.media_type, pages, _png, password=password)
    for page, image in zip(pages, images, strict=True):
        stream.write(_figure(document, page, image))
    stream.write("</main>\n</html>\n")


def _head(document: Document, n_drawn: int) -> str:
    """The title, facts, legend and warnings."""
    legend = "".join(
        f'<li><svg viewBox="0 0 16 9"><rect class="{"odd" if kind == "text" else kind}" x=".5" y=".5" width="15" '
        f'height="8"/></svg>{meaning}</li>'
        for kind, meaning in _LEGEND.items()
    )
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in document.warnings)
    left_out = f" · the first {n_drawn} are drawn" if n_drawn < len(document.pages) else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{escape(document.source.name)}</title>\n<style>{_CSS}</style>\n<main>\n<h1>{escape(document.title)}</h1>\n"
        f'<div class="facts">{escape(document.source.name)} · {count(len(document.pages), "page")}{left_out}</div>\n'
        f'<ul class="legend">{legend}</ul>\n<ul class="warnings">{warnings}</ul>\n'
    )


def draw_pages(
    source: bytes,
    media_type: str,
    pages: Sequence[Page],
    encode: Callable[[Any], bytes],
    *,
    password: str | None = None,
    pixels_per_point: float = _PIXELS_PER_POINT,
) -> list[bytes]:
    """Pages as they look, encoded.

    Args:
        source: the content of the file that the document was loaded from.
        media_type: of the file.
        pages: the pages to draw.
        encode: makes the result from a picture, a ``PIL.Image.Image`` in RGB.
        password: for an encrypted PDF.
        pixels_per_point: the resolution; that of large pages is lower.

    Raises:
        DataError: the PDF cannot be opened.
        MissingDependencyError: Pillow is not installed.
    """
    pillow = require("PIL.Image", extra="draw", needed_by="drawing pages")
    images = []
    if media_type.startswith("image/"):
        with pillow.open(io.BytesIO(source)) as image:
            for page in pages:
                image.seek(page.number - 1)
                scale = _scale(page.width, page.height, pixels_per_point)
                size = (max(round(page.width * scale), 1), max(round(page.height * scale), 1))
                images.append(encode(_opaque(image).resize(size)))
        return images
    import pypdfium2 as pdfium

    with PDFIUM_LOCK:
        try:
            pdf = opened_by_pdfium(source, password)
        except pdfium.PdfiumError as error:
            raise DataError(f"its PDF cannot be opened ({error}); give its password, if it has one") from error
        try:
            pdf.init_forms()
            for page in pages:
                scale = _scale(page.width, page.height, pixels_per_point)
                images.append(encode(pdf[page.number - 1].render(scale=scale).to_pil().convert("RGB")))
        finally:
            pdf.close()
    return images


def _opaque(image: Any) -> Any:
    """The current frame in RGB, with transparent parts in white, as OCR reads them."""
    import PIL.Image

    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    paper = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


def _scale(width: float, height: float, most: float) -> float:
    """The pixels per point of the drawing of a page, whose size is in points."""
    return float(min(most, (_MOST_PIXELS / (width * height)) ** 0.5, _LONGEST_SIDE / max(width, height)))


def _png(image: Any) -> bytes:
    stream = io.BytesIO()
    image.convert("P", palette=1, colors=64).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _figure(document: Document, page: Page, image: bytes) -> str:
    """One page: its image, and over it what was found."""
    shapes = [*_tables(document, page), *_furniture(document, page), *_text(document, page)]
    background = f'<image href="data:image/png;base64,{base64.b64encode(image).decode()}" width="100%" height="100%"/>'
    arrow = '<marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" markerHeight="5" orient="auto">'
    arrow += '<path d="M0 0 6 3 0 6z" fill="#c05621"/></marker>'
    words = len(document.text[page.start : page.end].split())
    read_by = "" if page.confidence is None else f", read by OCR with confidence {page.confidence:.0%}"
    facts = f"{escape(page.verdict)}{read_by}, {words} words in the text"
    return (
        f"<figure>\n<figcaption><span>page {page.number}</span><span>{facts}</span></figcaption>"
        f'\n<svg class="page" viewBox="0 0 {page.width:.1f} {page.height:.1f}"><defs>{arrow}</defs>'
        f"{background}{''.join(shapes)}</svg>\n</figure>\n"
    )


def _tables(document: Document, page: Page) -> Iterator[str]:
    for table in document.tables:
        boxes = [table.box, *(cell.box for cell in table.cells)]
        yield from (_rect(box, "table") for box in boxes if box and box.page == page.number)


def _furniture(document: Document, page: Page) -> Iterator[str]:
    boxes = [(item.box, "furniture", f"{item.kind}: {item.text}") for item in document.furniture]
    boxes += [(link.box, "link", link.uri or f"to page {link.page}") for link in document.links]
    boxes += [(field.box, "link", f"{field.name}: {field.value}") for field in document.fields]
    boxes += [(note.box, "link", note.text) for note in document.annotations]
    yield from (_rect(box, kind, tip) for box, kind, tip in boxes if box and box.page == page.number)


def _text(document: Document, page: Page) -> Iterator[str]:
    """The lines of the page by paragraph, the headings, and the reading order of the paragraphs."""
    paragraphs = list(_paragraphs(document, page))
    for number, boxes in enumerate(paragraphs):
        yield from (_rect(box, ("odd", "even")[number % 2]) for box in boxes)
    for section in document.sections:
        if page.start <= section.start < page.end:
            tip = f"{section.kind} {section.number} {section.title}"
            heading = document.locate(section.start, min(_heading_end(document, section), page.end))
            yield from (_rect(box, "heading", tip) for box in heading[:1])
    for before, after in pairwise(paragraphs):
        last, first = before[-1], after[0]
        yield f'<path class="order" d="M{_point(last.x0 + 3, last.y1)} L{_point(first.x0 + 3, first.y0)}"/>'
    for number, (box, *_) in enumerate(paragraphs, 1):
        x, y = box.x0 - 7, (box.y0 + min(box.y1, box.y0 + 14)) / 2
        yield f'<circle class="badge" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        yield f'<text class="number" x="{x:.1f}" y="{y + 2.1:.1f}">{number}</text>'


def _paragraphs(document: Document, page: Page) -> Iterator[list[Box]]:
    """Yields the boxes of the lines of each paragraph that has any on the page."""
    text = document.text[page.start : page.end]
    cuts = [0, *(match.end() for match in re.finditer(r"\n\n", text)), len(text)]
    for start, end in pairwise(cuts):
        boxes = [b for b in document.locate(page.start + start, page.start + end) if b.page == page.number]
        if boxes:
            yield boxes


def _heading_end(document: Document, section: Section) -> int:
    """The end of the title of a section, or of its printed number if it has no title."""
    found = document.text.find(section.title, section.start, section.end) if section.title else -1
    if found >= 0:
        return found + len(section.title)
    number = re.compile(r"\S*").match(document.text, section.start)
    return number.end() if number else section.start


def _point(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"


def _rect(box: Box, kind: str, tip: str = "") -> str:
    width, height = max(box.x1 - box.x0, 0.5), max(box.y1 - box.y0, 0.5)
    title = f"<title>{escape(tip)}</title>" if tip else ""
    position = f'x="{box.x0:.1f}" y="{box.y0:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {position}>{title}</rect>'
