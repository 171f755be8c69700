"""Headings that are known by name: those of clinical notes and of papers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from longdoc.sections._rules import headings

_LINE = re.compile(
    r"^[ \t]*(?P<bullet>[•*◦▪-][ \t\u202f]*)?(?P<number>\d{1,2}(?:\.\d{1,2})*\.?[ \t]+)?"
    r"(?P<name>[A-Za-z][A-Za-z0-9 /&,'’()\-]{0,60}?)[ \t]*(?P<mark>:(?=\s|$)|$|[ \t][-–—](?=[ \t]))",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading as found; its section goes down to the next of its level or above."""

    start: int
    level: int
    number: str
    title: str
    kind: str


def named_headings(text: str, table: str, further: Mapping[str, str]) -> list[Heading]:
    """The headings that the table ``"clinical"`` or ``"paper"`` knows, and ``further`` ones, in order.

    In notes, an unknown heading in capitals on a line of its own counts too (kind ``"heading"``), and so does a bullet
    that ends in a colon ("• Medical Reasoning:"), one level below.
    """
    kinds = headings(table) | {name.lower(): kind for name, kind in further.items()}
    found = []
    for match in _LINE.finditer(text):
        name = " ".join(match["name"].split())
        kind = kinds.get(name.lower().replace("’", "'"))
        level = 2 if match["bullet"] else 1
        alone = not match["mark"]
        if kind is None and table == "clinical":
            capitals = alone and name.isupper() and len(name) > 3 and not match["number"] and not match["bullet"]
            kind = "heading" if capitals or (match["bullet"] and match["mark"] == ":") else None
        if kind is not None and (name[0].isupper() or table == "clinical") and not (table == "paper" and level == 2):
            found.append(Heading(match.start("name"), level, "", name, kind))
    return found
