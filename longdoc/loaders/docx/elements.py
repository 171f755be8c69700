"""Questions that the elements of a Word file answer by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.docx.package import child
from longdoc.loaders.markup.xml import Element, attribute, tag_of, whole_number

_AROUND_ROWS = frozenset("sdt sdtcontent customxml ins del moveto movefrom smarttag".split())
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
    """The notes or comments of a part."""
    return {} if root is None else {attribute(element, "id"): element for element in root}


def is_current(section: Element) -> bool:
    """Whether section properties are not what a tracked change replaced."""
    parent = section.getparent()
    return parent is not None and tag_of(parent) in ("body", "ppr")


def mark_deleted(paragraph: Element) -> bool:
    """Whether a tracked change joins the paragraph to the next one."""
    mark = child(child(paragraph, "ppr"), "rpr")
    return child(mark, "del") is not None or child(mark, "movefrom") is not None


def runs_on(paragraph: Element) -> bool:
    """Whether the paragraph ends in a style separator: the next one stands in the same line."""
    return is_on(child(child(paragraph, "ppr"), "rpr"), "specvanish") is True


def last_of(paragraph: Element) -> Element:
    """The last of the paragraphs that tracked changes join: it says how all of them look."""
    while mark_deleted(paragraph) and (after := paragraph.getnext()) is not None and tag_of(after) == "p":
        paragraph = after
    return paragraph


def goes_on(paragraph: Element) -> bool:
    """Whether the next paragraph stands in the same line."""
    after = paragraph.getnext()
    return after is not None and tag_of(after) == "p" and (mark_deleted(paragraph) or runs_on(paragraph))


def symbol(element: Element) -> str:
    """The character of a symbol font; one of private use where the font's meaning of it is not known here."""
    code = attribute(element, "char")
    if not re.fullmatch("[0-9A-Fa-f]{1,4}", code):
        return "\ufffd"
    number = int(code, 16)
    shown = _FONTS.get(attribute(element, "font"), {}).get(number & 0xFF)
    return shown if shown and number >> 8 in (0, 0xF0) else re.sub("[\0\ud800-\udfff]", "\ufffd", chr(number))


def words(root: Element) -> str:
    """The text of a part, white space folded; alternatives are read once."""
    pieces, stack = [], [root]
    while stack:
        element = stack.pop()
        tag = tag_of(element)
        pieces.append((element.text or "") if tag == "t" else " " if tag in ("p", "tab", "br", "cr") else "")
        if tag not in ("del", "movefrom") and not (tag == "fallback" and element.getprevious() is not None):
            stack += reversed(element)
    return " ".join("".join(pieces).split())


def _inside(element: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row; content controls and changes may stand around them."""
    stack = list(reversed(element))
    while stack:
        inner = stack.pop()
        if tag_of(inner) == tag:
            yield inner
        elif tag_of(inner) in _AROUND_ROWS:
            stack += reversed(inner)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: dict[int, tuple[Element, int]]
    """Column -> the cell that starts there, and its width."""
    left_out: str
    """``"deleted"`` or ``"hidden"`` where the row is no part of the text."""

    def merges(self, column: int) -> bool:
        """Whether the cell that starts there is one of several, one above the other."""
        return column in self.cells and child(child(self.cells[column][0], "tcpr"), "vmerge") is not None

    def goes_on(self, column: int) -> bool:
        """Whether the cell that starts there belongs to the one above."""
        return self.merges(column) and value_of(child(self.cells[column][0], "tcpr"), "vmerge") != "restart"


def rows_of(table: Element) -> list[Row]:
    """The rows of a table; content controls and changes may stand around them and around their cells."""
    rows = []
    for row in _inside(table, "tr"):
        properties = child(row, "trpr")
        gone = "deleted" if child(properties, "del") is not None else "hidden" if is_on(properties, "hidden") else ""
        column, cells = whole_number(value_of(properties, "gridbefore") or "0"), {}
        for cell in _inside(row, "tc"):
            width = max(whole_number(value_of(child(cell, "tcpr"), "gridspan") or "1"), 1)
            cells[column] = cell, width
            column += width
        rows.append(Row(cells, gone))
    return rows


def height(rows: list[Row], index: int, column: int) -> int:
    """The rows that a cell covers, those left out not counted."""
    if not rows[index].merges(column):
        return 1
    covered = 1
    for row in islice(rows, index + 1, None):
        if not row.left_out and not row.goes_on(column):
            break
        covered += not row.left_out
    return covered
