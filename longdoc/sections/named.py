"""Recognises the headings of clinical notes and papers by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from longdoc.sections.tables import section_kinds
from longdoc.sections.tree import Heading

_LINE = re.compile(
    r"^[ \t]*(?P<bullet>[•*◦▪-][ \t\u202f]*)?(?P<number>\d{1,2}(?:\.\d{1,2})*\.?[ \t]+)?"
    r"(?P<name>[A-Za-z][A-Za-z0-9 /&,'’()\-]{0,60}?)[ \t]*(?P<mark>:(?=\s|$)|$|[ \t][-–—](?=[ \t]))",
    re.MULTILINE,
)


def named_headings(text: str, table: str, extra: Mapping[str, str]) -> list[Heading]:
    """The headings of a text that a table lists, in order.

    In clinical notes, two kinds of unlisted headings are found as well, as kind ``"heading"``: a line in capitals, and
    a bullet that ends in a colon ("• Medical Reasoning:"), one level below.

    Args:
        text: the document's text.
        table: ``"clinical"`` or ``"paper"``.
        extra: headings in addition to those of the table, each with its kind.
    """
    kinds = section_kinds(table) | {name.lower(): kind for name, kind in extra.items()}
    found = []
    for match in _LINE.finditer(text):
        name = " ".join(match["name"].split())
        kind = kinds.get(name.lower().replace("’", "'"))
        level = 2 if match["bullet"] else 1
        if kind is None and table == "clinical":
            marked = match["mark"] or match["number"] or match["bullet"]
            capitals = name.isupper() and len(name) > 3 and not marked
            kind = "heading" if capitals or (match["bullet"] and match["mark"] == ":") else None
        if kind is not None and (name[0].isupper() or table == "clinical") and not (table == "paper" and level == 2):
            found.append(Heading(match.start("name"), level, "", name, kind))
    return found
