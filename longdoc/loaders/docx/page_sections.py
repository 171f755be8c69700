"""Sections of a Word document in Word's sense: ranges of pages with headers and footers of their own."""

from __future__ import annotations

from longdoc.loaders.docx.elements import is_current
from longdoc.loaders.docx.numbering import value_of
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.docx.words import words
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of


class PageSections:
    """Starts pages where sections do, and records their headers and footers, each once per document."""

    def __init__(self, walk: Walk, root: Element) -> None:
        self.walk = walk
        self._sections = [element for element in root.iter() if tag_of(element) == "sectpr" and is_current(element)]
        self._current = 0
        self._recorded: set[str] = set()

    def next(self) -> None:
        """Ends a section; the type of the next one decides whether it starts a page."""
        self._current += 1
        if self._current < len(self._sections):
            if value_of(self._sections[self._current], "type") not in ("continuous", "nextColumn"):
                self.walk.start_page()
            self.record_margins()

    def record_margins(self) -> None:
        """Records the headers and footers of the current section as furniture."""
        if self._current >= len(self._sections):
            return
        for kind in ("header", "footer"):
            for reference in children(self._sections[self._current], f"{kind}reference"):
                relation = self.walk.parts.relations.get(attribute(reference, "id"))
                if relation is None or relation.is_outside or relation.target in self._recorded:
                    continue
                self._recorded.add(relation.target)
                root = self.walk.parts.at(relation.target, f"its {kind} is left out")
                if root is not None and (text := words(root)):
                    self.walk.builder.drop(f" {text} ", kind)
