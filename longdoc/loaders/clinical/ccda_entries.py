"""Coded entries of clinical documents in C-CDA."""

from __future__ import annotations

from collections.abc import Iterable

from longdoc.loaders.clinical.ccda_header import date_of
from longdoc.loaders.clinical.words import Words
from longdoc.loaders.markup.xml import Element, tag_of


def entry_pieces(entry: Element) -> list[str]:
    """The names, values and dates of a coded entry, without repetitions."""
    pieces = []
    for part in entry.iter():
        if part.get("representation") == "B64":
            continue
        value, name = part.get("value") or "", part.get("displayName") or ""
        if tag_of(part) in ("effectivetime", "low", "high", "time") and value:
            pieces.append(date_of(value) + (f" {unit}" if (unit := part.get("unit")) else ""))
        elif value and not value.startswith("#"):  # a reference to the narrative
            pieces.append(f"{value} {part.get('unit') or ''}".strip())
        pieces += [name, " ".join((part.text or "").split()), " ".join((part.tail or "").split())]
    return list(dict.fromkeys(filter(None, pieces)))


def uncovered(pieces: Iterable[str], known: Words) -> list[str]:
    """The pieces that are not in a text."""
    return [piece for piece in dict.fromkeys(filter(None, pieces)) if piece not in known]


def embedded(entries: Iterable[Element]) -> list[Element]:
    """The parts of entries that hold a document or a picture."""
    return [part for entry in entries for part in entry.iter() if part.get("representation") == "B64"]
