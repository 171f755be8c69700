"""What a defined term stands for: the clause that defines it, or the words before an alias such as ``(the "Company")``.

>>> from longdoc.document import Document
>>> from longdoc.sections import add_structure
>>> text = '''This Lease is made on June 9, 2004 (the "Start") by Ada Ltd., a Delaware company (the "Landlord").
...
... 1. Rent means ten dollars a month.'''
>>> document = add_structure(Document.from_text(text))
>>> [text[start:end] for term in ("start", "Landlord", "Rent") for start, end, _ in meanings(document, term)]
['June 9, 2004', 'Ada Ltd., a Delaware company', '1. Rent means ten dollars a month.']
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.document import Document
from longdoc.parts import Definition
from longdoc.records.dates import dates_in
from longdoc.records.openings import Naming, opening_namings
from longdoc.sections import sentence_end

_LONGEST = 600
"""Characters before an alias in which the words that it stands for begin."""
_BEGINS = re.compile(
    r"(?<!\bInc)(?<!\bCorp)(?<!\bCo)(?<!\bLtd)(?<!\bNo)(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<![\s.][A-Z])\.\s+(?=[A-Z“\"\d])"
    r"|\n\s*\n|;\s+(?:and\s+)?|:\s+|[”\"][^()“”\"]{0,40}\)[,;]?\s+(?:(?:and|or|whereas|by)\s+)*"
    r"|(?i:\bwhereas,?\s+|\b(?:by\s+and\s+)?between\s+(?:and\s+among\s+)?|\bamong\s+)"
)
"""Where a clause begins: after a sentence, a list's mark, the alias before, or the words that lead to the parties."""
_IS_DATE = re.compile(r"(?i)\b(?:date|day|closing|commencement|start|end|deadline)\b")
_POINTS = re.compile(
    r"(?i)\b(?:has|have|having|as|with)?\s*(?:the\s+meanings?\s+(?:\w+\s+){0,4}?|(?:is\s+)?defined\s+)"
    r"(?:to\s+(?:it|such\s+term)\s+)?(?:in|by|under)\s+(?:the\s+)?"
    r"(?:sections?|articles?|clauses?|paragraphs?|preamble|recitals?|exhibit|schedule|annex|introductory|opening)\b"
)
_UNQUOTED = (
    r"(?m)^[ \t]*(?:\(?[\da-z]{{1,3}}[.)\d]*\)?[ \t]+)?(?:the[ \t]+)?{term}"
    r"(?:\s+(?:shall\s+mean|means?|refers?\s+to|is\s+defined\s+as)\b|[ \t]*:)"
)


def meanings(document: Document, term: str) -> Iterator[tuple[int, int, float]]:
    """Where a document says what a term stands for: the range, and how far to trust it.

    Args:
        document: any document with its definitions.
        term: the term, in any case, with or without "the".

    Yields:
        In the order of the text, first of the definitions in quotes; of others only if there are none. A definition
        that only refers to another section has a score of 0.5.
    """
    wanted, text = _bare(term), document.text
    defined = [each for each in document.definitions if _bare(each.term) == wanted]
    parties = opening_namings(text) if defined else []
    for each in defined:
        start, end = _meaning(text, each, parties)
        yield start, end, 0.5 if _POINTS.search(text, start, end) else 1.0
    if not defined and wanted:
        yield from _unquoted(document, wanted)


def _bare(term: str) -> str:
    return re.sub(r"\Athe ", "", " ".join(re.sub(r"[“”\"]", "", term).casefold().split())).strip(" :.,")


def _meaning(text: str, definition: Definition, parties: list[Naming]) -> tuple[int, int]:
    """The words that an alias stands for; the whole clause of another definition."""
    start, end = definition.start, definition.end
    if text[start] != "(" and not re.match(r"(?i)here(?:in|after)", text[start:end]):
        return start, end
    for party in parties:
        terms = [term for term in (party.role, *party.aliases) if term]
        own = not re.search(r"[“”\"]", text[party.name[1] : start])  # else the name of another party comes between
        if own and any(start <= first and last <= end for first, last in terms):
            return party.name[0], _trimmed(text, party.name[0], start)
    first = max(0, start - _LONGEST)
    for dated in dates_in(text, max(0, start - 60), start) if _IS_DATE.search(definition.term) else ():
        if not text[dated.end : start].strip(" ,\n"):
            return dated.start, dated.end
    begins = [_next_word(text, first), *(match.end() for match in _BEGINS.finditer(text, first, start))]
    begin = next((at for at in reversed(begins) if text[at:start].strip(" ,\n")), start)
    return (begin, _trimmed(text, begin, start)) if begin < start else (start, end)


def _next_word(text: str, at: int) -> int:
    """Where the first whole word after a place in the text starts."""
    space = re.compile(r"\s+").search(text, at) if at else None
    return space.end() if space else at


def _trimmed(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip(" ,\n\t(-–—"))


def _unquoted(document: Document, term: str) -> Iterator[tuple[int, int, float]]:
    """Definitions without quotes: ``Rent means …`` or ``Rent: …`` at the start of a line, or a row of a table."""
    text, words = document.text, r"\s+".join(map(re.escape, term.split()))
    for table in document.tables:
        cells = {(cell.row, cell.column): cell for cell in table.cells}
        for (row, column), cell in cells.items():
            after = cells.get((row, column + 1))
            if after and _bare(cell.text) == term and after.end > after.start:
                yield after.start, after.end, 0.9
                return
    for match in re.finditer(_UNQUOTED.format(term=words), text, re.IGNORECASE):
        end = sentence_end(text, match.end())
        if text[match.end() : end].strip(" \n.;"):
            yield match.start() + len(match[0]) - len(match[0].lstrip()), end, 0.9
