"""The encoding of text: by its byte order mark, as declared, or guessed; bytes of no character are marked."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from longdoc.loaders.code_pages import european_code_page
from longdoc.loaders.limits import Limits

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark -> encoding; those of UTF-32 first, since one begins like that of UTF-16."""

_ZEROS = {"utf-32-le": (1, 2, 3), "utf-32-be": (0, 1, 2), "utf-16-le": (1, 3), "utf-16-be": (0, 2)}
"""Encoding -> which bytes of four are zero in the letters of most scripts."""
_SAMPLE = 1 << 20
_CONTROLS = bytes({*range(32), 127} - {*b"\b\t\n\v\f\r\x1a\x1b"})
"""Bytes that text does not have; it may have backspaces, the end mark of DOS, and escapes."""
_MOST_CONTROLS = 0.02
_LATIN = {"iso8859-1", "ascii", "cp1252"}
"""Encodings that browsers all read as Windows-1252."""
_GUESSES = [
    *("cp1252", "cp1251", "koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
    *("cp1253", "cp1255", "cp1256"),
]
_LONG = re.compile(rb"[\x80-\xff]{3,}")
_RUN = re.compile(rb"[\x80-\xff]{4}")
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NO_ENCODINGS = {codecs.lookup(name).name for name in ("unicode_escape", "raw_unicode_escape", "punycode", "idna")}
"""Codecs of Python that are no encodings of files: they would change what is written."""
_MARK = "\ufffd"
_BAD = "\udcff"  # stands for bytes that cannot be decoded until they are counted; no file decodes to it
codecs.register_error("longdoc.mark", lambda error: (_BAD, error.end))  # type: ignore[attr-defined]


BYTES_PER_CHARACTER = 4
"""The most bytes that an encoding has for a character."""


class Decoded(NamedTuple):
    """The text of a file."""

    text: str
    encoding: str
    """The name of its encoding, as Python spells it."""
    warnings: tuple[str, ...] = ()
    """What was guessed, or could not be decoded."""


def check_size(data: bytes, name: str, limits: Limits) -> None:
    """Refuses text that has more characters than allowed in any encoding, before it is decoded.

    Raises:
        LimitExceededError: it has; the number of its bytes is that of its characters at most.
    """
    if len(data) > BYTES_PER_CHARACTER * (limits.characters + 1):  # one more for a byte order mark
        limits.check("characters", len(data), name)


def wide_encoding(data: bytes) -> str:
    """``"utf-16-le"`` and the like for text of which most characters have zero bytes; empty if it is not such text."""
    sample = data[: _SAMPLE // 4 * 4]
    if len(sample) < 8:
        return ""
    zeros = [sample[at::4].count(0) / (len(sample) // 4) for at in range(4)]
    for name, places in _ZEROS.items():
        others = [share for at, share in enumerate(zeros) if at not in places]
        if min(zeros[at] for at in places) > 0.6 and max(others) < 0.05:
            return name
    return ""


def is_binary(data: bytes) -> bool:
    """Whether data is not text in any encoding: more control bytes than the few of a damaged text file."""
    if data.startswith(tuple(BYTE_ORDER_MARKS)) or wide_encoding(data):
        return False
    sample = data[:_SAMPLE].rstrip(b"\0\x1a")
    return len(sample) - len(sample.translate(None, _CONTROLS)) > 2 + _MOST_CONTROLS * len(sample) or not sample


def decode(data: bytes, declared: str = "") -> Decoded:
    """Decodes a text file; each place that cannot be decoded becomes U+FFFD, and a warning counts them.

    Args:
        data: the content of the file.
        declared: the encoding that the file declares, if it declares one.
    """
    mark = next((mark for mark in BYTE_ORDER_MARKS if data.startswith(mark)), b"")
    if mark:
        return _marked(data, BYTE_ORDER_MARKS[mark])
    if wide := wide_encoding(data):
        return _marked(data, wide)
    warnings: tuple[str, ...] = ()
    if named := _known(declared):
        if named in _LATIN and _is_utf8(data):
            warnings = (f"declares the encoding {declared}, but is in UTF-8",)
        elif _is_valid(data, named):
            return _marked(data, named)
        elif named != "utf-8":
            warnings = (f"declares the encoding {declared}, which does not decode it",)
    if data.isascii() and re.search(rb"\x1b\$[@B]", data):
        return _marked(data, "iso2022_jp")
    if _is_valid(data, "utf-8") or _is_damaged_utf8(data):
        return _marked(data, "utf-8", warnings)
    guess, is_sure = _guess(data)
    shown = "Windows-1252" if guess == "cp1252" else guess
    why = warnings or ("not UTF-8" if is_sure else "not UTF-8, and too short to tell its encoding",)
    return _marked(data, guess, (f"{why[0]}: read as {shown}, check accents and quotation marks", *why[1:]))


def _known(name: str) -> str:
    """Python's name of a declared encoding; empty for unknown ones, and for UTF-16, which is known by its bytes."""
    try:
        found = codecs.lookup(name.strip()).name if name.strip() else ""
        " ".encode(found or "ascii")
    except (LookupError, TypeError, ValueError):
        return ""
    if found.startswith(("utf-16", "utf-32", "utf-7")) or found in _NO_ENCODINGS:
        return ""
    return {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949"}.get(
        found, "cp1252" if found in _LATIN else found
    )


def _is_valid(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return encoding == "cp1252"  # browsers accept its five undefined bytes
    return True


def _is_utf8(data: bytes) -> bool:
    """Whether it has characters beyond ASCII that are valid UTF-8 throughout: no other encoding looks like that."""
    return not data.isascii() and _is_valid(data, "utf-8") and len(_SEQUENCE.findall(data)) > 1


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether more of the characters beyond ASCII are UTF-8 than are not."""
    good = sum(len(each) for each in _SEQUENCE.findall(data))
    return good > 0 and good >= 2 * (_beyond_ascii(data) - good)


def _beyond_ascii(data: bytes) -> int:
    """The number of bytes from 128."""
    return len(data) - len(data.translate(None, bytes(range(128, 256))))


def _guess(data: bytes) -> tuple[str, bool]:
    """The encoding of text that declares none, and whether the text is long enough to tell.

    Letters beyond ASCII are scattered in Latin script, and make up the words of others.
    """
    high, in_runs = _beyond_ascii(data), sum(map(len, _LONG.findall(data[:_SAMPLE])))
    is_latin = in_runs <= 0.5 * _beyond_ascii(data[:_SAMPLE])
    if is_latin or high < 0.05 * len(data) or (high < 12 and not _RUN.search(data)):
        return european_code_page(data)
    from charset_normalizer import from_bytes  # rarely needed

    best = from_bytes(data[:_SAMPLE], cp_isolation=_GUESSES, preemptive_behaviour=False).best()
    return (best.encoding, True) if best and best.encoding != "cp1252" else european_code_page(data)


def _marked(data: bytes, encoding: str, warnings: tuple[str, ...] = ()) -> Decoded:
    """Decodes data, with a warning about the places that cannot be decoded."""
    text = data.decode(encoding, "longdoc.mark")
    if encoding.startswith("utf-8"):
        text = re.sub(f"{_BAD}{{2,}}", _BAD, text)
    text = text.rstrip("\0\x1a").replace("\0", _BAD)
    if count := text.count(_BAD):
        line = 1 + len(re.findall(r"\r\n?|\n", text[: text.index(_BAD)]))
        text = text.replace(_BAD, _MARK)
        places = f"{count} places" if count > 1 else "1 place"
        warnings = (*warnings, f"{places} cannot be decoded as {encoding} and became U+FFFD, the first on line {line}")
    return Decoded(text, encoding, warnings)
