"""Writes text in a symbol font: the symbols that it shows, as edits of the letters that the file has."""

from __future__ import annotations

from itertools import groupby

from longdoc.loaders.markup.builder import Builder


def write_shown(builder: Builder, raw: str, text: str, *, lines: bool = False) -> None:
    """Writes text that its font may show as other characters.

    Args:
        builder: what it is written to.
        raw: the text of the source.
        text: what is shown, character by character.
        lines: whether it is preformatted.
    """
    write = builder.write_lines if lines else builder.write
    if raw == text:
        write(raw)
        return
    at = 0
    for is_same, pairs in groupby(zip(raw, text, strict=True), lambda pair: pair[0] == pair[1]):
        start, at = at, at + sum(1 for _ in pairs)
        if is_same:
            write(raw[start:at])
        else:
            builder.replace(raw[start:at], text[start:at], "symbol")
