"""How far each code of a PDF font moves on: what is needed to know where a glyph is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MOST_CODES = 1 << 16


@dataclass(frozen=True, slots=True)
class Font:
    """The codes of a font and their widths."""

    size: int
    """Bytes a code."""
    widths: Mapping[int, float]
    """Of each code, in units of the font size."""
    default: float
    is_drawn: bool = False
    """Whether its glyphs are small content streams of their own (Type 3)."""

    def codes(self, data: bytes) -> list[tuple[bytes, float, bool]]:
        """The codes in a string, with the width of each, and whether it is the space of one byte."""
        if self.size == 1:
            return [(data[i : i + 1], self.widths.get(code, self.default), code == 32) for i, code in enumerate(data)]
        pairs = (data[i : i + 2] for i in range(0, len(data), 2))
        return [(pair, self.widths.get(int.from_bytes(pair, "big"), self.default), False) for pair in pairs]


def read_font(font: Any) -> Font | None:
    """The widths of a font; None where they are not known: they are in the font program alone, or run down the page."""
    kind = str(font.get("/Subtype", ""))
    if kind == "/Type0":
        return _composite(font)
    widths = font.get("/Widths")
    if widths is None:
        return _standard(font) if kind in ("/Type1", "/TrueType") else None
    descriptor = font.get("/FontDescriptor")
    missing = float(descriptor.get("/MissingWidth", 0)) if descriptor is not None else 0.0
    unit = abs(float(font.get("/FontMatrix", [0.001])[0])) if kind == "/Type3" else 0.001
    first = int(font.get("/FirstChar", 0))
    found = {first + at: float(width) * unit for at, width in enumerate(list(widths)[:256])}
    return Font(1, found, missing * unit, is_drawn=kind == "/Type3")


def _composite(font: Any) -> Font | None:
    """A font of two-byte codes that are the numbers of its glyphs; other encodings are not read."""
    from pikepdf import Array

    if str(font.get("/Encoding", "")) != "/Identity-H":
        return None
    descendant = font.DescendantFonts[0]
    widths: dict[int, float] = {}
    items = list(descendant.get("/W", ()))
    at = 0
    while at + 1 < len(items):
        first, second = int(items[at]), items[at + 1]
        if isinstance(second, Array):
            widths |= {first + i: float(width) / 1000 for i, width in enumerate(second)}
            at += 2
        elif at + 2 < len(items):
            last = min(int(second), _MOST_CODES)
            widths |= dict.fromkeys(range(first, last + 1), float(items[at + 2]) / 1000)
            at += 3
        else:
            break
    return Font(2, widths, float(descendant.get("/DW", 1000)) / 1000)


def _standard(font: Any) -> Font | None:
    """One of the fonts that every reader has."""
    from pdfminer.encodingdb import EncodingDB
    from pdfminer.fontmetrics import FONT_METRICS
    from pdfminer.psparser import LIT
    from pikepdf import Dictionary

    name = str(font.get("/BaseFont", ""))[1:]
    if name not in FONT_METRICS or name in ("Symbol", "ZapfDingbats"):
        return None
    by_character = FONT_METRICS[name][1]
    encoding = font.get("/Encoding")
    changes: list[Any] = []
    base = "StandardEncoding"
    if isinstance(encoding, Dictionary):
        base = str(encoding.get("/BaseEncoding", "/StandardEncoding"))[1:]
        differences: list[Any] = list(encoding.get("/Differences", ()))
        changes = [each if isinstance(each, int) else LIT(str(each)[1:]) for each in differences]
    elif encoding is not None:
        base = str(encoding)[1:]
    characters = EncodingDB.get_encoding(base, changes)
    widths = {code: by_character.get(character, 0) / 1000 for code, character in characters.items()}
    return Font(1, widths, 0.0)
