"""Checks whether a flat head can learn annotated entities."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets.examples import Example
from longdoc.errors import DataError
from longdoc.labels import Span, overlapping
from longdoc.windows import tokenize, word_offsets


@dataclass(frozen=True, slots=True)
class Misaligned:
    """An annotated span that tags cannot represent: it begins or ends inside a word, or contains no word."""

    document: str
    span: Span
    text: str
    """The annotated text."""
    words: str
    """The words that would be learned instead; empty if the span contains none."""

    def __str__(self) -> str:
        description = f"{self.document}: {self.span.label} {self.text!r} at {self.span.start}-{self.span.end}"
        return f"{description} would be learned as {self.words!r}" if self.words else f"{description} contains no word"


def check_overlaps(examples: Iterable[Example], labels: Collection[str]) -> None:
    """Checks that the spans with these labels do not overlap, so that one flat head can learn them all.

    Raises:
        DataError: two of them overlap; names the document and both spans.
    """
    known = set(labels)
    for example in examples:
        _check_overlaps(replace(example, spans=tuple(span for span in example.spans if span.label in known)))


def misaligned(examples: Iterable[Example], tokenizer: Tokenizer) -> list[Misaligned]:
    """Finds the spans that begin or end inside a word of the tokenizer, or contain no word.

    Words are labelled as a whole, so such a span would be learned as all the words that it touches. White space at the
    ends of a span is ignored.
    """
    return [
        found
        for example in examples
        if example.spans
        for found in misaligned_in(example, word_offsets(tokenize(example.text, tokenizer)))
    ]


def misaligned_in(example: Example, offsets: np.ndarray) -> Iterator[Misaligned]:
    """The same for a document whose words have the half-open character ``offsets``, int ``(W, 2)``."""
    for span in example.spans:
        first, last = overlapping(offsets, span.start, span.end)
        start, end = (int(offsets[first, 0]), int(offsets[last - 1, 1])) if first < last else (span.start, span.start)
        if start == end or start < span.start or end > span.end:
            yield Misaligned(example.id, span, example.text[span.start : span.end], example.text[start:end])


def _check_overlaps(example: Example) -> None:
    furthest: Span | None = None  # of the spans so far, the one with the largest end
    for span in sorted(set(example.spans), key=lambda s: (s.start, s.end, s.label)):
        if furthest and span.start < furthest.end:
            one, other = (f"{s.label} {example.text[s.start : s.end]!r} at {s.start}-{s.end}" for s in (furthest, span))
            raise DataError(
                f"{example.id}: {one} and {other} overlap, but a head gives each word one label; learn the two labels "
                "with separate heads, leave one of the spans out, or set `nested: longest` for the task"
            )
        furthest = span if furthest is None or span.end > furthest.end else furthest
