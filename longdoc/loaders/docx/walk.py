"""The walk through a Word document: where its text goes, and the state that its elements share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from longdoc.document import FormField
from longdoc.loaders.docx.package import Parts, Style
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.symbols import write_shown
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, tag_of

_REMEMBERED = 60  # characters, enough for the term before an exponent


@dataclass(slots=True)
class OpenParagraph:
    """The paragraph that is being written."""

    element: Element | None = None
    style: Style = field(default_factory=Style)
    depth: int = 0
    """Its level in a list, from 0."""
    is_hidden: bool = False
    """Whether its style hides its runs."""
    is_struck: bool = False
    """Whether its style strikes its runs out."""
    font: str = ""
    """The font of its style."""
    marks: dict[Element, tuple[str, str]] = field(default_factory=dict)
    """Raised and lowered runs -> what is inserted before and after them."""
    boxes: list[tuple[Callable[[], Steps], str]] = field(default_factory=list)
    """The text boxes anchored to it, each with the kind of furniture around it."""


@dataclass(slots=True)
class OpenField:
    """A field that is being written."""

    code: list[str] = field(default_factory=list)
    """The pieces of its instruction, with the results of the fields in it."""
    result: list[str] = field(default_factory=list)
    in_result: bool = False
    is_part_of_text: bool = True
    form: Element | None = None
    """The ``w:ffData`` of a legacy form field."""
    is_outdated: bool = False
    has_link: bool = False


class Walk:
    """Writes elements through a Builder, each by the handler of its tag."""

    def __init__(self, builder: Builder, parts: Parts) -> None:
        self.builder, self.parts = builder, parts
        self.relations = parts.relations  # of the part that is being read
        self.handlers: dict[str, Callable[[Element], Steps]] = {}  # by tag; other elements are containers
        self.kind = ""  # the kind of furniture of the element that is being written; empty for running text
        self.fields: list[OpenField] = []  # the innermost last
        self.missing: list[str] = []  # the codes of fields without a result
        self.form: list[FormField] = []
        self.story = ""  # "box", "footnote" or "endnote"; empty in the body
        self.joined = False  # whether the next paragraph continues the current line
        self.paragraph = OpenParagraph()
        self.table_depth = 0
        self.page_is_empty = True
        self.before = ""  # the last characters of the line

    @property
    def furniture(self) -> str:
        """The kind of furniture that text becomes; empty for running text."""
        return self.kind or ("field code" if self.code else "")

    @property
    def code(self) -> OpenField | None:
        """The innermost field whose instruction is being read."""
        return next((each for each in reversed(self.fields) if not each.in_result), None) if self.fields else None

    def element(self, element: Element) -> Steps:
        """Writes an element by the handler of its tag."""
        yield self.handlers.get(tag_of(element), self.content)(element)

    def content(self, element: Element) -> Steps:
        """Writes the child elements of an element."""
        for child in element:
            yield self.element(child)

    def content_as(self, element: Element, kind: str) -> Steps:
        """Writes the child elements of an element as furniture of this kind, unless they already are of another."""
        outer, self.kind = self.kind, self.kind or kind
        yield self.content(element)
        self.kind = outer

    def skip(self, element: Element) -> Steps:
        """Writes nothing: the element contains properties."""
        yield from ()

    def write(self, text: str, kind: str = "", *, stored: str = "") -> None:
        """Writes text, or records it as furniture.

        Args:
            text: the text that Word shows.
            kind: the kind of furniture it is; empty for running text.
            stored: the characters that the file has in its place, if they are others.
        """
        kind = kind or self.kind
        if kind:
            if text:
                self.builder.drop(text, kind)
            return
        if not self._is_code(text):
            write_shown(self.builder, stored or text, text)
            self._remember(text)

    def insert(self, text: str, kind: str) -> None:
        """Inserts text that the file implies, unless it would be furniture."""
        if text and not self.kind and not self._is_code(text):
            self.builder.insert(text, kind)
            self._remember(text)

    def aside(self, text: str, kind: str) -> None:
        """Records text that Word shows on demand, such as the alternative text of a picture, as furniture."""
        if text.strip():
            self.builder.drop(f" {text} ", kind)

    def _is_code(self, text: str) -> bool:
        """Adds text to the instruction of a field, if one is being read."""
        code = self.code
        if self.fields and self.fields[-1].in_result:
            self.fields[-1].result.append(text)
        if code is not None:
            code.code.append(text)
        return code is not None

    def _remember(self, text: str) -> None:
        self.before = (self.before + text)[-_REMEMBERED:]
        self.page_is_empty = self.page_is_empty and not text.strip()

    def end_line(self) -> None:
        """Ends the current line."""
        self.builder.separate("\n")
        self.before = ""

    def start_page(self) -> None:
        """Starts a page unless the current one is empty."""
        if not self.page_is_empty:
            self.builder.start_page()
            self.page_is_empty = True
            self.builder.limits.check("pages", self.builder.page_number, self.builder.name)
