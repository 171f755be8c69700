"""Reads files of all formats as :class:`~longdoc.document.Document`.

A loader is a function from bytes to a Document. To add one, add its module to this package and its row to the table in
:mod:`longdoc.loaders.detect`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, TypeAlias

from longdoc.arguments import check_flags
from longdoc.document import Document
from longdoc.errors import ConfigError, CorruptDocumentError, DocumentNotFoundError
from longdoc.loaders.detect import FORMATS, kind_of
from longdoc.loaders.glued_words import warn_of_glued_words
from longdoc.loaders.limits import MEMORY, SECONDS, Limits
from longdoc.loaders.options import Options
from longdoc.sections import add_structure

__all__ = ["DocumentLike", "Limits", "as_document", "load"]

_CHUNK = 1 << 22
"""Bytes that are read of a file at a time."""
DocumentLike: TypeAlias = Document | str | os.PathLike[str] | bytes | BinaryIO
"""A document, or the path, bytes or open binary file of one."""


def load(  # noqa: PLR0913 (each is a separate choice of the caller)
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    password: str | None = None,
    ocr: str = "auto",
    pages: tuple[int, int] | None = None,
    tables: bool = True,
    keep_furniture: bool = False,
    limits: Limits = Limits(),  # noqa: B008 (immutable)
    isolated: bool = False,
    timeout: float | None = SECONDS,
    memory: int | None = MEMORY,
) -> Document:
    """Reads a PDF, Word, HTML, JATS, FHIR, C-CDA or text file, or an image of a page.

    The format is detected from the content, then from the suffix. Nothing is fetched from a network.

    By default the document is read in this process, by parsers written in C and C++: a file that makes one of them
    crash, hang or eat memory takes this process with it. ``isolated=True`` reads it in a worker process, with limits on
    time and memory, so that such a file costs an error. The command line and batches do; so should a service.

    Args:
        source: a path, the bytes of a file, or a binary file object.
        password: the password of an encrypted PDF; ignored if the PDF is not encrypted.
        ocr: ``"auto"`` reads pages without a text layer in English, if OCR is installed (extra ``ocr``); ``"never"``
            does not; or the languages of these pages, as Tesseract names them: ``"fra+eng"``.
        pages: the first and the last page to read of a PDF or an image, from 1, inclusive; page numbers remain those
            of the whole document. Other formats are always read whole.
        tables: whether to look for tables in PDFs; in the other formats tables are marked up.
        keep_furniture: whether to keep the headers, footers and page numbers of a PDF in ``Document.text``;
            ``Document.furniture`` lists them either way.
        limits: the limits on the input; larger documents are refused.
        isolated: whether to read the document in a worker process, which waits for the next document, and ends with
            this process. The result is the same; what is logged and warned of there is logged and warned of here.
        timeout: seconds that this may take if isolated; None for no limit.
        memory: bytes that it may use if isolated, on Linux; None for no limit.

    Raises:
        DocumentNotFoundError: the file does not exist or cannot be read.
        UnsupportedFormatError: it is of none of these formats.
        EncryptedDocumentError: it needs a password, or a different one.
        CorruptDocumentError: it is empty, or damaged beyond repair.
        NoTextLayerError: it contains no text.
        LimitExceededError: it exceeds a limit.
        LoaderDiedError: it was isolated, and its process crashed, or (``LoaderTimeoutError``, ``LoaderMemoryError``)
            took more time or memory than it may.
        ConfigError: an argument has another type, or a value out of range.
    """
    _check_isolation(isolated, timeout, memory)
    options = Options(
        password=password, ocr=ocr, pages=pages, tables=tables, keep_furniture=keep_furniture, limits=limits
    )
    document = _read_isolated(source, options, timeout, memory) if isolated else _read(source, options)
    if isinstance(source, (str, os.PathLike)):
        object.__setattr__(document, "path", Path(source).absolute())
    return document


def _read(source: str | os.PathLike[str] | bytes | BinaryIO, options: Options) -> Document:
    name = _name_of(source)
    return _document(_content_of(source, name, options.limits), name, options)


def _read_isolated(
    source: str | os.PathLike[str] | bytes | BinaryIO, options: Options, timeout: float | None, memory: int | None
) -> Document:
    from longdoc.loaders.isolated import in_time, isolated  # only here, for the time that it takes

    name = _name_of(source)
    data = in_time(_content_of, source, name, options.limits, name=name, timeout=timeout)
    return isolated(_document, data, name, options, name=name, timeout=timeout, memory=memory)


def _check_isolation(isolated: bool, timeout: float | None, memory: int | None) -> None:
    check_flags(isolated=isolated)
    if not isolated and (timeout, memory) != (SECONDS, MEMORY):
        raise ConfigError("timeout and memory are for documents that are isolated; add isolated=True")


def _document(data: bytes, name: str, options: Options) -> Document:
    return add_structure(warn_of_glued_words(read(data, name=name, options=options)))


def as_document(source: DocumentLike) -> Document:
    """The document itself, or the one loaded from a path, bytes or a file.

    Raises:
        DocumentError: see :func:`load`.
    """
    return source if isinstance(source, Document) else load(source)


def read(data: bytes, *, name: str, options: Options) -> Document:
    """Reads bytes by the loader of their format, without adding structure; loaders read attachments with it.

    Args:
        data: the content of the file.
        name: the name of the file, for its suffix, for errors and for ``Document.source``.
        options: the options of :func:`load`.

    Raises:
        DocumentError: see :func:`load`.
    """
    if not data:
        raise CorruptDocumentError(f"{name}: empty, 0 bytes; give a file with content")
    options.limits.check("file_bytes", len(data), name)
    kind = kind_of(data, name)
    # Imported on first use, since each loader imports the libraries of its format.
    module = import_module(f"longdoc.loaders.{FORMATS[kind].module}")
    loader: Callable[..., Document] = getattr(module, f"load_{kind}")
    if FORMATS[kind].has_attachments:
        return loader(data, name=name, options=options, read=read)
    return loader(data, name=name, options=options)


def _unreadable(path: str, error: Exception) -> str:
    """Why a path cannot be read, and what to do; a text is often given for one."""
    remedy = "give the path of a file; a text itself is read with Document.from_text"
    if re.match(r"\w+://", path):
        remedy = "nothing is fetched from a network; download it and give its path"
    shown = path if len(path) <= 255 else f"{path[:60]} …"
    return f"{shown}: cannot be read ({getattr(error, 'strerror', None) or error}); {remedy}"


def _name_of(source: str | os.PathLike[str] | bytes | BinaryIO) -> str:
    """The name of a source, without its folder."""
    if isinstance(source, bytes):
        return "bytes"
    return Path(source if isinstance(source, (str, os.PathLike)) else str(getattr(source, "name", "file object"))).name


def _content_of(source: str | os.PathLike[str] | bytes | BinaryIO, name: str, limits: Limits) -> bytes:
    """The content of a source."""
    if isinstance(source, bytes):
        return source
    if not isinstance(source, (str, os.PathLike)):
        return _content(source, name, limits)
    try:
        with Path(source).open("rb") as file:
            limits.check("file_bytes", os.fstat(file.fileno()).st_size, name)
            return _content(file, name, limits)
    except (OSError, ValueError) as error:
        raise DocumentNotFoundError(_unreadable(os.fspath(source), error)) from error


def _content(file: BinaryIO, name: str, limits: Limits) -> bytes:
    """The content of a file, of which no more is read than may be: some, such as /dev/zero, do not end."""
    allowed = "a path (str or Path), bytes, or a file object opened in binary mode, with read(size)"
    content, chunk = bytearray(), None
    while chunk != b"":
        try:
            chunk = file.read(_CHUNK) if hasattr(file, "read") else None
        except TypeError as error:
            raise ConfigError(f"source is {type(file).__name__}, which fails ({error}); allowed: {allowed}") from error
        if not isinstance(chunk, bytes):
            raise ConfigError(f"source is {type(file).__name__}; allowed: {allowed}")
        content += chunk
        limits.check("file_bytes", len(content), name)
    return bytes(content)
