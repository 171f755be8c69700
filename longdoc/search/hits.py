"""What a search finds: a passage, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from longdoc.parts import Box
from longdoc.plain import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that a search has found. ``document.text[hit.start:hit.end] == hit.text``, half-open."""

    document_id: str
    """The SHA-256 of the content of the document; ``index.document`` takes it."""
    address: str
    """Where the document was read from."""
    title: str
    """Of the document."""
    section_number: str
    """Of the section that the passage begins in; may be empty, like the title."""
    section_title: str
    heading: str
    """The headings above it: ``"8 Assignment > 8.3 Consent"``."""
    start: int
    end: int
    text: str
    page: int
    """Number of the page that it starts on, from 1."""
    boxes: tuple[Box, ...]
    """One a line, in points; empty if the source has no geometry."""
    score: float
    """By which hits are ranked: of reciprocal ranks, of BM25 or the cosine, after the mode; or of the reranking."""
    word_rank: int | None
    """Its place in the list by words, from 1; None if it is not in it."""
    vector_rank: int | None

    def to_dict(self) -> dict[str, Any]:
        """The hit as what JSON can hold."""
        record: dict[str, Any] = {**plain(self), "score": round(self.score, 6)}
        return record
