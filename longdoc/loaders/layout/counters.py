"""The number of the page within a running header or footer, told from the number of a claim, an invoice or a step."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from longdoc.loaders.layout.margins import MarginLine

FRONT = 30
"""Pages that page numbers may be ahead of the pages of the file."""
PAGE_MARK = "\f"
"""Stands for the number of the page in what a line says."""
_OF = r"(?:of|/|von|de|sur|di|van|av|af|из)"
_WORD = r"(?:pages?|pg\.?|p\.|frm|pageid|seite|p[áa]gina|p[áa]g\.|sida|side|strona|стр\.|страница)"
_SAID = re.compile(
    rf"(?<!\w){_WORD}\s?(?:no\.|[:#№])*\s?\d{{1,6}}(?:\s?{_OF}\s?\d{{1,4}})?(?!\w)"
    r"|(?<!\S)[-–—~]\s?\d(?:\s?\d){0,3}\s?[-–—~](?!\S)"
    r"|(?<!\w)vol\.? ?\d+:\d+$"  # of a law review
)
_AT_END = re.compile(rf"(?P<rest>.*?\S)\s(?P<number>\d{{1,6}})(?P<of>\s?{_OF}\s?\d{{1,3}})?")
_AT_START = re.compile(rf"(?P<number>\d{{1,6}})(?P<of>\s?{_OF}\s?\d{{1,3}})?\s(?P<rest>\S.*)")
_HEADING = re.compile(r"(article|section|chapter|part|schedule|exhibit|annex|appendix|attachment)\W*\w{1,4}\W*$")
_LABEL = re.compile(
    r"(?:(?<!\w)(?:nos?|nr|num|number|ref|reference|id|mrn|invoice|claim|case|file|account|acct|order|policy|matter"
    r"|record|patient|member|employee|batch|lot|item|question|step|week|month|year|vol|volume|part|chapter"
    r"|section|article|exhibit|schedule|annex|appendix|period|payslip)\.?|[:#№$€£])$"
)
_THING = re.compile(
    r"(?<!\w)(?:phase|stage|visit|session|zone|floor|flat|unit|apartment|suite|room|plot|block|level|grade|tier|lesson"
    r"|module|table|figure|day|quarter|days|weeks|months|quarters|years|thousands|millions)$"
)
_PRODUCTION = re.compile(r"[A-Z]{2,8}[-_]?0\d{3,8}")  # such as ABC000123, anywhere in the margin
_PRODUCTION_AT_FOOT = re.compile(r"[A-Z]{2,8}[-_ ]?\d{3,9}")
_PARTED = re.compile(r"[|•·–—-]$")
_FEWEST_WORDS = 3  # of a running title after its page number, or before one such as "3 of 7"
_MANY_WORDS = 5  # of a running title; a label has fewer


def numbered(line: MarginLine, tabbed: bool, apart: set[int]) -> list[tuple[str, int]]:
    """What a line says but for the number of its page, in each way of reading it.

    Args:
        line: a line in the margin.
        tabbed: whether it has a wide gap.
        apart: how far page numbers are ahead of the pages, as :func:`counted_apart` finds it.

    Returns:
        Without case: the text itself, with 0, and where a number may be the page's, the text without it, with how far
        the number is ahead of the page.
    """
    text = line.text.casefold()
    if _HEADING.match(text):  # articles that start a page each count up too
        return [(text, 0)]
    if not any(map(str.isdigit, text)):
        return [(text, 0)]
    said = without_said(text)
    found = [(text, 0), *([(said, 0)] if said != text else [])]
    production = _PRODUCTION_AT_FOOT if line.zone == "footer" else _PRODUCTION
    if line.zone == "side" or production.fullmatch(line.text):
        return found + [
            (f"{text[: m.start()]}{PAGE_MARK}{text[m.end() :]}", int(m[0]) - line.page)
            for m in re.finditer("[0-9]+", text)
        ]
    for pattern, counts in ((_AT_START, _starts_with_number), (_AT_END, _ends_with_number)):
        match = pattern.fullmatch(said)
        if match and counts(match, line, tabbed, apart):
            rest = f"{said[: match.start('number')]}{PAGE_MARK}{said[match.end('number') :]}"
            found.append((rest, int(match["number"]) - line.page))
    return found


def without_said(text: str) -> str:
    """A text without case whose page numbers that say so, such as "Page 3 of 7" and "- 3 -", are :data:`PAGE_MARK`."""
    return _SAID.sub(PAGE_MARK, text)


def ends_with_label(text: str) -> bool:
    """Whether the number after a text is that of what it names, as after "Invoice No."."""
    return _LABEL.search(text.casefold()) is not None


def is_label(text: str) -> bool:
    """Whether a line is the label of what is beside or below it."""
    return ends_with_label(text) and _words(text) < _MANY_WORDS


def counted_apart(margin: Sequence[MarginLine]) -> set[int]:
    """How far page numbers, said to be so, alone or at the start of headers, are ahead of several pages."""
    pages: dict[int, set[int]] = defaultdict(set)
    for line in margin:
        number, _, rest = line.text.partition(" ")
        if number.isdecimal() and len(number) <= 6 and (not rest or line.zone == "header"):
            pages[int(number) - line.page].add(line.page)
        said = _SAID.search(line.text.casefold()) if any(map(str.isdigit, line.text)) else None
        if said and not said[0].startswith("vol"):
            digits = re.sub(r"(?<=\d)\s(?=\d)", "", said[0])
            pages[int(re.findall(r"\d+", digits)[0]) - line.page].add(line.page)
    return {offset for offset, found in pages.items() if len(found) > 1}


def _starts_with_number(match: re.Match[str], line: MarginLine, tabbed: bool, apart: set[int]) -> bool:
    """Whether the number at the start of a line is a page number, and not that of a footnote or a clause."""
    title = line.zone == "header" and _words(match["rest"]) >= _FEWEST_WORDS
    return tabbed or title or match["rest"][0] in "|•·–—"


def _ends_with_number(match: re.Match[str], line: MarginLine, tabbed: bool, apart: set[int]) -> bool:
    """Whether the number at the end of a line is a page number, and not that of what the line names."""
    offset, words = int(match["number"]) - line.page, _words(match["rest"])
    if ends_with_label(match["rest"]) or _THING.search(match["rest"]):
        return False
    if offset in apart or (tabbed and words >= _MANY_WORDS):
        return True
    if tabbed or _PARTED.search(match["rest"]):
        return offset <= FRONT or match["of"] is not None
    return match["of"] is not None and (words >= _FEWEST_WORDS or line.zone == "footer")


def _words(text: str) -> int:
    return len(re.findall(r"[^\W\d_]{2,}", text))
