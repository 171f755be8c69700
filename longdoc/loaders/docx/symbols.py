"""The characters of a Word document that only a symbol font explains."""

from __future__ import annotations

import re

from longdoc.loaders.markup.xml import Element, attribute
from longdoc.loaders.symbol_fonts import in_font


def symbol(element: Element) -> str:
    """The character of a ``w:sym``; for unknown fonts, a character of the private use area."""
    code = attribute(element, "char")
    if not re.fullmatch("[0-9A-Fa-f]{1,4}", code):
        return "\ufffd"
    number = int(code, 16)
    shown = in_font(number & 0xFF, attribute(element, "font"))
    return shown if shown and number >> 8 in (0, 0xF0) else re.sub("[\0\ud800-\udfff]", "\ufffd", chr(number))


def unknown_characters(text: str) -> list[str]:
    """A warning if a text has characters whose meaning only their font knows."""
    found = re.findall("[\ue000-\uf8ff]", text)
    shown = ", ".join(f"U+{ord(each):04X}" for each in list(dict.fromkeys(found))[:5])
    return [f"characters of symbol fonts that cannot be read: {len(found)} ({shown})"] if found else []
