"""Abbreviations that a text explains in brackets: ``congestive heart failure (CHF)``.

The algorithm is that of A. S. Schwartz and M. A. Hearst, "A simple algorithm for identifying abbreviation definitions
in biomedical text", Pacific Symposium on Biocomputing 8 (2003), 451-462. What differs is said where it differs.

>>> text = "Congestive heart failure (CHF) and chronic obstructive pulmonary disease (COPD) were frequent."
>>> [(text[slice(*short)], text[slice(*long)]) for short, long in find_abbreviations(text)]
[('CHF', 'Congestive heart failure'), ('COPD', 'chronic obstructive pulmonary disease')]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]

_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]\s][^()\[\]\n]{0,199}?)\s*[)\]]")
_LONGEST_SHORT = 10
_WORD = re.compile(r"\w")
_WORD_START = re.compile(r"\b\w")
_BORDER = re.compile(r"[.!?;:]\s+(?=[A-Z(\[])|\n\s*\n|[()\[\]]")
"""What a long form does not cross: the end of a sentence, a paragraph, another bracket."""
_UNIT = re.compile(
    r"(?i)(?:n|p|r|t|f|df|ci|sd|se|hr|or|rr|fig|figs|figure|table|see|ref|refs|eq|eqs|ie|eg|i\.e\.|e\.g\.|left"
    r"|right|top|"
    r"bottom|data|red|blue|green|black|white|yes|no|both|all|this|that|above|below|male|female|in|of|and|is|a|b|c|d)"
    r"(?:\W.*)?"
)
"""Words in brackets that explain nothing before them."""


def find_abbreviations(text: str) -> Iterator[tuple[Range, Range]]:
    """Yields the ranges of the short and of the long form of each definition, in the order of the text.

    Both ``long form (SF)`` and ``SF (long form)`` are definitions.
    """
    for match in _BRACKETS.finditer(text):
        inner, start = match[1], match.start(1)
        # "(CHF; Fig. 2)" and "(CHF, also called ...)" define CHF.
        short = re.split(r"[;,]", inner)[0].strip()
        before = _candidate(text, match.start(), short)
        if _is_short(short) and (begin := _long_start(text, *before, short)) is not None:
            yield (start, start + len(short)), (begin, before[1])
            continue
        outer = re.search(r"(?<!\S)([^\s()\[\]]{2,10})\s*$", text[max(0, match.start() - 15) : match.start()])
        if outer and _is_short(outer[1]) and not _is_short(inner):
            offset = max(0, match.start() - 15) + outer.start(1)
            begin = _long_start(text, start, start + len(inner), outer[1])
            if begin == start:
                yield (offset, offset + len(outer[1])), (start, start + len(inner))


def count_mentions(text: str, shorts: Collection[str]) -> Counter[str]:
    """How often each short form stands in a text as words of its own; mentions of one do not overlap.

    Args:
        text: the text.
        shorts: short forms, each of which starts with a letter or a digit.
    """
    lengths = sorted({len(short) for short in shorts})
    starts = {short[0] for short in shorts}
    counts: Counter[str] = Counter()
    ends: dict[str, int] = {}
    for match in _WORD_START.finditer(text):
        at = match.start()
        for length in lengths if match[0] in starts else ():
            short, end = text[at : at + length], at + length
            if short in shorts and ends.get(short, 0) <= at and not _WORD.match(text, end):
                counts[short] += 1
                ends[short] = end
    return counts


def _is_short(short: str) -> bool:
    """Whether words can be a short form: one or two of them, 2 to 10 characters, a capital or a digit among letters.

    The original asks for any letter; lower-case words in brackets ("(right)") are what it is wrong about most.
    """
    return (
        2 <= len(short) <= _LONGEST_SHORT
        and len(short.split()) <= 2
        and short[0].isalnum()
        and any(map(str.isupper, short))
        and not _UNIT.fullmatch(short)
        and not re.fullmatch(r"[A-Z][a-z]+|\d+[A-Z]?|[A-Z]\d", short)
    )


def _candidate(text: str, end: int, short: str) -> Range:
    """The words before a bracket that may hold the long form: ``min(|A| + 5, 2 |A|)`` of them, in one sentence."""
    letters = sum(map(str.isalnum, short))
    most = min(letters + 5, letters * 2)
    begin = max(0, end - 300)
    borders = [match.end() for match in _BORDER.finditer(text, begin, end)]
    begin = max([begin, *borders])
    words = list(re.finditer(r"\S+", text[begin:end]))
    if not words:
        return end, end
    first = words[-most:][0]
    return begin + first.start(), begin + words[-1].end()


def _long_start(text: str, first: int, last: int, short: str) -> int | None:
    """Where the long form starts within ``first:last``: its letters are matched from the right; None if they are not.

    The first character of the short form must start a word. Where each of its characters starts one of as many words,
    these are the long form: the original finds "test" in "tuberculin skin test (TST)".
    """
    letters = [char for char in short.lower() if char.isalnum()]
    words = list(re.finditer(r"\S+", text[first:last]))[-len(letters) :]
    if [word[0][0].lower() for word in words] == letters and text[last - 1].isalnum():
        return first + words[0].start()
    at = last - 1
    for index in range(len(short) - 1, -1, -1):
        wanted = short[index].lower()
        if not wanted.isalnum():
            continue
        while at >= first and (text[at].lower() != wanted or (index == 0 and at > first and text[at - 1].isalnum())):
            at -= 1
        if at < first:
            return None
        at -= 1
    begin = at + 1
    while begin > first and not text[begin - 1].isspace() and text[begin - 1] not in "([":
        begin -= 1
    long = text[begin:last]
    is_good = len(long) > len(short) and short.lower() not in long.lower().split() and long[-1:].isalnum()
    return begin if is_good else None
