"""Damage to the contents of the pages of a PDF, of which pdfium reads what comes before without a word."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator

_STREAM = re.compile(rb"stream\r?\n")
_NUMBER = re.compile(rb"(\d+)\s+\d+\s+\Z")
_LONGEST_HEAD = 1000  # bytes from the number of an object to its stream
_LONGEST_NUMBER = 100  # bytes, with the white space
_NOT_CONTENT = re.compile(
    rb"/Image\b|/Length1\b|/ObjStm\b|/XRef\b|/Metadata\b|/EmbeddedFile\b|/Type1C|/CIDFontType0C|/OpenType"
)
_OTHER_FILTER = re.compile(rb"/(LZW|ASCII85|ASCIIHex|RunLength|DCT|JPX|CCITTFax|JBIG2)Decode|/DecodeParms|/Crypt\b")
_BEGINS_TEXT = re.compile(rb"\bBT\s")
_SHOWS_TEXT = re.compile(rb"[\])>]\s*T[jJ]\s")
_STRING = re.compile(rb"\([^\\()]*(?:\\.[^\\()]*)*\)", re.DOTALL)
_BEGINS_PICTURE = re.compile(rb"\bBI\s[^()]{0,200}?\sID\s")
_ENDS_PICTURE = re.compile(rb"\sEI\b")
_DEEPEST = 50  # brackets in the brackets of a string
_OPENERS = {b"(": b")", b"[": b"]", b"<<": b">>", b"<": b">"}
_PIECE = 64  # bytes
_MOST_BYTES = 1 << 28  # unpacked, of one stream


def find_damage(data: bytes) -> list[int]:
    """Finds page contents that are damaged, so that text may be missing after the spot.

    Args:
        data: the content of a PDF; that of an encrypted one is not looked into.

    Returns:
        The numbers of the objects.
    """
    if b"/Encrypt" in data:
        return []
    damaged, unclosed, balance = [], [], Counter[bytes]()
    for number, content, whole in _contents(data):
        if not whole:
            damaged.append(number)
        elif _may_be_open(content):
            excess = _excess(content)
            balance.update(excess)
            if any(count > 0 for count in excess.values()):
                unclosed.append(number)
    # Brackets that one stream opens and the next one closes are right: contents may be divided anywhere.
    return damaged + (unclosed if any(count > 0 for count in balance.values()) else [])


def _contents(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """The number of each object that draws text, its content, and whether all of it could be unpacked."""
    for found in _STREAM.finditer(data):
        before = data[max(0, found.start() - _LONGEST_HEAD) : found.start()]
        if before.endswith(b"end"):
            continue
        start, _, head = before.rpartition(b"obj")
        number = _NUMBER.search(start[-_LONGEST_NUMBER:])
        if not number or _NOT_CONTENT.search(head) or _OTHER_FILTER.search(head):
            continue
        packed = data[found.end() : data.find(b"endstream", found.end())]
        content, whole = unpack(packed) if b"/FlateDecode" in head else (packed, True)
        begin = _BEGINS_TEXT.search(content) if b"Tj" in content or b"TJ" in content else None
        if begin and _SHOWS_TEXT.search(content, begin.end()):
            yield int(number[1]), content, whole


def unpack(packed: bytes, most: int = _MOST_BYTES) -> tuple[bytes, bool]:
    """What can be unpacked of a stream, and whether that is all of it; a wrong or missing checksum is no damage.

    Args:
        packed: the stream.
        most: the number of bytes after which unpacking ends.
    """
    deflated = packed[2:]
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(deflated, most)
    except zlib.error:
        return _before_damage(deflated, most), False
    return content, unpacker.eof or bool(unpacker.unconsumed_tail)


def _before_damage(deflated: bytes, most: int) -> bytes:
    """What can be unpacked of a stream before the damage; at most ``most``."""
    unpacker, content = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    for start in range(0, len(deflated), _PIECE):
        piece, before = deflated[start : start + _PIECE], unpacker.copy()
        try:
            content += unpacker.decompress(piece, most - len(content))
        except zlib.error:
            return bytes(content + _bytewise(before, piece, most - len(content)))
        if len(content) == most:
            break
    return bytes(content)


def _bytewise(unpacker: zlib._Decompress, piece: bytes, most: int) -> bytes:
    """What can be unpacked of the piece that has the damage."""
    content = bytearray()
    for at in range(len(piece)):
        try:
            content += unpacker.decompress(piece[at : at + 1], most - len(content))
        except zlib.error:
            break
        if len(content) == most:
            break
    return bytes(content)


def _may_be_open(content: bytes) -> bool:
    """Whether a content may leave a bracket or a picture open: a quick look, which most pass."""
    uneven = any(content.count(opener) != content.count(closer) for opener, closer in _OPENERS.items())
    if uneven or content.rfind(b"<<") > content.rfind(b">>"):
        return True
    return b"BI" in content and _BEGINS_PICTURE.search(content) is not None


def _excess(content: bytes) -> Counter[bytes]:
    """How many more brackets of each kind a content opens than it closes."""
    content = _without_pictures(content)
    for _ in range(_DEEPEST):
        if b"(" not in content or (rest := _STRING.sub(b" ", content)) == content:
            break
        content = rest
    content = _without_pictures(content)
    rest = content.replace(b"<<", b" ").replace(b">>", b" ")
    return Counter(
        {
            b"(": content.count(b"("),
            b"[": content.count(b"[") - content.count(b"]"),
            b"<<": max(content.count(b"<<") - content.count(b">>"), content.rfind(b"<<") > content.rfind(b">>")),
            b"<": len(re.findall(rb"<(?![0-9A-Fa-f\s]*>)", rest)),
            b"BI": len(_BEGINS_PICTURE.findall(content)) if b"BI" in content else 0,
        }
    )


def _without_pictures(content: bytes) -> bytes:
    """A content without the pictures that are drawn in it; the start of one without an end stays."""
    parts, at = [], 0
    while b"BI" in content and (begin := _BEGINS_PICTURE.search(content, at)):
        end = _ENDS_PICTURE.search(content, begin.end() - 1)
        if not end:
            break
        parts += [content[at : begin.start()], b" "]
        at = end.end()
    return b"".join([*parts, content[at:]])
