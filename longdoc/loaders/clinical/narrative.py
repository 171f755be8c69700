"""Narratives of clinical records: XHTML in FHIR, and the markup of C-CDA, which resembles it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from longdoc.loaders.markup.builder import Builder, TextRange
from longdoc.loaders.markup.shifts import Part
from longdoc.loaders.markup.writer import Steps, XhtmlWriter
from longdoc.loaders.markup.xml import Element, attribute, tag_of, words_of

_HIDDEN = re.compile(r"display:none|visibility:hidden")
BLOCKS = frozenset(
    "text title section caption paragraph div p blockquote pre h1 h2 h3 h4 h5 h6 dt dd dl address table thead tbody "
    "tfoot tr td th list item ul ol li br hr footnote".split()
)
"""Elements whose text does not continue the word before them."""
PICTURES = ("img", "rendermultimedia")


class NarrativeWriter(XhtmlWriter):
    """Writes a narrative; counts its pictures, which are not read."""

    roles: ClassVar[Mapping[str, str]] = {
        **XhtmlWriter.roles,
        **dict.fromkeys(("del", "s", "strike"), "deleted"),
        "sup": "raised",
        "sub": "lowered",
        "img": "picture",
        "pre": "preformatted",
    }

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.n_pictures = 0
        self._mark: TextRange | None = None  # opened after the number or bullet of an item
        self._preformatted = 0

    def element(self, element: Element) -> Steps:
        """Writes an element, or records it as furniture if it is deleted or hidden."""
        kind = self.left_out(element) if element.attrib else ""
        if not kind or tag_of(element) in ("td", "th"):  # a cell left out is an empty one
            yield super().element(element)
        else:
            self.drop(element, kind)

    def content(self, element: Element) -> Steps:
        """Writes the text and the child elements of an element; the text of an item starts on the line of its mark."""
        if tag_of(element) in ("td", "th") and (kind := self.left_out(element)):
            self.drop(element, kind)
            return
        outer, is_item = self._mark, tag_of(element) in ("item", "li")
        if is_item:
            self._mark = self.builder.open_range()
        self.text(element.text or "")
        for child in element:
            yield self.element(child)
            self.text(child.tail or "")
        if is_item and self._mark is not None:
            self.builder.close_range(self._mark)
            self._mark = outer

    def item(self, element: Element) -> Steps:
        """A list item; a bullet without text is left out."""
        parent = element.getparent()
        has_bullet = parent is None or self.list_style(parent) == "bullet"
        if has_bullet and not _text(element).strip() and not has_picture(element):
            return
        yield super().item(element)

    def text(self, text: str) -> None:
        """Writes text; right after the mark of an item, without a break before it."""
        if self._mark is not None and self._mark.start < 0:
            rest = text.lstrip()
            self.builder.write(text[: len(text) - len(rest)])
            self.builder.pending_separator, text = "", rest
        (self.builder.write_lines if self._preformatted else self.builder.write)(text)

    def left_out(self, element: Element) -> str:
        """The kind of furniture that an element is; empty for running text."""
        style = element.get("style")
        return "hidden" if style and _HIDDEN.search(re.sub(r"\s+", "", style.lower())) else ""

    def drop(self, element: Element, kind: str) -> None:
        """Records the text of an element as furniture."""
        if text := words_of(element, BLOCKS):
            self.builder.drop(f" {text} ", kind)

    def deleted(self, element: Element) -> Steps:
        """Text that was struck out."""
        yield from ()
        self.drop(element, "deleted")

    def preformatted(self, element: Element) -> Steps:
        """A block whose line breaks are kept."""
        self.builder.separate("\n\n")
        self._preformatted += 1
        yield self.content(element)
        self._preformatted -= 1
        self.builder.separate("\n\n")

    def picture(self, element: Element) -> Steps:
        """The description of a picture."""
        yield from ()
        self.n_pictures += 1
        self.builder.separate(" ")
        self.text(attribute(element, "alt"))
        self.builder.separate(" ")

    def part_of(self, element: Element) -> Part:
        """What an element is in its line."""
        return "out" if element.attrib and self.left_out(element) else super().part_of(element)


def has_picture(element: Element) -> bool:
    """Whether an element shows a picture."""
    return any(tag_of(inner) in PICTURES for inner in element.iter())


def _text(element: Element) -> str:
    return "".join(map(str, element.itertext()))
