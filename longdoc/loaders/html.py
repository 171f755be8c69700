"""HTML, in particular the filings of EDGAR: paragraphs, headings, tables, lists, page breaks and hidden text."""

from __future__ import annotations

import codecs
import re
from typing import Any

from lxml import etree

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, LimitExceededError
from longdoc.loaders.edgar import TABLE_TAG, contains_html, header_fields, split_documents
from longdoc.loaders.encoding import BYTE_ORDER_MARKS, decode
from longdoc.loaders.markup.builder import Builder, Separator
from longdoc.loaders.options import Options
from longdoc.sections.numerals import numeral

_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,200}encoding=["']([\w.-]+)""", re.I
)
_LATIN = {"iso8859-1", "ascii", "cp1252"}  # browsers read all three as Windows-1252
_PAGE_TAG = re.compile(r"</?PAGE\s*>", re.IGNORECASE)
_PAGE_BREAK = '<hr style="page-break-after:always">'
_TABLE_TAG = re.compile(TABLE_TAG, re.IGNORECASE)
_NO_TEXT = {"script", "style", "template", "title", "noscript"}
_BLOCKS = {
    *(
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
    ).split(),
    *("figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p pre section table").split(),
    *("tbody tfoot thead tr td th ul option").split(),
}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN = re.compile(r"display:none|visibility:hidden|font-size:0(?:\.0+)?(?:px|pt|em|%)?(?:;|!|$)")
_BREAK = {side: re.compile(rf"(?:page-)?break-{side}:(?:always|page)") for side in ("before", "after")}
_NUMBER = re.compile(r"[-–—\s]*(?:page\s+)?(?:[A-Z]-)?(?:\d{1,4}|[ivxl]{1,7})(?:\s+of\s+\d+)?[-–—\s]*", re.IGNORECASE)
_MARKER = re.compile(r"\(?\w{1,5}[.)]{1,2}|\d+(?:\.\d+)+\.?|[•·●○▪■□☐☒–—*o-]")


def load_html(data: bytes, *, name: str, options: Options) -> Document:
    """Reads HTML, or the HTML and text documents of an EDGAR filing, each on pages of its own.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.

    Raises:
        CorruptDocumentError: the parser found nothing readable.
        NoTextLayerError: it contains only markup and white space.
        LimitExceededError: it is deeper or longer than the limits allow.
    """
    source, encoding = _decode(data)
    options.limits.check("characters", len(source), name)
    builder, metadata = Builder(name, options.limits), {"encoding": encoding, **header_fields(source)}
    preamble, documents = split_documents(source)
    if not documents:
        metadata |= _read_html(source, builder)
    elif preamble.strip():
        builder.drop(preamble, "markup")
    for number, (header, body) in enumerate(documents):
        builder.drop(header, "markup")
        if number:
            builder.start_page()
        if contains_html(body):
            metadata = {**_read_html(body, builder), **metadata}
        else:
            _read_text(body, builder)
    return builder.document(data, media_type="text/html", loader="html", metadata=metadata)


def _decode(data: bytes) -> tuple[str, str]:
    """The text and its encoding: by the byte order mark, otherwise as declared, otherwise guessed."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith(tuple(BYTE_ORDER_MARKS)):
        try:
            encoding = codecs.lookup((declared[1] or declared[2]).decode("ascii")).name
            if encoding not in _LATIN and not encoding.startswith(("utf-16", "utf-32")):
                return data.decode(encoding), encoding
        except (LookupError, ValueError):
            pass  # unknown or wrong: guess
        else:
            if encoding in _LATIN:
                return data.decode("cp1252", "replace"), "cp1252"
    return decode(data)


def _read_html(source: str, builder: Builder) -> dict[str, str]:
    """Writes an HTML document and returns its metadata."""
    root = _parse(source, builder)
    _Writer(builder, root).write()
    title = root.findtext(".//title") or ""
    names = {meta.get("name", "").lower(): meta.get("content", "") for meta in root.iter("meta")}
    found = {"Title": title, **{key.capitalize(): names.get(key, "") for key in ("author", "description", "date")}}
    return {key: " ".join(value.split()) for key, value in found.items() if value.strip()}


def _read_text(source: str, builder: Builder) -> None:
    """Writes a plain-text document."""
    for number, page in enumerate(re.split(r"<PAGE>|\f", source)):
        if number:
            builder.start_page()
        end = 0
        for tag in _TABLE_TAG.finditer(page):
            builder.write_lines(page[end : tag.start()])
            builder.drop(tag[0], "markup")
            end = tag.end()
        builder.write_lines(page[end:])


def _parse(source: str, builder: Builder) -> Any:
    """The root element of a document.

    Raises:
        CorruptDocumentError: the parser found nothing readable.
        LimitExceededError: elements are nested deeper than the parser allows.
    """
    source = re.sub(r"[\0-\x08\x0b\x0e-\x1f\ud800-\udfff]", "\ufffd", _PAGE_TAG.sub(_PAGE_BREAK, source))
    # Without huge_tree, libxml2 stops at 256 levels and 10 MB of text and drops the rest without an error.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_pis=True)
    try:
        root = etree.fromstring(source.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise CorruptDocumentError(f"{builder.name}: HTML cannot be parsed ({error}); get the file again") from error
    if root is None:
        raise CorruptDocumentError(f"{builder.name}: contains no elements; give a complete HTML file")
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise LimitExceededError(f"{builder.name}: depth: above the parser's limit of 2,048; simplify the file")
    return root


class _Writer:
    """Writes a tree of elements through a Builder."""

    def __init__(self, builder: Builder, root: Any) -> None:
        self.builder, self.root = builder, root
        self.after_marker = False  # the text that follows continues the line of a list marker
        self.page_is_empty = True  # nothing visible since the last page break
        self.preformatted = 0  # depth in <pre> elements
        self.roles: dict[Any, str] = {}  # elements of tables, list markers, and elements left out
        self.counters: dict[Any, int] = {}  # <ol> -> the next number
        self.page_numbers = _page_numbers(root)

    def write(self) -> None:
        """Writes the whole tree."""
        walk, depth = etree.iterwalk(self.root, events=("start", "end", "comment")), 0
        for event, element in walk:
            inline = element.tag not in _BLOCKS  # not counted: unclosed <font> tags pile up in real filings
            if event == "start":
                depth += not inline
                self.builder.limits.check("depth", depth, self.builder.name)
                kind = _left_out(element) or ("page number" if element in self.page_numbers else "")
                if kind:
                    walk.skip_subtree()
                    self.roles[element] = kind
                    self.leave_out(element, kind)
                else:
                    self.open(element)
                    self.text(element.text)
            else:
                if event == "end":
                    depth -= not inline
                    if self.roles.get(element) not in ("markup", "hidden", "page number"):
                        self.close(element)
                self.text(element.tail if element is not self.root else None)

    def text(self, text: str | None) -> None:
        if not text:
            return
        if text.strip():
            self.after_marker = self.page_is_empty = False
        (self.builder.write_lines if self.preformatted else self.builder.write)(text)

    def separate(self, separator: Separator) -> None:
        if not self.after_marker:
            self.builder.separate(separator)

    def leave_out(self, element: Any, kind: str) -> None:
        if element.tag in _BLOCKS:
            self.separate("\n\n")
        if _breaks(element, "before"):
            self.start_page()
        if kind != "markup" and (text := _text_of(element)).strip():
            self.builder.drop(text, kind)
        if _breaks(element, "after"):
            self.start_page()

    def start_page(self) -> None:
        """Starts a page unless the current one is empty."""
        if not self.page_is_empty:
            self.builder.start_page()
            self.builder.limits.check("pages", self.builder.page_number, self.builder.name)
        self.page_is_empty = True

    def open(self, element: Any) -> None:
        tag = element.tag
        if tag in _BLOCKS and tag not in ("td", "th"):
            self.separate("\n" if tag in ("li", "tr", "dd", "dt") else "\n\n")
        if _breaks(element, "before"):
            self.start_page()
        if tag in _HEADINGS:
            self.builder.open_heading(_HEADINGS[tag])
        elif tag == "a" and element.get("href"):
            self.builder.open_link(element.get("href"))
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "br":
            self.separate("\n")
        elif tag == "li":
            self.open_item(element)
        elif tag in ("table", "tr", "td", "th"):
            self.open_table_part(element)

    def open_item(self, element: Any) -> None:
        """Writes the bullet or the number of a list item that is not empty."""
        parent = element.getparent()
        if not _has_text(element):
            return
        if parent is None or parent.tag != "ol":
            self.builder.insert("• ", "number")
        else:
            number = _integer(element.get("value"), self.counters.get(parent, _integer(parent.get("start"), 1)))
            self.counters[parent] = number + 1
            self.builder.insert(numeral(number, element.get("type") or parent.get("type") or "1") + ". ", "number")
        self.after_marker = True

    def open_table_part(self, element: Any) -> None:
        if element.tag == "table":
            self.roles |= _table_roles(element)
        role = self.roles.get(element)
        if role == "table":
            self.builder.tables.open()
        elif role == "row":
            self.builder.tables.open_row()
        elif role == "cell":
            self.builder.separate(" ")
            spans = (_integer(element.get(name), 1) for name in ("rowspan", "colspan"))
            self.builder.tables.open_cell(row_span=next(spans), column_span=next(spans))
        elif element.tag in ("td", "th"):
            self.separate("\n")

    def close(self, element: Any) -> None:
        tag, role = element.tag, self.roles.get(element)
        if tag in _HEADINGS:
            self.builder.close_heading()
        elif tag == "a" and element.get("href"):
            self.builder.close_link()
        elif tag == "pre":
            self.preformatted -= 1
        elif role == "table":
            self.builder.tables.close()
        elif role == "cell":
            self.builder.tables.close_cell()
            self.builder.separate(" ")
            self.after_marker = False
        elif role == "marker":
            self.builder.separate(" ")
            self.after_marker = True
        if tag in _BLOCKS and tag not in ("td", "th") and role != "table" and not self._in_marker(element):
            self.separate("\n" if tag in ("li", "tr", "dd", "dt") else "\n\n")
        if _breaks(element, "after"):
            self.start_page()

    def _in_marker(self, element: Any) -> bool:
        """Whether the element is in a cell with a list marker, so that the line continues after it."""
        while element is not None and element.tag not in ("td", "th", "table"):
            element = element.getparent()
        return element is not None and self.roles.get(element) == "marker"


def _style(element: Any) -> str:
    return re.sub(r"\s+", "", element.get("style", "").lower())


def _left_out(element: Any) -> str:
    """The kind of furniture that the element is, "markup" if it has no text at all; empty for running text."""
    if element.tag in _NO_TEXT:
        return "markup"
    hidden = element.tag in ("ix:header", "ix:hidden") or element.get("hidden") is not None
    return "hidden" if hidden or _HIDDEN.search(_style(element)) else ""


def _breaks(element: Any, side: str) -> bool:
    return bool(_BREAK[side].search(_style(element)))


def _has_text(element: Any) -> bool:
    """Whether there is text in an element; stops at the first text, since lists can be long."""
    for each in element.iter(etree.Element):
        text = each.text if each.tag not in _NO_TEXT else None
        tail = each.tail if each is not element else None
        if (text and text.strip()) or (tail and tail.strip()):
            return True
    return False


def _text_of(element: Any) -> str:
    """All text in an element, without scripts and styles."""
    inside = " or ".join(f"ancestor::{tag}" for tag in sorted(_NO_TEXT))
    return "".join(element.xpath(f".//text()[not({inside})]"))


def _page_numbers(root: Any) -> set[Any]:
    """The blocks next to a page break that contain only a page number."""
    events: list[Any] = [None]  # blocks with their text, and None for page breaks
    outer: set[Any] = set()  # parents of blocks
    for element in root.iter(etree.Element):
        if element.tag in _BLOCKS and element.getparent() is not None:
            outer.add(element.getparent())
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if _breaks(element, "before" if event == "start" else "after"):
            events.append(None)
        leaf = event == "start" and element.tag in ("p", "div", "center") and element not in outer
        if leaf and (text := _text_of(element)).strip():
            events.append((element, text))
    events.append(None)
    if events.count(None) == 2:
        return set()
    at_breaks = [
        events[i] for i in range(1, len(events) - 1) if events[i] and (events[i - 1] is None or events[i + 1] is None)
    ]
    return {element for element, text in at_breaks if _NUMBER.fullmatch(text.strip())}


def _table_roles(table: Any) -> dict[Any, str]:
    """The roles of a table and its parts: "table", "row", "cell", or "marker" for a cell with a list marker.

    A table with a single row, or with one filled cell per row beside list markers, is only layout: it has no rows and
    cells.
    """
    rows = {row: row.xpath("./td|./th") for row in table.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")}
    filled = [[(cell, text) for cell in cells if (text := _text_of(cell).strip())] for cells in rows.values()]
    filled = [row for row in filled if row]
    marked = [len(row) == 2 and bool(_MARKER.fullmatch(row[0][1])) for row in filled]
    is_layout = all(len(row) == 1 or mark for row, mark in zip(filled, marked, strict=True))
    if len(filled) < 2 or is_layout or table.find(".//table") is not None:
        return {row[0][0]: "marker" for row in filled if len(row) > 1 and _MARKER.fullmatch(row[0][1])}
    return {table: "table"} | dict.fromkeys(rows, "row") | {cell: "cell" for cells in rows.values() for cell in cells}


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text) else default
