"""Things found in a document, and the BIO tags they are learned as.

Every ``start`` and ``end`` here is a half-open offset in Python code points into ``Document.text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from longdoc.document import Box

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of text: the unit of annotation, decoding and scoring."""

    start: int
    end: int
    label: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end; got start={self.start}, end={self.end} ({self.label})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A named entity and its place: ``document.text[start:end] == text``."""

    text: str
    label: str
    start: int
    end: int
    score: float
    """How sure the model is, 0..1: the mean probability of its label over its words, not calibrated."""
    page: int
    """Number of the page on which it starts, from 1."""
    boxes: tuple[Box, ...] = ()
    """One box a line, empty where the source has no geometry (plain text)."""
    section: str | None = None
    """Number or title of the section that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a question, and its place: ``document.text[start:end] == text``."""

    question: str
    text: str
    label: str | None = None
    """Name of the schema field it fills, if any."""
    start: int
    end: int
    score: float
    page: int
    boxes: tuple[Box, ...] = ()
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A class given to a whole document or section."""

    name: str
    score: float


def bio_tags(labels: Sequence[str]) -> tuple[str, ...]:
    """The tag set of a flat head: ``O`` first, then ``B-`` and ``I-`` for each label in order.

    >>> bio_tags(["PARTY"])
    ('O', 'B-PARTY', 'I-PARTY')
    """
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def encode_bio(spans: Iterable[Span], offsets: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Tags of one document's tokens (or words: whatever ``offsets`` counts).

    A token belongs to a span when they share at least one character. Spans must not share a token: where two do,
    the longer one keeps it and the other is dropped whole (a flat tag sequence cannot hold both).

    Args:
        spans: labelled spans of the text; labels outside ``labels`` are ignored.
        offsets: int array of shape ``(T, 2)``, half-open character offsets of the tokens, ascending.
        labels: the head's labels, in the order of :func:`bio_tags`.

    Returns:
        int64 array of shape ``(T,)``, indices into ``bio_tags(labels)``.
    """
    tags = np.zeros(len(offsets), dtype=np.int64)
    rank = {label: index for index, label in enumerate(labels)}
    known = [span for span in spans if span.label in rank]
    for span in sorted(known, key=lambda s: (s.start - s.end, s.start)):
        first = int(np.searchsorted(offsets[:, 1], span.start, side="right"))
        last = int(np.searchsorted(offsets[:, 0], span.end, side="left"))
        if first < last and not tags[first:last].any():
            tags[first:last] = 2 + 2 * rank[span.label]
            tags[first] -= 1
    return tags


def decode_bio(tags: np.ndarray, labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Token spans ``(first, last, label)``, half-open, of a tag sequence.

    An ``I-`` that does not continue a span of its own label starts one, as in the CoNLL-2003 evaluation script.
    """
    spans: list[tuple[int, int, str]] = []
    start = -1
    for index, tag in enumerate([*tags.tolist(), 0]):
        continues = start >= 0 and tag > 0 and tag % 2 == 0 and (tag - 1) // 2 == (int(tags[index - 1]) - 1) // 2
        if start >= 0 and not continues:
            spans.append((start, index, labels[(int(tags[start]) - 1) // 2]))
            start = -1
        if tag > 0 and start < 0:
            start = index
    return spans
