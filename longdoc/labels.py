"""Model outputs on a document (entities, answers, classes), and the tagging schemes they are trained with.

Offsets ``start:end`` are half-open and count Python code points of ``Document.text``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np

from longdoc.document import Box
from longdoc.errors import ConfigError, DataError

OUTSIDE = "O"
NOT_READ = "not read"
"""Label of an inference from a document without text, which leaves the hypothesis undecided."""
DOUBTFUL = 0.7
"""Answers below this score are marked for a person to look at."""
ROUNDING = 1e-6
"""How far beyond 0 or 1 a score may lie, as sums of 32-bit numbers do; it is then 0 or 1."""
Scheme: TypeAlias = Literal["bio", "bioes", "io", "iob1"]
PREFIXES: dict[str, str] = {"bio": "BI", "bioes": "BIES", "io": "I", "iob1": "BI"}


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled range of text: the unit of annotation, decoding and scoring."""

    start: int
    end: int
    label: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end; got start={self.start}, end={self.end} ({self.label})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A named entity and its position: ``document.text[start:end] == text``."""

    text: str
    label: str
    start: int
    end: int
    score: float
    """Confidence, 0 to 1: the mean probability of the label over the words, calibrated if the head is; 1 for a rule."""
    page: int
    """Number of the page it starts on, from 1."""
    boxes: tuple[Box, ...] = ()
    """One box per line; empty if the source has no geometry (plain text)."""
    section: str | None = None
    """Number or title of the section that contains it."""
    source: str = ""
    """The name of the head that found it, or ``rules``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a question, or what fills a field, and its position: ``document.text[start:end] == text``."""

    question: str = ""
    text: str
    label: str | None = None
    """Name of the schema field it fills, if any."""
    start: int
    end: int
    score: float
    """Confidence, 0 to 1; calibrated by ``longdoc calibrate``."""
    page: int
    boxes: tuple[Box, ...] = ()
    section: str | None = None
    source: str = ""
    """What gave it: ``question``, ``clause Governing Law``, ``section abstract``, ``rule`` and the like."""
    check: bool = False
    """Whether a person should look at it: sources disagree, or its score is low."""
    value: Any = None
    """The text as a date, an amount of money, a duration ... (see ``longdoc.values``), if it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A class of the document, or of the section at ``start:end``."""

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
    """Checks that there are labels, and that no two are the same.

    Raises:
        ConfigError: they are not; the message lists them.
    """
    if not labels or len(set(labels)) < len(labels):
        raise ConfigError(f"labels must be distinct names, at least one; got {', '.join(labels) or 'none'}")


def tag_names(labels: Sequence[str], scheme: Scheme = "bio") -> tuple[str, ...]:
    """The tag set of a head for flat entities: ``O``, then the tags of each label in order.

    ``bio`` marks the first word of an entity; ``bioes`` also its last word and single-word entities; ``io`` marks no
    boundaries, so adjacent entities of one label merge; ``iob1`` marks first words only between adjacent entities, and
    allows every sequence of tags.

    >>> tag_names(["PARTY"])
    ('O', 'B-PARTY', 'I-PARTY')
    """
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in PREFIXES[scheme]))


def encode_bio(spans: Iterable[Span], offsets: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Encodes spans as BIO tags, int64 ``(T,)``: :func:`encode_tags` with the scheme ``bio``."""
    return encode_tags(spans, offsets, labels)


def encode_tags(
    spans: Iterable[Span], offsets: np.ndarray, labels: Sequence[str], scheme: Scheme = "bio"
) -> np.ndarray:
    """Encodes spans as tags of one document's tokens (or words).

    Args:
        spans: labelled spans of the text; labels that are not in ``labels`` are ignored, and so are the spans that
            :func:`placed_spans` leaves out.
        offsets: int array of shape ``(T, 2)``: half-open character offsets of the tokens, ascending.
        labels: the labels of the head, in the order of :func:`tag_names`; length L.
        scheme: the tagging scheme.

    Returns:
        int64 array of shape ``(T,)``: indices into ``tag_names(labels, scheme)``.
    """
    letters, rank = PREFIXES[scheme], {label: index for index, label in enumerate(labels)}
    tags = np.zeros(len(offsets), dtype=np.int64)
    before = (-1, "")  # the end and the label of the span to the left
    for first, last, span in placed_spans(spans, offsets, labels):
        base = 1 + len(letters) * rank[span.label]
        tags[first:last] = base + letters.index("I")
        if scheme in ("bio", "bioes") or (scheme == "iob1" and before == (first, span.label)):
            tags[first] = base + letters.index("B")
        if scheme == "bioes":
            tags[last - 1] = base + letters.index("E" if last - first > 1 else "S")
        before = (last, span.label)
    return tags


def placed_spans(spans: Iterable[Span], offsets: np.ndarray, labels: Collection[str]) -> list[tuple[int, int, Span]]:
    """The spans that a flat tag sequence can represent, in the order of the text, each with its half-open token range.

    A token belongs to a span if they share at least one character. A span without a token is left out. Of two spans
    that share a token only the longer one is kept; of two of the same length, the first.

    Args:
        spans: labelled spans of the text; labels that are not in ``labels`` are ignored.
        offsets: int array of shape ``(T, 2)``: half-open character offsets of the tokens, ascending.
        labels: the labels of the head.
    """
    taken = np.zeros(len(offsets), dtype=bool)
    placed = []
    known = [span for span in spans if span.label in labels]
    for span in sorted(known, key=lambda s: (s.start - s.end, s.start)):
        first, last = overlapping(offsets, span.start, span.end)
        if first < last and not taken[first:last].any():
            taken[first:last] = True
            placed.append((first, last, span))
    return sorted(placed, key=lambda place: place[0])


def overlapping(offsets: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """The half-open range of tokens that share at least one character with ``start:end``; empty if none does.

    Args:
        offsets: int array of shape ``(T, 2)``: half-open character offsets of the tokens, ascending.
        start: first character.
        end: one past the last character.
    """
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    return first, max(first, int(np.searchsorted(offsets[:, 0], end, side="left")))


def decode_tags(tags: np.ndarray, labels: Sequence[str], scheme: Scheme = "bio") -> list[tuple[int, int, str]]:
    """Decodes a tag sequence to half-open token ranges ``(first, last, label)``.

    An ``I-`` tag that does not continue a span of its label starts one, as in the CoNLL-2003 evaluation script.

    Args:
        tags: int array of shape ``(T,)``: indices into ``tag_names(labels, scheme)``.
        labels: the labels of the head; length L.
        scheme: the tagging scheme.
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


def checked(found: Any, length: int) -> Any:
    """What was found, with offsets and score as Python numbers.

    Raises:
        DataError: they are outside their range, or not numbers.
    """
    is_label, is_gap = isinstance(found, Label), not hasattr(found, "score")
    what = f"the label {found.name!r}" if is_label else "the gap" if is_gap else repr(found.text)
    numbers: dict[str, int | float] = {}
    if not is_label or found.start is not None or found.end is not None:
        start, end = _integer(found.start, what), _integer(found.end, what)
        if start is None or end is None or not 0 <= start < end <= length:
            limits = f"0 <= start < end <= {length}, the text's length"
            raise DataError(f"{what} has offsets {found.start}:{found.end}; allowed: {limits}")
        numbers |= {"start": start, "end": end}
    if not is_gap:
        numbers["score"] = _score(found.score, what)
    as_they_are = all(type(old := getattr(found, name)) is type(new) and old == new for name, new in numbers.items())
    return found if as_they_are else replace(found, **numbers)


def check_text(found: Entity | Answer, text: str) -> None:
    """Checks that the text of a finding is the text at its offsets.

    Raises:
        DataError: it is not.
    """
    if (actual := text[found.start : found.end]) != found.text:
        raise DataError(f"the text at {found.start}:{found.end} is {actual!r}, not {found.text!r}")


def _integer(offset: object, what: str) -> int | None:
    """An offset as an int; None is left as it is."""
    if offset is not None and (isinstance(offset, bool) or not isinstance(offset, Integral)):
        raise DataError(f"{what} has a malformed offset {offset!r}; allowed: integers")
    return None if offset is None else int(offset)


def _score(score: object, what: str) -> float:
    if isinstance(score, bool) or not isinstance(score, Real) or not -ROUNDING <= float(score) <= 1 + ROUNDING:
        raise DataError(f"{what} has the score {score!r}; allowed: a number from 0 to 1")
    return min(max(float(score), 0.0), 1.0)
