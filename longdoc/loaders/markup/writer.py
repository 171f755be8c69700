"""Writes XML elements through a Builder without recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, ClassVar

from longdoc.loaders.markup.builder import Builder, Separator
from longdoc.loaders.markup.shifts import DEEPEST, Part, Shifts
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of, text_of, whole_number
from longdoc.sections.numerals import numeral

Steps = Iterator[Any]
"""A generator that yields further Steps, each of which is completed before it resumes: recursion without the stack."""


def run(steps: Steps) -> None:
    """Completes the steps, including those that they yield."""
    stack = [steps]
    while stack:
        inner = next(stack[-1], None)
        if inner is None:
            stack.pop()
        else:
            stack.append(inner)


_LINKS = ("xref", "a", "linkhtml")


class Writer:
    """Writes elements through a Builder, each by the method of its role."""

    roles: ClassVar[Mapping[str, str]] = {}
    """Tag -> name of the method that writes the element; :meth:`inline` writes elements of all other tags."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._lists: list[tuple[str, Iterator[int]]] = []
        self._in_table = self._in_row = False
        self._n_shifts = 0  # raised and lowered elements around the current one
        self._link_texts: dict[Element, str] = {}  # of links around raised text, without brackets
        self._shifts = Shifts(self.part_of, lambda element: "".join(map(str, element.itertext())))

    def write(self, element: Element) -> None:
        """Writes an element and everything in it."""
        run(self.element(element))

    def element(self, element: Element) -> Steps:
        """Writes an element by the method of its role."""
        yield getattr(self, self.roles.get(tag_of(element), "inline"))(element)

    def content(self, element: Element) -> Steps:
        """Writes the text and the child elements of an element."""
        self.builder.write(element.text or "")
        for child in element:
            yield self.element(child)
            self.builder.write(child.tail or "")

    def inline(self, element: Element) -> Steps:
        """Inline content."""
        yield self.content(element)

    def spaced(self, element: Element) -> Steps:
        """Inline content with spaces around it."""
        return self._separated(element, " ")

    def line(self, element: Element) -> Steps:
        """Content on lines of its own."""
        return self._separated(element, "\n")

    def block(self, element: Element) -> Steps:
        """Content in paragraphs of its own."""
        return self._separated(element, "\n\n")

    def _separated(self, element: Element, separator: Separator) -> Steps:
        self.builder.separate(separator)
        yield self.content(element)
        self.builder.separate(separator)

    def line_break(self, element: Element) -> Steps:
        """A line break."""
        self.builder.separate("\n")
        yield self.content(element)

    def part_of(self, element: Element) -> Part:
        """What an element is in its line."""
        role = self.roles.get(tag_of(element), "inline")
        if role == "raised":
            return "note" if self._is_note(element) else "raised"
        if role == "lowered":
            return "lowered"
        if role in ("deleted", "hidden"):
            return "out"
        return "plain" if role in ("inline", "link") else "end"

    def _is_note(self, raised: Element) -> bool:
        """Whether raised text is a link, or is all the text of one."""
        if any(tag_of(inner) in _LINKS for inner in raised.iter()):
            return True
        parent = raised.getparent()
        if parent is None or tag_of(parent) not in _LINKS:
            return False
        if parent not in self._link_texts:
            self._link_texts[parent] = text_of(parent).strip("()[] ")
        return self._link_texts[parent] == text_of(raised)

    def raised(self, element: Element) -> Steps:
        """A superscript: an exponent, the mark of a note, or other raised text."""
        return self._shifted(element, "raised")

    def lowered(self, element: Element) -> Steps:
        """A subscript."""
        return self._shifted(element, "lowered")

    def _shifted(self, element: Element, kind: str) -> Steps:
        self._n_shifts += 1
        opening = closing = ""
        if self._n_shifts <= DEEPEST:
            opening, closing = self._shifts.marks(element, self.builder.last_text())
        if opening:
            self.builder.insert(opening, kind)
        yield self.content(element)
        self._n_shifts -= 1
        if closing:
            self.builder.close_up(closing, kind)

    def hidden(self, element: Element) -> Steps:
        """Text that is not part of the running text."""
        yield from ()
        if text_of(element):
            self.builder.drop(f" {text_of(element)} ", "hidden")

    def link(self, element: Element) -> Steps:
        """The text of a link."""
        uri = attribute(element, "href")
        if uri:
            self.builder.open_link(uri)
        yield self.content(element)
        if uri:
            self.builder.close_link()

    # ------------------------------------------------------------------------------------------------ lists, tables

    def listing(self, element: Element) -> Steps:
        """A list; its type decides whether its items are numbered."""
        self._lists.append((self.list_style(element), count(1)))
        yield self.line(element)
        self._lists.pop()

    def list_style(self, element: Element) -> str:
        """``"1"``, ``"a"``, ``"A"``, ``"i"``, ``"I"`` or ``"bullet"``; empty if the items have no marks."""
        return "1" if tag_of(element) == "ol" else "bullet"

    def item(self, element: Element) -> Steps:
        """A list item with its number or bullet."""
        self.builder.separate("\n")
        style, numbers = self._lists[-1] if self._lists else ("", count(1))
        number = next(numbers)
        if style and not children(element, "label"):
            self.builder.insert("• " if style == "bullet" else f"{numeral(number, style)}. ", "number")
        yield self.content(element)
        self.builder.separate("\n")

    def table(self, element: Element) -> Steps:
        """A table."""
        self.builder.tables.open()
        outer, self._in_table, self._in_row = (self._in_table, self._in_row), True, False
        yield self.content(element)
        self._in_table, self._in_row = outer
        self.builder.tables.close()

    def row(self, element: Element) -> Steps:
        """A row of a table; a line if it is outside a table."""
        if not self._in_table:
            yield self.line(element)
            return
        self.builder.tables.open_row()
        self._in_row = True
        yield self.content(element)

    def cell(self, element: Element) -> Steps:
        """A cell of a row; inline content if it is outside a row."""
        if not self._in_row:
            yield self.spaced(element)
            return
        rows, columns = self.spans(element)
        self.builder.tables.open_cell(row_span=rows, column_span=columns)
        yield self.content(element)
        self.builder.tables.close_cell()

    def spans(self, element: Element) -> tuple[int, int]:
        """The number of rows and of columns that a cell spans."""
        return whole_number(attribute(element, "rowspan")), whole_number(attribute(element, "colspan"))


class XhtmlWriter(Writer):
    """Writes XHTML, such as a narrative in a FHIR resource."""

    roles: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("div", "p", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"), "block"),
        **dict.fromkeys(("dt", "dd", "dl", "caption", "address"), "line"),
        **dict.fromkeys(("script", "style", "head"), "hidden"),
        **dict.fromkeys(("ul", "ol"), "listing"),
        **dict.fromkeys(("th", "td"), "cell"),
        "li": "item",
        "sup": "raised",
        "sub": "lowered",
        "br": "line_break",
        "hr": "line_break",
        "a": "link",
        "table": "table",
        "tr": "row",
    }
