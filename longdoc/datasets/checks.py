"""Checks of annotated entities before anything is learned from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from tokenizers import Tokenizer

from longdoc.datasets.examples import Example
from longdoc.errors import DataError
from longdoc.labels import Span, touched
from longdoc.windows import tokenize, word_offsets


@dataclass(frozen=True, slots=True)
class Misaligned:
    """An annotated span that no sequence of tags can say: a border of it lies inside a word, or it holds no word."""

    document: str
    span: Span
    text: str
    """What is marked."""
    words: str
    """The words that would be learned instead."""

    def __str__(self) -> str:
        place = f"{self.document}: {self.span.label} {self.text!r} at {self.span.start}-{self.span.end}"
        return f"{place} would be learned as {self.words!r}" if self.words else f"{place} holds no word"


def check_overlaps(examples: Iterable[Example], labels: Collection[str]) -> None:
    """Whether a flat head with these labels can learn all of their spans; spans of other labels are passed over.

    Raises:
        DataError: two of them overlap, so that one would be lost.
    """
    known = set(labels)
    for example in examples:
        _check_overlaps(replace(example, spans=tuple(span for span in example.spans if span.label in known)))


def misaligned(examples: Iterable[Example], tokenizer: Tokenizer) -> list[Misaligned]:
    """Spans whose borders lie inside a word of the tokenizer's, or that hold none; white space at an end is no matter.

    A word is labelled whole, so such a span would be learned as the words it touches.
    """
    return [found for example in examples if example.spans for found in _misaligned(example, tokenizer)]


def _misaligned(example: Example, tokenizer: Tokenizer) -> Iterator[Misaligned]:
    offsets = word_offsets(tokenize(example.text, tokenizer))
    for span in example.spans:
        first, last = touched(span, offsets)
        start, end = (int(offsets[first, 0]), int(offsets[last - 1, 1])) if first < last else (span.start, span.start)
        if start == end or start < span.start or end > span.end:
            marked = example.text[span.start : span.end]
            yield Misaligned(example.id, span, marked, example.text[start:end])


def _check_overlaps(example: Example) -> None:
    longest: Span | None = None  # the one that reaches furthest, of those that begin earlier
    for span in sorted(set(example.spans), key=lambda s: (s.start, s.end, s.label)):
        if longest and span.start < longest.end:
            one, other = (f"{s.label} {example.text[s.start : s.end]!r} at {s.start}-{s.end}" for s in (longest, span))
            raise DataError(
                f"{example.id}: {one} and {other} overlap, and a head gives each word one label; learn the two labels "
                "by separate heads, leave one of the spans out, or say `nested: longest` for the task"
            )
        longest = span if longest is None or span.end > longest.end else longest
