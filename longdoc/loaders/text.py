"""Plain text: UTF-8, UTF-16 with a byte order mark, else Windows-1252."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import replace

from longdoc.document import Document, Source
from longdoc.edits import Edit, Edits
from longdoc.errors import NoTextLayerError
from longdoc.loaders._limits import Limits

_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def load_text(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads plain text; a form feed ends a page, and carriage returns become line feeds through edits.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        NoTextLayerError: it holds nothing but white space.
    """
    text, encoding = _decode(data)
    if not text.strip():
        raise NoTextLayerError(f"{name}: {len(data)} bytes of nothing but white space; give a file with text in it")
    source = Source(
        name=name,
        media_type="text/plain",
        sha256=hashlib.sha256(data).hexdigest(),
        loader="text",
        version="1",
        metadata={"encoding": encoding},
    )
    edits = Edits.of(Edit(match.start(), match.end(), "\n", "line") for match in re.finditer(r"\r\n?", text))
    warnings = ("not UTF-8: read as Windows-1252, check accents and quotation marks",) if encoding == "cp1252" else ()
    return replace(Document.from_text(text, edits=edits), source=source, warnings=warnings)


def _decode(data: bytes) -> tuple[str, str]:
    """The text, and the encoding that gave it."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "cp1252"
