"""What the pages of a PDF become when pdfium draws them, counted before it does: forms can draw forms without end.

pdfium parses a form anew each time it is drawn, so that a few hundred bytes can fill the memory. Nothing is drawn here:
contents are unpacked within the limits, and what each draws by name is counted once, however often it is drawn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeAlias

import pypdfium2 as pdfium

from longdoc.errors import CorruptDocumentError
from longdoc.loaders.limits import Limits
from longdoc.loaders.pdf.filters import content_of, filters_of, most_times
from longdoc.loaders.pdf.graphs import check_graphs, cost_of
from longdoc.loaders.pdf.operators import DRAWS, UNNAMED, nesting, uses_of, without_text
from longdoc.loaders.pdf.syntax import Objects, Reference, Stream

_SHORTEST = 4  # bytes of a content that draws something
_CHAINED = re.compile(rb"/Filter\[[^\]]*\]")
_UNPACKED_WHOLE = re.compile(rb"/(?:ToUnicode|FontFile[23]?|Encoding|CIDToGIDMap|Functions?|UseCMap)\W{1,3}(\d+) 0 R")
_TO_UNICODE = re.compile(rb"/ToUnicode (\d+) 0 R")
_MAPPED = re.compile(rb"<([^<>]{16,})>")
_RANGES = re.compile(rb"begin(?:bf|cid)range(.*?)(?:end|\Z)", re.DOTALL)
_RANGE = re.compile(rb"<([0-9A-Fa-f]{1,8})>\s*<([0-9A-Fa-f]{1,8})>\s*(?:<[^<>]*>|\[[^\[\]]*\]|\d+)")
_DIGITS = 4  # of a character in hexadecimal
_LIGATURE = 8  # characters
_PAGE = 612 * 792  # square points
_OVERLAP = 1.5  # times its step: how wide a tile is that overlaps its neighbours
_CACHED = 4096  # contents
_MANY = 1 << 62


class _Work(NamedTuple):
    """What a content makes pdfium do, with the forms in it each time they are drawn; named like the limits."""

    content_bytes: int
    page_characters: int
    page_objects: int


class _Content(NamedTuple):
    """A content and what its names stand for: by its own resources, and by those of the page."""

    streams: tuple[int, ...]
    own: dict[bytes, Any]
    outer: dict[bytes, Any]

    @property
    def key(self) -> tuple[tuple[int, ...], int]:
        return self.streams, id(self.own)


_Use: TypeAlias = tuple[bytes, bytes, _Content, int]
"""Operator, name, what it draws, and how often it does each time."""


class Expansion:
    """Counts what the pages of a PDF draw.

    Args:
        pdf: the file, of which no page has been loaded.
        name: its name, for errors.
        limits: the limits on the input.

    Raises:
        LimitExceededError: a stream unpacks to more than the limits allow, or too much is referred to repeatedly.
    """

    def __init__(self, pdf: pdfium.PdfDocument, name: str, limits: Limits) -> None:
        self._objects, self._count, self._name, self._limits = Objects(pdf), len(pdf), name, limits
        self._length = lru_cache(_CACHED)(self._read_length)
        self._uses = lru_cache(_CACHED)(self._read_uses)
        self._counts = lru_cache(_CACHED)(self._read_counts)
        self._laid_out = 0
        self._check_streams()
        check_graphs(self._objects, name, limits)

    def check_page(self, number: int) -> None:
        """Raises an error for a page that pdfium could not draw in bounded time and memory.

        Args:
            number: the page number, from 1.

        Raises:
            CorruptDocumentError: a form on it draws itself.
            LimitExceededError: it draws more than the limits allow.
        """
        name = f"{self._name}, page {number}"
        for page in self._pages[number - 1 : number] or self._stray_pages:
            annotations = self._objects.items(page.get(b"/Annots"))
            self._limits.check("annotations", len(annotations), name)
            for each in annotations:
                self._laid_out += cost_of(self._objects, each)
                self._limits.check("references", self._laid_out, name)
            outer = self._objects.entries(self._inherited(page, b"/Resources"))
            contents = [_Content(self._streams(page.get(b"/Contents")), outer, outer)]
            contents += [self._form(form, outer, outer) for each in annotations for form in self._appearances(each)]
            total = self._in_unicode(self._total(contents, name, exact=False))
            if total.page_characters > self._limits.page_characters or total.page_objects > self._limits.page_objects:
                total = self._in_unicode(self._total(contents, name, exact=True))
            for limit, value in total._asdict().items():
                self._limits.check(limit, value, name)

    def _check_streams(self) -> None:
        """Raises an error if a stream that pdfium unpacks as a whole is longer than the limits allow."""
        most = self._limits.stream_bytes
        long = {
            number for number, size in self._objects.sizes() if size > most // 1032
        }  # the most by which Flate packs
        long |= {number for number, _ in self._objects.find(_CHAINED)}
        for number in long:
            stream = self._objects.get(number)
            if not isinstance(stream, Stream):
                continue
            filters = filters_of(self._objects, stream)
            if (stream.end - stream.start) * most_times(filters) <= most:
                continue
            is_file = stream.entries.get(b"/Type") == b"/EmbeddedFile"
            if (is_file or self._is_picture(stream, filters)) and number not in self._unpacked_whole:
                continue
            content = content_of(self._objects, stream, most + 1)
            size = (stream.end - stream.start) if content is None else len(content)
            self._limits.check("stream_bytes", size, f"{self._name}, object {number}")

    @cached_property
    def _unpacked_whole(self) -> set[int]:
        """The numbers of the streams that pdfium unpacks as a whole, whatever they say they are."""
        return {int(number) for number in _UNPACKED_WHOLE.findall(self._objects.data)}

    def _is_picture(self, stream: Stream, filters: list[bytes]) -> bool:
        """Whether a stream is a picture that is unpacked row by row, or by the filters of pictures."""
        return stream.entries.get(b"/Subtype") == b"/Image" and len(filters) < 2

    @cached_property
    def _pages(self) -> list[dict[bytes, Any]]:
        return [*self._objects.pages(self._count)]

    @cached_property
    def _stray_pages(self) -> list[dict[bytes, Any]]:
        """All that may be pages, in a file whose tree of pages pdfium reads in another way."""
        found = (self._objects.entries(Reference(number)) for number in self._objects.places)
        return [page for page in found if b"/Contents" in page or page.get(b"/Type") == b"/Page"]

    def _inherited(self, page: dict[bytes, Any], key: bytes) -> Any:
        """An entry of a page, or of the nearest node above it that has it."""
        seen = set[Any]()
        while self._objects.get(page.get(key)) is None:
            parent = page.get(b"/Parent")
            if not isinstance(parent, Reference) or parent in seen:
                return None
            seen.add(parent)
            self._limits.check("depth", len(seen), f"{self._name}, nodes above a page")
            page = self._objects.entries(parent)
        return page[key]

    def _streams(self, value: Any) -> tuple[int, ...]:
        """The numbers of the streams that are a content: one, or those of an array."""
        items = self._objects.items(value)
        return tuple(each.number for each in map(self._objects.get, items) if isinstance(each, Stream))

    def _form(self, stream: Stream, own: dict[bytes, Any], outer: dict[bytes, Any]) -> _Content:
        """The content of a form; without resources of its own, it has those of what draws it."""
        resources = self._objects.get(stream.entries.get(b"/Resources"))
        return _Content((stream.number,), own if resources is None else self._objects.entries(resources), outer)

    def _appearances(self, annotation: Any) -> Iterator[Stream]:
        """What is drawn for an annotation, in each of its states."""
        normal = self._objects.get(self._objects.entries(self._objects.entries(annotation).get(b"/AP")).get(b"/N"))
        states = normal.values() if isinstance(normal, dict) else [normal]
        yield from (each for each in map(self._objects.get, states) if isinstance(each, Stream))

    def _total(self, contents: list[_Content], name: str, *, exact: bool) -> _Work:
        """What contents draw in all.

        Args:
            contents: the contents.
            name: the name of the page, for errors.
            exact: whether to count characters and objects, rather than to tell from the bytes how many there can be.
        """
        done: dict[Any, _Work] = {}
        drawn: dict[Any, list[tuple[_Content, int]]] = {}
        waiting, unpacked = [*contents], 0
        while waiting:
            content = waiting[-1]
            if content.key in done:
                waiting.pop()
            elif content.key in drawn:
                work = [self._own(content, exact)]
                for inner, times in drawn[content.key]:
                    work.append(_Work(*(min(each * times, _MANY) for each in done[inner.key])))
                done[waiting.pop().key] = _sum(work)
            else:
                for number in content.streams:
                    unpacked += self._length(number)
                    self._limits.check("content_bytes", unpacked, name)
                inners = drawn[content.key] = [*self._drawn(content)]
                self._limits.check("depth", len(drawn) - len(done), name)
                fresh = [inner for inner, _ in inners if inner.key not in done]
                if any(inner.key in drawn for inner in fresh):
                    raise CorruptDocumentError(
                        f"{name}: a form that draws itself; leave the page out: load(..., pages=...)"
                    )
                waiting += fresh
        return _sum([done[content.key] for content in contents])

    def _in_unicode(self, work: _Work) -> _Work:
        """The same with the characters that a code can stand for."""
        return work._replace(page_characters=min(work.page_characters * self._per_code, _MANY))

    @cached_property
    def _per_code(self) -> int:
        """The most characters that a font of the file has for one code; 1 if they are as few as those of a ligature."""
        longest = 0
        for number in {Reference(found[1]) for _, found in self._objects.find(_TO_UNICODE)}:
            stream = self._objects.get(number)
            if isinstance(stream, Stream):
                content = content_of(self._objects, stream, self._limits.stream_bytes + 1) or b""
                ranges = [each for part in _RANGES.findall(content) for each in _RANGE.findall(part)]
                codes = sum(max(int(last, 16) - int(first, 16), 0) for first, last in ranges)
                self._limits.check("page_characters", codes, f"{self._name}, codes of the font in object {number}")
                longest = max(longest, *map(len, _MAPPED.findall(content)), 0)
        return max(longest // _DIGITS, 1) if longest > _LIGATURE * _DIGITS else 1

    def _own(self, content: _Content, exact: bool) -> _Work:
        """What a content draws itself."""
        size = sum(map(self._length, content.streams))
        if not exact:
            return _Work(size, size, size // _SHORTEST)
        return _Work(size, *self._counts(content.streams))

    def _drawn(self, content: _Content) -> Iterator[tuple[_Content, int]]:
        """The contents that a content draws by name, and how often."""
        inner = [*self._forms(content), *self._glyphs(content), *self._masks(content), *self._patterns(content)]
        if not inner:
            return
        uses = {kind: self._uses(content.streams, kind) for kind in {kind for kind, *_ in inner}}
        for kind, name, drawn, times in inner:
            if used := uses[kind][name] + uses[kind][UNNAMED]:
                # The glyphs of a font are parsed once, unless they draw forms.
                yield drawn, times if kind == b"Tf" else used * times

    def _forms(self, content: _Content) -> Iterator[_Use]:
        """The forms that a content can draw, each under its name and operator."""
        for name, value in self._named(content, b"/XObject"):
            stream = self._objects.get(value)
            if not isinstance(stream, Stream):
                continue
            if self._objects.get(stream.entries.get(b"/Subtype")) != b"/Image":
                yield b"Do", name, self._form(stream, content.own, content.outer), 1

    def _glyphs(self, content: _Content) -> Iterator[_Use]:
        """The glyphs of Type 3 fonts, each of which is a content."""
        for name, value in self._named(content, b"/Font"):
            font = self._objects.entries(value)
            resources = self._objects.get(font.get(b"/Resources"))
            own = content.own if resources is None else self._objects.entries(resources)
            for glyph in map(self._objects.get, self._objects.entries(font.get(b"/CharProcs")).values()):
                if isinstance(glyph, Stream):
                    times = sum(map(self._length, content.streams)) if self._uses((glyph.number,), b"Do") else 1
                    yield b"Tf", name, _Content((glyph.number,), own, content.outer), times

    def _masks(self, content: _Content) -> Iterator[_Use]:
        """The forms that are the soft masks of graphics states."""
        for name, value in self._named(content, b"/ExtGState"):
            mask = self._objects.entries(self._objects.entries(value).get(b"/SMask"))
            form = self._objects.get(mask.get(b"/G"))
            if isinstance(form, Stream):
                yield b"gs", name, self._form(form, content.own, content.outer), 1

    def _patterns(self, content: _Content) -> Iterator[_Use]:
        """The tiles of patterns; those that overlap are drawn one by one."""
        for name, value in self._named(content, b"/Pattern"):
            tile = self._objects.get(value)
            if isinstance(tile, Stream):
                yield b"scn", name, self._form(tile, content.own, content.outer), self._tiles(tile)

    def _tiles(self, tile: Stream) -> int:
        """How many tiles of a pattern pdfium draws one by one, on a page of the usual size."""
        box, across, down = (self._numbers(tile, key) for key in (b"/BBox", b"/XStep", b"/YStep"))
        if (len(box), len(across), len(down)) != (4, 1, 1):
            return 1
        a, b, c, d = [*self._numbers(tile, b"/Matrix"), 1.0, 0.0, 0.0, 1.0][:4]
        step = abs(across[0] * down[0] * (a * d - b * c))
        overlap = abs(box[2] - box[0]) > _OVERLAP * abs(across[0]) or abs(box[3] - box[1]) > _OVERLAP * abs(down[0])
        return int(min(max(_PAGE / step, 1), _MANY)) if overlap and step > 0 else 1

    def _numbers(self, stream: Stream, key: bytes) -> list[float]:
        """The numbers under a key of a stream; empty if it has none."""
        try:
            return [float(self._objects.get(each)) for each in self._objects.items(stream.entries.get(key))]
        except (TypeError, ValueError):
            return []

    def _named(self, content: _Content, kind: bytes) -> Iterator[tuple[bytes, Any]]:
        """What the names of a kind stand for in a content."""
        names = self._objects.entries(content.outer.get(kind))
        if content.own is not content.outer:
            names = names | self._objects.entries(content.own.get(kind))
        return iter(names.items())

    def _unpacked(self, number: int) -> bytes | None:
        """A content; None if it has filters that only pictures have."""
        stream = self._objects.get(Reference(number))
        return content_of(self._objects, stream, self._limits.content_bytes + 1)

    def _read_length(self, number: int) -> int:
        """The length of a content; the longest possible where it is unknown."""
        content = self._unpacked(number)
        if content is not None:
            self._limits.check("depth", nesting(content, self._limits.depth), f"{self._name}, object {number}")
            return len(content)
        stream: Stream = self._objects.get(Reference(number))
        return (stream.end - stream.start) * most_times(filters_of(self._objects, stream))

    def _joined(self, streams: tuple[int, ...]) -> bytes | None:
        """The streams of a content as pdfium joins them: strings and comments go on in the next one."""
        parts = [self._unpacked(number) for number in streams]
        return None if None in parts else b" ".join(part for part in parts if part is not None)

    def _read_uses(self, streams: tuple[int, ...], kind: bytes) -> Counter[bytes]:
        """How often a content uses each name with an operator; under ``UNNAMED``, with what is no plain name."""
        content = self._joined(streams)
        if content is None:
            return Counter({UNNAMED: sum(map(self._length, streams)) // _SHORTEST})
        uses = uses_of(content, kind)
        return uses_of(without_text(content)[0], kind) if uses[UNNAMED] else uses  # text may have the same letters

    def _read_counts(self, streams: tuple[int, ...]) -> tuple[int, int]:
        """The most characters that a content can show, and the most objects that it can draw."""
        content = self._joined(streams)
        if content is None:
            length = sum(map(self._length, streams))
            return length, length // _SHORTEST
        operators, characters, _ = without_text(content)
        return characters, sum(1 for _ in DRAWS.finditer(operators))


def _sum(work: list[_Work]) -> _Work:
    return _Work(*(min(sum(each), _MANY) for each in zip(*work, strict=True)))
