"""Paragraphs of a Word document: headings, list numbers, text boxes, and paragraphs that share a line."""

from __future__ import annotations

import re
from collections.abc import Callable

from longdoc.loaders.docx.elements import is_all_struck, is_joined, last_joined, mark_is_deleted, runs_in
from longdoc.loaders.docx.notes import Notes
from longdoc.loaders.docx.numbering import Numbering
from longdoc.loaders.docx.package import Style, child, numbering_of
from longdoc.loaders.docx.page_sections import PageSections
from longdoc.loaders.docx.raised_runs import RaisedRuns
from longdoc.loaders.docx.walk import OpenParagraph, Walk
from longdoc.loaders.docx.words import words
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, tag_of


class Paragraphs:
    """Writes paragraphs, each followed by its text boxes and its notes."""

    def __init__(
        self, walk: Walk, raised: RaisedRuns, numbering: Numbering, notes: Notes, sections: PageSections
    ) -> None:
        self.walk, self.raised, self.styles = walk, raised, raised.styles
        self.numbering, self.notes, self.sections = numbering, notes, sections

    def paragraph(self, element: Element) -> Steps:
        """A paragraph; if its mark is deleted, the next paragraph continues it."""
        walk, properties = self.walk, child(element, "ppr")
        outer, walk.paragraph = walk.paragraph, self._opened(element)
        starts_line = not walk.joined
        if starts_line:
            walk.before = ""
            if walk.paragraph.style.breaks_page:
                walk.start_page()
        level = self._open(element) if starts_line else 0
        yield walk.content(element)
        if level:
            walk.builder.close_heading()
        walk.joined = is_joined(element)
        if not walk.joined and not walk.furniture:
            walk.builder.separate("\n\n")
        boxes, walk.paragraph = walk.paragraph.boxes, outer
        yield self._text_boxes(boxes)
        yield self.notes.write_waiting()
        if child(properties, "sectpr") is not None:
            self.sections.next()

    def _opened(self, element: Element) -> OpenParagraph:
        """A paragraph with its properties, those of its style included."""
        properties = child(element, "ppr")
        style, named = self.styles.of(properties), self.styles.get(self.styles.id_of(properties))
        return OpenParagraph(
            element=element,
            style=style,
            depth=self._depth(properties, style),
            is_hidden=named.is_hidden,
            is_struck=named.is_struck,
            font=named.font,
            marks=self.raised.marks(element),
        )

    def _open(self, element: Element) -> int:
        """Writes the number of a paragraph and opens its heading; returns the level of the heading, 0 for none."""
        walk, last = self.walk, last_joined(element)
        style = walk.paragraph.style if last is element else self.styles.of(child(last, "ppr"))
        is_hidden = style.is_hidden and not runs_in(last)
        if walk.furniture or is_hidden or (mark_is_deleted(last) and not words(last)):
            return 0
        number = self._number(child(last, "ppr"), style)
        has_text = any(tag_of(inner) == "t" and (inner.text or "").strip() for inner in element.iter())
        level = style.level if has_text else 0
        if level:
            walk.builder.open_heading(level, number=number.rstrip(".") if re.search(r"\w", number) else "")
        if number and not is_all_struck(element):
            walk.insert(number, "number")
            walk.builder.separate(" ")
            walk.before = ""
        return level

    def _number(self, properties: Element | None, style: Style) -> str:
        """The list number of a paragraph with these properties and this style; empty if it has none."""
        if style.list_id in ("", "0"):
            return ""
        return self.numbering.next(style.list_id, self._depth(properties, style), self.walk.story)

    def _depth(self, properties: Element | None, style: Style) -> int:
        """The level in its list of a paragraph with these properties and this style, from 0."""
        if style.list_id in ("", "0"):
            return 0
        _, depth = numbering_of(properties)
        if depth is None:
            depth = self.numbering.level_of_style(style.list_id, self.styles.id_of(properties))
        return style.depth if depth is None else depth

    def _text_boxes(self, boxes: list[tuple[Callable[[], Steps], str]]) -> Steps:
        """The text boxes of a paragraph, after it."""
        walk = self.walk
        outer = walk.joined, walk.story, walk.kind, walk.fields
        for box, furniture in boxes:
            walk.joined, walk.story, walk.kind, walk.fields = False, "box", furniture, []
            yield box()
        walk.joined, walk.story, walk.kind, walk.fields = outer
