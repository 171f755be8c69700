"""Equations of a Word document, as text on one line that keeps their value: ``(b+c)/(4+x)``, ``10^3``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from longdoc.loaders.docx.elements import characters, visible_text
from longdoc.loaders.docx.numbering import is_on
from longdoc.loaders.docx.package import child
from longdoc.loaders.markup.formulas import needs_brackets
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of

_PROPERTIES = re.compile("[a-z]*pr")
_SIGNS = re.compile("['*°∘†‡′″‴⁗]+")  # raised in print, and no exponents
_ALIGNING = re.compile("[&#]")
_SUM = re.compile("[-+−=<>≤≥±]")
_ACCENTS = {"bar": "\u0305", "acc": "\u0302"}


class Piece(NamedTuple):
    """A piece of an equation: the text of an element of the source, or inserted text."""

    text: str
    source: Element | None = None


Pieces = list[Piece]


def linear(pieces: Sequence[Piece]) -> str:
    """The text of pieces."""
    return "".join(piece.text for piece in pieces)


def pieces_of(element: Element) -> Pieces:
    """The pieces of an equation or of a part of it, in the order in which they are read."""
    tag = tag_of(element)
    if _PROPERTIES.fullmatch(tag):
        return []
    if tag == "r":
        return [Piece(visible_text(element), element)]
    if tag in ("del", "movefrom") or (tag == "phant" and is_on(child(element, "phantpr"), "show") is False):
        return [Piece("", element)]
    if tag in ("t", "sym", "tab"):
        return [Piece(characters(element), element)]
    return _STRUCTURES.get(tag, _row)(element)


def _row(element: Element) -> Pieces:
    """Parts side by side; where they touch, a fraction gets brackets and numbers a space between them."""
    parts = [(tag_of(part), pieces_of(part)) for part in element]
    firsts = [linear(pieces)[0] for _, pieces in parts if linear(pieces)]
    followers = iter([*firsts[1:], ""])
    found: Pieces = []
    before = before_tag = ""
    for tag, pieces in parts:
        shown = pieces
        if not linear(pieces):
            found += pieces
            continue
        after = next(followers)
        if tag == "f":
            is_mixed = before.isdigit() and re.fullmatch(r"\d+/\d+", linear(pieces))
            touches_before = before.isalnum() or before in (")", "]")
            if after.isalnum() or after in ("(", "√") or (touches_before and not is_mixed):
                shown = _bracketed(pieces, always=True)
        if _touch(before, linear(shown)) and (tag, before_tag) != ("r", "r"):
            found.append(Piece(" "))
        found += shown
        before, before_tag = linear(shown)[-1], tag
    return found


def _touch(before: str, text: str) -> bool:
    """Whether digits would touch that belong to different numbers."""
    return before.isdigit() and text[:1].isdigit()


def _part(element: Element, tag: str) -> Pieces:
    """The pieces of a part; empty if it is missing."""
    found = child(element, tag)
    return [] if found is None else pieces_of(found)


def _property(element: Element, tag: str, default: str) -> str:
    """The character that a structure has by its properties; it may be none."""
    found = child(child(element, f"{tag_of(element)}pr"), tag)
    return default if found is None else attribute(found, "val")


def _bracketed(pieces: Pieces, *, always: bool = False) -> Pieces:
    """Pieces in brackets if they have several parts."""
    if always or (linear(pieces) and needs_brackets(linear(pieces))):
        return [Piece("("), *pieces, Piece(")")]
    return pieces


def _fraction(element: Element) -> Pieces:
    over, under = _part(element, "num"), _part(element, "den")
    if not linear(over) or not linear(under):
        return over + under
    if _property(element, "type", "bar") == "noBar":
        return [*over, Piece("¦"), *under]
    return [*_bracketed(over), Piece("/"), *_bracketed(under)]


def _script(sign: str, pieces: Pieces) -> Pieces:
    """A lowered or raised part with its sign; empty if it is empty."""
    text = linear(pieces)
    if not text or (sign == "^" and _SIGNS.fullmatch(text)):
        return pieces
    return [Piece(sign), *_bracketed(pieces)]


def _scripts(element: Element) -> Pieces:
    scripts = _script("_", _part(element, "sub")) + _script("^", _part(element, "sup"))
    if tag_of(element) == "spre":
        return [Piece("("), *scripts, Piece(")"), *_part(element, "e")]
    return _bracketed(_part(element, "e")) + scripts


def _root(element: Element) -> Pieces:
    degree, inner = _part(element, "deg"), _bracketed(_part(element, "e"))
    if not linear(degree) or is_on(child(element, "radpr"), "deghide"):
        return [Piece("√"), *inner]
    return [*inner, Piece("^(1/"), *_bracketed(degree), Piece(")")]


def _delimited(element: Element) -> Pieces:
    opening, separator, closing = (
        _property(element, tag, default) for tag, default in (("begchr", "("), ("sepchr", "|"), ("endchr", ")"))
    )
    found = _joined(children(element, "e"), separator)
    return [Piece(opening), *found, Piece(closing)]


def _joined(parts: Sequence[Element], separator: str) -> Pieces:
    found: Pieces = []
    for index, part in enumerate(parts):
        found += [Piece(separator)] * (index > 0) + pieces_of(part)
    return found


def _nary(element: Element) -> Pieces:
    operator = _property(element, "chr", "∫")
    properties = child(element, "narypr")
    limits = [
        piece
        for sign, tag in (("_", "sub"), ("^", "sup"))
        if not is_on(properties, f"{tag}hide")
        for piece in _script(sign, _part(element, tag))
    ]
    inner = _part(element, "e")
    if _SUM.search(linear(inner)):
        inner = _bracketed(inner)
    return [Piece(operator), *limits, *([Piece(" "), *inner] if linear(inner) else inner)]


def _function(element: Element) -> Pieces:
    inner = _bracketed(_part(element, "e"))
    is_enclosed = linear(inner)[:1] in ("(", "[", "{", "|", "")
    return [*_part(element, "fname"), Piece("" if is_enclosed else " "), *inner]


def _limit(element: Element) -> Pieces:
    return _part(element, "e") + _script("_" if tag_of(element) == "limlow" else "^", _part(element, "lim"))


def _accent(element: Element) -> Pieces:
    tag = tag_of(element)
    mark = _property(element, "chr", _ACCENTS[tag])
    if tag == "bar" and _property(element, "pos", "top") == "bot":
        mark = "\u0332"
    inner = _part(element, "e")
    return [*_bracketed(inner, always=len(linear(inner)) > 1), Piece(mark)] if linear(inner) else inner


def _matrix(element: Element) -> Pieces:
    parent = element.getparent()
    around = parent.getparent() if parent is not None else None
    is_enclosed = around is not None and tag_of(around) == "d" and _has_bracket(around)
    rows = children(element, "mr")
    found: Pieces = []
    for index, row in enumerate(rows):
        found += [Piece("; ")] * (index > 0) + _joined(children(row, "e"), ", ")
    return found if is_enclosed else [Piece("["), *found, Piece("]")]


def _has_bracket(element: Element) -> bool:
    """Whether a delimited part shows a bracket before its only content."""
    return len(children(element, "e")) == 1 and bool(_property(element, "begchr", "("))


def _lines(element: Element) -> Pieces:
    """Lines below each other; the signs in them that only align them are left out."""
    found = _joined(children(element, "e"), "; ")
    return [piece._replace(text=_ALIGNING.sub(lambda sign: " " * (sign[0] == "#"), piece.text)) for piece in found]


_STRUCTURES: dict[str, Callable[[Element], Pieces]] = {
    "f": _fraction,
    **dict.fromkeys(("ssup", "ssub", "ssubsup", "spre"), _scripts),
    "rad": _root,
    "d": _delimited,
    "nary": _nary,
    "func": _function,
    **dict.fromkeys(("limlow", "limupp"), _limit),
    **dict.fromkeys(("acc", "bar"), _accent),
    "m": _matrix,
    "eqarr": _lines,
}
