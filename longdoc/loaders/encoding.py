"""The encoding of text files that do not declare one."""

from __future__ import annotations

import codecs

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""Byte order mark -> encoding."""


def decode(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding: by the byte order mark, otherwise UTF-8, otherwise Windows-1252."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "cp1252"
