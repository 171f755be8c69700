"""The style sheets of an HTML document: those within it, and those in other files, which are not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from longdoc.loaders.html.styles import without_comments

_OTHER_MEDIA = re.compile(
    r"\s*(?:only\s+)?(?:print|speech|aural|braille|embossed|handheld|projection|tty|tv)\b|\s*not\s+(?:all|screen)\b",
    re.IGNORECASE,
)
_BORDER = re.compile(
    r""""(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\burl\(\s*(?=[^\s"'])[^)]*\)?|[;{]""", re.IGNORECASE | re.DOTALL
)
"""What ends a statement, and the strings and addresses in which it does not."""
_IMPORT = re.compile(
    r"""\s*@import(?:\s+url\(\s*(?P<bare>[^"'\s)]+)|(?:\s+url\(\s*|\s*)(?P<quoted>"[^"]*"|'[^']*'))"""
    r"""\s*\)?(?P<media>.*)""",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\b(?:layer|supports)(?:\((?:[^()]|\([^()]*\))*\))?", re.IGNORECASE)
_NOT_APPLIED = ("noscript", "template")
_FONTS_ONLY = ("fonts.googleapis.com", "fonts.bunny.net", "use.typekit.net")
"""Hosts whose style sheets name fonts and nothing else."""


def is_for_screens(media: str) -> bool:
    """Whether a list of media includes screens.

    >>> [is_for_screens(media) for media in ("", "print", "screen, print", "(min-width: 40em)", "not screen")]
    [True, False, True, True, False]
    """
    return not media.strip() or not all(_OTHER_MEDIA.match(each) for each in media.split(","))


def sheets_within(root: Any) -> list[str]:
    """The style sheets for screens within a document."""
    return [style.text or "" for style in root.iter("style") if is_for_screens(style.get("media", ""))]


def sheets_elsewhere(root: Any) -> Iterator[str]:
    """The addresses of the style sheets in other files that a browser applies to a document."""
    for link in root.iter("link"):
        address = link.get("href", "").strip()
        if _is_elsewhere(address) and _is_applied(link):
            yield address
    for sheet in sheets_within(root):
        css = without_comments(sheet) if "@import" in sheet.lower() else ""
        for found in filter(None, map(_IMPORT.match, _first_statements(css))):
            if "{" in found["media"] or "}" in found["media"]:
                continue
            address = (found["bare"] or found["quoted"][1:-1]).strip()
            if _is_elsewhere(address) and is_for_screens(_CONDITION.sub("", found["media"])):
                yield address


def _first_statements(css: str) -> Iterator[str]:
    """The statements of a style sheet up to its first rule; after that, browsers ignore what they import."""
    start = 0
    for border in _BORDER.finditer(css):
        if border[0] == "{":
            return
        if border[0] == ";":
            yield css[start : border.start()]
            start = border.end()
    yield css[start:]


def _is_applied(link: Any) -> bool:
    """Whether a ``link`` element is a style sheet for screens, or becomes one when the page is complete."""
    relations = link.get("rel", "").lower().split()
    on_load = link.get("onload", "").lower()
    is_late = "preload" in relations and "stylesheet" in on_load
    if not ("stylesheet" in relations or is_late) or "alternate" in relations or link.get("disabled") is not None:
        return False
    if link.get("type", "text/css").strip().lower().partition(";")[0] not in ("", "text/css"):
        return False
    if any(outer.tag in _NOT_APPLIED for outer in link.iterancestors()):
        return False
    return is_for_screens(link.get("media", "")) or "media" in on_load


def _is_elsewhere(address: str) -> bool:
    """Whether the style sheet at an address is in another file, and does not only name fonts."""
    try:
        parts = urlsplit(address)
    except ValueError:  # no address that can be read
        return True
    return bool(address) and parts.scheme != "data" and parts.netloc.lower() not in _FONTS_ONLY
