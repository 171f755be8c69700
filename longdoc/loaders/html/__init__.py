"""HTML, in particular the filings of EDGAR: paragraphs, headings, tables, lists, forms, page breaks and hidden text."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

from lxml import etree

from longdoc.document import Document, FormField
from longdoc.errors import CorruptDocumentError, LimitExceededError
from longdoc.loaders.edgar import (
    ENTITY,
    TABLE_TAG,
    contains_html,
    encoded_file,
    header_fields,
    is_filing,
    split_documents,
)
from longdoc.loaders.encoding import Decoded, check_size, decode
from longdoc.loaders.html.left_out import Notes, counts_not_read, named
from longdoc.loaders.html.sheets import sheets_elsewhere, sheets_within
from longdoc.loaders.html.styles import Styles
from longdoc.loaders.html.writer import HtmlWriter
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.xml import check_attributes
from longdoc.loaders.options import Options

_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,200}encoding=["']([\w.-]+)""", re.I
)
_PAGE_TAG = re.compile(r"</?PAGE\s*>", re.IGNORECASE)
_PAGE_BREAK = '<hr style="page-break-after:always">'
_TAG_OR_ENTITY = re.compile(f"{TABLE_TAG}|{ENTITY}", re.IGNORECASE)
_RAW = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(?P<tag>script|style|textarea|xmp)(?=[\s/>])(?:[^<>]*/>|.*?(?:</(?P=tag)(?=[\s/>])|\Z))"
    r"|<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)|</(?P<end>body|html)(?=[\s/>])(?:[^<>]*>)?",
    re.DOTALL | re.IGNORECASE,
)
_IS_XHTML = re.compile(r"\s*<\?xml|.{0,500}<html[^>]*xmlns", re.DOTALL)
_MOST_NESTED = 8  # documents within documents
_LAST = "longdoc-last"
_UNENDED = (
    "it ends within a tag, a comment or a script that is not closed, and text in it may not be read: the file may be "
    "cut off; get it again"
)


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
    check_size(data, name, options.limits)
    source, encoding, warnings = _decode(data)
    options.limits.check("characters", len(source), name)
    options.limits.check("elements", source.count("<") - source.count("</"), name)
    reader = _Reader(Builder(name, options.limits), list(warnings))
    metadata = reader.read(source)
    if not reader.builder.length:  # scripts show it, page by page
        shown = _Reader(
            Builder(name, options.limits), [*warnings, "its style sheets hide all of its text, which is read"]
        )
        shown_metadata = shown.read(source, can_hide=False)
        reader, metadata = (shown, shown_metadata) if shown.builder.length else (reader, metadata)
    return reader.builder.document(
        data,
        media_type="text/html",
        loader="html",
        metadata={"encoding": encoding, **metadata},
        fields=reader.fields,
        warnings=list(dict.fromkeys([*reader.warnings, *_about_sheets(reader.sheets_elsewhere)])),
    )


def _about_sheets(addresses: list[str]) -> list[str]:
    """A warning about the style sheets that are not read, if there are any."""
    names = list(dict.fromkeys(addresses))
    if not names:
        return []
    count = f"{len(names)} style sheets" if len(names) > 1 else "1 style sheet"
    return [f"{count} in other files, not read, may show or hide text otherwise: {named(names)}"]


def _decode(data: bytes) -> Decoded:
    """The text and its encoding: by the byte order mark, otherwise as declared, otherwise guessed."""
    declared = _CHARSET.search(data[:4096])
    return decode(data, (declared[1] or declared[2]).decode("ascii", "replace") if declared else "")


class _Reader:
    """Reads the documents of a file into one Builder."""

    def __init__(self, builder: Builder, warnings: list[str]) -> None:
        self.builder, self.warnings = builder, warnings
        self.depth = 0
        self.fields: list[FormField] = []
        self.can_hide = True
        self.sheets_elsewhere: list[str] = []  # addresses of style sheets, which are not read

    def read(self, source: str, *, can_hide: bool = True) -> dict[str, str]:
        """Writes the document, or the documents of a filing, and returns the metadata.

        Args:
            source: the text of the file.
            can_hide: whether style sheets can hide text.
        """
        self.can_hide = can_hide
        if not is_filing(source.lstrip()):
            return self.read_html(source, is_outermost=True)
        metadata = header_fields(source)
        preamble, documents = split_documents(source)
        if preamble.strip():
            self.builder.drop(preamble, "markup")
        for number, (header, body) in enumerate(documents):
            self.builder.drop(header, "markup")
            if number:
                self.builder.start_page()
            metadata = {**self.read_part(header, body), **metadata}
        return metadata

    def read_part(self, header: str, body: str) -> dict[str, str]:
        """Writes a document of a filing and returns its metadata."""
        if file := encoded_file(header, body):
            self.builder.drop(body, "encoded")
            self.warnings.append(f"a file in the filing is not read: {file}; load it by itself")
        elif contains_html(body):
            return self.read_html(body)
        else:
            _write_text(body, self.builder)
        return {}

    def read_html(self, source: str, *, is_outermost: bool = False) -> dict[str, str]:
        """Writes an HTML document, with all that follows its end, and returns its metadata.

        Args:
            source: the text of the document.
            is_outermost: whether it is the file itself, which must contain elements.
        """
        pieces, comments = _pieces(source)
        parsed = [_parse(piece, self.builder) for piece in pieces]
        roots = [root for root, _ in parsed if root is not None]
        if not roots and not is_outermost:
            return {}
        if not roots:
            raise CorruptDocumentError(f"{self.builder.name}: contains no elements; give a complete HTML file")
        sheets = "\n".join(sheet for root in roots for sheet in sheets_within(root))
        self.sheets_elsewhere += [address for root in roots for address in sheets_elsewhere(root)]
        styles, notes, before = Styles(sheets, can_hide=self.can_hide), Notes(), self.builder.length
        for number, root in enumerate(roots):
            self.builder.separate("\n\n" if number else "")
            HtmlWriter(self.builder, root, styles, notes, self.read_nested).write()
        self.fields += notes.fields
        self.warnings += notes.warnings(roots, styles, self.builder.length - before)
        self.warnings += [] if all(is_whole for _, is_whole in parsed) else [_UNENDED]
        return _metadata(roots[0], counts_not_read(roots, comments))

    def read_nested(self, source: str) -> None:
        """Writes a document within a document, such as the ``srcdoc`` of a frame."""
        if self.depth == _MOST_NESTED:
            raise LimitExceededError(
                f"{self.builder.name}: depth: frames within frames, allowed: {_MOST_NESTED}; simplify the file"
            )
        self.depth += 1
        if source.strip():
            self.read_html(source)
        self.depth -= 1


def _metadata(root: Any, not_read: str) -> dict[str, str]:
    """The title of a document, and what its ``meta`` elements say."""
    names = {meta.get("name", "").lower(): meta.get("content", "") for meta in root.iter("meta")}
    found = {key.capitalize(): names.get(key, "") for key in ("author", "description", "date")}
    found = {"Title": root.findtext(".//title") or "", **found, "Not text": not_read}
    return {key: " ".join(value.split()) for key, value in found.items() if value.strip()}


def _write_text(source: str, builder: Builder) -> None:
    """Writes a plain-text document."""
    for number, page in enumerate(re.split(r"<PAGE>|\f", source)):
        if number:
            builder.start_page()
        end = 0
        for tag in _TAG_OR_ENTITY.finditer(page):
            builder.write_lines(page[end : tag.start()])
            if tag["entity"] and not (named := unescape(tag[0])).isspace():
                builder.replace(tag[0], named, "entity")
            else:
                builder.separate(" " if tag["entity"] else "")
                builder.drop(tag[0], "markup")
            end = tag.end()
        builder.write_lines(page[end:])


def _pieces(source: str) -> tuple[list[str], int]:
    """The documents in a source, each up to its end tag, and the number of comments.

    The parser drops what follows an end tag. CDATA is text in XHTML, and is not displayed in HTML.
    """
    source = re.sub(r"[\0-\x08\x0b\x0e-\x1f\ud800-\udfff]", "\ufffd", _PAGE_TAG.sub(_PAGE_BREAK, source))
    is_xhtml, comments = bool(_IS_XHTML.match(source)), 0
    pieces: list[list[str]] = [[]]
    at = 0
    for match in _RAW.finditer(source):
        pieces[-1].append(source[at : match.start()])
        at = match.end()
        if match["cdata"] is not None:
            text = escape(match["cdata"])
            pieces[-1].append(text if is_xhtml else f"<span hidden>{text}</span>")
        elif match["end"] is not None:
            pieces += [[]] if match["end"].lower() == "html" else []
        else:
            comments += match["tag"] is None
            pieces[-1].append(match[0])
    pieces[-1].append(source[at:])
    texts = ["".join(piece) for piece in pieces]
    return [text for number, text in enumerate(texts) if text.strip() or not number], comments


def _parse(source: str, builder: Builder) -> tuple[Any, bool]:
    """The root element of a document, None if there is no element; and whether all of its markup has an end.

    The parser drops, and browsers hide, what follows a quote, a comment or the like that does not end, so that an
    element after it is not found.

    Raises:
        CorruptDocumentError: the parser found nothing readable.
        LimitExceededError: elements are nested deeper than the parser allows.
    """
    check_attributes(source, builder.name)
    root = _root(f"{source}<{_LAST}></{_LAST}>", builder) if source.strip() else None
    last = root
    while last is not None and len(last):
        last = last[-1]
    if last is None or last.tag != _LAST:
        return _root(source, builder), not source.strip()
    around = last.getparent()
    around.remove(last)
    return (root, True) if len(around) or around.text or around.tag != "body" else (_root(source, builder), True)


def _root(source: str, builder: Builder) -> Any:
    # Without huge_tree, libxml2 stops at 256 levels and 10 MB of text and drops the rest without an error.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_pis=True, remove_comments=True)
    try:
        root = etree.fromstring(source.encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise CorruptDocumentError(f"{builder.name}: HTML cannot be parsed ({error}); get the file again") from error
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise LimitExceededError(f"{builder.name}: depth: above the parser's limit of 2,048; simplify the file")
    return root
