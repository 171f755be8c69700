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
_IMPORT = re.compile(
    r"""@import\s*(?:url\(\s*)?(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)'|(?P<c>[^"'\s;)]+))\s*\)?(?P<media>[^;{}]*)(?:;|\Z)""",
    re.IGNORECASE,
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
        if address and _is_applied(link) and not _names_fonts(address):
            yield address
    for sheet in sheets_within(root):
        css = without_comments(sheet) if "@import" in sheet.lower() else ""
        for found in _IMPORT.finditer(css.partition("{")[0]):  # after the first rule, browsers ignore it
            address = (found["a"] or found["b"] or found["c"] or "").strip()
            if address and is_for_screens(_CONDITION.sub("", found["media"])) and not _names_fonts(address):
                yield address


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


def _names_fonts(address: str) -> bool:
    """Whether the style sheet at an address only names fonts."""
    try:
        return urlsplit(address).netloc.lower() in _FONTS_ONLY
    except ValueError:  # no address that can be read
        return False
