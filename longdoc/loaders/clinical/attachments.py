"""Documents attached to clinical records."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError
from longdoc.loaders.limits import Limits
from longdoc.loaders.options import Options

Read = Callable[..., Document]
"""``read(data, name=..., options=...)`` of :mod:`longdoc.loaders`: reads a document of any format."""

# An attachment counts as this many levels of nesting, so that nested records reach the limit before Python's own.
_LEVELS = 32


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


def read_attachment(data: bytes, name: str, options: Options, read: Read) -> Document:
    """The attached document, by the loader of its format and with the options of the record, except its pages.

    Raises:
        DocumentError: see :func:`longdoc.load`.
    """
    options.limits.check("depth", _LEVELS, name)
    limits = replace(options.limits, depth=options.limits.depth - _LEVELS)
    return read(data, name=name, options=replace(options, limits=limits, pages=None))


def as_record(document: Document, data: bytes, *, name: str, media_type: str, metadata: dict[str, str]) -> Document:
    """An attached document that is the whole content of a record, with the source and the metadata of the record."""
    sha256 = hashlib.sha256(data).hexdigest()
    own = {"Attachment type": document.source.media_type, **document.source.metadata}
    source = replace(document.source, name=name, media_type=media_type, sha256=sha256, metadata={**own, **metadata})
    return replace(document, source=source)
