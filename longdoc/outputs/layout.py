"""What a loader made of each page, drawn over the page: one self-contained web page, without scripts."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, TextIO

import numpy as np

from longdoc.outputs.summary import count

if TYPE_CHECKING:
    from longdoc.document import Box, Document, Page, Section

PAGES = 30
"""Pages drawn at most, unless asked for more: each brings its picture."""
_SCALE = 1.5  # pixels a point
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
    """Write the pages of a document with everything that was found on them.

    Args:
        document: with geometry: from a PDF or a picture.
        source: the bytes it was loaded from, whose pages are drawn underneath.
        stream: where the web page goes.
        password: for an encrypted source.
        limit: how many pages to draw, from the first.

    Raises:
        ValueError: the document has no geometry.
    """
    if not any(page.width for page in document.pages):
        raise ValueError(f"{document.source.name}: {document.source.media_type} has no pages to draw; PDFs have")
    pages = document.pages[:limit]
    left = len(document.pages) - len(pages)
    legend = "".join(
        f'<li><svg viewBox="0 0 16 9"><rect class="{"odd" if kind == "text" else kind}" x=".5" y=".5" width="15" '
        f'height="8"/></svg>{meaning}</li>'
        for kind, meaning in _LEGEND.items()
    )
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in document.warnings)
    stream.write(
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{escape(document.source.name)}</title>\n<style>{_CSS}</style>\n<main>\n<h1>{escape(document.title)}</h1>\n"
        f'<div class="facts">{escape(document.source.name)} · {count(len(document.pages), "page")}'
        f'{f" · the first {limit} are drawn" if left else ""}</div>\n<ul class="legend">{legend}</ul>\n'
        f'<ul class="warnings">{warnings}</ul>\n'
    )
    for page, picture in zip(pages, _pictures(document, source, pages, password), strict=True):
        stream.write(_figure(document, page, picture))
    stream.write("</main>\n</html>\n")


def _pictures(document: Document, source: bytes, pages: Sequence[Page], password: str | None) -> Iterator[bytes]:
    """Each page as a PNG, drawn from the source."""
    if document.source.media_type.startswith("image/"):
        import PIL.Image

        with PIL.Image.open(io.BytesIO(source)) as picture:
            for page in pages:
                picture.seek(page.number - 1)
                size = (round(page.width * _SCALE), round(page.height * _SCALE))
                yield _png(picture.convert("RGB").resize(size))
        return
    import pypdfium2 as pdfium

    pdf = pdfium.PdfDocument(source, password)
    try:
        pdf.init_forms()
        for page in pages:
            yield _png(pdf[page.number - 1].render(scale=_SCALE).to_pil())
    finally:
        pdf.close()


def _png(picture: object) -> bytes:
    stream = io.BytesIO()
    picture.convert("P", palette=1, colors=64).save(stream, "PNG", optimize=True)  # type: ignore[attr-defined]
    return stream.getvalue()


def _figure(document: Document, page: Page, picture: bytes) -> str:
    """One page: its picture, and what was found on it over it."""
    shapes = [*_tables(document, page), *_furniture(document, page), *_lines(document, page)]
    image = f'<image href="data:image/png;base64,{base64.b64encode(picture).decode()}" width="100%" height="100%"/>'
    arrow = '<marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" markerHeight="5" orient="auto">'
    arrow += '<path d="M0 0 6 3 0 6z" fill="#c05621"/></marker>'
    words = len(document.text[page.start : page.end].split())
    sure = "" if page.confidence is None else f", read by OCR with confidence {page.confidence:.0%}"
    return (
        f"<figure>\n<figcaption><span>page {page.number}</span><span>{page.verdict}{sure}, {words} words in the text"
        f'</span></figcaption>\n<svg class="page" viewBox="0 0 {page.width:.1f} {page.height:.1f}"><defs>{arrow}</defs>'
        f"{image}{''.join(shapes)}</svg>\n</figure>\n"
    )


def _tables(document: Document, page: Page) -> Iterator[str]:
    for table in document.tables:
        boxes = [table.box, *(cell.box for cell in table.cells)]
        yield from (_rect(box, "table") for box in boxes if box and box.page == page.number)


def _furniture(document: Document, page: Page) -> Iterator[str]:
    marked = [(item.box, "furniture", f"{item.kind}: {item.text}") for item in document.furniture]
    marked += [(link.box, "link", link.uri or f"to page {link.page}") for link in document.links]
    marked += [(field.box, "link", f"{field.name}: {field.value}") for field in document.fields]
    marked += [(note.box, "link", note.text) for note in document.annotations]
    yield from (_rect(box, kind, tip) for box, kind, tip in marked if box and box.page == page.number)


def _lines(document: Document, page: Page) -> Iterator[str]:
    """The page's lines by paragraph, a number and an arrow for each, and the headings of sections."""
    text = document.text[page.start : page.end]
    cuts = [0, *(match.end() for match in re.finditer(r"\n\n", text)), len(text)]
    firsts: list[Box] = []
    lasts: list[Box] = []
    for start, end in pairwise(cuts):
        boxes = [b for b in document.locate(page.start + start, page.start + end) if b.page == page.number]
        if boxes:
            yield from (_rect(box, ("odd", "even")[len(firsts) % 2]) for box in boxes)
            firsts.append(boxes[0])
            lasts.append(boxes[-1])
    for section in document.sections:
        if page.start <= section.start < page.end:
            tip = f"{section.kind} {section.number} {section.title}"
            heading = document.locate(section.start, min(_heading_end(document, section), page.end))
            yield from (_rect(box, "heading", tip) for box in heading[:1])
    for last, first in zip(lasts, firsts[1:], strict=False):
        yield f'<path class="order" d="M{_point(last.x0 + 3, last.y1)} L{_point(first.x0 + 3, first.y0)}"/>'
    for number, box in enumerate(firsts, 1):
        x, y = box.x0 - 7, (box.y0 + min(box.y1, box.y0 + 14)) / 2
        yield f'<circle class="badge" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        yield f'<text class="number" x="{x:.1f}" y="{y + 2.1:.1f}">{number}</text>'


def _heading_end(document: Document, section: Section) -> int:
    """Where the title of a section ends, else the number it is printed with."""
    found = document.text.find(section.title, section.start, section.end) if section.title else -1
    if found >= 0:
        return found + len(section.title)
    number = re.compile(r"\S*").match(document.text, section.start)
    return number.end() if number else section.start


def _point(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"


def _rect(box: Box, kind: str, tip: str = "") -> str:
    width, height = np.maximum((box.x1 - box.x0, box.y1 - box.y0), 0.5)
    title = f"<title>{escape(tip)}</title>" if tip else ""
    place = f'x="{box.x0:.1f}" y="{box.y0:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {place}>{title}</rect>'
