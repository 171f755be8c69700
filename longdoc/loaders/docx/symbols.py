"""Characters of symbol fonts, which Word stores by their place in the font."""

from __future__ import annotations

import re

from longdoc.loaders.docx.package import child
from longdoc.loaders.markup.xml import Element, attribute

_GREEK = dict(
    zip(
        "abgdezhqiklmnxoprstufcywABGDEZHQIKLMNXOPRSTUFCYW",
        "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        strict=True,
    )
)
_SYMBOL = {code: chr(code) for code in (*range(0x20, 0x40), *b"[]_{|}")}
_SYMBOL |= {ord(letter): greek for letter, greek in _GREEK.items()}
_SYMBOL |= dict(
    zip(
        bytes.fromhex(
            "22 24 27 2d 40 44 4a 56 5c 5e 6a 76 a1 a2 a3 a5 ab ac ad ae af b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 ba bb bc c5"
            "c6 c7 c8 c9 ca cb cc cd ce cf d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 da db dc de e2 e3 e4 e5 f2"
        ),
        "∀∃∋−≅Δϑς∴⊥ϕϖϒ′≤∞↔←↑→↓°±″≥×∝∂•÷≠≡≈…⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇒®©™∑∫",
        strict=True,
    )
)
_WINGDINGS = dict(
    zip(
        bytes.fromhex("6c 6e 6f 71 72 76 78 a7 a8 d8 df e0 e1 e2 e8 f0 fb fc fd fe"),
        "●■☐❑❒❖☒▪☐➢←→↑↓➔⇨✗✓☒☑",
        strict=True,
    )
)
_WINGDINGS_2 = dict(zip(bytes.fromhex("4f 50 51 52 53 54 97 98 a2 a3"), "✗✓☒☑☒☒●●■☐", strict=True))
_WEBDINGS = dict(zip(bytes.fromhex("61 63 67 6e 72"), "✓☐■●✗", strict=True))
_FONTS = {"Symbol": _SYMBOL, "Wingdings": _WINGDINGS, "Wingdings 2": _WINGDINGS_2, "Webdings": _WEBDINGS}


def symbol(element: Element) -> str:
    """The character of a ``w:sym``; for unknown fonts, a character of the private use area."""
    code = attribute(element, "char")
    if not re.fullmatch("[0-9A-Fa-f]{1,4}", code):
        return "\ufffd"
    number = int(code, 16)
    shown = in_font(number & 0xFF, attribute(element, "font"))
    return shown if shown and number >> 8 in (0, 0xF0) else re.sub("[\0\ud800-\udfff]", "\ufffd", chr(number))


def in_font(place: int, font: str) -> str:
    """The character at a place, 0 to 255, of a symbol font; empty if unknown."""
    return _FONTS.get(font, {}).get(place, "")


def in_symbol_font(text: str, properties: Element | None) -> str:
    """Text as a run with these properties shows it: in the font Symbol, "b" is a beta."""
    fonts = child(properties, "rfonts")
    font = "" if fonts is None else attribute(fonts, "ascii") or attribute(fonts, "hAnsi")
    if font == "Symbol":
        return "".join(_SYMBOL.get(ord(c) & 0xFF, c) if ord(c) < 256 or ord(c) >> 8 == 0xF0 else c for c in text)
    shown = _FONTS.get(font, {})
    return "".join(shown.get(ord(c) & 0xFF, c) if ord(c) >> 8 == 0xF0 else c for c in text) if shown else text


def unknown_characters(text: str) -> list[str]:
    """A warning if a text has characters whose meaning only their font knows."""
    found = re.findall("[\ue000-\uf8ff]", text)
    shown = ", ".join(f"U+{ord(each):04X}" for each in list(dict.fromkeys(found))[:5])
    return [f"characters of symbol fonts that cannot be read: {len(found)} ({shown})"] if found else []
