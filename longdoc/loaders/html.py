"""HTML, above all the filings of EDGAR: paragraphs, headings, tables, lists, page breaks, hidden text."""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import Any

from lxml import etree

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, LimitExceededError
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder, Separator
from longdoc.loaders.markup.list_numbers import numeral
from longdoc.loaders.text import decode, header_fields

_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,200}encoding=["']([\w.-]+)""", re.I
)
_LATIN = {"iso8859-1", "ascii", "cp1252"}  # as browsers do, all three are read as Windows-1252
_PAGE_TAG = re.compile(r"</?PAGE\s*>", re.IGNORECASE)
_PAGE_BREAK = '<hr style="page-break-after:always">'
_IS_HTML = re.compile(r"<(!doctype\s+html|html|head|body|div|p|br|font|tr)\b", re.IGNORECASE)
_DOCUMENT = re.compile(r"<DOCUMENT>", re.IGNORECASE)
_BODY = re.compile(r"<TEXT>|</TEXT>|</(?:SEC-|IMS-)?DOCUMENT>", re.IGNORECASE)
_TAGS = re.compile(r"</?(?:TABLE|CAPTION|S|C|FN|F\d+)>", re.IGNORECASE)
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


def load_html(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads HTML, or the HTML and text documents of an EDGAR filing, each of which starts a page.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        CorruptDocumentError: the parser found nothing that it could read.
        NoTextLayerError: it holds nothing but markup and white space.
        LimitExceededError: it is deeper or longer than the limits allow.
    """
    source, encoding = _decode(data)
    limits.check("characters", len(source), name)
    builder, metadata = Builder(name, limits), {"encoding": encoding, **header_fields(source)}
    starts = [match.start() for match in _DOCUMENT.finditer(source)]
    if not starts:
        metadata |= _read_html(source, builder)
    elif source[: starts[0]].strip():
        builder.drop(source[: starts[0]], "markup")
    for number, start in enumerate(starts):
        part = source[start : [*starts, len(source)][number + 1]]
        pieces = _BODY.split(part, maxsplit=1)
        builder.drop(pieces[0], "markup")
        if number:
            builder.start_page()
        found = _read(_BODY.sub("", pieces[1]) if len(pieces) > 1 else "", builder)
        metadata = {**found, **metadata}
    digest = hashlib.sha256(data).hexdigest()
    return builder.document(media_type="text/html", sha256=digest, loader="html", metadata=metadata)


def _decode(data: bytes) -> tuple[str, str]:
    """The text and its encoding: a byte order mark says it, then the file itself, else it is guessed."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            encoding = codecs.lookup((declared[1] or declared[2]).decode("ascii")).name
            if encoding not in _LATIN and not encoding.startswith(("utf-16", "utf-32")):
                return data.decode(encoding), encoding
        except (LookupError, ValueError):
            pass  # an unknown or wrong name: guess
        else:
            if encoding in _LATIN:
                return data.decode("cp1252", "replace"), "cp1252"
    return decode(data)


def _read(source: str, builder: Builder) -> dict[str, str]:
    """Writes one document of a filing, HTML or plain text; gives what it says of itself."""
    if not _IS_HTML.search(source):
        _read_text(source, builder)
        return {}
    return _read_html(source, builder)


def _read_html(source: str, builder: Builder) -> dict[str, str]:
    root = _parse(source, builder)
    _Writer(builder, root).write()
    title = root.findtext(".//title") or ""
    names = {meta.get("name", "").lower(): meta.get("content", "") for meta in root.iter("meta")}
    found = {"Title": title, **{key.capitalize(): names.get(key, "") for key in ("author", "description", "date")}}
    return {key: " ".join(value.split()) for key, value in found.items() if value.strip()}


def _read_text(source: str, builder: Builder) -> None:
    for number, page in enumerate(re.split(r"<PAGE>|\f", source)):
        if number:
            builder.start_page()
        end = 0
        for tag in _TAGS.finditer(page):
            builder.write_lines(page[end : tag.start()])
            builder.drop(tag[0], "markup")
            end = tag.end()
        builder.write_lines(page[end:])


def _parse(source: str, builder: Builder) -> Any:
    """The root element; names, limits and errors are those of the library's own."""
    source = re.sub(r"[\0-\x08\x0b\x0e-\x1f\ud800-\udfff]", "\ufffd", _PAGE_TAG.sub(_PAGE_BREAK, source))
    # Without huge_tree, libxml2 stops at 256 levels and 10 MB of text and drops the rest without an error.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_pis=True)
    try:
        root = etree.fromstring(source.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise CorruptDocumentError(f"{builder.name}: no readable HTML ({error}); get it again") from error
    if root is None:
        raise CorruptDocumentError(f"{builder.name}: no element in it; give a whole HTML file")
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise LimitExceededError(f"{builder.name}: depth: above 2,048, what the parser can read; simplify the file")
    return root


class _Writer:
    """Walks a tree and tells the builder what it sees."""

    def __init__(self, builder: Builder, root: Any) -> None:
        self.builder, self.root = builder, root
        self.glued = False  # what comes stands beside a marker, so no line starts here
        self.fresh = True  # nothing visible since the last page break
        self.preformatted = 0
        self.roles: dict[Any, str] = {}  # rows and cells of data tables, cells that hold a marker
        self.counters: dict[Any, int] = {}
        self.numbers = _page_numbers(root)

    def write(self) -> None:
        walk, depth = etree.iterwalk(self.root, events=("start", "end", "comment")), 0
        for event, element in walk:
            inline = element.tag not in _BLOCKS  # unclosed <font> tags pile up in real filings
            if event == "start":
                depth += not inline
                self.builder.limits.check("depth", depth, self.builder.name)
                kind = _left_out(element) or ("page number" if element in self.numbers else "")
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
            self.glued = self.fresh = False
        (self.builder.write_lines if self.preformatted else self.builder.write)(text)

    def separate(self, separator: Separator) -> None:
        if not self.glued:
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
        if not self.fresh:
            self.builder.start_page()
            self.builder.limits.check("pages", self.builder.page_number, self.builder.name)
        self.fresh = True

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
        around = element.getparent()
        if not _says_something(element):
            return
        if around is None or around.tag != "ol":
            self.builder.insert("• ", "number")
        else:
            number = _integer(element.get("value"), self.counters.get(around, _integer(around.get("start"), 1)))
            self.counters[around] = number + 1
            self.builder.insert(numeral(number, element.get("type") or around.get("type") or "1") + ". ", "number")
        self.glued = True

    def open_table_part(self, element: Any) -> None:
        if element.tag == "table":
            self.roles |= _roles(element)
        role = self.roles.get(element)
        if role == "table":
            self.builder.open_table()
        elif role == "row":
            self.builder.open_row()
        elif role == "cell":
            self.builder.separate(" ")
            spans = (_integer(element.get(name), 1) for name in ("rowspan", "colspan"))
            self.builder.open_cell(row_span=next(spans), column_span=next(spans))
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
            self.builder.close_table()
        elif role == "cell":
            self.builder.close_cell()
            self.builder.separate(" ")
            self.glued = False
        elif role == "marker":
            self.builder.separate(" ")
            self.glued = True
        if tag in _BLOCKS and tag not in ("td", "th") and role != "table" and not self._before_beside(element):
            self.separate("\n" if tag in ("li", "tr", "dd", "dt") else "\n\n")
        if _breaks(element, "after"):
            self.start_page()

    def _before_beside(self, element: Any) -> bool:
        """Whether it ends a cell that holds a marker, so that what comes stands beside it."""
        while element is not None and element.tag not in ("td", "th", "table"):
            element = element.getparent()
        return element is not None and self.roles.get(element) == "marker"


def _style(element: Any) -> str:
    return re.sub(r"\s+", "", element.get("style", "").lower())


def _left_out(element: Any) -> str:
    """The kind of what is no running text: "markup" is no text at all; empty for all that is read."""
    if element.tag in _NO_TEXT:
        return "markup"
    hidden = element.tag in ("ix:header", "ix:hidden") or element.get("hidden") is not None
    return "hidden" if hidden or _HIDDEN.search(_style(element)) else ""


def _breaks(element: Any, side: str) -> bool:
    return bool(_BREAK[side].search(_style(element)))


def _says_something(element: Any) -> bool:
    """Whether there is text in an element; it looks no further than the first."""
    for each in element.iter(etree.Element):
        said = each.text if each.tag not in _NO_TEXT else None
        after = each.tail if each is not element else None
        if (said and said.strip()) or (after and after.strip()):
            return True
    return False


def _text_of(element: Any) -> str:
    """All text in an element but that of scripts and styles."""
    inside = " or ".join(f"ancestor::{tag}" for tag in sorted(_NO_TEXT))
    return "".join(element.xpath(f".//text()[not({inside})]"))


def _page_numbers(root: Any) -> set[Any]:
    """Blocks of nothing but a page number, directly beside a page break."""
    events: list[Any] = [None]  # blocks with text in them, and None for a page break
    inner: set[Any] = set()
    for element in root.iter(etree.Element):
        if element.tag in _BLOCKS and element.getparent() is not None:
            inner.add(element.getparent())
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if _breaks(element, "before" if event == "start" else "after"):
            events.append(None)
        leaf = event == "start" and element.tag in ("p", "div", "center") and element not in inner
        if leaf and (text := _text_of(element)).strip():
            events.append((element, text))
    events.append(None)
    if events.count(None) == 2:
        return set()
    beside = [
        events[i] for i in range(1, len(events) - 1) if events[i] and (events[i - 1] is None or events[i + 1] is None)
    ]
    return {element for element, text in beside if _NUMBER.fullmatch(text.strip())}


def _roles(table: Any) -> dict[Any, str]:
    """What the parts of a table are: one with a single row, or one filled cell a row, only places text on the page."""
    rows = {row: row.xpath("./td|./th") for row in table.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")}
    filled = [[(cell, text) for cell in cells if (text := _text_of(cell).strip())] for cells in rows.values()]
    filled = [row for row in filled if row]
    marked = [len(row) == 2 and bool(_MARKER.fullmatch(row[0][1])) for row in filled]
    places = all(len(row) == 1 or mark for row, mark in zip(filled, marked, strict=True))
    if len(filled) < 2 or places or table.find(".//table") is not None:
        return {row[0][0]: "marker" for row in filled if len(row) > 1 and _MARKER.fullmatch(row[0][1])}
    return {table: "table"} | dict.fromkeys(rows, "row") | {cell: "cell" for cells in rows.values() for cell in cells}


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text) else default
