"""The YAML tables in ``assets/sections``: how documents name their parts.

For longdoc to recognise another heading, add it to the table of its kind of document. An unknown key is an error.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from longdoc.config import load_yaml

_FOLDER = Path(__file__).parents[1] / "assets" / "sections"


@dataclass(frozen=True, slots=True)
class LegalTable:
    """``legal.yaml``: the wording of contracts and statutes."""

    units: dict[str, tuple[str, ...]]
    """Kind of section -> words before its number."""
    attachments: dict[str, tuple[str, ...]]
    """Kind of attachment -> words before its name; the numbering restarts in an attachment."""
    recitals: tuple[str, ...]
    """Headings of the recitals."""
    breaks: tuple[str, ...]
    """Phrases after which the numbering restarts."""
    before_reference: tuple[str, ...]
    """Words after which a number at the start of a line belongs to the sentence."""
    sentence_words: tuple[str, ...]
    """Words that make a line a sentence rather than a heading."""


@dataclass(frozen=True, slots=True)
class KindsTable:
    """A table of section kinds, such as ``clinical.yaml``."""

    kinds: dict[str, tuple[str, ...]]
    """Kind of section -> its headings or codes, in lower case."""

    def __post_init__(self) -> None:
        counts = Counter(name for names in self.kinds.values() for name in names)
        repeated = sorted(name for name, count in counts.items() if count > 1)
        if repeated:
            raise ValueError(f"listed more than once: {', '.join(repeated)}; keep each under one kind")


@cache
def legal_table() -> LegalTable:
    """The table of contracts and statutes."""
    return load_yaml(LegalTable, _FOLDER / "legal.yaml")


@cache
def section_kinds(table: str) -> dict[str, str]:
    """The kind of section for each heading or code, in lower case.

    Args:
        table: ``"clinical"`` or ``"paper"`` (headings in the text), ``"jats"`` (section types and titles of JATS XML)
            or ``"loinc"`` (section codes of C-CDA and FHIR).
    """
    kinds = load_yaml(KindsTable, _FOLDER / f"{table}.yaml").kinds
    return {name: kind for kind, names in kinds.items() for name in names}
