"""Documents attached to clinical records."""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import replace

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError, DocumentError, UnsupportedFormatError
from longdoc.loaders.detect import kind_of, supported
from longdoc.loaders.encoding import BYTES_PER_CHARACTER, check_size, decode, is_binary
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.options import Options

Read = Callable[..., Document]
"""``read(data, name=..., options=...)`` of :mod:`longdoc.loaders`: reads a document of any format."""

# An attachment counts as this many levels of nesting, so that nested records reach the limit before Python's own.
_LEVELS = 32
_START = 1 << 20  # bytes, which tell whether it is text
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:+-]+)""", re.IGNORECASE)
_WINDOW_BITS = {"DF": -zlib.MAX_WBITS, "GZ": 16 + zlib.MAX_WBITS, "ZL": zlib.MAX_WBITS}
"""How zlib reads the compressions of HL7: deflate, gzip and zlib."""


def decode_base64(encoded: str, name: str, limits: Limits) -> bytes:
    """The bytes of an attachment.

    Raises:
        CorruptDocumentError: it is not valid base64.
        LimitExceededError: it decodes to more bytes than the limits allow.
    """
    limits.check("unpacked_bytes", len(encoded) * 3 // 4, name)
    try:
        return base64.b64decode(re.sub(r"\s+", "", encoded), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CorruptDocumentError(f"{name}: attachment is not valid base64 ({error}); get the record again") from error


def unpack(data: bytes, compression: str, name: str, limits: Limits) -> bytes:
    """The bytes of a compressed attachment.

    Args:
        data: the compressed bytes.
        compression: a code of HL7: ``DF``, ``GZ`` or ``ZL``; empty if the bytes are not compressed.
        name: for errors.
        limits: the limits on the input.

    Raises:
        CorruptDocumentError: they cannot be unpacked.
        LimitExceededError: they unpack to more bytes than the limits allow.
        UnsupportedFormatError: another compression.
    """
    if not compression:
        return data
    if compression not in _WINDOW_BITS:
        raise UnsupportedFormatError(f"{name}: compressed as {compression!r}; allowed: {', '.join(_WINDOW_BITS)}")
    unpacker = zlib.decompressobj(_WINDOW_BITS[compression])
    try:
        unpacked = unpacker.decompress(data, min(_START, limits.unpacked_bytes + 1))
        most = _most_bytes(unpacked, name, limits)
        unpacked += unpacker.decompress(unpacker.unconsumed_tail, most + 1 - len(unpacked))
    except zlib.error as error:
        raise CorruptDocumentError(f"{name}: cannot be unpacked ({error}); get the record again") from error
    limits.check("unpacked_bytes", len(unpacked), name)
    if len(unpacked) > most:
        check_size(unpacked, name, limits)
    if not unpacker.eof:
        raise CorruptDocumentError(f"{name}: cut off, so that it cannot be unpacked; get the record again")
    return unpacked


def _most_bytes(start: bytes, name: str, limits: Limits) -> int:
    """The most bytes to which what starts like this may unpack: text has no more than its characters need."""
    if len(start) < _START or is_binary(start) or kind_of(start, name) not in ("text", "html"):
        return limits.unpacked_bytes
    return max(_START, min(limits.unpacked_bytes, BYTES_PER_CHARACTER * (limits.characters + 1)))


def read_attachment(data: bytes, name: str, options: Options, read: Read, media_type: str = "") -> Document:
    """The attached document, by the loader of its format and with the options of the record, except its pages.

    Args:
        data: the content of the attachment.
        name: for errors and ``Document.source``.
        options: the options of the record.
        read: reads it.
        media_type: what the record says of it; text is decoded by the ``charset`` in it.

    Raises:
        DocumentError: see :func:`longdoc.load`.
    """
    options.limits.check("depth", _LEVELS, name)
    limits = replace(options.limits, depth=options.limits.depth - _LEVELS)
    options = replace(options, limits=limits, pages=None)
    charset = _CHARSET.search(media_type)
    if charset is None or data.isascii() or kind_of(data, name) not in ("text", "html"):
        return read(data, name=name, options=options)
    check_size(data, name, limits)
    decoded = decode(data, charset[1])
    # The mark outweighs what HTML declares within itself, as the record does.
    document = read(codecs.BOM_UTF8 + decoded.text.encode(), name=name, options=options)
    metadata = {**document.source.metadata, "encoding": decoded.encoding}
    source = replace(document.source, sha256=hashlib.sha256(data).hexdigest(), metadata=metadata)
    return replace(document, source=source, warnings=(*decoded.warnings, *document.warnings))


def as_record(document: Document, data: bytes, *, name: str, media_type: str, metadata: dict[str, str]) -> Document:
    """An attached document that is the whole content of a record, with the source and the metadata of the record."""
    sha256 = hashlib.sha256(data).hexdigest()
    own = {"Attachment type": document.source.media_type, **document.source.metadata}
    source = replace(document.source, name=name, media_type=media_type, sha256=sha256, metadata={**own, **metadata})
    return replace(document, source=source)


class AttachmentWriter:
    """Writes attached documents through a Builder; one that cannot be read becomes a warning."""

    def __init__(self, builder: Builder, options: Options, read: Read, warnings: list[str]) -> None:
        self.builder, self.options, self.read, self.warnings = builder, options, read, warnings
        self.failure: DocumentError | None = None
        """Of the last attachment that could not be read."""

    def write(self, title: str, content: Callable[[], bytes], media_type: str = "") -> bool:
        """Writes a document page by page; returns whether it could be read.

        Args:
            title: what to call it in warnings.
            content: returns its bytes, or raises a DocumentError.
            media_type: what the record says of it, such as ``text/plain; charset=iso-8859-1``.
        """
        self.builder.separate("\n\n")
        name = f"{self.builder.name}, {title}"
        try:
            document = read_attachment(content(), name, self.options, self.read, media_type)
        except DocumentError as error:
            self.failure = error
            reason = str(error).removeprefix(f"{name}: ").removesuffix(f". {supported()}")
            self.warnings.append(f"{title}: not read: {reason}")
            return False
        for page in document.pages:
            if page.number > 1:
                self.builder.start_page()
            self.builder.write_lines(document.text[page.start : page.end])
        for item in document.furniture:
            self.builder.drop(f" {item.text} ", item.kind)
        for comment in document.annotations:
            self.builder.annotate(comment.kind, comment.text, author=comment.author)
        self.builder.separate("\n\n")
        self.warnings += [f"{title}: {warning}" for warning in document.warnings]
        if document.source.media_type != "text/plain":
            what = "" if title.startswith("attachment") else "attachment "
            self.warnings.append(
                f"{title}: {what}read as text only, without boxes and tables; load it by itself for those"
            )
        return True
