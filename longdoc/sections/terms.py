"""Finds defined terms and references to sections."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from longdoc.parts import Definition, Reference, Section
from longdoc.sections.numerals import ROMAN, roman_value

_TERM = r"[“\"](?P<{name}>[^“”\"\n]{{1,80}}?)[,.]?[”\"]"
_MEANS = re.compile(
    _TERM.format(name="term")
    + r"\)?(?:[ \t]*(?:and|or|,)[ \t]*"
    + _TERM.format(name="second")
    + r")?[^.;:“”\"\n]{0,60}?"
    r"[ \n](?:shall[ \n]mean|means?|(?:shall[ \n]have|has|have)[ \n]the[ \n]meaning|"
    r"is[ \n]defined[ \n]as|refers?[ \n]to)\b"
)
_ALIAS = re.compile(
    r"\((?:[^()“”\"]{0,80}[\s,])?" + _TERM.format(name="term") + r"(?P<more>[^()]{0,120})\)|"
    r"(?:herein(?:after)?|hereafter)[ \n][^“”\"\n.]{0,60}?" + _TERM.format(name="other")
)
_QUOTED = re.compile(r"[“\"]([^“”\"\n]{1,80}?)[,.]?[”\"]")
_SENTENCE_END = re.compile(
    r"(?:(?<!\bInc)(?<!\bCorp)(?<!\bLtd)(?<!\bCo)(?<!\bNo)(?<!\b[A-Z])\.[”\")]?(?=\s+[^\sa-z(]|\s*$)|\.(?=\s*\n\s*\n)"
    r"|;(?!\s*(?:(?:and|or|but|plus|less|provided|except|in\seach\scase)\b(?!\s*[“\"])|\(?[\divx]{1,4}[.)]|\(?[a-z][.)]))"
    r"(?=\s|$)|(?<![:;,\n])(?<!; and)(?<!; or)\n(?=[ \t]*\n))"
)
"""A list goes on: ``means (a) this; and (b) that``."""
_END_MARK = re.compile(r"[.;\n]")
"""What the end of a sentence starts with."""
_MAX_DEFINITION = 3000
_LONGEST_NUMBER = 100
"""Characters of the number of a section that a reference such as "paragraph (c)" may complete."""

_NUMBER = r"(?:\d{1,4}(?:\.\d{1,3})*[A-Z]?|[IVXLC]{1,7}(?![A-Za-z])|[A-Z](?![A-Za-z]))"
_SUBS = r"(?:[ ]?\([0-9a-zA-Z]{1,4}\))"
_REFERENCE = re.compile(
    r"(?=[SsAaCcPpEeRr§])(?<![A-Za-z])"
    r"(?P<unit>(?i:sections?|articles?|clauses?|paragraphs?|subsections?|sub-sections?|exhibits?|schedules?|"
    r"annex|annexes|appendix|appendices|attachments?|recitals?)|§§?)[ \n\xa0]{0,2}"
    rf"(?P<first>{_NUMBER}{_SUBS}{{0,5}}|{_SUBS}{{1,5}})(?![A-Za-z0-9])"
)
_MORE = re.compile(
    rf"(?:,[ \n]|,?[ \n](?:and|or|through|to)[ \n]|[ ]?[-–][ ]?)({_NUMBER}{_SUBS}{{0,5}}|{_SUBS}{{1,5}})(?![A-Za-z0-9])"
)
_ELSEWHERE = re.compile(
    r"[ \n](?:of|to|in|under)[ \n](?:the[ \n]|that[ \n]|such[ \n]|title[ \n]|[A-Z0-9][^\s]*[ \n]){0,2}[^.;,\n]{0,60}?"
    r"\b(?:Act|Code|Regulations?|Rules?|Law|Statutes?|CFR|U\.S\.C|Treaty|Directive|Ordinance|Bylaws|Indenture|Lease)\b"
)
_ATTACHMENTS = ("exhibit", "schedule", "annex", "appendi", "attachment")
"""What the kinds of attachments start with; "appendi" covers appendices."""


def find_definitions(text: str, sections: Sequence[Section]) -> tuple[Definition, ...]:
    """The defined terms, in order.

    Each covers the clause that defines the term, or the parenthesis of an alias such as ``(the "Company")``.

    Args:
        text: the document's text.
        sections: its sections, in order.
    """
    found: dict[tuple[int, str], Definition] = {}
    index = _SectionIndex(sections)
    for match in _MEANS.finditer(text):
        end = sentence_end(text, match.end())
        for term in filter(None, (match["term"], match["second"])):
            _add(found, term, match.start(), end, index)
    for match in _ALIAS.finditer(text):
        _add(found, match["term"] or match["other"], match.start(), match.end(), index)
        for another in _QUOTED.finditer(match["more"] or ""):
            _add(found, another[1], match.start(), match.end(), index)
    return tuple(sorted(found.values(), key=lambda definition: (definition.start, definition.term)))


def sentence_end(text: str, start: int) -> int:
    """Where the sentence that an offset is in ends; with its list, and after 3,000 characters at most."""
    limit = min(len(text), start + _MAX_DEFINITION)
    marks = _END_MARK.finditer(text, start, limit)
    stop = next(filter(None, (_SENTENCE_END.match(text, mark.start(), limit) for mark in marks)), None)
    return start + len(text[start : stop.end() if stop else limit].rstrip())


def _add(found: dict[tuple[int, str], Definition], term: str, start: int, end: int, index: _SectionIndex) -> None:
    term = " ".join(term.split())
    if term and term[0].isalnum():
        found[start, term] = Definition(term=term, start=start, end=end, section=index.at(start))


def find_references(text: str, sections: Sequence[Section]) -> tuple[Reference, ...]:
    """The references to sections, in order; headings do not count.

    Args:
        text: the document's text.
        sections: its sections, in order.
    """
    index, found = _SectionIndex(sections), []
    starts = {section.start for section in sections}
    for match in _REFERENCE.finditer(text):
        if match.start() in starts:
            continue
        ends = list(_numbers(text, match))
        elsewhere = _ELSEWHERE.match(text, ends[-1][1]) is not None
        for number, (start, end) in ((text[a:b], (a, b)) for a, b in ends):
            begin = match.start() if start == match.start("first") else start
            target = None if elsewhere else index.find(match["unit"].lower(), number, begin)
            found.append(Reference(text=text[begin:end], start=begin, end=end, section=target))
    return tuple(found)


def _numbers(text: str, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """The ranges of the numbers in "Sections 2.1, 2.3 and 4"."""
    yield match.span("first")
    position = match.end()
    # After a singular, "and" may introduce something else: "Section 5 and 30 days".
    plural = match["unit"].lower().endswith(("s", "ces", "§§"))
    while plural and (another := _MORE.match(text, position)):
        yield another.span(1)
        position = another.end()


class _SectionIndex:
    """Finds sections by number or by offset; answers are indices into ``sections``."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self.sections = sections
        self._starts = [section.start for section in sections]
        self._roots: list[int] = []
        self._numbers: dict[tuple[int, str, str], int] = {}
        self._attached: dict[tuple[str, str], int] = {}
        for index, section in enumerate(sections):
            attached = section.kind.startswith(_ATTACHMENTS)
            parent = section.parent
            self._roots.append(index if attached else self._roots[parent] if parent is not None else -1)
            if section.number:
                kind = section.kind if attached else "article" if section.kind == "article" else ""
                root = -1 if attached else self._roots[index]
                self._numbers.setdefault((root, kind, _normalized(section.number)), index)
                for stem in _ATTACHMENTS if attached else ():
                    if kind.startswith(stem):
                        self._attached.setdefault((stem, _normalized(section.number)), index)

    def at(self, offset: int) -> int | None:
        """The innermost section at an offset."""
        index: int | None = bisect_right(self._starts, offset) - 1
        if index is None or index < 0:
            return None
        while index is not None and self.sections[index].end <= offset:
            index = self.sections[index].parent
        return index

    def find(self, unit: str, number: str, offset: int) -> int | None:
        """The section that a reference such as "Section 4.2" refers to, if it occurs at this offset."""
        here = self.at(offset)
        attached = next((stem for stem in _ATTACHMENTS if unit.startswith(stem)), None)
        plain = _normalized(number)
        if attached:
            return self._attached.get((attached, plain))
        if plain.startswith("("):
            return self._relative(here, plain)
        roots = [self._roots[here], -1] if here is not None else [-1]
        kinds_in_order = ("article", "") if unit.startswith("article") else ("", "article")
        keys = ((root, kind, plain) for root in roots for kind in kinds_in_order)
        return next((self._numbers[key] for key in keys if key in self._numbers), None)

    def _relative(self, here: int | None, number: str) -> int | None:
        """The target of "paragraph (c)": a subsection of the referring section or of one that encloses it."""
        while here is not None:
            section = self.sections[here]
            if len(section.number) <= _LONGEST_NUMBER:
                found = self._numbers.get((self._roots[here], "", _normalized(section.number + number)))
                if found is not None:
                    return found
            here = section.parent
        return None


def _normalized(number: str) -> str:
    """The number without spaces, with Roman numerals as digits: "IV" and "4" are the same article."""
    head, bracket, tail = "".join(number.split()).partition("(")
    if head.isupper() and ROMAN.match(head) and len(head) + len(tail) > 1:
        head = str(roman_value(head))
    return head + bracket + tail
