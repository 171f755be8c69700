"""XML read safely, and elements written through a Builder without recursion."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from html.entities import html5
from itertools import count
from typing import Any, ClassVar

from lxml import etree

from longdoc.errors import CorruptDocumentError, LimitExceededError, UnsupportedFormatError
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.list_numbers import numeral

Element = etree._Element
Steps = Iterator[Any]
"""A generator that yields further Steps, each to be finished before it goes on: recursion without Python's stack."""

_PREDEFINED = (b"amp", b"lt", b"gt", b"quot", b"apos")
_PARSER_LIMIT = re.compile("excessive depth|huge", re.IGNORECASE)
_NAMED = re.compile(rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|&([A-Za-z][\w.-]*);", re.DOTALL)


def parse_xml(data: bytes, name: str, limits: Limits) -> Element:
    """The root of a document without comments and processing instructions; nothing outside it is ever read.

    Entities that only a DTD defines become the HTML character of their name; one of no known name stays as ``&name;``.

    Raises:
        CorruptDocumentError: it is not well formed.
        UnsupportedFormatError: its document type declares entities or elements of its own.
        LimitExceededError: it nests deeper than the limits allow.
    """
    encoding = None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data, encoding = data.decode("utf-16", "replace").encode(), "utf-8"
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(_NAMED.sub(_character, data), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        if _PARSER_LIMIT.search(str(error)):
            raise LimitExceededError(f"{name}: beyond what the XML parser allows: {error}; split the file") from error
        raise CorruptDocumentError(f"{name}: XML that is not well formed: {error}; get the file again") from error
    dtd: Any = root.getroottree().docinfo.internalDTD
    if dtd is not None and (any(dtd.iterentities()) or any(dtd.iterelements())):
        raise UnsupportedFormatError(
            f"{name}: its DOCTYPE declares entities or elements; allowed: the name of a DTD; take the declarations out"
        )
    _check_depth(root, name, limits)
    return root


def parse_xhtml(fragment: str, name: str, limits: Limits) -> Element:
    """The root of a fragment of XHTML, read as HTML where it is not well formed.

    Raises:
        CorruptDocumentError: there is no element in it.
        LimitExceededError: it nests deeper than the limits allow.
    """
    data = fragment.encode("utf-8", "replace")
    try:
        return parse_xml(data, name, limits)
    except CorruptDocumentError:
        parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise CorruptDocumentError(f"{name}: a narrative that is no XHTML: {error}") from error
        if root is None:
            raise CorruptDocumentError(f"{name}: a narrative without an element; allowed: XHTML") from None
        _check_depth(root, name, limits)
        return root


def _character(match: re.Match[bytes]) -> bytes:
    """What an entity reference stands for."""
    name = match[1]
    if name is None or name in _PREDEFINED:
        return match[0]
    characters = html5.get(name.decode("ascii", "replace") + ";")
    if characters is None:
        return b"&amp;" + name + b";"
    return b"".join(b"&#%d;" % ord(character) for character in characters)


def _check_depth(root: Element, name: str, limits: Limits) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        limits.check("depth", depth, name)


def tag_of(element: Element) -> str:
    """The name of an element without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def text_of(element: Element) -> str:
    """All text in an element, white space folded."""
    return " ".join(str(element.xpath("string()")).split())


_WITHIN_WORDS = frozenset("italic bold sup sub sc underline monospace strike named-content styled-content".split())


def words_of(element: Element, apart: frozenset[str] | None = None) -> str:
    """All text in an element that holds records, not prose: what its elements hold is kept apart.

    Args:
        element: such as an affiliation or a citation.
        apart: the elements that start a new word; if not given, all but those that mark up parts of words.
    """
    pieces = []
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        tag = tag_of(inner)
        if event == "end":
            pieces += [" " if tag == "label" else "", inner.tail or ""]
            continue
        before = inner.getprevious()
        if tag == "name" and before is not None and tag_of(before) == "name" and not (before.tail or "").strip():
            pieces.append(", ")
        elif tag not in _WITHIN_WORDS if apart is None else tag in apart:
            pieces.append(" ")
        pieces.append(inner.text or "")
    return " ".join("".join(pieces[:-1]).split())


def attribute(element: Element, name: str) -> str:
    """An attribute by its name without namespace, empty where there is none."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def children(element: Element, *tags: str) -> list[Element]:
    """The child elements of those names."""
    return [child for child in element if tag_of(child) in tags]


def run(steps: Steps) -> None:
    """Take all steps, and the steps that they yield, to the end."""
    stack = [steps]
    while stack:
        inner = next(stack[-1], None)
        if inner is None:
            stack.pop()
        else:
            stack.append(inner)


def whole_number(text: str) -> int:
    """A count as attributes give it; 1 where it is none."""
    return int(text) if re.fullmatch("[0-9]{1,6}", text.strip()) else 1


class Writer:
    """Writes elements through a Builder: ``roles`` says which method writes an element, :meth:`inline` the others."""

    roles: ClassVar[Mapping[str, str]] = {}

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._lists: list[tuple[str, Iterator[int]]] = []
        self._in_table = self._in_row = False

    def write(self, element: Element) -> None:
        """Write an element and all that is in it."""
        run(self.element(element))

    def element(self, element: Element) -> Steps:
        """Write one element by its role."""
        yield getattr(self, self.roles.get(tag_of(element), "inline"))(element)

    def content(self, element: Element) -> Steps:
        """Write the text and the elements in an element."""
        self.builder.write(element.text or "")
        for child in element:
            yield self.element(child)
            self.builder.write(child.tail or "")

    def inline(self, element: Element) -> Steps:
        """Part of a line."""
        yield self.content(element)

    def spaced(self, element: Element) -> Steps:
        """Part of a line, a word of its own."""
        self.builder.separate(" ")
        yield self.content(element)
        self.builder.separate(" ")

    def line(self, element: Element) -> Steps:
        """Lines of its own."""
        self.builder.separate("\n")
        yield self.content(element)
        self.builder.separate("\n")

    def block(self, element: Element) -> Steps:
        """Paragraphs of its own."""
        self.builder.separate("\n\n")
        yield self.content(element)
        self.builder.separate("\n\n")

    def line_break(self, element: Element) -> Steps:
        """The end of a line."""
        self.builder.separate("\n")
        yield self.content(element)

    def hidden(self, element: Element) -> Steps:
        """Text that the running text has no place for."""
        yield from ()
        if text_of(element):
            self.builder.drop(f" {text_of(element)} ", "hidden")

    def link(self, element: Element) -> Steps:
        """Text that leads somewhere."""
        uri = attribute(element, "href")
        if uri:
            self.builder.open_link(uri)
        yield self.content(element)
        if uri:
            self.builder.close_link()

    # ------------------------------------------------------------------------------------------------ lists, tables

    def listing(self, element: Element) -> Steps:
        """A list; its items are numbered where its type says so."""
        self._lists.append((self.list_style(element), count(1)))
        yield self.line(element)
        self._lists.pop()

    def list_style(self, element: Element) -> str:
        """``"1"``, ``"a"``, ``"A"``, ``"i"``, ``"I"``, ``"bullet"`` or, where its items have no marks, ``""``."""
        return "1" if tag_of(element) == "ol" else "bullet"

    def item(self, element: Element) -> Steps:
        """An item of a list, with its number or bullet."""
        self.builder.separate("\n")
        style, numbers = self._lists[-1] if self._lists else ("", count(1))
        number = next(numbers)
        if style and not children(element, "label"):
            self.builder.insert("• " if style == "bullet" else f"{numeral(number, style)}. ", "number")
        yield self.content(element)
        self.builder.separate("\n")

    def table(self, element: Element) -> Steps:
        """A table of rows of cells."""
        self.builder.open_table()
        around, self._in_table, self._in_row = (self._in_table, self._in_row), True, False
        yield self.content(element)
        self._in_table, self._in_row = around
        self.builder.close_table()

    def row(self, element: Element) -> Steps:
        """A row of a table; outside of any table, a line."""
        if not self._in_table:
            yield self.line(element)
            return
        self.builder.open_row()
        self._in_row = True
        yield self.content(element)

    def cell(self, element: Element) -> Steps:
        """A cell of a row; outside of any row, a word."""
        if not self._in_row:
            yield self.spaced(element)
            return
        rows, columns = self.spans(element)
        self.builder.open_cell(row_span=rows, column_span=columns)
        yield self.content(element)
        self.builder.close_cell()

    def spans(self, element: Element) -> tuple[int, int]:
        """How many rows and columns a cell covers."""
        return whole_number(attribute(element, "rowspan")), whole_number(attribute(element, "colspan"))


class XhtmlWriter(Writer):
    """Writes the XHTML of a narrative."""

    roles: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("div", "p", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"), "block"),
        **dict.fromkeys(("dt", "dd", "dl", "caption", "address"), "line"),
        **dict.fromkeys(("script", "style", "head"), "hidden"),
        **dict.fromkeys(("ul", "ol"), "listing"),
        **dict.fromkeys(("th", "td"), "cell"),
        "li": "item",
        "br": "line_break",
        "hr": "line_break",
        "a": "link",
        "table": "table",
        "tr": "row",
    }
