"""Title, authors and affiliations at the top of a paper without metadata, by the size of its lines and their words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from longdoc.document import Document

_TOP = 5_000
_ABSTRACT = re.compile(
    r"(?im)^[\W\d_]*(?:a\s?b\s?s\s?t\s?r\s?a\s?c\s?t|summary|(?:\d\.?\s+|I\.\s+)?introduction|keywords)\b.{0,3}"
)
_NO_TITLE = re.compile(
    r"(?i)^\W*(?:arxiv:|doi\b|https?:|www\.|©|copyright|issn\b|vol(?:ume|\.)|(?:original |research |review |short )*"
    r"(?:articles?|papers?|reports?|communications?|letters?|reviews?)\W*$|open\s?access|received\b|accepted\b"
    r"|published\b|journal of\b|proceedings of\b|\d+(?:st|nd|rd|th)\b.*(?:conference|workshop|symposium)"
    r"|preprint|under review|page \d|contents lists|available online|sciencedirect|plos\b|biomed central)"
)
_PLACE = re.compile(
    r"\b(?:Universit\w+|Institut\w*|Departe?ment\w*|Dept\b|Laborator\w+|School|College|Hospital\w*|Cent(?:er"
    r"|re)\b|Facult\w+"
    r"|Division|Academy|Inc\b|Ltd\b|LLC|GmbH|Corporation|Research\b|Clinic\w*|Foundation|Ministry|Agency|Hochschule"
    r"|École|Ecole|CNRS|INSERM|Google|Microsoft|Technologies|Labs?)\b|\b[A-Z]{2} \d{5}\b"
)
_OTHER_LINE = re.compile(
    r"(?i)@|https?:|\b(?:correspond\w*|e-?mail|equal contribution|contributed equally|received|accepted|published|doi"
    r"|abstract|keywords|copyright|licen[cs]e|editor|reviewed by|citation|funding|orcid)\b|^\W*\d{1,2} \w+ \d{4}\W*$"
    r"|^\W*(?:january|february|march|april|may|june|july|august|september|october|november"
    r"|december)\b.{0,10}\d{4}\W*$"
)
_MARKS = r"[\s\d*†‡§¶#^,()\[\]✉]*"
_SPLIT = re.compile(
    r"\s*(?:[,;·•|&\n]|\band\b|(?<=\S)\s*(?:\^?\(?\d[\d,*†‡§^)]*|[*†‡§¶#✉]+)\s*(?=[,;\n]|\band\b|[A-Z]|$))+"
    rf"{_MARKS}"
)
"""What stands between names, the marks of their affiliations included."""
_PARTICLE = r"(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ter|ten)\b"
_WORD = rf"(?:[^\W\d_a-z][\w'’.-]*\.?|{_PARTICLE})"
_NAME = re.compile(rf"{_WORD}(?:[ \t\u00a0]+{_WORD}){{1,5}}")
_DEGREES = re.compile(
    r"(?i)^(?:ph\.?\s?d|m\.?d|m\.?sc|b\.?sc|m\.?p\.?h|dr|prof|jr|sr|mbbs|frcp|rn|i{1,3}|m\.?a|b\.?a)\.?$"
)


@dataclass(frozen=True, slots=True)
class FrontPage:
    """Ranges of the text: the title, the authors and the affiliations; ``is_sure`` if the layout told the title."""

    title: tuple[int, int] | None
    authors: tuple[tuple[int, int], ...]
    affiliations: tuple[tuple[int, int], ...]
    is_sure: bool


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str
    size: float
    """Median height of its characters in points; 0 without geometry."""


def read_front_page(document: Document) -> FrontPage:
    """Reads what stands above the abstract, or above the introduction, of a paper."""
    lines = _lines_above(document)
    first, last, is_sure = _title_lines(lines)
    title = (lines[first].start, lines[last - 1].end) if first < last else None
    authors: list[tuple[int, int]] = []
    places: list[tuple[int, int]] = []
    for line in lines[last:]:
        if _PLACE.search(line.text) and not _OTHER_LINE.search(line.text):
            places.append((line.start, line.end))
        elif not _OTHER_LINE.search(line.text):
            authors += _names_in(line)
    return FrontPage(title, tuple(authors), tuple(places), is_sure)


def _lines_above(document: Document) -> list[_Line]:
    """The lines above the abstract, without empty ones."""
    end = document.pages[0].end if document.pages else 0
    top = document.text[: min(end, _TOP)]
    abstract = next((m for m in _ABSTRACT.finditer(top) if m.start() > 20), None)
    top = top[: abstract.start()] if abstract else top[:1500]
    found = re.finditer(r"[^\n\t]*[^\n\t ][^\n\t]*", top)
    return [_Line(m.start(), m.end(), m.group().strip(), _size(document, m.start(), m.end())) for m in found]


def _size(document: Document, start: int, end: int) -> float:
    """The median height of the characters of a line, rounded to half a point."""
    boxes = document.boxes[document.origins[start:end, 0]]
    heights = boxes[:, 3] - boxes[:, 1]
    heights = heights[~np.isnan(heights)]
    return round(float(np.percentile(heights, 80)) * 2) / 2 if len(heights) else 0.0


def _title_lines(lines: Sequence[_Line]) -> tuple[int, int, bool]:
    """The half-open range of the lines of the title, and whether their size told it.

    The title is the first run of the largest lines that may be one; where all have one size, it ends before the first
    line of names or places.
    """
    able = [n for n, line in enumerate(lines) if len(line.text) > 7 and not _NO_TITLE.match(line.text)]
    able = [n for n in able if not _OTHER_LINE.search(lines[n].text) and re.search(r"[^\W\d_]{3}", lines[n].text)]
    if not able:
        return 0, 0, False
    sizes = [lines[n].size for n in able]
    is_sure = max(sizes) > 1.08 * float(np.median([line.size for line in lines])) > 0
    first = able[sizes.index(max(sizes))] if is_sure else able[0]
    last = first + 1
    while last < len(lines) and last - first < 5:
        line = lines[last]
        if is_sure and abs(line.size - lines[first].size) > 0.05 * lines[first].size:
            break
        if not is_sure and (_is_names(line) or _PLACE.search(line.text) or _OTHER_LINE.search(line.text)):
            break
        last += 1
    return first, last, is_sure


def _is_names(line: _Line) -> bool:
    """Whether a line is nothing but names."""
    pieces = [piece for piece in re.split(_SPLIT, line.text) if piece and piece.strip()]
    return bool(pieces) and all(_NAME.fullmatch(piece.strip()) or _DEGREES.match(piece.strip()) for piece in pieces)


def _names_in(line: _Line) -> list[tuple[int, int]]:
    """The names in a line, if it is a list of names."""
    if not _is_names(line):
        return []
    found, at = [], 0
    offset = line.start
    for piece in re.split(_SPLIT, line.text):
        name = (piece or "").strip()
        if _NAME.fullmatch(name) and not _DEGREES.match(name):
            begin = line.text.index(name, at)
            at = begin + len(name)
            found.append((offset + begin, offset + at))
    return found
