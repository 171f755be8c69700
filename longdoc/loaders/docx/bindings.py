"""Data parts of a Word file, to which content controls are bound."""

from __future__ import annotations

import re
from itertools import islice

from lxml import etree

from longdoc.errors import CorruptDocumentError
from longdoc.loaders.docx.package import Package, target_of
from longdoc.loaders.markup.xml import Element, attribute, text_of

_DATA = re.compile(r"customXml/item\d+\.xml", re.IGNORECASE)
_PREFIX = re.compile(r"xmlns:([\w.-]+)\s*=\s*['\"]([^'\"]*)['\"]")
_STEP = r"(?:(?:[\w.-]+:)?[\w.-]+|\*)(?:\[\d{1,9}\])?"
_PATH = re.compile(rf"(?:/?/)?{_STEP}(?:/{_STEP}){{0,63}}(?:/@(?:[\w.-]+:)?[\w.-]+|/text\(\)(?:\[\d{{1,9}}\])?)?")
"""The paths that programs write; others can compute, at any cost."""
_KEPT_BY_PROGRAMS = re.compile(
    r"https?://(?:schemas\.microsoft\.com|schemas\.openxmlformats\.org|purl\.oclc\.org|schemas\.titus\.com"
    r"|customooxmlschemas\.google\.com|www\.wps\.cn|www\.boldonjames\.com)/|urn:sharePointPublishing"
)
"""Name spaces of the data that programs keep for themselves, such as the sources of citations."""

_MOST_VALUES = 1000  # that are looked for in the text, for speed


class Bindings:
    """The data of a Word file by the ids of their parts."""

    def __init__(self, package: Package) -> None:
        self._roots: dict[str, Element] = {}
        self._items: dict[str, Element] = {}
        self.warnings: list[str] = []
        for path in package.paths:
            if _DATA.fullmatch(path):
                try:
                    self._open(package, path)
                except CorruptDocumentError as error:
                    self.warnings.append(f"the data part {path} is not read: {error}")

    def _open(self, package: Package, path: str) -> None:
        root = package.part(path)
        if root is not None:
            self._items[path] = root
            properties = package.part(target_of(package.relations(path), "customXmlProps"))
            if properties is not None:
                self._roots[attribute(properties, "itemID").upper()] = root

    def value(self, binding: Element | None) -> str:
        """The value that is bound to a content control; empty if there is none."""
        root = None if binding is None else self._roots.get(attribute(binding, "storeItemID").upper())
        if binding is None or root is None:
            return ""
        spaces, path = dict(_PREFIX.findall(attribute(binding, "prefixMappings"))), attribute(binding, "xpath").strip()
        try:
            if not _PATH.fullmatch(path):
                raise ValueError(f"{path!r:.80} is no plain path")
            found = root.xpath(path, namespaces=spaces)
        except (etree.XPathError, TypeError, ValueError):
            self.warnings.append("a content control is bound to data that cannot be found; its stored text is used")
            return ""
        first = found[0] if isinstance(found, list) and found else ""
        return text_of(first) if isinstance(first, Element) else " ".join(str(first).split())

    def unshown(self, text: str) -> list[str]:
        """The paths of the parts with data of users that a text does not contain."""
        found = []
        text = " ".join(text.split())
        for path, root in self._items.items():
            is_kept = _KEPT_BY_PROGRAMS.match(etree.QName(root).namespace or "")
            values = {" ".join(str(value).split()) for value in islice(root.itertext(), _MOST_VALUES)} - {""}
            if not is_kept and any(value not in text for value in values):
                found.append(path)
        return found
