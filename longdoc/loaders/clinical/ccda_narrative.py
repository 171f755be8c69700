"""The markup of narratives in C-CDA."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from longdoc.errors import CorruptDocumentError, UnsupportedFormatError
from longdoc.loaders.clinical.narrative import NarrativeWriter
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, parse_xhtml, tag_of, text_of

_MARKUP = re.compile(
    r"</?(?:content|paragraph|list|item|caption|footnote|footnoteRef|renderMultiMedia|linkHtml|table|thead|tbody|tfoot"
    r"|tr|td|th|br|sub|sup|p|div|span|b|i|u|em|strong|font|a|ul|ol|li|h[1-6]|pre|html|body)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_NARRATIVE_TYPES = ("", "text/x-hl7-text+xml")
_STRUCK = re.compile(r"x?(?:strike(?:through|out)?|line-?through)")
_LIST_STYLES = {"arabic": "1", "littlealpha": "a", "bigalpha": "A", "littleroman": "i", "bigroman": "I"}


def parse_markup(root: Element, name: str, limits: Limits) -> list[str]:
    """Replaces markup that a sender wrote as text, escaped or as CDATA, by elements, in all titles and texts.

    Returns:
        A warning for each that is not well formed, or cannot be parsed and stays as it is.

    Raises:
        LimitExceededError: it nests deeper than the limits allow.
    """
    warnings: list[str] = []
    for outer in [e for e in root.iter() if tag_of(e) in ("text", "title")]:
        if attribute(outer, "representation") == "B64" or attribute(outer, "mediaType") not in _NARRATIVE_TYPES:
            continue
        for element in list(outer.iter()):
            try:
                if element.text and _MARKUP.search(element.text):
                    parsed = _parsed(element.text, name, limits, warnings)
                    element.text = parsed.text
                    element[0:0] = list(parsed)
                if element is not outer and element.tail and _MARKUP.search(element.tail):
                    parsed = _parsed(element.tail, name, limits, warnings)
                    element.tail = None  # it would follow what is added
                    for child in reversed(parsed):
                        element.addnext(child)
                    element.tail = parsed.text
            except (CorruptDocumentError, UnsupportedFormatError) as error:
                warnings.append(f"markup in a narrative is read as text: {error}")
    return warnings


def _parsed(markup: str, name: str, limits: Limits, warnings: list[str]) -> Element:
    """An element with the markup as its content."""
    root = parse_xhtml(f"<div>{markup}</div>", name, limits, warnings)
    return next((e for e in root.iter() if tag_of(e) == "div"), root)


class CcdaNarrative(NarrativeWriter):
    """Writes the narratives of a clinical document; a mark leads from a reference to its footnote."""

    roles: ClassVar[Mapping[str, str]] = {
        **NarrativeWriter.roles,
        "paragraph": "block",
        "text": "narrative",
        "caption": "caption",
        "footnote": "footnote",
        "footnoteref": "footnote_reference",
        "item": "item",
        "linkhtml": "link",
        "list": "listing",
        "rendermultimedia": "rendered",
    }

    def __init__(self, builder: Builder, root: Element, warnings: list[str]) -> None:
        super().__init__(builder)
        self.warnings = warnings
        self._root = root
        self._notes: dict[str, int] | None = None
        self._media: dict[str, Element] | None = None
        self._kinds: dict[str, str] = {}  # media types of what narratives show, by its ids

    def left_out(self, element: Element) -> str:
        """The kind of furniture that an element is; empty for running text."""
        if element.get("revised") == "delete":
            return "deleted"
        styles = (element.get("styleCode") or "").lower().split()
        if any(_STRUCK.fullmatch(style) for style in styles):
            return "deleted"
        return "hidden" if "xhidden" in styles or "hidden" in styles else super().left_out(element)

    def list_style(self, element: Element) -> str:
        """Numbers or letters for ordered lists, bullets for the others."""
        if tag_of(element) == "ol" or attribute(element, "listType") == "ordered":
            styles = attribute(element, "styleCode").lower().split()
            named = next((_LIST_STYLES[style] for style in styles if style in _LIST_STYLES), "1")
            return attribute(element, "type") or named
        return "bullet"

    def narrative(self, element: Element) -> Steps:
        """A narrative; one without markup whose lines are not indented, as those of XML are, keeps them."""
        is_plain = not len(element) and re.search(r"\S\s*\n\S", element.text or "")
        yield self.preformatted(element) if is_plain else self.block(element)

    def caption(self, element: Element) -> Steps:
        """A caption: on the line of the item or paragraph that it introduces, or on its own."""
        parent = element.getparent()
        owner = "" if parent is None else tag_of(parent)
        introduces = owner == "paragraph" and text_of(element).endswith(":")
        yield self.spaced(element) if introduces or owner in ("item", "content") else self.line(element)

    def footnote(self, element: Element) -> Steps:
        """A footnote, with its number if a reference leads to it."""
        number = self._numbers().get(attribute(element, "ID"))
        self.builder.separate(" ")
        if number is not None:
            self.builder.insert(f"[{number}] ", "number")
        yield self.content(element)
        self.builder.separate(" ")

    def footnote_reference(self, element: Element) -> Steps:
        """The number of the footnote that it leads to."""
        target = attribute(element, "IDREF")
        number = self._numbers().get(target)
        if number is None:
            self.warnings.append(f"a footnote is missing: {target or 'without an id'}")
            if self.builder.last_text()[-1:].isdigit() and (element.tail or "")[:1].isdigit():
                self.builder.insert(" ", "number")
        else:
            self.builder.insert(f"[{number}]", "number")
        yield self.content(element)

    def rendered(self, element: Element) -> Steps:
        """The caption of a picture; the picture itself is not read."""
        for name in attribute(element, "referencedObject").split() or ["without an id"]:
            if name not in self._kinds:
                media = self._media_by_id().get(name)
                kinds = (attribute(part, "mediaType") for part in (() if media is None else media.iter()))
                self._kinds[name] = next(filter(None, kinds), "")
            shown = f" ({kind})" if (kind := self._kinds[name]) else ""
            self.warnings.append(f"a picture is not read: {name}{shown}")
        yield self.spaced(element)

    def shows(self, part: Element) -> bool:
        """Whether a narrative shows the entry that a part belongs to."""
        owner: Element | None = part
        while owner is not None and not attribute(owner, "ID"):
            owner = owner.getparent()
        return owner is not None and attribute(owner, "ID") in self._media_by_id()

    def _media_by_id(self) -> dict[str, Element]:
        """The elements that narratives show, by their ids."""
        if self._media is None:
            shown = [attribute(e, "referencedObject") for e in self._root.iter() if tag_of(e) == "rendermultimedia"]
            wanted = {name for names in shown for name in names.split()}
            self._media = {name: e for e in self._root.iter() if (name := attribute(e, "ID")) in wanted}
        return self._media

    def _numbers(self) -> dict[str, int]:
        """The numbers of the footnotes that references lead to, by their ids."""
        if self._notes is None:
            notes = [attribute(e, "ID") for e in self._root.iter() if tag_of(e) == "footnote"]
            wanted = {attribute(e, "IDREF") for e in self._root.iter() if tag_of(e) == "footnoteref"}
            self._notes = {name: number for number, name in enumerate(filter(wanted.__contains__, notes), 1) if name}
        return self._notes
