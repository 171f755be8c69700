"""The rule tables, read once: what headings are called.

The tables are YAML files in `assets/sections`. To teach longdoc a heading, add it there under the kind it means; a key
that is not known is refused, so a slip cannot go unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from longdoc.config import load_yaml

_FOLDER = Path(__file__).parents[1] / "assets" / "sections"


@dataclass(frozen=True, slots=True)
class LegalRules:
    """``legal.yaml``."""

    units: dict[str, tuple[str, ...]]
    """Kind -> words before its number."""
    attachments: dict[str, tuple[str, ...]]
    """Kind -> words of parts that restart the numbering."""
    recitals: tuple[str, ...]
    breaks: tuple[str, ...]
    """Words after which numbering starts again outside of what came before."""
    before_reference: tuple[str, ...]
    sentence_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedRules:
    """``clinical.yaml`` or ``paper.yaml``."""

    kinds: dict[str, tuple[str, ...]]
    """Kind of section -> its headings in lower case."""

    def kind_of(self) -> dict[str, str]:
        """Heading -> kind.

        Raises:
            ValueError: a heading stands under two kinds.
        """
        pairs = [(name, kind) for kind, names in self.kinds.items() for name in names]
        twice = {name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1}
        if twice:
            raise ValueError(f"headings under two kinds: {sorted(twice)}; keep each under one")
        return dict(pairs)


@cache
def legal_rules() -> LegalRules:
    """``legal.yaml``."""
    return load_yaml(LegalRules, _FOLDER / "legal.yaml")


@cache
def headings(table: str) -> dict[str, str]:
    """Heading in lower case -> kind, of the table ``"clinical"`` or ``"paper"``."""
    return load_yaml(NamedRules, _FOLDER / f"{table}.yaml").kind_of()
