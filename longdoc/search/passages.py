"""Document → passages: what a search finds. A section each; long ones in windows, short ones joined.

    sections   [1. Term      ][2. Assignment][2.1 ...][2.2 .................................][3. Law]
    passages   [1. Term      ][2. Assignment  2.1 ...][2.2 ..............]                   [3. Law]
                                                                 [........................]

Each character but white space is in at least one passage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from longdoc.document import Document
from longdoc.findings import trimmed
from longdoc.summary import on_one_line
from longdoc.windows import Tokens, sentence_starts, token_range, word_starts

LEAST = 64
"""Tokens below which a piece of a document is joined with its neighbour."""
OVERLAP = 32
"""Tokens that neighbouring windows of a long section share."""
_LEVELS = 3
"""Headings, the innermost ones, that stand in front of a passage."""
_TITLE = 80
"""Characters of each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a document that is found by itself: half-open character range, and where it stands."""

    start: int
    end: int
    number: str
    """Number of the section that it begins in; may be empty, like ``title``."""
    title: str
    heading: str
    """The headings above it: ``"8 Assignment > 8.3 Consent"``; empty outside of sections."""


def passages(document: Document, tokens: Tokens, *, size: int) -> tuple[Passage, ...]:
    """The passages of a document, in its order.

    Args:
        document: the document.
        tokens: its tokens, of any tokenizer.
        size: tokens of the longest passage, above twice ``OVERLAP``.
    """
    sections = {id(section): index for index, section in enumerate(document.sections)}
    made = []
    for start, end in _joined(document, tokens, size):
        section = document.section_at(start)
        index = None if section is None else sections[id(section)]
        heading = " > ".join(_headings(document, index))
        number, title = (section.number, section.title) if section else ("", "")
        made += [
            Passage(start=a, end=b, number=number, title=title, heading=heading)
            for a, b in _windows(document.text, tokens, start, end, size)
        ]
    return tuple(made)


def _pieces(document: Document) -> list[tuple[int, int]]:
    """Half-open ranges that partition the text, white space aside, at the starts of sections and around tables."""
    text = document.text
    borders = {0, len(text), *(section.start for section in document.sections)}
    borders |= {border for table in document.tables for border in (table.start, table.end)}
    ranges = (trimmed(text, start, end) for start, end in pairwise(sorted(borders)))
    return [(start, end) for start, end in ranges if start < end]


def _joined(document: Document, tokens: Tokens, size: int) -> list[tuple[int, int]]:
    """The pieces, of which a short one is joined with the one before it, unless a section of a higher level begins."""
    joined: list[tuple[int, int]] = []
    level = 0
    for start, end in _pieces(document):
        own = _level(document, start)
        if joined and own >= level:
            first, last = joined[-1]
            is_short = min(_count(tokens, first, last), _count(tokens, start, end)) < LEAST
            if is_short and _count(tokens, first, end) <= size:
                joined[-1] = (first, end)
                continue
        joined.append((start, end))
        level = own
    return joined


def _level(document: Document, start: int) -> int:
    section = document.section_at(start)
    return 0 if section is None else section.level


def _count(tokens: Tokens, start: int, end: int) -> int:
    first, last = token_range(tokens, start, end)
    return last - first


def _windows(text: str, tokens: Tokens, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Windows of a range, of whole sentences where they fit; the end of one is the start of the next one, too."""
    own = tokens.part(start, end)
    if len(own) <= size:
        yield start, end
        return
    sentences, words = sentence_starts(text, own.offsets), word_starts(own.words)
    first, begin = 0, start
    while len(own) - first > size:
        last = _last(sentences, first + size // 2, first + size) or _last(words, first + size // 2, first + size)
        last = last or first + size
        yield begin, int(own.offsets[last - 1, 1])
        cuts = sentences if last in sentences else words
        first = _first(cuts, last - OVERLAP, last)
        begin, _ = trimmed(text, int(own.offsets[first - 1, 1]), end)  # with what the tokenizer drops before it
    yield begin, end


def _last(cuts: np.ndarray, low: int, high: int) -> int:
    """The last of ascending cuts in ``low..high``, both inclusive; 0 if there is none."""
    index = int(np.searchsorted(cuts, high, side="right")) - 1
    return int(cuts[index]) if index >= 0 and cuts[index] >= low else 0


def _first(cuts: np.ndarray, low: int, high: int) -> int:
    """The first of ascending cuts in ``low..high``, both inclusive; ``high`` if there is none."""
    index = int(np.searchsorted(cuts, low))
    return int(cuts[index]) if index < len(cuts) and cuts[index] <= high else high


def _headings(document: Document, index: int | None) -> Sequence[str]:
    """The innermost headings above a section, and its own."""
    found: list[str] = []
    while index is not None and len(found) < _LEVELS:
        section = document.sections[index]
        said = on_one_line(f"{section.number} {section.title}")[:_TITLE]
        found += [said] if said else []
        index = section.parent
    return found[::-1]
