"""Documents within clinical records: what is encoded in them is read by the loader of its kind."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError
from longdoc.loaders import read
from longdoc.loaders.limits import Limits
from longdoc.loaders.options import Options

_LEVELS = 32  # of nesting that one attachment costs: records within records end before Python's stack does


def decode(encoded: str, name: str, limits: Limits) -> bytes:
    """The bytes behind base64.

    Raises:
        CorruptDocumentError: it is no base64.
        LimitExceededError: there are more bytes than may be unpacked.
    """
    limits.check("unpacked_bytes", len(encoded) * 3 // 4, name)
    try:
        return base64.b64decode(re.sub(r"\s+", "", encoded), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CorruptDocumentError(
            f"{name}: an attachment that is no base64 ({error}); get the record again"
        ) from error


def read_attachment(data: bytes, name: str, limits: Limits) -> Document:
    """The document that is attached.

    Raises:
        DocumentError: see :func:`longdoc.load`.
    """
    limits.check("depth", _LEVELS, name)
    return read(data, name=name, options=Options(limits=replace(limits, depth=limits.depth - _LEVELS)))


def as_record(document: Document, *, name: str, media_type: str, sha256: str, metadata: dict[str, str]) -> Document:
    """An attached document that is all there is in a record, with what the record says of it."""
    own = {"Attachment type": document.source.media_type, **document.source.metadata}
    source = replace(document.source, name=name, media_type=media_type, sha256=sha256, metadata={**own, **metadata})
    return replace(document, source=source)
