"""Documents → the parts that are compared, and their words.

A word is a run of letters with the marks on them, or a number, in lower case and compatibility form (NFKC); a character
of Chinese or Japanese is one by itself. Punctuation and white space are not compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from longdoc.document import Document
from longdoc.findings import parts, section_name, trimmed
from longdoc.parts import Box

Unit: TypeAlias = Literal["document", "section", "clause"]

_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Letters that are words: of scripts that put no spaces between words."""
_MARKS = "".join(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in ("Mn", "Mc"))
"""Accents that are characters of their own, and the vowels of Hindi, Thai or Arabic, which ``\\w`` leaves out."""
_LETTER = rf"[^\W_{_ALONE}][{_MARKS}]*"
_WORD = re.compile(rf"[{_ALONE}][{_MARKS}]*|\d+(?:[.,]\d+)*(?:{_LETTER})*|(?:{_LETTER})+")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A document, a section or a clause, and its place."""

    document: int
    """The number of its document among those that are compared, from 0."""
    address: str
    """Where the document was read from, or its name."""
    document_id: str
    """The SHA-256 digest of the document's content."""
    section: str | None
    """Number of the section it starts in, or its title if it has no number; None for a whole document."""
    start: int
    """Half-open, in code points, as everywhere."""
    end: int
    page: int
    text: str
    boxes: tuple[Box, ...]
    """One a line; empty for a whole document, and without geometry."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a document that are compared, and the number of those that are too short."""

    compared: tuple[Part, ...]
    n_short: int


def parts_of(document: Document, unit: Unit, *, number: int, address: str, min_words: int) -> Parts:
    """The parts of a document with at least ``min_words`` words.

    A section extends from its heading to the next heading, of whatever level: "8.3(b)" is a part of its own. A clause
    is a paragraph of a section.
    """
    compared, n_short = [], 0
    for start, end in _ranges(document, unit):
        text = document.text[start:end]
        if sum(1 for _ in _WORD.finditer(text)) < min_words:
            n_short += 1
            continue
        is_whole = unit == "document"
        part = Part(
            document=number,
            address=address,
            document_id=document.source.sha256,
            section=None if is_whole else section_name(document, start),
            start=start,
            end=end,
            page=document.page_at(start).number,
            text=text,
            boxes=() if is_whole else document.locate(start, end),
        )
        compared.append(part)
    return Parts(tuple(compared), n_short)


def _ranges(document: Document, unit: Unit) -> Iterator[tuple[int, int]]:
    if unit != "clause":
        yield from parts(document, unit)
        return
    text = document.text
    for start, end in parts(document, "section"):
        gaps = [match.span() for match in _PARAGRAPH.finditer(text, start, end)]
        for (_, first), (last, _) in pairwise([(start, start), *gaps, (end, end)]):
            if (piece := trimmed(text, first, last))[0] < piece[1]:
                yield piece


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared.

    >>> words_of("8.3 The FEE is $1,000.00; don’t pay later.")
    ['8.3', 'the', 'fee', 'is', '1,000.00', 'don', 't', 'pay', 'later']
    """
    return [_compared(word) for word in _WORD.findall(text)]


def word_ranges(text: str) -> list[tuple[int, int]]:
    """Half-open character ranges of the words of a text, one for each of `words_of`."""
    return [match.span() for match in _WORD.finditer(text)]


def _compared(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()
