"""What was read from one page, before the pages are laid out as a Document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from longdoc.document import Annotation, Box, FormField, Verdict
from longdoc.loaders.layout.glyphs import Glyphs
from longdoc.loaders.layout.grids import PlacedGrid


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link on a page, to an address or to a page number."""

    box: Box
    uri: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Interactive:
    """The links, form fields, comments and attached files of a page."""

    links: tuple[PageLink, ...] = ()
    fields: tuple[FormField, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    files: tuple[str, ...] = ()
    """The names of the files that are attached to the page."""
    draws_text: bool = False
    """Whether fields or annotations show text that the content of the page does not include."""
    buttons: tuple[FormField, ...] = ()
    """The check boxes and radio buttons that a reader of the page sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """One page: its ``N`` glyphs in reading order, and everything else that was found on it."""

    number: int
    width: float
    """In points."""
    height: float
    """In points."""
    verdict: Verdict
    glyphs: Glyphs
    confidences: NDArray[np.float32] | None = None
    """OCR's confidence in each glyph, 0 to 1, NaN for the page's own; shape ``(N,)``. None without OCR."""
    tables: Sequence[PlacedGrid] = ()
    tables_unread: str | None = None
    """Why its tables could not be read, if so."""
    interactive: Interactive = field(default_factory=Interactive)
    warnings: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether it has text: its own, even if only a few words on a scan, or OCR's."""
        if self.verdict == "scanned" and not self.glyphs.hidden.all():
            return True
        return self.verdict == "text" or (self.confidences is not None and len(self.confidences) > 0)
