"""The text of a note in pieces: the passages of its sections, their lines, sentences and lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from longdoc.document import Document
from longdoc.parts import Section

Range: TypeAlias = tuple[int, int]

_LONGEST = 2_000
"""Characters of a line after which a sentence ends, so that time stays linear in the length of a line."""

_LINE = re.compile(r"[^\n]+")
_SENTENCE_END = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bSt)(?<!\bvs)(?<!\bNo)(?<!\b[A-Za-z]\.[A-Za-z])(?<!\s[A-Z])[.!?][\"”’')\]]*\s+(?=[\"“(•-]*[A-Z\d])"
    r"|(?<![^\S\n])\s+(?=[•*◦▪]\s)|(?<=[.)])\s+-\s+(?=[A-Z])|\s(?=\d{1,2}[.)]\s+[A-Z])"
)
_BULLET = re.compile(r"\s*(?:[•*◦▪●–-]+\s*|\(?\d{1,2}[.)]\s+|#\s*)*")
_ITEM_END = re.compile(
    r"(?:\s+(?:(?:and|or|&)\s|as\s+well\s+as\s)|\s*(?:;|,(?!\d{3}\b)(?:\s*(?:and|or|&)\s)?))\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of a section without its heading, up to the next heading that has a kind."""

    kind: str
    title: str
    start: int
    end: int

    @property
    def source(self) -> str:
        """What its cells say gave them."""
        return f"section {self.kind}" if self.kind else "rule"


def passages(document: Document) -> list[Passage]:
    """The passages of a document, in order; text before the first heading has the kind ``""``.

    Unlisted headings within a section ("• Medical Reasoning:") belong to its passage.
    """
    text = document.text
    known = [section for section in document.sections if _has_kind(section) or section.level == 1]
    borders = [*(section.start for section in known), len(text)]
    found = [Passage("", "", 0, borders[0])]
    for section, (start, end) in zip(known, pairwise(borders), strict=True):
        body = _after_title(text, section, start, end)
        if section.kind == "heading" and not text[body:end].strip() and _is_open(text, found[-1]):
            found[-1] = replace(found[-1], end=end)  # "NKDA" below "ALLERGIES"
        else:
            found.append(Passage(section.kind, section.title, body, end))
    return [passage for passage in found if text[passage.start : passage.end].strip()]


def _is_open(text: str, passage: Passage) -> bool:
    """Whether a passage has no text, or only lines in capitals, so that one more of them may belong to it."""
    body = text[passage.start : passage.end].strip()
    return bool(passage.kind) and (not body or body.isupper())


def _has_kind(section: Section) -> bool:
    return section.kind not in ("heading", "section", "article")


def _after_title(text: str, section: Section, start: int, end: int) -> int:
    at = text.find(section.title, start, end) if section.title else -1
    at = start if at < 0 else at + len(section.title)
    mark = re.match(r"[ \t]*[:.–—-]?", text[at:end])
    return at + (mark.end() if mark else 0)


def lines(text: str, start: int, end: int) -> Iterator[Range]:
    """The lines of ``text[start:end]`` that are not empty, without bullets and numbers before them."""
    for match in _LINE.finditer(text, start, end):
        if not match[0].isspace():
            yield _unbulleted(text, *match.span())


def sentences(text: str, start: int, end: int) -> Iterator[Range]:
    """The sentences of ``text[start:end]``; each line, bullet and numbered item is at least one."""
    for match in _LINE.finditer(text, start, end):
        if match[0].isspace():
            continue
        first, last = match.span()
        ends = [m.end() for m in _SENTENCE_END.finditer(text, first, last)]
        cuts = (_cut(text, at, last) for at in range(first + _LONGEST, last, _LONGEST))
        borders = sorted({first, *ends, *cuts, last})
        for a, b in pairwise(borders):
            begin, stop = _unbulleted(text, a, b)
            if begin < stop:
                yield begin, stop


def _cut(text: str, at: int, last: int) -> int:
    """The last space before a place of a long line, or the next one, so that no word is cut; else the place itself."""
    before = text.rfind(" ", at - _LONGEST, at + 1)
    found = before if before >= 0 else text.find(" ", at, min(at + _LONGEST, last))
    return at if found < 0 else found


def items(text: str, start: int, end: int) -> Iterator[Range]:
    """The items of a list within a sentence, separated by commas, semicolons, "and" and "or"; none is empty.

    What is in brackets is not split.
    """
    depth = 0
    borders = [start]
    hidden = []
    for at in range(start, end):
        depth += (text[at] in "([") - (text[at] in ")]" and depth > 0)
        hidden.append(depth > 0)
    for match in _ITEM_END.finditer(text, start, end):
        if match.end() > match.start() and not hidden[match.start() - start]:
            borders += [match.start(), match.end()]
    borders.append(end)
    for a, b in zip(borders[::2], borders[1::2], strict=True):
        begin, stop = trim(text, a, b)
        if begin < stop:
            yield begin, stop


def trim(text: str, start: int, end: int) -> Range:
    """A range without white space and final punctuation."""
    while start < end and (text[start].isspace() or text[start] in ".,;:-–•*"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ".,;:"):
        end -= 1
    return start, end


def _unbulleted(text: str, start: int, end: int) -> Range:
    match = _BULLET.match(text, start, end)
    start = match.end() if match else start
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
