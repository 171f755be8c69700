"""Footnotes, endnotes and comments of a Word document."""

from __future__ import annotations

from longdoc.loaders.docx.elements import by_id, words
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, tag_of

_KINDS = ("footnote", "endnote")


class Notes:
    """Writes the marks of notes, and the notes after the paragraph or table that refers to them."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._notes = {kind: by_id(walk.parts.get(f"{kind}s")) for kind in _KINDS}
        self._relations = {kind: walk.parts.relations_of(f"{kind}s") for kind in _KINDS}
        self._comments = by_id(walk.parts.get("comments"))
        self._marks: dict[tuple[str, str], str] = {}  # kind and id -> mark; empty if the mark is furniture
        self._counts = dict.fromkeys(_KINDS, 0)
        self._waiting: list[tuple[str, str, str]] = []  # kind, id and mark

    def mark(self, element: Element) -> Steps:
        """The mark of a note; the note itself is written after the paragraph."""
        yield from ()
        kind, note_id = tag_of(element).removesuffix("reference"), attribute(element, "id")
        if note_id not in self._notes[kind] or self._marks.get((kind, note_id)):
            return
        if self.walk.furniture:
            self._marks[kind, note_id] = ""
            self.walk.write(f" {words(self._notes[kind][note_id])} ")
            return
        self._counts[kind] += 1
        mark = self._marks[kind, note_id] = f"[{'e' * (kind == 'endnote')}{self._counts[kind]}]"
        if attribute(element, "customMarkFollows") not in ("1", "true", "on"):
            self.walk.builder.insert(mark, "number")
        self._waiting.append((kind, note_id, mark))

    def write_waiting(self) -> Steps:
        """Writes the notes that paragraphs so far refer to, unless a table or a line is still open."""
        if self.walk.table_depth or self.walk.joined:
            return
        waiting, self._waiting = self._waiting, []
        for kind, note_id, mark in waiting:
            yield self._note(kind, self._notes[kind][note_id], mark)

    def _note(self, kind: str, element: Element, mark: str) -> Steps:
        """A note with its mark, in paragraphs of its own."""
        walk = self.walk
        outer = walk.relations, walk.story
        walk.relations, walk.story = self._relations[kind], kind
        walk.builder.separate("\n\n")
        walk.builder.insert(mark, "number")
        walk.builder.separate(" ")
        walk.joined = True  # the first paragraph is on the line of the mark
        yield walk.content(element)
        walk.joined = False
        walk.builder.separate("\n\n")
        walk.relations, walk.story = outer

    def write_unreferenced(self) -> None:
        """Records the notes without a mark in the text as furniture."""
        for kind, notes in self._notes.items():
            for note_id, note in notes.items():
                if (kind, note_id) not in self._marks and (text := words(note)):
                    self.walk.builder.drop(f" {text} ", kind)

    def comment(self, element: Element) -> Steps:
        """A comment on the text before it."""
        yield from ()
        comment = self._comments.get(attribute(element, "id"))
        if comment is not None:
            self.walk.builder.annotate("comment", words(comment), author=attribute(comment, "author"))
