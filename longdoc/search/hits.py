"""What a search finds: a passage, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from longdoc.parts import Box
from longdoc.plain import plain

PASSAGE_COLUMNS = ("document_id", "number", "title", "heading", "start", "end", "page", "boxes", "text")
"""The columns of a passage that a hit is made from."""


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

    @classmethod
    def of(
        cls, passage: Mapping[str, Any], document: Mapping[str, Any], ranks: tuple[float, int | None, int | None]
    ) -> Hit:
        """A hit from the rows of a passage and of its document, with its score and its places in the two lists."""
        score, word_rank, vector_rank = ranks
        return cls(
            document_id=passage["document_id"],
            address=document["address"],
            title=document["title"] or "",
            section_number=passage["number"],
            section_title=passage["title"],
            boxes=tuple(Box(**box) for box in passage["boxes"]),
            score=float(score),
            word_rank=word_rank,
            vector_rank=vector_rank,
            **{name: passage[name] for name in ("heading", "start", "end", "text", "page")},
        )

    def to_dict(self) -> dict[str, Any]:
        """The hit as what JSON can hold."""
        record: dict[str, Any] = {**plain(self), "score": round(self.score, 6)}
        return record
