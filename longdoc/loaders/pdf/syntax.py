"""The objects of a PDF, parsed from a copy that pdfium writes: repaired, decrypted, and in one plain form.

pdfium has no functions for objects, and a parser that differs from it could be misled about what it will do.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

_TOKEN = re.compile(
    rb"(\d+) \d+ R\b|<<|>>|[\[\]]|/[^\s/\[\]()<>]*|\([^\\()]*(?:\\.[^\\()]*)*\)|<[^<>]*>|[^\s/\[\]()<>]+",
    re.DOTALL,
)
_SECTION = re.compile(rb"(\d+) (\d+)\r\n((?:\d{10} \d{5} [nf]\r\n)*)")
_ROW = 20  # bytes of the table of places
_TABLE_AT = re.compile(rb"startxref\s+(\d+)\s+%%EOF")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_CACHED = 2048  # objects
_LONGEST_CHAIN = 32  # of references to references


def unescaped(name: bytes) -> bytes:
    """A name with what its escapes stand for."""
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), name) if b"#" in name else name


class Reference(int):
    """The number of the object that a value refers to."""


class Stream(NamedTuple):
    """A stream, and where it is in the copy, as it is packed."""

    number: int
    entries: dict[bytes, Any]
    start: int
    end: int


class Objects:
    """The objects of a PDF by number.

    Names are bytes that begin with a slash; dictionaries and arrays are dict and list; a reference is a Reference;
    anything else is bytes.
    """

    def __init__(self, pdf: pdfium.PdfDocument) -> None:
        copy = io.BytesIO()
        pdf.save(copy, flags=pdfium_c.FPDF_REMOVE_SECURITY)
        self.data = copy.getvalue()
        self.places: dict[int, int] = {}
        """Number -> where the object is in the copy."""
        found = _TABLE_AT.search(self.data, max(len(self.data) - 64, 0))
        table = int(found[1]) + len(b"xref\r\n") if found else len(self.data)
        while section := _SECTION.match(self.data, table):
            first, rows = int(section[1]), section[3]
            for at in range(0, len(rows), _ROW):
                if rows[at + 17 : at + 18] == b"n":
                    self.places[first + at // _ROW] = int(rows[at : at + 10])
            table = section.end()
        self._trailer = self._parse(table + len(b"trailer"))[0]
        self._in_order = sorted(self.places, key=self.places.__getitem__)
        self._starts = [self.places[number] for number in self._in_order]
        self._cached = lru_cache(maxsize=_CACHED)(self._read)

    def get(self, value: Any) -> Any:
        """The value that a reference leads to, a stream as a Stream; other values themselves."""
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(value, Reference):
                return value
            value = self._cached(value)
        return None

    def entries(self, value: Any) -> dict[bytes, Any]:
        """The entries of a dictionary or stream, or of the one referred to; empty for other values."""
        found = self.get(value)
        found = found.entries if isinstance(found, Stream) else found
        return found if isinstance(found, dict) else {}

    def items(self, value: Any) -> list[Any]:
        """The items of an array, or of the one referred to; another value is its own only item."""
        found = self.get(value)
        return found if isinstance(found, list) else [] if found is None else [value]

    @property
    def catalog(self) -> dict[bytes, Any]:
        """The entries of the root of the file."""
        return self.entries(self.entries(self._trailer).get(b"/Root"))

    def sizes(self) -> Iterator[tuple[Reference, int]]:
        """The number of each object, and its bytes in the copy."""
        ends = [*self._starts[1:], len(self.data)]
        for number, start, end in zip(self._in_order, self._starts, ends, strict=True):
            yield Reference(number), end - start

    def find(self, pattern: re.Pattern[bytes]) -> Iterator[tuple[Reference, re.Match[bytes]]]:
        """Each match of a pattern in the copy, with the number of the object that it is in."""
        for match in pattern.finditer(self.data):
            if at := bisect_right(self._starts, match.start()):
                yield Reference(self._in_order[at - 1]), match

    def pages(self, most: int) -> Iterator[dict[bytes, Any]]:
        """The pages in order, up to a number of them; damaged branches of their tree are left out."""
        waiting: list[Any] = [self.catalog.get(b"/Pages")]
        seen = set[Any]()
        while waiting and most:
            value = waiting.pop()
            node = self.entries(value)
            if b"/Kids" not in node:
                most -= 1
                yield node
            elif isinstance(value, Reference) and value not in seen:
                seen.add(value)
                waiting += reversed(self.items(node[b"/Kids"]))

    def _read(self, number: Reference) -> Any:
        """An object; None if there is none of this number."""
        place = self.places.get(number)
        if place is None:
            return None
        value, end = self._parse(self.data.index(b"obj", place) + len(b"obj"))
        if isinstance(value, dict) and self.data.startswith(b"stream\r\n", end):
            length = value.get(b"/Length", b"")
            start = end + len(b"stream\r\n")
            return Stream(number, value, start, start + (int(length) if length.isdigit() else 0))
        return value

    def _parse(self, at: int) -> tuple[Any, int]:
        """The value at a place in the copy, and where it ends."""
        open_values: list[list[Any]] = [[]]
        for token in _TOKEN.finditer(self.data, at):
            text = token[0]
            if text in (b"<<", b"["):
                open_values.append([])
                continue
            if text in (b">>", b"]"):
                items = open_values.pop()
                value: Any = dict(zip(items[::2], items[1::2], strict=False)) if text == b">>" else items
            elif token.lastindex:
                value = Reference(token[1])
            else:
                value = unescaped(text) if text.startswith(b"/") else text
            open_values[-1].append(value)
            if len(open_values) == 1:
                return value, token.end()
        return None, len(self.data)
