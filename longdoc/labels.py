"""Things found in a document, and the BIO tags they are learned as.

Every ``start`` and ``end`` here is a half-open offset in Python code points into ``Document.text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from longdoc.document import Box
from longdoc.errors import ConfigError

OUTSIDE = "O"
NOT_READ = "not read"
"""Label of an inference from a document without text: nothing was looked at, so nothing can be said of it."""
Scheme: TypeAlias = Literal["bio", "bioes", "io", "iob1"]
PREFIXES: dict[str, str] = {"bio": "BI", "bioes": "BIES", "io": "I", "iob1": "BI"}


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
    """How sure the model is, 0..1: the mean probability of its label over its words, calibrated where the head is;
    1 of a rule."""
    page: int
    """Number of the page on which it starts, from 1."""
    boxes: tuple[Box, ...] = ()
    """One box a line, empty where the source has no geometry (plain text)."""
    section: str | None = None
    """Number or title of the section that holds it."""
    source: str = ""
    """What found it: the name of a head, or ``rules``."""


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
    """How sure the model is, 0..1: calibrated by ``longdoc calibrate``."""
    page: int
    boxes: tuple[Box, ...] = ()
    section: str | None = None
    value: Any = None
    """What the text says as a date, an amount of money, a duration (see ``longdoc.values``), if anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A class of a document, or of the section at ``start:end``."""

    name: str
    score: float
    source: str = ""
    """Name of the head."""
    start: int | None = None
    end: int | None = None
    section: str | None = None
    """Number or title of the section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Whether a document entails or contradicts a hypothesis, and the sentences that decide."""

    hypothesis: str
    label: str
    """A label of the head, or :data:`NOT_READ` if the document has no text."""
    score: float
    scores: dict[str, float]
    evidence: tuple[Answer, ...] = ()
    """Sentences, most important first; their scores are shares of the model's attention."""
    coverage: float = 1.0
    """Share of the text's characters, white space aside, that reached the model."""


def check_labels(labels: Sequence[str]) -> None:
    """Refuses the labels of a head if there are none, or two are the same.

    Raises:
        ConfigError: with the labels given.
    """
    if not labels or len(set(labels)) < len(labels):
        raise ConfigError(f"labels must be distinct names, at least one; got {', '.join(labels) or 'none'}")


def tag_names(labels: Sequence[str], scheme: Scheme = "bio") -> tuple[str, ...]:
    """The tag set of a flat head: ``O`` first, then the tags of each label in order.

    ``bio`` marks the first word of an entity, ``bioes`` its last one and an entity of one word as well; ``io`` marks
    words alone, so that it cannot tell two entities of a label apart that touch; ``iob1`` marks first words where they
    would touch, and forbids nothing.

    >>> tag_names(["PARTY"])
    ('O', 'B-PARTY', 'I-PARTY')
    """
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in PREFIXES[scheme]))


def encode_bio(spans: Iterable[Span], offsets: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Tags of one document's tokens (or words: whatever ``offsets`` counts).

    A token belongs to a span when they share at least one character. Spans must not share a token: where two do,
    the longer one keeps it and the other is dropped whole (a flat tag sequence cannot hold both).

    Args:
        spans: labelled spans of the text; labels outside ``labels`` are ignored.
        offsets: int array of shape ``(T, 2)``, half-open character offsets of the tokens, ascending.
        labels: the head's labels, in the order of :func:`tag_names`.

    Returns:
        int64 array of shape ``(T,)``, indices into ``tag_names(labels)``.
    """
    tags = np.zeros(len(offsets), dtype=np.int64)
    rank = {label: index for index, label in enumerate(labels)}
    known = [span for span in spans if span.label in rank]
    for span in sorted(known, key=lambda s: (s.start - s.end, s.start)):
        first, last = touched(span, offsets)
        if first < last and not tags[first:last].any():
            tags[first:last] = 2 + 2 * rank[span.label]
            tags[first] -= 1
    return tags


def touched(span: Span, offsets: np.ndarray) -> tuple[int, int]:
    """The tokens, first and one past the last, that share a character with a span; ``offsets`` as above."""
    first = int(np.searchsorted(offsets[:, 1], span.start, side="right"))
    return first, int(np.searchsorted(offsets[:, 0], span.end, side="left"))


def decode_tags(tags: np.ndarray, labels: Sequence[str], scheme: Scheme = "bio") -> list[tuple[int, int, str]]:
    """Token spans ``(first, last, label)``, half-open, of a tag sequence.

    An ``I-`` that does not continue a span of its own label starts one, as in the CoNLL-2003 evaluation script.
    """
    width, inside = len(PREFIXES[scheme]), [letter in "IE" for letter in PREFIXES[scheme]]
    spans: list[tuple[int, int, str]] = []
    start, label = -1, -1
    for index, tag in enumerate([*tags.tolist(), 0]):
        owner = (tag - 1) // width if tag else -1
        if start >= 0 and not (owner == label and inside[(tag - 1) % width]):
            spans.append((start, index, labels[label]))
            start = -1
        if tag and start < 0:
            start, label = index, owner
    return spans
