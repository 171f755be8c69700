"""Looks at elements of HTML: the text in them and after them, addresses, tables and list markers, page numbers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from longdoc.loaders.html.styles import Styles

NO_TEXT = {"script", "style", "template", "title", "noscript"}
"""Elements whose content is not displayed."""
NEVER_TEXT = {"script", "style"}
"""Elements whose content is no text, even in what is left out."""
BLOCKS = {
    *(
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
    ).split(),
    *("figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li listing main menu nav ol p plaintext pre").split(),
    *("section summary table tbody tfoot thead tr td th ul option optgroup hgroup search xmp frameset").split(),
}
"""Elements that are blocks unless a style says otherwise."""
_ADDRESSES = {"a": "href", "area": "href", "q": "cite", "blockquote": "cite"}
_MARKER = re.compile(r"\(?\w{1,5}[.)]{1,2}|\d+(?:\.\d+)+\.?|[•·●○▪■□☐☒–—*o-]")
_NUMBER = re.compile(r"[-–—\s]*(?:page\s+)?(?:[A-Z]-)?(?:\d{1,4}|[ivxl]{1,7})(?:\s+of\s+\d+)?[-–—\s]*", re.IGNORECASE)


def texts(element: Any, *, without: Collection[str] = NO_TEXT) -> Iterator[str]:
    """The texts in an element in order, without those of elements that are not displayed."""
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, each in walk:
        if event == "start":
            if each.tag in without and each is not element:
                walk.skip_subtree()
            elif each.text:
                yield each.text
        elif each is not element and each.tail:
            yield each.tail


def text_of(element: Any, *, without: Collection[str] = NO_TEXT) -> str:
    """All text in an element, without that of elements that are not displayed, or of others given by their tags."""
    return "".join(texts(element, without=without))


def has_text(element: Any) -> bool:
    """Whether there is text in an element; stops at the first text, since lists can be long."""
    return any(text.strip() for text in texts(element))


def start_of(element: Any, length: int = 40) -> str:
    """The text at the start of an element, at least this long if there is as much; white space around it is removed."""
    return _first(texts(element), length)


def _first(pieces: Iterable[str], length: int = 40) -> str:
    """The first of several texts, at least this long if there is as much; white space around it is removed."""
    found: list[str] = []
    size = 0
    for text in pieces:
        if found or text.strip():
            found.append(text)
            size += len(text)
        if size > length:
            break
    return "".join(found).strip()


def starts_of(root: Any, elements: Collection[Any]) -> dict[Any, str]:
    """What :func:`start_of` gives for each of several displayed elements, from one walk: they can be in one another."""
    found: dict[Any, str] = {}
    opened: dict[Any, int] = {}
    # The texts, and which of them are visible; for each element around that is not displayed, those in it alone.
    walked: list[tuple[list[str], list[int]]] = [([], [])]

    def add(text: str | None) -> None:
        pieces, visible = walked[-1]
        if text:
            visible += [len(pieces)] if text.strip() else []
            pieces.append(text)

    for event, each in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            walked += [([], [])] if each.tag in NO_TEXT else []
            if each in elements:
                opened[each] = len(walked[-1][0])
            add(each.text)
            continue
        if each in elements:
            pieces, visible = walked[-1]
            number = bisect_left(visible, opened.pop(each))
            first = visible[number] if number < len(visible) else len(pieces)
            found[each] = _first(pieces[at] for at in range(first, len(pieces)))
        if each.tag in NO_TEXT:
            walked.pop()
        add(each.tail)
    return found


def address(element: Any) -> str:
    """The address that an element links to or quotes from, as it is written; empty if there is none."""
    name = _ADDRESSES.get(element.tag)
    return element.get(name, "").strip() if name else ""


def in_full(uri: str, base: str) -> str:
    """An address relative to a base; as it is written if one of the two cannot be read, such as ``http://[x``."""
    try:
        return urljoin(base, uri) if base else uri
    except ValueError:
        return uri


def page_numbers(root: Any, styles: Styles) -> set[Any]:
    """The blocks next to a page break that contain only a page number."""
    if not styles.has_breaks and not root.xpath("boolean(//@style[contains(translate(., 'BREAK', 'break'), 'break')])"):
        return set()
    outer = {element.getparent() for element in root.iter(*BLOCKS)}
    leaves = {element for element in root.iter("p", "div", "center") if element not in outer}
    events: list[Any] = [None]  # blocks, and None for page breaks
    for event, element in etree.iterwalk(root, events=("start", "end")):
        look = styles.look(element)
        if look.breaks_before if event == "start" else look.breaks_after:
            events.append(None)
        if event == "start" and element in leaves:
            events.append(element)
    events.append(None)
    if events.count(None) == 2:
        return set()
    starts = starts_of(root, leaves)
    events = [each for each in events if each is None or starts[each]]
    return {
        element
        for before, element, after in zip(events, events[1:], events[2:], strict=False)
        if element is not None and (before is None or after is None) and _NUMBER.fullmatch(starts[element])
    }


def table_roles(table: Any) -> dict[Any, str]:
    """The roles of a table and its parts: "table", "row", "cell", or "marker" for a cell with a list marker.

    A table with a single row, or with one filled cell per row beside list markers, is only layout: it has no rows and
    cells.
    """
    rows = {row: row.xpath("./td|./th") for row in table.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")}
    filled = [[(cell, text) for cell in cells if (text := start_of(cell))] for cells in rows.values()]
    filled = [row for row in filled if row]
    marked = [len(row) == 2 and bool(_MARKER.fullmatch(row[0][1])) for row in filled]
    is_layout = all(len(row) == 1 or mark for row, mark in zip(filled, marked, strict=True))
    if len(filled) < 2 or is_layout or len(list(islice(table.iter("table"), 2))) > 1:
        return {row[0][0]: "marker" for row in filled if len(row) > 1 and _MARKER.fullmatch(row[0][1])}
    return {table: "table"} | dict.fromkeys(rows, "row") | {cell: "cell" for cells in rows.values() for cell in cells}
