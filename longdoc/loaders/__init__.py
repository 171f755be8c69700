"""From a file to a :class:`~longdoc.document.Document`: a loader is a function from bytes to a Document."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, DocumentNotFoundError
from longdoc.loaders.detect import kind_of
from longdoc.loaders.limits import Limits
from longdoc.loaders.options import Options
from longdoc.sections import add_structure

__all__ = ["Limits", "load"]

_ROOMS = {
    "pdf": "pdf",
    "docx": "docx",
    "html": "html",
    "text": "text",
    "jats": "jats",
    "image": "image",
    "ccda": "clinical.ccda",
    "fhir": "clinical.fhir",
}


def load(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    password: str | None = None,
    ocr: str = "auto",
    pages: tuple[int, int] | None = None,
    tables: bool = True,
    keep_furniture: bool = False,
    limits: Limits = Limits(),  # noqa: B008 (immutable)
) -> Document:
    """Reads a PDF, Word, HTML, JATS, FHIR, C-CDA or text file, or a picture of a page.

    The content says what it is, then the suffix. Nothing is ever fetched from a network.

    Args:
        source: a path, the bytes of a file, or a file object opened for reading bytes.
        password: for an encrypted PDF; not used where none is needed.
        ocr: "auto" reads pages without a text layer in English, if OCR is installed (extra ``ocr``); "never"; or the
            languages to read them in, as Tesseract names them: "fra+eng".
        pages: first and last page of a PDF or a picture to read, from 1, both included; numbers stay those of the
            whole document. Other formats are read whole.
        tables: look for tables in PDFs. The other formats say where their tables are.
        keep_furniture: leave the headers, footers and page numbers of a PDF in ``Document.text``;
            ``Document.furniture`` lists them either way.
        limits: what to refuse.

    Raises:
        DocumentNotFoundError: there is no such file, or it may not be read.
        UnsupportedFormatError: it is none of these kinds.
        EncryptedDocumentError: it needs a password, or another one.
        CorruptDocumentError: it is empty, or damaged beyond repair.
        NoTextLayerError: no page has text.
        LimitExceededError: it asks for more than the limits allow.
    """
    options = Options(
        password=password, ocr=ocr, pages=pages, tables=tables, keep_furniture=keep_furniture, limits=limits
    )
    data, name = _read(source)
    return add_structure(read(data, name=name, options=options))


def read(data: bytes, *, name: str, options: Options) -> Document:
    """Reads bytes by the loader of their kind, without looking for sections; attachments come this way too.

    Raises:
        DocumentError: see :func:`load`.
    """
    if not data:
        raise CorruptDocumentError(f"{name}: empty, 0 bytes; give a file with something in it")
    options.limits.check("file_bytes", len(data), name)
    kind = kind_of(data, name)
    # Loaders bring the libraries of their formats with them, so each is imported when it is first needed.
    loader: Callable[..., Document] = getattr(import_module(f"longdoc.loaders.{_ROOMS[kind]}"), f"load_{kind}")
    if kind in ("pdf", "image"):
        return loader(data, name=name, options=options)
    return loader(data, name=name, limits=options.limits)


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
