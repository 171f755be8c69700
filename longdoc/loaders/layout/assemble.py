"""Pages, each read by itself, to a Document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longdoc.document import Document, Link, Page, Source
from longdoc.errors import NoTextLayerError
from longdoc.loaders.layout import ocr
from longdoc.loaders.layout.glyphs import is_blank
from longdoc.loaders.layout.grids import build_tables
from longdoc.loaders.layout.isolate import attempt
from longdoc.loaders.layout.page import ReadPage
from longdoc.loaders.layout.text import Layout, lay_out
from longdoc.loaders.options import Options
from longdoc.summary import page_ranges

_BLANK = "nothing is drawn on them, or their content is damaged: look at them in a viewer"


def assemble(
    pages: Sequence[ReadPage], source: Source, options: Options, *, warnings: Sequence[str] = (), **parts: Any
) -> Document:
    """Lays out the pages of a document.

    Args:
        pages: at least one, in order.
        source: what they were read from.
        options: the options of :func:`longdoc.load`.
        warnings: about other parts of the document.
        parts: other fields of the Document.

    Raises:
        NoTextLayerError: no page has text.
        LimitExceededError: the pages have more characters than the limits allow.
    """
    _require_text(pages, source, options)
    options.limits.check("characters", sum(len(page.glyphs.codes) for page in pages), source.name)
    raw_starts = accumulate((len(page.glyphs.codes) for page in pages), initial=0)
    tables = [(page.number, start, page.tables) for page, start in zip(pages, raw_starts, strict=False)]
    layout = lay_out(
        [(page.number, page.glyphs) for page in pages],
        sizes=[(page.width, page.height) for page in pages],
        keep_furniture=options.keep_furniture,
        table_ends=[start + int(table.ranges.max()) for _, start, placed in tables for table in placed],
    )
    failures = [*warnings]
    built = build_tables(tables, layout.raw_text, layout.edits, failures)
    no_links: tuple[Link, ...] = ()
    links = attempt("links", lambda: _links(pages, layout), no_links, failures)
    return Document(
        source=source,
        pages=_pages(pages, layout),
        raw_text=layout.raw_text,
        boxes=layout.boxes,
        lines=layout.lines,
        edits=layout.edits,
        tables=built,
        furniture=layout.furniture,
        links=links,
        fields=tuple(found for page in pages for found in page.interactive.fields),
        annotations=tuple(found for page in pages for found in page.interactive.annotations),
        confidences=_confidences(pages),
        warnings=(*_warnings(pages, options), *(warning for page in pages for warning in page.warnings), *failures),
        **parts,
    )


def _require_text(pages: Sequence[ReadPage], source: Source, options: Options) -> None:
    """Raises a NoTextLayerError if no page has text."""
    if any(page.readable for page in pages):
        return
    verdicts = Counter(page.verdict for page in pages)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
    remedy = _BLANK if list(verdicts) == ["empty"] else _remedy(options)
    raise NoTextLayerError(f"{source.name}: no page has readable text; its pages are: {counts}. {remedy}")


def _pages(pages: Sequence[ReadPage], layout: Layout) -> tuple[Page, ...]:
    borders = [*layout.page_starts, layout.length]
    return tuple(
        Page(
            number=page.number,
            width=page.width,
            height=page.height,
            start=borders[i],
            end=borders[i + 1],
            verdict=page.verdict,
            confidence=_mean(page.confidences),
        )
        for i, page in enumerate(pages)
    )


def _mean(confidences: NDArray[np.float32] | None) -> float | None:
    """The mean of confidences of shape ``(N,)`` that are not NaN; None if there are none."""
    return None if confidences is None or np.isnan(confidences).all() else float(np.nanmean(confidences))


def _confidences(pages: Sequence[ReadPage]) -> NDArray[np.float32]:
    """The confidence of each of ``G`` raw characters, NaN for the pages' own; shape ``(G,)``, ``(0,)`` without OCR."""
    if all(page.confidences is None for page in pages):
        return np.zeros(0, np.float32)
    own = [np.full(len(page.glyphs.codes), np.nan, np.float32) for page in pages]
    return np.concatenate(
        [nan if page.confidences is None else page.confidences for page, nan in zip(pages, own, strict=True)]
    )


def _links(pages: Sequence[ReadPage], layout: Layout) -> tuple[Link, ...]:
    """The links of the pages, each over the text whose glyphs are in its box."""
    found, ranges, raw_start = [], [], 0
    for page in pages:
        visible = ~is_blank(page.glyphs.codes)
        x, y = (page.glyphs.boxes[:, :2] + page.glyphs.boxes[:, 2:]).T / 2
        for link in page.interactive.links:
            box = link.box
            inside = np.flatnonzero(visible & (box.x0 <= x) & (x <= box.x1) & (box.y0 <= y) & (y <= box.y1))
            ends = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
            found.append(link)
            ranges.append([raw_start + ends[0], raw_start + ends[1]])
        raw_start += len(page.glyphs.codes)
    texts = layout.edits.to_text(np.array(ranges, np.int64).reshape(-1, 2)).tolist()
    return tuple(
        Link(start=start, end=end, uri=link.uri, page=link.page, box=link.box)
        for link, (start, end) in zip(found, texts, strict=True)
    )


def _warnings(pages: Sequence[ReadPage], options: Options) -> tuple[str, ...]:
    """One warning for each kind of page whose text or tables are missing, or whose text was read by OCR."""
    reasons: Mapping[str, str] = {
        "scanned": "images of text",
        "garbled": "their fonts do not say which characters they draw",
    }
    warnings = []
    for verdict, reason in reasons.items():
        of_kind = [page for page in pages if page.verdict == verdict]
        unread = ", ".join(str(page.number) for page in of_kind if page.confidences is None)
        read = ", ".join(str(page.number) for page in of_kind if page.confidences is not None)
        if unread:
            warnings.append(f"{verdict} page(s) {unread}: {reason}. {_remedy(options)}")
        if read:
            warnings.append(
                f"{verdict} page(s) {read}: {reason}; read by OCR, which makes mistakes (see Document.confidence)"
            )
    for reason in dict.fromkeys(page.tables_unread for page in pages if page.tables_unread):
        numbers = page_ranges(page.number for page in pages if page.tables_unread == reason)
        warnings.append(f"tables of page(s) {numbers} could not be read: {reason}; their text is in reading order")
    empty = ", ".join(str(page.number) for page in pages if page.verdict == "empty")
    return (*warnings, *([f"empty page(s) {empty}: {_BLANK}"] if empty else []))


def _remedy(options: Options) -> str:
    """How to get at the text of pages that have none."""
    if options.ocr == "never":
        return "load(..., ocr='auto') reads such pages by OCR"
    return ocr.missing(options.languages) or "OCR found no text on them either"
