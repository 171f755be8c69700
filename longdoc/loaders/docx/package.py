"""The parts of a Word file and its styles."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, replace

from longdoc.errors import CorruptDocumentError, EncryptedDocumentError, LimitExceededError, UnsupportedFormatError
from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.xml import Element, attribute, children, parse_xml, tag_of, text_of
from longdoc.loaders.signatures import UNREADABLE_ZIP

_CORE = {
    "title": "Title",
    "creator": "Author",
    "subject": "Subject",
    "keywords": "Keywords",
    "created": "CreationDate",
    "modified": "ModDate",
}
_METADATA: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("core-properties", "docProps/core.xml", _CORE),
    ("extended-properties", "docProps/app.xml", {"company": "Company", "manager": "Manager"}),
    ("custom-properties", "docProps/custom.xml", {}),
)
"""Kind of relation, usual path, and tag -> name of the properties; without tags, they have names of their own."""
_MAX_MEMBERS = 10_000
_LONGEST_NAME = 1000  # characters of the path of a member
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BOMB_BYTES, _BOMB_RATIO = 64 << 20, 200  # the XML of real documents compresses to a fiftieth at best


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of a part to another part, or to an address outside the package."""

    kind: str
    target: str
    is_outside: bool


class Package:
    """The zip file of a Word document; each part is unpacked on request.

    Raises:
        CorruptDocumentError: the zip file cannot be read.
        EncryptedDocumentError: its members need a password.
        LimitExceededError: it unpacks to more than the limits allow.
    """

    def __init__(self, data: bytes, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except UNREADABLE_ZIP as error:
            raise CorruptDocumentError(f"{name}: zip file is damaged ({error}); get the file again") from error
        members = self._archive.infolist()
        unpacked = sum(member.file_size for member in members)
        limits.check("unpacked_bytes", unpacked, name)
        if len(members) > _MAX_MEMBERS:
            raise LimitExceededError(f"{name}: {len(members):,} members, allowed: {_MAX_MEMBERS:,}; save it again")
        if unpacked > max(_BOMB_BYTES, _BOMB_RATIO * len(data)):
            raise LimitExceededError(
                f"{name}: unpacks from {len(data):,} to {unpacked:,} bytes; allowed: {_BOMB_RATIO} times its size"
            )
        if other := [each.filename for each in members if each.compress_type not in _METHODS]:
            raise CorruptDocumentError(
                f"{name}: {other[0]} is packed by a method that Word files do not have; allowed: stored and deflated; "
                "save it again as .docx"
            )
        names = [member.filename for member in members if not member.is_dir()]
        if long := [name for name in names if len(name) > _LONGEST_NAME]:
            raise CorruptDocumentError(
                f"{name}: a member's name has {len(long[0]):,} characters; allowed: {_LONGEST_NAME:,}; save it again"
            )
        if len(set(names)) < len(names):
            raise CorruptDocumentError(f"{name}: two members with the same name; save it again as .docx")
        if any(member.flag_bits & 1 for member in members):
            raise EncryptedDocumentError(f"{name}: zip file with a password; unpack it and pack it without one")
        self._members = {member.filename.lstrip("/"): member for member in members}
        self.read: set[str] = set()

    @property
    def paths(self) -> list[str]:
        """The paths of all parts, in the order of the file."""
        return [path for path in self._members if not path.endswith("/")]

    def part(self, path: str) -> Element | None:
        """The root element of a part; None if there is no such part.

        Raises:
            CorruptDocumentError: it cannot be unpacked, is not XML, or has a DOCTYPE, which Word forbids.
        """
        member = self._members.get(path)
        if member is None:
            return None
        self.read.add(path)
        try:
            with self._archive.open(member) as packed:
                content = packed.read(member.file_size + 1)  # what the file says, which may be wrong
        except UNREADABLE_ZIP as error:
            raise CorruptDocumentError(f"{self.name}: {path} cannot be unpacked ({error}); get it again") from error
        forbidden = f"{self.name}: {path} has a DOCTYPE, which is not allowed in Word files; save it again as .docx"
        try:
            root = parse_xml(content, f"{self.name}: {path}", self.limits)
        except UnsupportedFormatError as error:
            raise CorruptDocumentError(forbidden) from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise CorruptDocumentError(forbidden)
        return root

    def relations(self, path: str) -> dict[str, Relation]:
        """The relations of a part by id; "" is the package itself.

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


def target_of(relations: dict[str, Relation], kind: str) -> str:
    """The path of the part of a kind; empty if there is none."""
    return next((r.target for r in relations.values() if r.kind == kind and not r.is_outside), "")


class Parts:
    """The parts to which the main part of a document refers; ``warnings`` names those that are missing."""

    def __init__(self, package: Package, path: str) -> None:
        self.relations = package.relations(path)
        self.warnings: list[str] = []
        self.named: set[str] = set()
        """The paths of the parts that are not read and named in warnings."""
        self._package = package

    def get(self, kind: str) -> Element | None:
        """The root element of the part of a kind, such as ``"styles"``; None if there is none."""
        path = target_of(self.relations, kind)
        return self.at(path, f"its {kind} are left out") if path else None

    def names(self, kind: str) -> bool:
        """Whether the document refers to a part of a kind, which may be missing."""
        return bool(target_of(self.relations, kind))

    def at(self, path: str, consequence: str) -> Element | None:
        """The root element of a part; None, with a warning of the consequence, if it is missing or damaged."""
        try:
            root = self._package.part(path)
        except CorruptDocumentError as error:
            self.warnings.append(f"the part {path} is damaged ({error}); {consequence}")
            return None
        if root is None:
            self.warnings.append(f"the part {path} is missing; {consequence}")
        return root

    def relations_of(self, kind: str) -> dict[str, Relation]:
        """The relations of the part of a kind."""
        path = target_of(self.relations, kind)
        return self.relations_at(path) if path else {}

    def relations_at(self, path: str) -> dict[str, Relation]:
        """The relations of a part; none, with a warning, if they are damaged."""
        try:
            return self._package.relations(path)
        except CorruptDocumentError as error:
            self.warnings.append(f"the relations of {path} are damaged ({error}); what it refers to is left out")
            return {}

    def metadata(self) -> dict[str, str]:
        """The metadata of the file; the properties that users define themselves included."""
        relations = self.relations_at("")
        found: dict[str, str] = {}
        for kind, usual_path, names in _METADATA:
            path = target_of(relations, kind) or usual_path
            root = self.at(path, "its properties are left out") if path in self._package.paths else None
            for element in [] if root is None else root:
                name = names.get(tag_of(element)) if names else attribute(element, "name")
                if name and text_of(element):
                    found.setdefault(name, text_of(element))
        return found


@dataclass(frozen=True, slots=True)
class Style:
    """The effective properties of a paragraph or run, base styles included."""

    level: int = 0
    """The level of a heading, from 1; 0 for body text."""
    list_id: str = ""
    """The list of the paragraph; empty if unspecified, "0" for no list."""
    depth: int = 0
    """The level in the list, from 0."""
    is_hidden: bool = False
    is_struck: bool = False
    font: str = ""
    breaks_page: bool = False
    raising: str = ""
    """``"superscript"``, ``"subscript"`` or ``"baseline"``; empty if unspecified."""
    size: int = 0
    """The font size in half points; 0 if unspecified."""


class Styles:
    """The styles of a document by their ids."""

    def __init__(self, root: Element | None) -> None:
        styles = [] if root is None else children(root, "style")
        self._elements = {attribute(style, "styleId"): style for style in styles}
        self._resolved: dict[str, Style] = {}
        self.numbered = {attribute(s, "styleId"): numbering_of(child(s, "ppr"))[0] for s in styles}
        """Style -> the id of its list."""
        self.default = next(
            (
                attribute(style, "styleId")
                for style in styles
                if attribute(style, "type") == "paragraph" and attribute(style, "default") in ("1", "true", "on")
            ),
            "",
        )

    def get(self, style_id: str) -> Style:
        """The properties of a style, those of its base styles included; the defaults if it is unknown."""
        chain: dict[str, None] = {}
        while style_id in self._elements and style_id not in chain and style_id not in self._resolved:
            chain[style_id] = None
            style_id = value_of(self._elements[style_id], "basedon")
        style = self._resolved.get(style_id, Style())
        for inner in reversed(chain):
            element = self._elements[inner]
            name = value_of(element, "name") or inner
            style = self._resolved[inner] = _override(style, child(element, "ppr"), child(element, "rpr"), name)
        return style

    def raising(self) -> frozenset[str]:
        """The ids of the styles that raise or lower text."""
        return frozenset(
            style_id for style_id in self._elements if self.get(style_id).raising in ("superscript", "subscript")
        )

    def id_of(self, properties: Element | None) -> str:
        """The id of the style of a paragraph with these properties."""
        return value_of(properties, "pstyle") or self.default

    def of(self, properties: Element | None) -> Style:
        """The effective properties of a paragraph: those of its style, overridden by its own."""
        return _override(self.get(self.id_of(properties)), properties, child(properties, "rpr"), "")


def _override(base: Style, paragraph: Element | None, run: Element | None, name: str) -> Style:
    """A style overridden by paragraph and run properties; a name such as "heading 1" sets the level."""
    list_id, depth = numbering_of(paragraph)
    hidden, breaks = is_on(run, "vanish"), is_on(paragraph, "pagebreakbefore")
    struck = is_struck(run)
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
        is_struck=base.is_struck if struck is None else struck,
        font=font_of(run) or base.font,
        breaks_page=base.breaks_page if breaks is None else breaks,
        raising=value_of(run, "vertalign") or base.raising,
        size=size_of(run) or base.size,
    )


def child(element: Element | None, tag: str) -> Element | None:
    """The first child with this tag."""
    if element is not None:
        for inner in element:
            if tag_of(inner) == tag:
                return inner
    return None


def is_struck(properties: Element | None) -> bool | None:
    """Whether run properties strike text out, with one line or two; None if they do not say."""
    found = [is_on(properties, tag) for tag in ("strike", "dstrike")]
    return None if found == [None, None] else any(found)


def font_of(properties: Element | None) -> str:
    """The name of the font in run properties; empty if unspecified."""
    fonts = child(properties, "rfonts")
    if fonts is None:
        return ""
    return next(filter(None, (attribute(fonts, name) for name in ("asciiTheme", "ascii", "hAnsi"))), "")


def size_of(properties: Element | None) -> int:
    """The font size in run properties, in half points; 0 if unspecified."""
    size = value_of(properties, "sz")
    return int(size) if re.fullmatch("[0-9]{1,4}", size) else 0


def heading_level(properties: Element | None) -> int | None:
    """The heading level in paragraph properties, from 1; 0 for body text, None if unspecified."""
    level = value_of(properties, "outlinelvl")
    if not re.fullmatch("[0-9]", level):
        return None
    return 0 if level == "9" else int(level) + 1


def numbering_of(properties: Element | None) -> tuple[str, int | None]:
    """The id of the list and the level in it, from 0, in paragraph properties; "0" means no list."""
    numbering = child(properties, "numpr")
    depth = value_of(numbering, "ilvl")
    return value_of(numbering, "numid"), int(depth) if re.fullmatch("[0-8]", depth) else None
