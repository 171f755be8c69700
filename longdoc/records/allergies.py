"""Allergies in a note: substances, with how they show; and the words that say that there are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from longdoc.document import Document
from longdoc.labels import Answer
from longdoc.record_types import Allergy
from longdoc.records.evidence import cell
from longdoc.records.passages import Passage, Range, items, sentences, trim

_NO_ALLERGY = re.compile(
    r"(?i)\bn\.?k\.?(?:d\.?)?a\b|\bno(?:t)?\b[^.]{0,40}\ballerg|^(?:none|no|nil|nka|nkda|negative|not\s+known"
    r"|none\s+known|unknown)\b[^,;]{0,40}$|\bdenies\b[^.]{0,40}\ballerg|\bwithout\b[^.]{0,20}\ballerg"
)
_ALLERGIC_TO = re.compile(
    r"(?i)\ballerg(?:ic|y|ies)\s+(?:reactions?\s+)?(?:to|include[sd]?|:)\s+|\ballerg(?:ic|y|ies):\s+"
)
_ALLERGY_LEAD = re.compile(
    r"(?i)^(?:(?:the\s+)?(?:patient|pt|he|she)\s+)?(?:(?:is|has|an?|reports?|states|history\s+of|known|drug"
    r"|medication|food|positive\s+for|include[sd]?|also|following|the|multiple)\s+)*(?:allerg(?:ic|y|ies)\s*(?:to"
    r"|:|include[sd]?)?\s+)?(?:to\s+)?"
)
_REACTION = re.compile(
    r"(?i)\s{0,20}(?:\(\s*|:\s+|\s[-–—>]+\s+|\bwhich\s+causes?\s+|\bcauses?\s+|\bcausing\s+|\bwith\s+"
    r"|\bthat\s+(?:causes?|gives?)\s+|\t)(?P<reaction>[^()\t;]{2,60}?)\)?(?=\t|;|$)"
)
_STATUS_WORDS = re.compile(
    r"(?i)^(?:active|inactive|confirmed|unconfirmed|high|low|resolved|[,;\s]|mild|moderate|severe)+$"
)
_NO_SUBSTANCE = re.compile(
    r"(?i)\b(?:is|was|has|have|had|but|tolerated|reviewed|see|history|substance|reaction|status|allergen|does|can"
    r"|will|he|she|patient|type)\b"
)
_REFUTED = re.compile(r"(?i)\b(?:refuted|entered-in-error)\b")
_CODED = re.compile(r"[^;,:\n]{2,60}: [^;\n]*;")
_NOT_IN = ("family history", "results", "references")


def find_allergies(document: Document, found: Sequence[Passage]) -> tuple[tuple[Allergy, ...], Answer | None]:
    """The allergies, and the words that say there are none."""
    text, none = document.text, None
    allergies: dict[str, Allergy] = {}
    for passage in found:
        is_list, source = passage.kind == "allergies", passage.source
        if passage.kind in _NOT_IN:
            continue
        for start, end in sentences(text, passage.start, passage.end):
            begin, stop = trim(text, start, end)
            if "llerg" not in text[start:end].lower() and not is_list and "NKDA" not in text[start:end]:
                continue
            if _NO_ALLERGY.search(text[begin:stop]):
                is_said = is_list or re.search(r"(?i)drug|medication|known|nkd?a", text[begin:stop])
                none = none or (cell(document, start, end, label="no allergies", source=source) if is_said else None)
                continue
            for allergy in _substances(document, start, end, is_list, source):
                allergies.setdefault(allergy.substance.text.lower(), allergy)
    return tuple(allergies.values()), none


def _substances(document: Document, start: int, end: int, is_list: bool, source: str) -> Iterator[Allergy]:
    """The allergies that a sentence lists: in a section for them all items, elsewhere those after "allergic to"."""
    text = document.text
    said = _ALLERGIC_TO.search(text, start, end)
    tells = re.match(r"(?i)(?:the\s+)?(?:patient|pt|he|she)\s+(?:has|had|is|was|also)\b(?!.*allerg)", text[start:end])
    if said is None and (tells or not is_list):
        return
    lead = _ALLERGY_LEAD.match(text[start:end])
    begin = said.end() if said else start + (lead.end() if lead else 0)
    but = re.search(r"(?i),?\s+but\b|,?\s+(?:and|so)\s+(?:is|he|she|has)\b", text[begin:end])
    end = begin + but.start() if but else end
    for item, after in _allergens(text, begin, end):
        reaction = _REACTION.search(text, item, after)
        first, last = trim(text, item, reaction.start() if reaction else after)
        is_substance = last - first > 1 and len(text[first:last].split()) <= 5
        if not is_substance or _NO_SUBSTANCE.search(text[first:last]) or _REFUTED.search(text[last:after]):
            continue
        score = 0.9 if is_list else 0.8
        reaction = _coded_reaction(text, item, after) or reaction
        shown = None
        if reaction and not _STATUS_WORDS.match(reaction["reaction"]):
            shown = cell(document, *reaction.span("reaction"), label="reaction", source=source, score=score)
        yield Allergy(cell(document, first, last, label="allergy", source=source, score=score), shown)


def _allergens(text: str, start: int, end: int) -> Iterator[Range]:
    """The items of a list of allergies; a line of a table, or of a coded entry, is one."""
    if "\t" in text[start:end] or _CODED.match(text, start, end):
        yield start, end
    else:
        yield from items(text, start, end)


def _coded_reaction(text: str, start: int, end: int) -> re.Match[str] | None:
    """The reaction in a coded entry, "Penicillin: active; confirmed; hives": the first part that is no status."""
    if not _CODED.match(text, start, end):
        return None
    pieces = re.compile(r"[:;]\s+(?P<reaction>[^;]+)").finditer(text, start, end)
    return next((piece for piece in pieces if not _STATUS_WORDS.match(piece["reaction"])), None)
