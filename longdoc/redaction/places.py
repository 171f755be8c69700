"""Which characters of a document are redacted, and where they are on its pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from longdoc.document import Document
from longdoc.edits import WHITE_SPACE, code_points
from longdoc.parts import Box
from longdoc.redaction.layer import Word
from longdoc.redaction.names import Names, is_long, squeezed

_REMOVED = 4  # raw characters that edits removed between two redacted ones, such as a hyphen and the break of a line

_FAR = 4.0  # longer sides of a letter: what is further apart has a box of its own


@dataclass(frozen=True, slots=True)
class Places:
    """What is redacted of a document."""

    marked: NDArray[np.bool_]
    """Which raw characters; shape ``(len(raw_text),)``."""
    n_marked: int
    """How many findings."""
    n_others: int
    """How many further places that say the same."""
    names: Names
    """The texts of which nothing may be left."""
    short: tuple[str, ...]
    """Texts that are too short to be looked for elsewhere."""


def places(document: Document, ranges: Sequence[tuple[int, int]], *, everywhere: bool) -> Places:
    """Finds what is redacted.

    Args:
        document: the document.
        ranges: the findings, as half-open ranges of its text.
        everywhere: whether their texts are redacted wherever else they stand.
    """
    texts = {" ".join(document.text[start:end].split()) for start, end in ranges}
    names = Names(texts)
    marked = np.zeros(len(document.raw_text), bool)
    for start, end in ranges:
        _mark(document, marked, start, end)
    others = [span for span in names.find(document.text) if not _is_marked(document, marked, *span)]
    if everywhere:
        for start, end in names.find(document.text):
            _mark(document, marked, start, end)
    hidden = [span for span in _in_lines(document, names) if not marked[slice(*span)].any()]  # headers, footers, too
    if everywhere:
        for start, end in _in_lines(document, names):
            marked[start:end] = True
    else:  # what stays elsewhere is not sought when the result is verified
        stays = {squeezed(document.text[slice(*span)]) for span in others}
        stays |= {squeezed(document.raw_text[slice(*span)]) for span in hidden}
        names = Names(text for text in texts if squeezed(text) not in stays)
    marked &= ~np.isin(code_points(document.raw_text), WHITE_SPACE) | _within(marked)
    short = tuple(sorted(text for text in texts if not is_long(text)))
    n_others = len(others) + len(hidden) if everywhere else 0
    return Places(marked, len(ranges), n_others, names, short)


def _in_lines(document: Document, names: Names) -> Iterator[tuple[int, int]]:
    """Where names are in the raw text, whose lines follow one another without a space."""
    starts = document.lines[:, 0]
    lines = "\n".join(document.raw_text[a:b] for a, b in pairwise([*starts.tolist(), len(document.raw_text)]))
    shifted = starts + np.arange(len(starts))
    for start, end in names.find(lines):
        first, last = np.searchsorted(shifted, (start, end - 1), side="right") - 1
        yield int(start - first), int(end - last)


def _mark(document: Document, marked: NDArray[np.bool_], start: int, end: int) -> None:
    """Marks the raw characters behind a range of the text, and what edits removed within it."""
    ranges = document.origins[start:end].tolist()
    for first, last in ranges:
        marked[first:last] = True
    for (_, before), (after, _) in pairwise(ranges):
        if 0 < after - before <= _REMOVED:
            marked[before:after] = True


def _is_marked(document: Document, marked: NDArray[np.bool_], start: int, end: int) -> bool:
    return any(bool(marked[first:last].any()) for first, last in document.origins[start:end].tolist())


def _within(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which characters have marked neighbours on both sides; of the same shape."""
    around = np.zeros(len(marked), bool)
    around[1:-1] = marked[:-2] & marked[2:]
    return around


def regions(document: Document, marked: NDArray[np.bool_]) -> list[Box]:
    """The boxes around marked characters, one for each stretch of a line.

    Args:
        document: the document.
        marked: which raw characters; shape ``(len(raw_text),)``.
    """
    has_box = ~np.isnan(document.boxes[:, 0])
    glyphs = np.flatnonzero(marked & has_box & ~np.isin(code_points(document.raw_text), WHITE_SPACE))
    if not len(glyphs):
        return []
    gaps = np.cumsum(~marked & has_box)[glyphs]  # characters between two that are not marked divide them
    line = np.searchsorted(document.lines[:, 0], glyphs, side="right") - 1
    cuts = np.flatnonzero(
        (np.diff(line, prepend=-1) != 0) | (np.diff(gaps, prepend=-1) != 0) | _is_far(document.boxes[glyphs])
    )
    low = np.minimum.reduceat(document.boxes[glyphs, :2], cuts).tolist()
    high = np.maximum.reduceat(document.boxes[glyphs, 2:], cuts).tolist()
    pages = document.lines[line[cuts], 1].tolist()
    return [Box(page, *a, *b) for page, a, b in zip(pages, low, high, strict=True)]


def _is_far(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each glyph is far from the one before it, though they are of one line; of the boxes, shape ``(G, 4)``."""
    low, high = boxes[:, :2], boxes[:, 2:]
    apart = np.maximum(low[1:] - high[:-1], low[:-1] - high[1:])
    sizes = (high - low).max(axis=1)
    far = (apart > 0).all(axis=1) | (apart.max(axis=1) > _FAR * np.maximum(sizes[1:], sizes[:-1]))
    return np.concatenate([[False], far])


def words_of(document: Document, marked: NDArray[np.bool_], page: int) -> list[Word]:
    """The words of a page that stay, hidden ones aside, with their boxes.

    Args:
        document: the document.
        marked: which raw characters are redacted; shape ``(len(raw_text),)``.
        page: its number.
    """
    hidden = [(item.raw_start, item.raw_end) for item in document.furniture if item.kind == "hidden"]
    gone = marked.copy()
    for start, end in hidden:
        gone[start:end] = True
    blank = np.isin(code_points(document.raw_text), WHITE_SPACE)
    first = np.flatnonzero(document.lines[:, 1] == page)
    found: list[Word] = []
    for at in first.tolist():
        start = int(document.lines[at, 0])
        end = int(document.lines[at + 1, 0]) if at + 1 < len(document.lines) else len(document.raw_text)
        kept = ~(gone | blank)[start:end] & ~np.isnan(document.boxes[start:end, 0])
        found += _words(document, start, kept)
    return found


def _words(document: Document, start: int, kept: NDArray[np.bool_]) -> Iterator[Word]:
    """The words of a line that starts at ``start``; ``kept`` are its characters that belong to one, shape ``(N,)``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(np.int8), [0]])))
    for first, last in zip((start + edges[::2]).tolist(), (start + edges[1::2]).tolist(), strict=True):
        boxes = document.boxes[first:last]
        page = int(document.lines[np.searchsorted(document.lines[:, 0], first, side="right") - 1, 1])
        low, high = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
        yield Word(document.raw_text[first:last], Box(page, *low, *high))
