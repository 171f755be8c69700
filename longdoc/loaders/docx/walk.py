"""The walk through a Word document: where its text goes, and the state that its elements share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from longdoc.loaders.docx.package import Parts
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, tag_of


@dataclass(slots=True)
class OpenParagraph:
    """The paragraph that is being written."""

    is_hidden: bool = False
    """Whether its style hides its runs."""
    boxes: list[tuple[Element, str]] = field(default_factory=list)
    """The text boxes anchored to it, each with the kind of furniture around it."""


class Walk:
    """Writes elements through a Builder, each by the handler of its tag."""

    def __init__(self, builder: Builder, parts: Parts) -> None:
        self.builder, self.parts = builder, parts
        self.relations = parts.relations  # of the part that is being read
        self.handlers: dict[str, Callable[[Element], Steps]] = {}  # by tag; other elements are containers
        self.furniture = ""  # the kind of furniture that text becomes; empty for running text
        self.story = ""  # "box", "footnote" or "endnote"; empty in the body
        self.joined = False  # whether the next paragraph continues the current line
        self.paragraph = OpenParagraph()
        self.table_depth = 0
        self.page_is_empty = True

    def element(self, element: Element) -> Steps:
        """Writes an element by the handler of its tag."""
        yield self.handlers.get(tag_of(element), self.content)(element)

    def content(self, element: Element) -> Steps:
        """Writes the child elements of an element."""
        for child in element:
            yield self.element(child)

    def content_as(self, element: Element, kind: str) -> Steps:
        """Writes the child elements of an element as furniture of this kind, unless they already are of another."""
        outer, self.furniture = self.furniture, self.furniture or kind
        yield self.content(element)
        self.furniture = outer

    def skip(self, element: Element) -> Steps:
        """Writes nothing: the element contains properties."""
        yield from ()

    def write(self, text: str, kind: str = "") -> None:
        """Writes text, or records it as furniture."""
        kind = kind or self.furniture
        if kind:
            if text:
                self.builder.drop(text, kind)
            return
        self.builder.write(text)
        self.page_is_empty = self.page_is_empty and not text.strip()

    def start_page(self) -> None:
        """Starts a page unless the current one is empty."""
        if not self.page_is_empty:
            self.builder.start_page()
            self.page_is_empty = True
            self.builder.limits.check("pages", self.builder.page_number, self.builder.name)
