"""Runs of a Word document: text, special characters, breaks and links, hidden text and tracked changes."""

from __future__ import annotations

from longdoc.loaders.docx.elements import symbol
from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.docx.package import Styles, child
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of


class Runs:
    """Writes the content of paragraphs."""

    def __init__(self, walk: Walk, styles: Styles) -> None:
        self.walk, self.styles = walk, styles

    def run(self, element: Element) -> Steps:
        """A run: text with the same formatting."""
        properties = child(element, "rpr")
        hidden = is_on(properties, "vanish")
        if hidden is None:
            hidden = self.walk.paragraph.is_hidden or self.styles.get(value_of(properties, "rstyle")).is_hidden
        yield self.walk.content_as(element, "hidden" if hidden else "")

    def deletion(self, element: Element) -> Steps:
        """Text that a tracked change deletes."""
        yield self.walk.content_as(element, "deleted")

    def text(self, element: Element) -> Steps:
        """The text of a run."""
        yield from ()
        self.walk.write(element.text or "", "deleted" if tag_of(element) == "deltext" else "")

    def character(self, element: Element) -> Steps:
        """A character with an element of its own."""
        yield from ()
        tag = tag_of(element)
        character = symbol(element) if tag == "sym" else {"softhyphen": "\xad", "nobreakhyphen": "-"}.get(tag, "\t")
        self.walk.write(character)

    def line_break(self, element: Element) -> Steps:
        """The end of a line, column or page."""
        yield from ()
        if self.walk.furniture:
            return
        if attribute(element, "type") == "page":
            self.walk.start_page()
        else:
            self.walk.builder.separate("\n")

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

    def alternative(self, element: Element) -> Steps:
        """The same content for newer and for older programs; only one of them is read."""
        choices = children(element, "choice") or children(element, "fallback")
        for choice in choices[:1]:
            yield self.walk.content(choice)

    def text_box(self, element: Element) -> Steps:
        """A text box; it is written after its paragraph."""
        yield from ()
        self.walk.paragraph.boxes.append((element, self.walk.furniture))

    def other_file(self, element: Element) -> Steps:
        """An embedded file of another format; it is not read."""
        yield from ()
        relation = self.walk.relations.get(attribute(element, "id"))
        target = relation.target if relation else "?"
        self.walk.parts.warnings.append(f"the file {target} within it is not read; load it by itself")
