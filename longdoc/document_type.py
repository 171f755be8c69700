"""What kind of document it is: a contract, a paper, a clinical note or something else. A cheap look without a model.

>>> from longdoc.document import Document
>>> text = '''SUPPLY AGREEMENT
... This Agreement is made by and between Acme, Inc. ("Supplier") and Beta LLC ("Buyer").
... NOW, THEREFORE, the parties hereby agree as follows.
... IN WITNESS WHEREOF, the parties have signed.'''
>>> document_type(Document.from_text(text)).kind
'contract'

The signs, with their points, are data: ``assets/document_types.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from longdoc.config import load_yaml
from longdoc.document import Document

Kind: TypeAlias = Literal["contract", "paper", "note", "other"]

_SIGNS = Path(__file__).parent / "assets" / "document_types.yaml"
_TOP, _END, _MIDDLE = 8_000, 15_000, 20_000
_ENOUGH = 5
"""Points that a kind needs; with fewer, the document is "other"."""
_WITHOUT_WORDS = re.compile(r"(\W{20})\W{20,}")
"""A long run without words, which tells nothing and takes some patterns quadratic time."""
_AHEAD = 2
"""Points that it must have more than every other kind."""
_STRUCTURED: Mapping[str, Kind] = {"jats": "paper", "ccda": "note", "fhir": "note"}
"""Loader of a format for one kind of document -> that kind."""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """The kind of a document, with how sure that is and what speaks for it."""

    kind: Kind
    score: float
    """0 to 1: the share of the points, which grows with their number; not a calibrated probability."""
    reasons: tuple[str, ...]
    """What was found, the weightiest first; for "other", what little speaks for the nearest kind."""
    points: Mapping[str, float]
    """The points of each kind but "other", none below 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that speaks for a kind of document, or against it."""

    kind: Literal["contract", "paper", "note"]
    points: float
    says: str
    """What it is, in words, for ``reasons``."""
    part: Literal["top", "end", "text"] = "text"
    pattern: str = ""
    sections: tuple[str, ...] = ()
    """Kinds of section, instead of a pattern."""
    least: int = 1
    """Matches that are needed."""
    distinct: bool = False
    """Whether only different words count."""
    rate: float = 0.0
    """Matches that are needed in 1,000 words of the part."""

    def __post_init__(self) -> None:
        if bool(self.pattern) == bool(self.sections):
            raise ValueError("give either a pattern or sections")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignsFile:
    """The content of ``document_types.yaml``."""

    signs: tuple[Sign, ...]


@cache
def _signs() -> tuple[tuple[Sign, re.Pattern[str]], ...]:
    signs = load_yaml(SignsFile, _SIGNS).signs
    return tuple((sign, re.compile(sign.pattern, re.MULTILINE)) for sign in signs)


def document_type(document: Document) -> DocumentType:
    """Tells the kind of a document by its format, its sections and its words; "other" when unsure.

    Time does not grow with the length of the document: the top, the end and a piece of the middle are looked at. It is
    told once for each document.
    """
    return document.once(_told)


def _told(document: Document) -> DocumentType:
    if known := _STRUCTURED.get(document.source.loader):
        reason = f"its format, {document.source.loader}, is for this kind"
        return DocumentType(known, 1.0, (reason,), {known: float(_ENOUGH)})
    parts, kinds = _parts_of(document.text), [section.kind for section in document.sections]
    found = [sign for sign, pattern in _signs() if _is_there(sign, pattern, parts, kinds)]
    points = {kind: max(0.0, sum(s.points for s in found if s.kind == kind)) for kind in get_args(Kind)[:-1]}
    best, second = sorted(points, key=lambda kind: -points[kind])[:2]
    reasons = [sign for sign in found if sign.kind == best and sign.points > 0]
    said = tuple(sign.says for sign in sorted(reasons, key=lambda sign: -sign.points))
    share = points[best] / (points[best] + points[second] + 1.5)
    if points[best] < _ENOUGH or points[best] - points[second] < _AHEAD:
        return DocumentType("other", round(1 - share if said else 1.0, 3), said, points)
    return DocumentType(best, round(share, 3), said, points)


def _parts_of(text: str) -> dict[str, str]:
    """The parts of a text that signs look at."""
    middle = len(text) // 2
    whole = [text[:_MIDDLE], text[max(_MIDDLE, middle - _MIDDLE // 2) : middle + _MIDDLE // 2], text[-_END:]]
    parts = {
        "top": text[:_TOP],
        "end": text[-_END:],
        "text": text if len(text) <= 2 * _MIDDLE + _END else "\n\n".join(whole),
    }
    return {name: _WITHOUT_WORDS.sub(r"\1\n", part) for name, part in parts.items()}


def _is_there(sign: Sign, pattern: re.Pattern[str], parts: dict[str, str], kinds: list[str]) -> bool:
    """Whether a sign is found often enough."""
    if sign.sections:
        return len(set(kinds) & set(sign.sections)) >= sign.least
    text = parts[sign.part]
    found = [" ".join(match.group().lower().split()) for match in pattern.finditer(text)]
    count = len(set(found)) if sign.distinct else len(found)
    return count >= max(1, sign.least) and (not sign.rate or count >= sign.rate * len(text.split()) / 1000)
