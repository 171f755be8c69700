"""Characters of symbol fonts, which files store by their place in the font: in Wingdings, "x" is a crossed box."""

from __future__ import annotations

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
        bytes.fromhex(
            "21 22 28 29 2a 36 3f 41 45 46 47 48 4a 4c 4e 51 6c 6d 6e 6f 71 72 73 74 75 76 77 78 9f a1 a7 a8 ab d8"
            "df e0 e1 e2 e8 ef f0 f1 f2 fb fc fd fe"
        ),
        "✏✂☎✆✉⌛✍✌☜☞☝☟☺☹☠✈●❍■☐❑❒⬧⧫◆❖⬥☒•○▪☐★➢←→↑↓➔⇦⇨⇧⇩✗✓☒☑",
        strict=True,
    )
)
_WINGDINGS |= {0x81 + at: chr(ord("①") + at) for at in range(10)} | {0x8C + at: chr(ord("❶") + at) for at in range(10)}
_WINGDINGS_2 = dict(zip(bytes.fromhex("4f 50 51 52 53 54 97 98 a2 a3"), "✗✓☒☑☒☒●●■☐", strict=True))
_WEBDINGS = dict(zip(bytes.fromhex("61 63 67 6e 72"), "✓☐■●✗", strict=True))
_FONTS = {"Symbol": _SYMBOL, "Wingdings": _WINGDINGS, "Wingdings 2": _WINGDINGS_2, "Webdings": _WEBDINGS}


_BY_NAME = {name.lower(): name for name in _FONTS}
_FEW = 3  # symbols stand alone; more letters in a row are words, unless each of them is a symbol


def symbol_font(families: str) -> str:
    """The symbol font that the first of a list of font families is; empty if it is another font.

    >>> symbol_font("'wingdings 2', serif")
    'Wingdings 2'
    """
    return _BY_NAME.get(families.partition(",")[0].strip(" \t\n\"'").lower(), "")


def in_font(place: int, font: str) -> str:
    """The character at a place, 0 to 255, of a symbol font; empty if unknown."""
    return _FONTS.get(font, {}).get(place, "")


def shown_in(text: str, font: str) -> str:
    """Text as a font shows it, character by character.

    >>> shown_in("x", "Wingdings"), shown_in("b", "Symbol"), shown_in("a text", "Wingdings")
    ('☒', 'β', 'a text')
    """
    shown = _FONTS.get(font)
    if not shown:
        return text
    letters = text.split()
    is_few = sum(map(len, letters)) <= _FEW or all(ord(each) & 0xFF in shown for each in "".join(letters))
    by_letter = font == "Symbol" or is_few
    return "".join(
        shown.get(ord(c) & 0xFF, c) if ord(c) >> 8 == 0xF0 or (by_letter and ord(c) < 256) else c for c in text
    )
