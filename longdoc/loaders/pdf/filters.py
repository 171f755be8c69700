"""Unpacks the streams of a PDF up to a limit."""

from __future__ import annotations

import re
from collections.abc import Callable

from longdoc.loaders.pdf.damage import unpack
from longdoc.loaders.pdf.syntax import Objects, Stream

_LZW_CLEAR, _LZW_END, _LZW_LONGEST = 256, 257, 12  # two codes, and the bits of the longest
_NOT_BASE85 = re.compile(rb"[^!-uz\n\r\t ]|\Z")
_WHITE_IN_BASE85 = re.compile(rb"[\n\r\t ]+")
_BASE85_GROUP = re.compile(rb"z|[!-u]{1,5}")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_MOST_TIMES = {b"/FlateDecode": 1032, b"/LZWDecode": 4096, b"/RunLengthDecode": 64, b"/ASCII85Decode": 4}
"""Filter -> how many times longer it can make a stream; others make it shorter, or are those of pictures."""
_SHORT = {
    b"/Fl": b"/FlateDecode",
    b"/LZW": b"/LZWDecode",
    b"/RL": b"/RunLengthDecode",
    b"/A85": b"/ASCII85Decode",
    b"/AHx": b"/ASCIIHexDecode",
}


def filters_of(objects: Objects, stream: Stream) -> list[bytes]:
    """The full names of the filters of a stream, in the order in which they unpack it."""
    names = [objects.get(each) for each in objects.items(stream.entries.get(b"/Filter", stream.entries.get(b"/F")))]
    return [full_name(name) for name in names if isinstance(name, bytes)]


def full_name(name: bytes) -> bytes:
    """The full name of a filter, which can be given by a short one."""
    return _SHORT.get(name, name)


def most_times(filters: list[bytes]) -> int:
    """How many times longer than packed a stream with these filters can be."""
    times = 1
    for name in filters:
        times *= _MOST_TIMES.get(name, 1)
    return times


def content_of(objects: Objects, stream: Stream, most: int) -> bytes | None:
    """A stream as it is unpacked, or the part before damage; None if it has a filter that only pictures have.

    Args:
        objects: the objects of the file.
        stream: the stream.
        most: the number of bytes after which unpacking ends, in each step; more may be returned, by a few.
    """
    content = objects.data[stream.start : stream.end]
    parameters = [objects.entries(each) for each in objects.items(stream.entries.get(b"/DecodeParms"))]
    if any(objects.get(each.get(key, b"1")) != b"1" for each in parameters for key in (b"/Predictor", b"/EarlyChange")):
        return None
    for name in filters_of(objects, stream):
        if name not in UNPACK:
            return None
        content = UNPACK[name](content, most)
    return content


def _inflated(packed: bytes, most: int) -> bytes:
    return unpack(packed, most)[0]


def _from_base85(packed: bytes, most: int) -> bytes:
    content = bytearray()
    letters = _WHITE_IN_BASE85.sub(b"", _NOT_BASE85.split(packed, 1)[0])
    for group in _BASE85_GROUP.findall(letters):
        if group == b"z":
            content += bytes(4)
            continue
        number = 0
        for letter in group.ljust(5, b"u"):
            number = number * 85 + letter - 33
        content += (number & 0xFFFFFFFF).to_bytes(4, "big")[: len(group) - 1]
        if len(group) < 5 or len(content) > most:
            break
    return bytes(content)


def _from_hex(packed: bytes, most: int) -> bytes:
    digits = _NOT_HEX.sub(b"", packed.split(b">", 1)[0])
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _from_runs(packed: bytes, most: int) -> bytes:
    content, at = bytearray(), 0
    while at < len(packed) and packed[at] != 128 and len(content) <= most:
        length = packed[at]
        content += packed[at + 1 : at + 2 + length] if length < 128 else packed[at + 1 : at + 2] * (257 - length)
        at += 2 + length if length < 128 else 2
    return bytes(content)


def _from_lzw(packed: bytes, most: int) -> bytes:
    table: list[bytes] = []
    content, before = bytearray(), b""
    bits, held = 0, 0
    for byte in packed:
        held, bits = held << 8 | byte, bits + 8
        width = min(max((len(table) + 259).bit_length(), 9), _LZW_LONGEST)
        if bits < width:
            continue
        bits -= width
        code = held >> bits
        held &= (1 << bits) - 1
        if code == _LZW_END or len(content) > most:
            break
        if code == _LZW_CLEAR:
            table, before = [], b""
            continue
        if code < 256:
            entry = bytes([code])
        elif code - 258 < len(table):
            entry = table[code - 258]
        elif before:
            entry = before + before[:1]
        else:
            break
        if before and len(table) + 258 < 1 << _LZW_LONGEST:
            table.append(before + entry[:1])
        before = entry
        content += entry
    return bytes(content)


UNPACK: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"/FlateDecode": _inflated,
    b"/LZWDecode": _from_lzw,
    b"/ASCII85Decode": _from_base85,
    b"/ASCIIHexDecode": _from_hex,
    b"/RunLengthDecode": _from_runs,
}
"""Filter -> a function that unpacks bytes by it, and ends after a number of bytes or at damage."""
