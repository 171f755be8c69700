"""Reads single elements of a Word file: symbols, joined paragraphs, the words of a part."""

from __future__ import annotations

import re

from longdoc.loaders.docx.numbering import is_on
from longdoc.loaders.docx.package import child
from longdoc.loaders.markup.xml import Element, attribute, tag_of

_GREEK = dict(
    zip(
        "abgdezhqiklmnxoprstufcywABGDEZHQIKLMNXOPRSTUFCYW",
        "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        strict=True,
    )
)
_SYMBOL = {ord(letter): greek for letter, greek in _GREEK.items()} | dict(
    zip(
        bytes.fromhex("a3 a5 ac ae b0 b1 b2 b3 b4 b7 b8 b9 bb d2 d3 d4 d6 e2 e3 e4"),
        "≤∞←→°±″≥×•÷≠≈®©™√®©™",
        strict=True,
    )
)
_WINGDINGS = dict(zip(bytes.fromhex("6c 6e 6f 71 76 a7 a8 d8 df e0 fb fc fd fe"), "●■☐❑❖▪☐➢←→✗✓☒☑", strict=True))

_FONTS = {"Symbol": _SYMBOL, "Wingdings": _WINGDINGS}


def by_id(root: Element | None) -> dict[str, Element]:
    """The notes or comments of a part, by id."""
    return {} if root is None else {attribute(element, "id"): element for element in root}


def is_current(section: Element) -> bool:
    """Whether section properties are current rather than replaced by a tracked change."""
    parent = section.getparent()
    return parent is not None and tag_of(parent) in ("body", "ppr")


def mark_is_deleted(paragraph: Element) -> bool:
    """Whether a tracked change deletes the paragraph mark, which joins the paragraph to the next one."""
    mark = child(child(paragraph, "ppr"), "rpr")
    return child(mark, "del") is not None or child(mark, "movefrom") is not None


def runs_in(paragraph: Element) -> bool:
    """Whether the paragraph ends in a style separator, so that the next one is on the same line."""
    return is_on(child(child(paragraph, "ppr"), "rpr"), "specvanish") is True


def last_joined(paragraph: Element) -> Element:
    """The last of the paragraphs that tracked changes join; its properties apply to all of them."""
    while mark_is_deleted(paragraph) and (after := paragraph.getnext()) is not None and tag_of(after) == "p":
        paragraph = after
    return paragraph


def is_joined(paragraph: Element) -> bool:
    """Whether the next paragraph is on the same line."""
    after = paragraph.getnext()
    return after is not None and tag_of(after) == "p" and (mark_is_deleted(paragraph) or runs_in(paragraph))


def symbol(element: Element) -> str:
    """The character of a ``w:sym``; for unknown fonts, a character of the private use area."""
    code = attribute(element, "char")
    if not re.fullmatch("[0-9A-Fa-f]{1,4}", code):
        return "\ufffd"
    number = int(code, 16)
    shown = _FONTS.get(attribute(element, "font"), {}).get(number & 0xFF)
    return shown if shown and number >> 8 in (0, 0xF0) else re.sub("[\0\ud800-\udfff]", "\ufffd", chr(number))


def words(root: Element) -> str:
    """The text of a part, with white space collapsed; of alternatives, one is read."""
    pieces, stack = [], [root]
    while stack:
        element = stack.pop()
        tag = tag_of(element)
        pieces.append((element.text or "") if tag == "t" else " " if tag in ("p", "tab", "br", "cr") else "")
        if tag not in ("del", "movefrom") and not (tag == "fallback" and element.getprevious() is not None):
            stack += reversed(element)
    return " ".join("".join(pieces).split())
