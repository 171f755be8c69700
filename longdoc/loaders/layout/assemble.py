"""From pages as they were read, one by one, to a Document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longdoc.document import Document, Link, Page, Source, Verdict
from longdoc.edits import WHITE_SPACE
from longdoc.errors import NoTextLayerError
from longdoc.loaders.layout import ocr as _ocr
from longdoc.loaders.layout.text import ZERO_WIDTH, Glyphs, Layout, lay_out
from longdoc.loaders.options import Options
from longdoc.loaders.pdf.interactive import Interactive
from longdoc.loaders.pdf.tables import Placed, build_tables

_BLANK = "nothing is drawn on them, or their content is damaged: look at them in a viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """One page: its glyphs in reading order, and what was found around them."""

    number: int
    width: float
    height: float
    verdict: Verdict
    glyphs: Glyphs
    confidences: NDArray[np.float32] | None = None
    """OCR's confidence in each glyph, where OCR read the page."""
    placed: Sequence[Placed] = ()
    """Its tables."""
    interactive: Interactive = field(default_factory=Interactive)
    warnings: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether its glyphs are text, the page's own, few as they may be on a scan, or OCR's."""
        if self.verdict == "scanned" and not self.glyphs.hidden.all():
            return True
        return self.verdict == "text" or (self.confidences is not None and len(self.confidences) > 0)


def assemble(pages: Sequence[ReadPage], source: Source, options: Options, **parts: Any) -> Document:
    """Lays out the pages of a document.

    Args:
        pages: in their order, at least one.
        source: what they were read from.
        options: how the caller wants it read.
        parts: further fields of the Document.

    Raises:
        NoTextLayerError: no page has text.
    """
    if not any(page.readable for page in pages):
        verdicts = Counter(page.verdict for page in pages)
        counts = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
        remedy = _BLANK if list(verdicts) == ["empty"] else _remedy(options)
        raise NoTextLayerError(f"{source.name}: no page has text that can be read; its pages are: {counts}. {remedy}")
    options.limits.check("characters", sum(len(page.glyphs.codes) for page in pages), source.name)
    layout = lay_out(
        [(page.number, page.glyphs) for page in pages],
        sizes=[(page.width, page.height) for page in pages],
        keep_furniture=options.keep_furniture,
    )
    raw_starts = accumulate((len(page.glyphs.codes) for page in pages), initial=0)
    placed = [(page.number, start, page.placed) for page, start in zip(pages, raw_starts, strict=False)]
    borders = [*layout.page_starts, layout.length]
    return Document(
        source=source,
        pages=tuple(
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
        ),
        raw_text=layout.raw_text,
        boxes=layout.boxes,
        lines=layout.lines,
        edits=layout.edits,
        tables=build_tables(placed, layout.raw_text, layout.edits),
        furniture=layout.furniture,
        links=_links(pages, layout),
        fields=tuple(found for page in pages for found in page.interactive.fields),
        annotations=tuple(found for page in pages for found in page.interactive.annotations),
        confidences=_confidences(pages),
        warnings=(*_warnings(pages, options), *(warning for page in pages for warning in page.warnings)),
        **parts,
    )


def _confidences(pages: Sequence[ReadPage]) -> NDArray[np.float32]:
    """One for each raw character, NaN where it is the page's own; empty where OCR read nothing."""
    if all(page.confidences is None for page in pages):
        return np.zeros(0, np.float32)
    own = [np.full(len(page.glyphs.codes), np.nan, np.float32) for page in pages]
    return np.concatenate(
        [nan if page.confidences is None else page.confidences for page, nan in zip(pages, own, strict=True)]
    )


def _mean(confidences: NDArray[np.float32] | None) -> float | None:
    return None if confidences is None or np.isnan(confidences).all() else float(np.nanmean(confidences))


def _links(pages: Sequence[ReadPage], layout: Layout) -> tuple[Link, ...]:
    """The links of the pages, over the text whose glyphs stand in their boxes."""
    found, ranges, raw_start = [], [], 0
    for page in pages:
        codes, boxes = page.glyphs.codes, page.glyphs.boxes
        visible = ~np.isin(codes, (*WHITE_SPACE, *ZERO_WIDTH))
        x, y = (boxes[:, :2] + boxes[:, 2:]).T / 2
        for link in page.interactive.links:
            box = link.box
            inside = np.flatnonzero(visible & (box.x0 <= x) & (x <= box.x1) & (box.y0 <= y) & (y <= box.y1))
            ends = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
            found.append(link)
            ranges.append([raw_start + ends[0], raw_start + ends[1]])
        raw_start += len(codes)
    texts = layout.edits.to_text(np.array(ranges, np.int64).reshape(-1, 2)).tolist()
    return tuple(
        Link(start=start, end=end, uri=link.uri, page=link.page, box=link.box)
        for link, (start, end) in zip(found, texts, strict=True)
    )


def _warnings(pages: Sequence[ReadPage], options: Options) -> tuple[str, ...]:
    """One warning for each kind of page whose text is missing or was read by OCR."""
    kinds: Mapping[str, str] = {
        "scanned": "pictures of text",
        "garbled": "their fonts do not say which characters they draw",
    }
    warnings = []
    for verdict, what in kinds.items():
        of_kind = [page for page in pages if page.verdict == verdict]
        unread = ", ".join(str(page.number) for page in of_kind if page.confidences is None)
        read = ", ".join(str(page.number) for page in of_kind if page.confidences is not None)
        if unread:
            warnings.append(f"{verdict} page(s) {unread}: {what}. {_remedy(options)}")
        if read:
            warnings.append(f"{verdict} page(s) {read}: {what}; read by OCR, which errs (see Document.confidence)")
    empty = ", ".join(str(page.number) for page in pages if page.verdict == "empty")
    return (*warnings, *([f"empty page(s) {empty}: {_BLANK}"] if empty else []))


def _remedy(options: Options) -> str:
    """How to get at the text of pages that have none."""
    if options.ocr == "never":
        return "load(..., ocr='auto') reads such pages by OCR"
    return _ocr.missing(_ocr.languages(options.ocr)) or "OCR found no text on them either"
