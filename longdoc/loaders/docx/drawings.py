"""Drawings of a Word document: text boxes, WordArt, diagrams and charts, alternative text, embedded objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from longdoc.loaders.docx.elements import chosen
from longdoc.loaders.docx.package import child
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, tag_of, text_of

_PAGE = 612 * 792  # square points of the smallest usual page
_EMU = 12_700  # in a point
_LENGTH = re.compile(r"\b(?P<side>width|height):(?P<points>[0-9.]{1,9})pt")
_CHART_WORDS = frozenset(("t", "v", "pt"))


class Drawings:
    """Writes the text of drawings after their paragraph; what is not read is named in a warning."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.programs: dict[str, str] = {}  # path of an embedded object -> the program that made it
        self._described = ""
        self._pages: list[str] = []  # the paths of pictures that fill a page
        self._parts: dict[tuple[str, str], list[str] | None] = {}  # tag and path of diagrams and charts -> their texts

    def alternative(self, element: Element) -> Steps:
        """The same content for newer and for older programs; only one of them is read."""
        one = chosen(element)
        if one is not None:
            yield self.walk.content(one)

    def text_box(self, element: Element) -> Steps:
        """A text box; it is written after its paragraph."""
        yield from ()
        self.walk.paragraph.boxes.append((partial(self.walk.content, element), self.walk.furniture))

    def word_art(self, element: Element) -> Steps:
        """Text in the shape of a drawing."""
        return self._box(attribute(element, "string").splitlines())

    def _box(self, lines: list[str]) -> Steps:
        """Queues lines as a text box."""
        yield from ()
        self.walk.paragraph.boxes.append((partial(self._lines, lines), self.walk.furniture))

    def _lines(self, lines: list[str]) -> Steps:
        yield from ()
        for line in lines:
            if line.strip():
                self.walk.write(line)
                self.walk.builder.separate("\n")
        self.walk.builder.separate("\n\n")

    def description(self, element: Element) -> Steps:
        """The alternative text of a drawing, and its content."""
        text = " ".join(dict.fromkeys(filter(None, (attribute(element, name) for name in ("title", "descr", "alt")))))
        if text and text != self._described:  # a picture repeats the text of its drawing
            self.walk.aside(text, "alternative text")
            self._described = text
        yield self.walk.content(element)

    def link(self, element: Element) -> Steps:
        """A link on a drawing; it covers no text."""
        yield from ()
        relation = self.walk.relations.get(attribute(element, "id"))
        if relation is not None and not self.walk.furniture:
            self.walk.builder.open_link(relation.target)
            self.walk.builder.close_link()

    def picture(self, element: Element) -> Steps:
        """A drawing; a picture that fills a page is probably a scan, whose text is not read."""
        fills_page = _area(element) >= _PAGE / 2 and attribute(element, "behindDoc") != "1"
        for blip in element.iter("{*}blip", "{*}imagedata"):
            relation = self.walk.relations.get(attribute(blip, "embed") or attribute(blip, "id"))
            if relation is not None and fills_page and not self.walk.furniture:
                self._pages.append(relation.target)
        yield from self.description(element)

    def warnings(self) -> list[str]:
        """Which pictures may have text that is not read."""
        shown = ", ".join(self._pages[:5]) + (" …" if len(self._pages) > 5 else "")
        unread = f"pictures that fill a page and are not read: {len(self._pages)} ({shown})"
        return [f"{unread}; save the file as PDF to have it read by OCR"] if shown else []

    def diagram(self, element: Element) -> Steps:
        """The text of a diagram (SmartArt), which is a part of its own."""
        lines = self._part(element, "dm", "its diagram is left out", _lines_of)
        if lines is not None:
            yield self._box(lines)

    def chart(self, element: Element) -> Steps:
        """The words and numbers of a chart, as furniture."""
        yield from ()
        words = self._part(element, "id", "its chart is left out", _words_of)
        self.walk.aside(" ".join(words or []), "chart")

    def _part(
        self, element: Element, name: str, consequence: str, read: Callable[[Element], list[str]]
    ) -> list[str] | None:
        """The texts of the part that an attribute names; None, with a warning, if it is missing or damaged."""
        relation = self.walk.relations.get(attribute(element, name))
        if relation is None or relation.is_outside:
            self.walk.parts.warnings.append(f"a part of a drawing is missing; {consequence}")
            return None
        key = tag_of(element), relation.target
        if key not in self._parts:
            root = self.walk.parts.at(relation.target, consequence)
            self._parts[key] = None if root is None else read(root)
        return self._parts[key]

    def embedded(self, element: Element) -> Steps:
        """An embedded object of another program; its part is named in a warning at the end."""
        yield from ()
        relation = self.walk.relations.get(attribute(element, "id"))
        if relation is not None:
            self.programs[relation.target] = attribute(element, "ProgID")

    def other_file(self, element: Element) -> Steps:
        """A file of another format, a part of a master document, or handwriting; it is not read."""
        yield from ()
        relation = self.walk.relations.get(attribute(element, "id"))
        if relation is not None and relation.target in self.walk.parts.named:
            return
        shown = {"altchunk": "file", "subdoc": "document", "contentpart": "drawing in ink"}[tag_of(element)]
        target = f"{relation.target} " if relation else ""
        remedy = "" if tag_of(element) == "contentpart" else "; load it by itself"
        self.walk.parts.warnings.append(f"the {shown} {target}within it is not read{remedy}")
        if relation is not None:
            self.walk.parts.named.add(relation.target)


def _area(element: Element) -> float:
    """The area of a drawing in square points; 0 if unknown."""
    extent = child(element, "extent")
    if extent is None:
        sides = {found["side"]: found["points"] for found in _LENGTH.finditer(attribute(element, "style"))}
        given = [re.sub(r"\..*", "", sides.get(side, "0")) for side in ("width", "height")]
        unit = 1
    else:
        given, unit = [attribute(extent, "cx"), attribute(extent, "cy")], _EMU
    across, down = (int(side) if re.fullmatch("[0-9]{1,9}", side) else 0 for side in given)
    return across / unit * (down / unit)


def _has_words(element: Element) -> bool:
    return any(tag_of(inner) in _CHART_WORDS for inner in element)


def _words_of(root: Element) -> list[str]:
    """The words and numbers of a chart."""
    texts = (text_of(inner) for inner in root.iter() if tag_of(inner) in _CHART_WORDS and not _has_words(inner))
    return list(filter(None, texts))


def _lines_of(root: Element) -> list[str]:
    """The paragraphs of a diagram."""
    lines: list[str] = []
    last: Element | None = None
    for element in root.iter("{*}t"):
        if not element.text:
            continue
        around: Element | None = element
        while around is not None and tag_of(around) not in ("p", "pt"):
            around = around.getparent()
        if around is not None and around is last:
            lines[-1] += element.text
        else:
            lines.append(element.text)
        last = around
    return lines
