"""The parts of a Word file, and its styles."""

from __future__ import annotations

import io
import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace

from longdoc.errors import CorruptDocumentError, EncryptedDocumentError, LimitExceededError, UnsupportedFormatError
from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.xml import Element, attribute, children, parse_xml, tag_of, text_of

_CORE = {
    "title": "Title",
    "creator": "Author",
    "subject": "Subject",
    "keywords": "Keywords",
    "created": "CreationDate",
    "modified": "ModDate",
}
_MOST_MEMBERS = 10_000
_BOMB_BYTES, _BOMB_RATIO = 64 << 20, 200  # XML of real documents packs to a fiftieth at best
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
)


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part points to: another part, or an address outside."""

    kind: str
    target: str
    is_outside: bool


class Package:
    """The zip file around a Word document; parts are unpacked one by one, when they are asked for.

    Raises:
        CorruptDocumentError: it is no zip file that can be read.
        EncryptedDocumentError: its members need a password.
        LimitExceededError: it unpacks to more than the limits allow.
    """

    def __init__(self, data: bytes, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except _UNREADABLE as error:
            raise CorruptDocumentError(f"{name}: a broken zip file ({error}); get it again") from error
        members = self._archive.infolist()
        unpacked = sum(member.file_size for member in members)
        limits.check("unpacked_bytes", unpacked, name)
        if len(members) > _MOST_MEMBERS:
            raise LimitExceededError(f"{name}: {len(members):,} members, allowed: {_MOST_MEMBERS:,}; save it again")
        if unpacked > max(_BOMB_BYTES, _BOMB_RATIO * len(data)):
            raise LimitExceededError(
                f"{name}: unpacks from {len(data):,} to {unpacked:,} bytes; allowed: {_BOMB_RATIO} times its size"
            )
        if any(member.flag_bits & 1 for member in members):
            raise EncryptedDocumentError(f"{name}: a zip file with a password; unpack and pack it without one")
        self._members = {member.filename.lstrip("/"): member for member in members}

    def part(self, path: str) -> Element | None:
        """The root element of a part, None where there is no such part.

        Raises:
            CorruptDocumentError: it cannot be unpacked or is no XML, or it has a DOCTYPE, which Word forbids.
        """
        member = self._members.get(path)
        if member is None:
            return None
        try:
            content = self._archive.read(member)
        except (*_UNREADABLE, RuntimeError) as error:
            raise CorruptDocumentError(f"{self.name}: {path} cannot be unpacked ({error}); get it again") from error
        forbidden = f"{self.name}: {path} has a DOCTYPE; allowed in Word files: none"
        try:
            root = parse_xml(content, f"{self.name}: {path}", self.limits)
        except UnsupportedFormatError as error:
            raise CorruptDocumentError(forbidden) from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise CorruptDocumentError(forbidden)
        return root

    def relations(self, path: str) -> dict[str, Relation]:
        """What a part points to, by id; the package itself is the part "".

        Raises:
            CorruptDocumentError: see :meth:`part`.
        """
        folder, file = posixpath.split(path)
        root = self.part(posixpath.join(folder, "_rels", f"{file}.rels"))
        found = {}
        for element in [] if root is None else children(root, "relationship"):
            target, is_outside = attribute(element, "Target"), attribute(element, "TargetMode") == "External"
            if not is_outside:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = attribute(element, "Type").rpartition("/")[2]
            found[attribute(element, "Id")] = Relation(kind, target, is_outside)
        return found

    def metadata(self) -> dict[str, str]:
        """What the file says of itself.

        Raises:
            CorruptDocumentError: see :meth:`part`.
        """
        core = self.part(target_of(self.relations(""), "core-properties"))
        found = [] if core is None else [(_CORE.get(tag_of(element)), text_of(element)) for element in core]
        return {key: value for key, value in found if key and value}


def target_of(relations: dict[str, Relation], kind: str) -> str:
    """The path of the part of that kind, empty where there is none."""
    return next((r.target for r in relations.values() if r.kind == kind and not r.is_outside), "")


@dataclass(frozen=True, slots=True)
class Style:
    """What a style says of a paragraph or a run, its base styles included."""

    level: int = 0
    """Of a heading, from 1; 0 is no heading."""
    list_id: str = ""
    """Empty where it says nothing, "0" where it is in no list."""
    depth: int = 0
    """In the list, from 0."""
    is_hidden: bool = False
    breaks_page: bool = False


class Styles:
    """The styles of a document by their ids."""

    def __init__(self, root: Element | None) -> None:
        styles = [] if root is None else children(root, "style")
        self._elements = {attribute(style, "styleId"): style for style in styles}
        self._resolved: dict[str, Style] = {}
        self.numbered = {attribute(s, "styleId"): numbering_of(child(s, "ppr"))[0] for s in styles}
        """Style -> the list that it names."""
        self.default = next(
            (
                attribute(style, "styleId")
                for style in styles
                if attribute(style, "type") == "paragraph" and attribute(style, "default") in ("1", "true", "on")
            ),
            "",
        )

    def get(self, style_id: str) -> Style:
        """The style of that id; one that says nothing where there is none."""
        chain: list[str] = []
        while style_id in self._elements and style_id not in chain and style_id not in self._resolved:
            chain.append(style_id)
            style_id = value_of(self._elements[style_id], "basedon")
        style = self._resolved.get(style_id, Style())
        for inner in reversed(chain):
            element = self._elements[inner]
            name = value_of(element, "name") or inner
            style = self._resolved[inner] = _extended(style, child(element, "ppr"), child(element, "rpr"), name)
        return style

    def id_of(self, properties: Element | None) -> str:
        """The id of the style of a paragraph."""
        return value_of(properties, "pstyle") or self.default

    def of(self, properties: Element | None) -> Style:
        """What a paragraph and its mark are like: its style, and on top of it what its properties say."""
        return _extended(self.get(self.id_of(properties)), properties, child(properties, "rpr"), "")


def _extended(base: Style, paragraph: Element | None, run: Element | None, name: str) -> Style:
    """A style with properties of a paragraph and of a run on top."""
    list_id, depth = numbering_of(paragraph)
    hidden, breaks = is_on(run, "vanish"), is_on(paragraph, "pagebreakbefore")
    named = re.fullmatch(r"heading ?([1-9])", name, re.IGNORECASE)
    level = heading_level(paragraph)
    if level is None and named:
        level = int(named[1])
    return replace(
        base,
        level=base.level if level is None else level,
        list_id=list_id or base.list_id,
        depth=base.depth if depth is None else depth,
        is_hidden=base.is_hidden if hidden is None else hidden,
        breaks_page=base.breaks_page if breaks is None else breaks,
    )


def child(element: Element | None, tag: str) -> Element | None:
    """The first child of that name."""
    return next(iter(children(element, tag)), None) if element is not None else None


def heading_level(properties: Element | None) -> int | None:
    """The level, from 1, that paragraph properties give; 0 for body text, None where they say nothing."""
    said = value_of(properties, "outlinelvl")
    if not re.fullmatch("[0-9]", said):
        return None
    return 0 if said == "9" else int(said) + 1


def numbering_of(properties: Element | None) -> tuple[str, int | None]:
    """List and depth in it that paragraph properties give; "0" is no list."""
    numbering = child(properties, "numpr")
    depth = value_of(numbering, "ilvl")
    return value_of(numbering, "numid"), int(depth) if re.fullmatch("[0-8]", depth) else None
