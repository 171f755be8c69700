"""Coded entries of clinical documents in C-CDA: names, values and dates, with what is negated, stopped or a range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from longdoc.loaders.clinical.ccda_values import as_quantity, interpretation_of, is_end, is_time, status_of, times_of
from longdoc.loaders.clinical.words import Words
from longdoc.loaders.markup.xml import Element, attribute, tag_of

_STATEMENTS = frozenset("act encounter observation organizer procedure substanceadministration supply".split())
_VALUES = ("value", "quantity", "interpretationcode")
"""How the tags of elements end that hold a value, rather than a name or a date."""


class Piece(NamedTuple):
    """A part of the line of an entry."""

    text: str
    values: tuple[str, ...]
    """What it says without labels, to look for in a narrative."""


@dataclass(slots=True)
class _Scope:
    """What has been said within an element, so that nothing is said twice."""

    names: set[str] = field(default_factory=set)
    """All texts in the entry, or in the part of it that is negated."""
    values: set[str] = field(default_factory=set)
    """All texts in the statement: two statements may have the same values."""

    def is_new(self, text: str, *, is_value: bool) -> bool:
        """Whether a text has not been said, and adds it."""
        is_new = bool(text) and text not in self.values and (is_value or text not in self.names)
        self.names.add(text)
        self.values.add(text)
        return is_new


class _End(NamedTuple):
    """The end of an element whose pieces start at a position."""

    element: Element
    start: int


def entry_pieces(entry: Element) -> list[Piece]:
    """The names, values and dates of a coded entry.

    A negated statement is one piece, which starts with ``no:``; a reference range is one in brackets. A status follows
    its statement, unless it is completed or active.
    """
    pieces: list[Piece] = []
    waiting: list[tuple[Element | _End, _Scope]] = [(entry, _Scope())]
    while waiting:
        part, scope = waiting.pop()
        if isinstance(part, _End):
            pieces[part.start :] = _closed(part.element, pieces[part.start :])
            continue
        if part.get("representation") == "B64":
            continue
        is_value = tag_of(part).endswith(_VALUES)
        pieces += [piece for piece in _own_pieces(part) if scope.is_new(piece.text, is_value=is_value)]
        inner = _inner_scope(part, scope)
        if inner is not scope:
            waiting.append((_End(part, len(pieces)), scope))
        waiting += [(child, inner) for child in reversed(part) if not is_end(child)]
    return pieces


def _own_pieces(part: Element) -> list[Piece]:
    """What an element itself says, and the text after it."""
    times = times_of(part) if is_time(part) else [("", as_quantity(part))]
    value = Piece(" ".join(filter(None, chain.from_iterable(times))), tuple(time for _, time in times))
    name = interpretation_of(part) if tag_of(part) == "interpretationcode" else attribute(part, "displayName")
    texts = [name, *(" ".join((text or "").split()) for text in (part.text, part.tail))]
    return [value, *(Piece(text, (text,)) for text in texts)]


def _inner_scope(part: Element, scope: _Scope) -> _Scope:
    """The scope of the children of an element: a new one for statements and reference ranges."""
    if _is_negated(part) or tag_of(part) == "referencerange":
        return _Scope()
    return _Scope(scope.names) if tag_of(part) in _STATEMENTS else scope


def _closed(element: Element, pieces: list[Piece]) -> list[Piece]:
    """The pieces of a statement or a reference range, complete."""
    if status := status_of(element):
        pieces.append(Piece(status, (status,)))
    if not pieces:
        return []
    joined = ", ".join(piece.text for piece in pieces)
    values = tuple(value for piece in pieces for value in piece.values)
    if tag_of(element) == "referencerange":
        return [Piece(f"(reference {joined})", values)]
    return [Piece(f"no: {joined}", values)] if _is_negated(element) else pieces


def _is_negated(element: Element) -> bool:
    return attribute(element, "negationInd") in ("true", "1")


def uncovered(pieces: Iterable[Piece], known: Words) -> list[str]:
    """The texts of the pieces with a value that is not in a text."""
    found = [piece.text for piece in pieces if any(value not in known for value in piece.values)]
    return list(dict.fromkeys(filter(None, found)))


def embedded(entries: Iterable[Element]) -> list[Element]:
    """The parts of entries that hold a document or a picture."""
    return [part for entry in entries for part in entry.iter() if part.get("representation") == "B64"]
