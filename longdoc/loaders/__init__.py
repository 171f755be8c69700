"""From a file to a :class:`~longdoc.document.Document`: a loader is a function from bytes to a Document."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Literal

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, DocumentNotFoundError
from longdoc.loaders._kinds import kind_of
from longdoc.loaders._limits import Limits
from longdoc.sections import add_structure

__all__ = ["Limits", "load"]

_DEFAULT_LIMITS = Limits()


def load(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    password: str | None = None,
    ocr: Literal["auto", "never"] = "auto",
    pages: tuple[int, int] | None = None,
    tables: bool = True,
    keep_furniture: bool = False,
    limits: Limits = _DEFAULT_LIMITS,
) -> Document:
    """Reads a PDF or plain text; the content says which it is, then the suffix.

    Args:
        source: a path, the bytes of a file, or a file object opened for reading bytes.
        password: for an encrypted file; not used where none is needed.
        ocr: "auto" or "never". This release has no OCR: pages that need it are named in ``Document.warnings``.
        pages: first and last page to read, from 1, both included; numbers stay those of the whole document.

    Raises:
        DocumentNotFoundError: there is no such file, or it may not be read.
        UnsupportedFormatError: it is neither PDF nor text.
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: it is empty, or damaged beyond repair.
        NoTextLayerError: no page has text.
    """
    if ocr not in ("auto", "never"):
        raise ValueError(f"ocr={ocr!r} is not known; allowed: 'auto', 'never'")
    if pages is not None and (not isinstance(pages, tuple) or len(pages) != 2 or not 1 <= pages[0] <= pages[1]):
        raise ValueError(f"pages={pages!r} is no range of page numbers; allowed: (first, last) with 1 <= first <= last")
    data, name = _read(source)
    if not data:
        raise CorruptDocumentError(f"{name}: empty, 0 bytes; give a file with something in it")
    limits.check("file_bytes", len(data), name)
    kind = kind_of(data, name)
    if kind == "pdf":
        from longdoc.loaders.pdf import load_pdf

        document = load_pdf(data, name=name, password=password, pages=pages)
    else:
        module = import_module(f"longdoc.loaders.{kind}")
        document = getattr(module, f"load_{kind}")(data, name=name, limits=limits)
    return add_structure(document)


def _read(source: str | os.PathLike[str] | bytes | BinaryIO) -> tuple[bytes, str]:
    """Content and name of a source."""
    if isinstance(source, bytes):
        return source, "bytes"
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            return path.read_bytes(), path.name
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DocumentNotFoundError(f"{path}: cannot be read ({reason}); give the path of a file") from error
    content = source.read() if hasattr(source, "read") else None
    if not isinstance(content, bytes):
        allowed = "a path (str or Path), bytes, or a file object opened in binary mode"
        raise TypeError(f"source is {type(source).__name__}; allowed: {allowed}")
    return content, Path(str(getattr(source, "name", "file object"))).name
