"""Files within the file: photographs, fonts and colour profiles, which have metadata of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from longdoc.redaction.names import Search
from longdoc.redaction.objects import unpacked

_PROGRAMS = ("/FontFile", "/FontFile2", "/FontFile3")
_PROFILE = b"acsp"  # at 36 in a colour profile
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""A marker of a JPEG that is not within the data of the picture."""
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_METADATA = (0xFE, *range(0xE0, 0xF0))
"""The markers of comments and of what programs add: EXIF with a small picture, XMP, IPTC, colour profiles."""
_NEEDED = (b"JFIF\0", b"Adobe\0")
"""How those begin without which the colours may be others."""


def clean(pdf: Any, search: Search, dropped: Counter[str]) -> None:
    """Removes the metadata of photographs, and crosses names out in fonts and colour profiles.

    Args:
        pdf: the ``pikepdf.Pdf``.
        search: finds what is redacted.
        dropped: counts what is removed.
    """
    from pikepdf import Array, Name, Stream

    programs = font_programs(pdf)
    for item in pdf.objects:
        if not isinstance(item, Stream):
            continue
        own = item.get("/Filter")
        filters = [str(each) for each in own] if isinstance(own, Array) else [str(own)]
        if filters[-1] in ("/DCTDecode", "/DCT"):
            data = unpacked(item)
            if (new := without_metadata(data)) != data:
                options = item.get("/DecodeParms")
                last: Any = options[-1] if isinstance(options, Array) and len(options) else options
                item.write(new, filter=Name.DCTDecode, decode_parms=last)
                dropped["metadata of photographs"] += 1
        elif (item.objgen in programs or is_profile(item)) and (
            crossed := search.crossed_out(unpacked(item))
        ) is not None:
            item.write(crossed)
            dropped["names in fonts and colour profiles"] += 1


def font_programs(pdf: Any) -> set[tuple[int, int]]:
    """The numbers of the streams that are the programs of fonts."""
    from pikepdf import Dictionary, Stream

    every = (item for item in pdf.objects if isinstance(item, Dictionary))
    return {item[key].objgen for item in every for key in _PROGRAMS if isinstance(item.get(key), Stream)}


def is_profile(stream: Any) -> bool:
    """Whether a stream is a colour profile."""
    return "/N" in stream and unpacked(stream)[36:40] == _PROFILE


def without_metadata(picture: bytes) -> bytes:
    """A JPEG without comments, metadata, and what follows its end; as it is, if it is none or is damaged."""
    parts = list(_parts(picture))
    return b"".join(parts) if picture[:2] == b"\xff\xd8" and parts and parts[-1] == b"\xff\xd9" else picture


def _parts(picture: bytes) -> Iterator[bytes]:
    """The parts of a JPEG that are kept, up to its end."""
    at = 0
    while (found := _MARKER.match(picture, at)) is not None:
        marker, start = picture[found.end() - 1], found.end()
        if marker in (_START, _END, 0x01):
            yield bytes([0xFF, marker])
            at = start
            if marker == _END:
                return
            continue
        end = start + int.from_bytes(picture[start : start + 2], "big")
        if marker not in _METADATA or picture[start + 2 : end].startswith(_NEEDED):
            yield bytes([0xFF, marker]) + picture[start:end]
        at = end
        if marker == _SCAN:
            following = _MARKER.search(picture, end)
            at = len(picture) if following is None else following.start()
            yield picture[end:at]
            if following is None:  # it has no end, and viewers show it nevertheless
                yield b"\xff\xd9"
