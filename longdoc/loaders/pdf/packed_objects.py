"""The packed objects of a PDF, measured before pdfium opens it: it unpacks them without a limit to find the pages.

An object can begin wherever ``obj`` stands, whatever the tables of the file say. Each is read word by word as pdfium
reads it, so that no comment, string or escape hides a dictionary from one of the two.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

from longdoc.errors import CorruptDocumentError
from longdoc.loaders.limits import Limits
from longdoc.loaders.pdf.filters import UNPACK, full_name, most_times
from longdoc.loaders.pdf.operators import PLAIN, WHITE
from longdoc.loaders.pdf.syntax import unescaped

_OBJECT = re.compile(rb"obj(?!" + PLAIN + rb")")
_WORD = re.compile(rb"[" + WHITE + rb"]*(?:(%[^\r\n]*)|(<<|>>|/" + PLAIN + rb"*|[\[\]()<>{}]|" + PLAIN + rb"+|))")
_NUMBER = re.compile(rb"[-+.\d]+")
_REFERENCE = re.compile(
    rb"[" + WHITE + rb"]*(?:[-+.\d]+(?:[" + WHITE + rb"]+R(?!" + PLAIN + rb")|[" + WHITE + rb"]*(%))|(%))"
)
_STRING_PART = re.compile(rb"[^\\()]*(?:\\.|(\()|(\)))", re.DOTALL)
_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)")
_STREAM_END = re.compile(rb"[\r\n]{0,2}endstream")
_HOLD_OBJECTS = ({b"/N", b"/First"}, {b"/W"})
"""The keys without one of which sets pdfium takes a stream neither for packed objects nor for a table of objects."""
_DEEPEST = 64  # values within values that pdfium reads
_MOST_READ = 4  # times the file: objects do not overlap, but damaged strings can run on
_PIECE = 1 << 12  # bytes


def check_packed_objects(data: bytes, name: str, limits: Limits) -> None:
    """Raises an error for a PDF whose packed objects, which pdfium unpacks to open it, exceed the limits.

    Those of an encrypted file are packed in a way that only its password tells, and are not measured.

    Args:
        data: the content of the file.
        name: its name, for errors.
        limits: the limits on the input.

    Raises:
        CorruptDocumentError: what they unpack to cannot be told, as objects overlap or their filters are not named.
        LimitExceededError: they unpack to more than the limits allow.
    """
    reader, size = _Reader(data, name), 0
    for found in _OBJECT.finditer(data):
        entries = reader.stream(found.end())
        if entries is not None and any(keys <= entries.keys() for keys in _HOLD_OBJECTS):
            size += reader.unpacked_size(entries, limits.object_bytes)
            limits.check("object_bytes", size, name)


class _Reader:
    """Reads the objects of a PDF as pdfium does; any word that is not in its place is passed over."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name = data, name
        self._at = self._read = 0

    def stream(self, at: int) -> dict[bytes, Any] | None:
        """The entries of the stream whose object begins at a place; its content is next. None if no stream does."""
        self._at = at
        entries = self._dictionary(1) if self._word() == b"<<" else None
        is_stream = entries is not None and self._word() == b"stream"
        if is_stream:
            self._at = self._matched_end(_LINE)
        self._count(self._at - at)
        return entries if is_stream else None

    def unpacked_size(self, entries: dict[bytes, Any], most: int) -> int:
        """The size of the content that is next, unpacked; a size above ``most`` if it is longer."""
        start, end, length = self._at, len(self._data), entries.get(b"/Length")
        if isinstance(length, bytes) and re.fullmatch(rb"\d{1,12}", length):
            claimed = start + int(length)
            end = claimed if _STREAM_END.match(self._data, claimed) else end
        filters = self._filters(entries.get(b"/Filter", []))
        if filters == [b"/FlateDecode"]:
            return self._inflated_size(start, end, most)
        self._count(end - start)
        content = self._data[start:end]
        for place, each in enumerate(filters):
            if each not in UNPACK or each == b"/LZWDecode":  # of which a parameter changes the codes
                return len(content) * most_times(filters[place:])
            content = UNPACK[each](content, most + 1)
        return len(content)

    def _inflated_size(self, start: int, end: int, most: int) -> int:
        """The size of what zlib has packed between two places, in pieces; of a damaged piece the most it can have."""
        unpacker, size, at = zlib.decompressobj(), 0, start
        try:
            while at < end and not unpacker.eof and size <= most:
                piece = self._data[at : min(at + _PIECE, end)]
                at += len(piece)
                while piece and not unpacker.eof and size <= most:
                    size += len(unpacker.decompress(piece, _PIECE))
                    piece = unpacker.unconsumed_tail
        except zlib.error:
            size += _PIECE
        self._count(at - start)
        return size

    def _filters(self, value: Any) -> list[bytes]:
        """The full names of the filters of a stream."""
        names = value if isinstance(value, list) else [value]
        if any(not isinstance(each, bytes) or not each.startswith(b"/") for each in names):
            raise CorruptDocumentError(
                f"{self._name}: packed objects whose filters are not names in their own dictionary, so that their size "
                "cannot be told; print the file to a new PDF"
            )
        return [full_name(each) for each in names]

    def _count(self, n_bytes: int) -> None:
        """Counts what has been read; raises an error if it is too often the same."""
        self._read += n_bytes
        if self._read > _MOST_READ * len(self._data):
            raise CorruptDocumentError(
                f"{self._name}: its objects overlap: reading them takes more than {_MOST_READ} times the file; print "
                "it to a new PDF"
            )

    def _matched_end(self, pattern: re.Pattern[bytes]) -> int:
        found = pattern.match(self._data, self._at)
        return found.end() if found else len(self._data)

    def _word(self) -> bytes:
        """The next word; empty at the end."""
        while found := _WORD.match(self._data, self._at):
            self._at = found.end()
            if found[1] is None:
                return found[2]
        return b""

    def _value(self, depth: int) -> Any:
        """The next value; None if what is next is none, or too deep."""
        if depth > _DEEPEST:
            return None
        before = self._at
        word = self._word()
        if _NUMBER.fullmatch(word):
            return self._number(word)
        if word == b"<<":
            entries = self._dictionary(depth)
            before = self._at
            if entries is not None and self._word() == b"stream":
                raise CorruptDocumentError(f"{self._name}: a stream in a dictionary; print the file to a new PDF")
            self._at = before
            return entries
        if word == b"[":
            return self._array(depth)
        if word == b"(":
            self._pass_string()
        elif word == b"<":
            self._at = self._data.find(b">", self._at) + 1 or len(self._data)
        elif word == b">>":
            self._at = before
        if word.startswith(b"/"):
            return unescaped(word)
        return word if word in (b"(", b"<", b"true", b"false", b"null") else None

    def _number(self, word: bytes) -> bytes:
        """The number that a word is; ``R`` for the reference that begins with it."""
        if not (found := _REFERENCE.match(self._data, self._at)):
            return word
        after, self._at = self._at, found.end()
        if found.lastindex:  # a comment, which can stand between the words of a reference
            self._at = after
            if not _NUMBER.fullmatch(self._word()) or self._word() != b"R":
                self._at = after
                return word
        return b"R"

    def _array(self, depth: int) -> list[Any]:
        """The items of an array up to the first word that is no value."""
        items = []
        while (item := self._value(depth + 1)) is not None:
            items.append(item)
        return items

    def _dictionary(self, depth: int) -> dict[bytes, Any] | None:
        """The entries of a dictionary; None if the file ends first."""
        entries: dict[bytes, Any] = {}
        while word := self._word():
            if word == b">>":
                return entries
            if word == b"endobj":
                self._at -= len(word)
                return entries
            if word.startswith(b"/") and (value := self._value(depth + 1)) is not None:
                entries[unescaped(word)] = value
        return None

    def _pass_string(self) -> None:
        """Goes to the end of a string, in which brackets nest."""
        depth = 1
        while depth:
            found = _STRING_PART.match(self._data, self._at)
            if not found:
                self._at = len(self._data)
                return
            self._at = found.end()
            depth += (found.lastindex == 1) - (found.lastindex == 2)
