"""Runs of a Word document: text, special characters, breaks, links and equations, hidden text and tracked changes."""

from __future__ import annotations

from longdoc.loaders.docx.elements import characters, is_hidden, is_struck_out, visible_text
from longdoc.loaders.docx.equations import linear, pieces_of
from longdoc.loaders.docx.numbering import value_of
from longdoc.loaders.docx.package import Styles, child, font_of
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of
from longdoc.loaders.symbol_fonts import shown_in, symbol_font

_COMPUTED = {"pgnum": "page number"}


class Runs:
    """Writes the content of paragraphs."""

    def __init__(self, walk: Walk, styles: Styles) -> None:
        self.walk, self.styles = walk, styles
        self._closing = ""  # what follows the text of a raised run

    def run(self, element: Element) -> Steps:
        """A run: text with the same formatting."""
        left_out = self._kind_left_out(element)
        opening, self._closing = self.walk.paragraph.marks.get(element, ("", ""))
        if not left_out:
            self.walk.insert(opening, "raised")
        yield self.walk.content_as(element, left_out)
        if self._closing and not left_out:
            self.walk.insert(self._closing, "raised")
        self._closing = ""

    def _kind_left_out(self, run: Element) -> str:
        """The kind of furniture that a run is, by its properties and its styles; empty for running text."""
        hidden, struck, paragraph = is_hidden(run), is_struck_out(run), self.walk.paragraph
        if hidden is None or struck is None:
            style = self.styles.get(value_of(child(run, "rpr"), "rstyle"))
            hidden = (paragraph.is_hidden or style.is_hidden) if hidden is None else hidden
            struck = (paragraph.is_struck or style.is_struck) if struck is None else struck
        return "hidden" if hidden else "deleted" if struck else ""

    def deletion(self, element: Element) -> Steps:
        """Text that a tracked change deletes."""
        yield self.walk.content_as(element, "deleted")

    def ruby(self, element: Element) -> Steps:
        """The pronunciation of the characters that follow."""
        yield self.walk.content_as(element, "ruby")

    def text(self, element: Element) -> Steps:
        """The text of a run."""
        yield from ()
        stored, is_last = element.text or "", element.getnext() is None
        text = self._shown(element, stored)
        if self._closing and is_last and not self.walk.furniture and text.strip():
            body = text.rstrip()
            self.walk.write(body, stored=stored[: len(body)])
            self.walk.insert(self._closing, "raised")
            self._closing, text, stored = "", text[len(body) :], stored[len(body) :]
        self.walk.write(text, "deleted" if tag_of(element) == "deltext" else "", stored=stored)

    def _shown(self, element: Element, text: str) -> str:
        """The text of a ``w:t`` in the font of its run."""
        properties = child(element.getparent(), "rpr")
        font = font_of(properties) or self.styles.get(value_of(properties, "rstyle")).font or self.walk.paragraph.font
        return shown_in(text, symbol_font(font))

    def character(self, element: Element) -> Steps:
        """A character with an element of its own."""
        yield from ()
        self.walk.write(characters(element))

    def computed(self, element: Element) -> Steps:
        """A page number or a date that Word computes."""
        yield from ()
        if not self.walk.furniture:
            self.walk.missing.append(_COMPUTED.get(tag_of(element), "date"))

    def line_break(self, element: Element) -> Steps:
        """The end of a line, column or page."""
        yield from ()
        if self.walk.furniture:
            return
        if attribute(element, "type") == "page":
            self.walk.start_page()
        else:
            self.walk.end_line()

    def rendered_page_break(self, element: Element) -> Steps:
        """A page break of Word's last layout; it may repeat an explicit break."""
        yield from ()
        if not self.walk.furniture:
            self.walk.start_page()

    def link(self, element: Element) -> Steps:
        """The text of a link to an address, or to a bookmark in the document."""
        relation = self.walk.relations.get(attribute(element, "id"))
        anchor = attribute(element, "anchor")
        uri = (relation.target if relation else "") + (f"#{anchor}" if anchor else "")
        if uri:
            self.walk.builder.open_link(uri)
        yield self.walk.content(element)
        if uri:
            self.walk.builder.close_link()
        self.walk.aside(attribute(element, "tooltip"), "alternative text")

    def equations(self, element: Element) -> Steps:
        """Equations on lines of their own."""
        is_several = len(children(element, "omath")) > 1
        for equation in element:
            if is_several:
                self.walk.end_line()
            yield self.walk.element(equation)

    def equation(self, element: Element) -> Steps:
        """An equation on one line, with the signs that its layout stands for."""
        pieces = pieces_of(element)
        text = linear(pieces)
        if self.walk.kind and not any(tag_of(inner) in ("del", "movefrom") for inner in element.iter()):
            self.walk.write(text)
            return
        if text[:1].isdigit() and self.walk.before[-1:].isdigit():
            self.walk.insert(" ", "formula")
        for piece in pieces:
            if piece.source is None:
                self.walk.insert(piece.text, "formula")
            elif tag_of(piece.source) == "phant":
                yield self.walk.content_as(piece.source, "hidden")
            elif piece.text and piece.text != visible_text(piece.source) and tag_of(piece.source) == "r":
                self.walk.write(piece.text)
            else:
                yield self.walk.element(piece.source)
        after = element.getnext()
        ends_in_digit = text[-1:].isdigit() and after is not None and tag_of(after) != "omath"
        if ends_in_digit and _first_character(after).isdigit():
            self.walk.insert(" ", "formula")


def _first_character(element: Element | None) -> str:
    """The first character of an element; empty if it has none."""
    return "" if element is None else next((found[0] for inner in element.iter() if (found := characters(inner))), "")
