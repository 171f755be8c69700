"""Whether a PDF may have layers, told from its bytes: pdfium hides them but does not list them."""

from __future__ import annotations

import re
import zlib

_PACKED = re.compile(rb"/ObjStm\b.{0,500}?\bstream\r?\n", re.DOTALL)
_LAYER = b"/OCG"
_MOST_BYTES = 64 << 20  # unpacked: the objects of a large document


def may_have_layers(data: bytes) -> bool:
    """Whether a PDF names layers, also in objects that are packed; True if these cannot be unpacked.

    Args:
        data: the content of the file.
    """
    if _LAYER in data:
        return True
    left = _MOST_BYTES
    for found in _PACKED.finditer(data):
        try:
            end = data.find(b"endstream", found.end())
            objects = zlib.decompressobj().decompress(data[found.end() : end], left)
        except zlib.error:  # encrypted, or packed in another way
            return True
        left -= len(objects)
        if _LAYER in objects or left <= 0:
            return True
    return False
