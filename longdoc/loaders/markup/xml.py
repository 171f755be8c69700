"""Parses XML safely, and reads tags, attributes and text of its elements."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from html.entities import html5
from typing import Any

from lxml import etree

from longdoc.errors import CorruptDocumentError, LimitExceededError, UnsupportedFormatError
from longdoc.loaders.limits import Limits

Element = etree._Element


_PREDEFINED = (b"amp", b"lt", b"gt", b"quot", b"apos")
_PARSER_LIMIT = re.compile("excessive depth|huge", re.IGNORECASE)
_ENTITY = re.compile(rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|&([A-Za-z][\w.-]*);", re.DOTALL)


_TAGS = frozenset(
    "a abbr acronym address b big blockquote body br caption center cite code col colgroup content dd del dfn div dl "
    "dt em font footnote footnoteref h1 h2 h3 h4 h5 h6 head hr html i img ins item kbd li linkhtml list ol p paragraph "
    "pre q rendermultimedia s samp small span strike strong style sub sup table tbody td tfoot th thead title tr tt u "
    "ul var".split()
)
"""Tags of the narratives of clinical records."""
_LESS_THAN = re.compile(
    r"""<(?:(!--|\?|!doctype\b[^<>]*>)|/?([a-z][\w:.-]*)"""
    r"""(?:\s+(?:[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)|nowrap|noshade|compact))*\s*/?>)?""",
    re.IGNORECASE,
)
_MOST_ATTRIBUTES = 1000  # of an element: the parser of HTML compares each with all before it
_HTML_TAG = re.compile(r"""<[a-z](?:[^<>=]+|=\s*"[^"]*"|=\s*'[^']*'|=)*""", re.IGNORECASE)
_QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*')""")  # other quotes, as in "don't", open nothing
_END_TAG = re.compile(r"</([a-z][\w:.-]*)\s*>", re.IGNORECASE)


def parse_xml(data: bytes, name: str, limits: Limits) -> Element:
    """The root element, without comments and processing instructions; external files are never read.

    An entity defined by an external DTD becomes the HTML character of the same name; if there is none, it stays as
    ``&name;``.

    Args:
        data: the content of the file.
        name: the name of the file, for errors.
        limits: the limits on the input.

    Raises:
        CorruptDocumentError: it is not well formed.
        UnsupportedFormatError: its DOCTYPE declares entities or elements.
        LimitExceededError: it nests deeper than the limits allow.
    """
    limits.check("elements", data.count(b"<") - data.count(b"</"), name)
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
        root = etree.fromstring(_ENTITY.sub(_character, data), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        if _PARSER_LIMIT.search(str(error)):
            raise LimitExceededError(f"{name}: beyond the limits of the XML parser: {error}; split the file") from error
        raise CorruptDocumentError(f"{name}: XML is not well formed: {error}; get the file again") from error
    _check_doctype(root, name)
    _check_depth(root, name, limits)
    return root


def parse_xhtml(fragment: str, name: str, limits: Limits, warnings: list[str]) -> Element:
    """The root element of an XHTML fragment; one that is not well formed is parsed as HTML, with a warning.

    Args:
        fragment: the fragment.
        name: the name of the file, for errors.
        limits: the limits on the input.
        warnings: what to add the warning to.

    Raises:
        CorruptDocumentError: it contains no element.
        LimitExceededError: it nests deeper than the limits allow.
    """
    try:
        return parse_xml(fragment.encode("utf-8", "replace"), name, limits)
    except CorruptDocumentError as problem:
        check_attributes(fragment, name)
        parser = etree.HTMLParser(
            encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
        )
        try:
            root = etree.fromstring(_only_tags(fragment).encode("utf-8", "replace"), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise CorruptDocumentError(f"{name}: narrative is not XHTML: {error}; get the file again") from error
        if root is None:
            raise CorruptDocumentError(f"{name}: narrative has no elements; allowed: XHTML") from None
        _check_depth(root, name, limits)
        warnings.append(f"a narrative is not well formed, and read as HTML: {problem.__cause__}")
        return root


def check_attributes(source: str, name: str) -> None:
    """Raises an error for HTML with an element of so many attributes that its parser would take long.

    Args:
        source: the HTML.
        name: the name of the file, for the error.

    Raises:
        LimitExceededError: an element has more than a thousand attributes.
    """
    for tag in _HTML_TAG.finditer(source):
        if tag.end() - tag.start() > 2 * _MOST_ATTRIBUTES:
            count = len(re.split(r"[\s/]+", _QUOTED.sub('="" ', tag[0])))
            if count > _MOST_ATTRIBUTES + 2:  # the tag's name, and what is after the last space
                raise LimitExceededError(
                    f"{name}: an element with more than {_MOST_ATTRIBUTES:,} attributes; remove them from the file"
                )


def _only_tags(fragment: str) -> str:
    """A fragment in which each "<" that starts no tag, as in "K<3", is escaped: a parser of HTML drops what follows.

    It drops what follows ``</html>``, too, which is left out.
    """
    fragment = fragment.replace("<![CDATA[", "").replace("]]>", "")
    tags = _TAGS.union(match[1].lower() for match in _END_TAG.finditer(fragment))
    ends = {"!--": fragment.rfind("-->"), "?": fragment.rfind(">")}

    def escaped(match: re.Match[str]) -> str:
        other, tag = match[1], match[2]
        if tag and tag.lower() == "html" and match[0][1] == "/":
            return ""
        is_markup = match.start() < ends.get(other, len(fragment)) if other else bool(tag) and tag.lower() in tags
        return match[0] if is_markup else "&lt;" + match[0][1:]

    return _LESS_THAN.sub(escaped, fragment)


def _character(match: re.Match[bytes]) -> bytes:
    """The characters of an entity reference."""
    name = match[1]
    if name is None or name in _PREDEFINED:
        return match[0]
    characters = html5.get(name.decode("ascii", "replace") + ";")
    if characters is None:
        return b"&amp;" + name + b";"
    return b"".join(b"&#%d;" % ord(character) for character in characters)


def _check_doctype(root: Element, name: str) -> None:
    dtd: Any = root.getroottree().docinfo.internalDTD
    if dtd is not None and (any(dtd.iterentities()) or any(dtd.iterelements())):
        raise UnsupportedFormatError(
            f"{name}: the DOCTYPE declares entities or elements; allowed: a DTD by name; remove the declarations"
        )


def _check_depth(root: Element, name: str, limits: Limits) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        limits.check("depth", depth, name)


def tag_of(element: Element) -> str:
    """The tag of an element without its namespace, in lower case."""
    return _local_name(element.tag)


@lru_cache(maxsize=4096)
def _local_name(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()


def text_of(element: Element) -> str:
    """All text in an element, with white space collapsed."""
    return " ".join(str(element.xpath("string()")).split())


_INLINE = frozenset("italic bold sup sub sc underline monospace strike named-content styled-content".split())


def words_of(element: Element, word_tags: frozenset[str] | None = None) -> str:
    """All text in a structured element, with spaces between the texts of its parts.

    Args:
        element: an element with data rather than prose, such as an affiliation or a citation.
        word_tags: tags that start a new word; by default, all but those of inline markup such as ``<italic>``.
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
        elif tag not in _INLINE if word_tags is None else tag in word_tags:
            pieces.append(" ")
        pieces.append(inner.text or "")
    return " ".join("".join(pieces[:-1]).split())


def attribute(element: Element, name: str) -> str:
    """The value of an attribute in any namespace; empty if it is missing."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def children(element: Element, *tags: str) -> list[Element]:
    """The child elements with these tags."""
    return [child for child in element if tag_of(child) in tags]


def whole_number(text: str) -> int:
    """The value of a numeric attribute; 1 if it is not a number of up to six digits."""
    return int(text) if re.fullmatch("[0-9]{1,6}", text.strip()) else 1
