"""Footnotes, endnotes and comments of a Word document."""

from __future__ import annotations

from longdoc.loaders.docx.elements import by_id
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.docx.words import words
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, tag_of

_KINDS = ("footnote", "endnote")


class Notes:
    """Writes the marks of notes, and the notes after the paragraph or table that refers to them."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        found = {kind: walk.parts.get(f"{kind}s") for kind in _KINDS}
        self._absent = {kind for kind, root in found.items() if root is None and walk.parts.names(f"{kind}s")}
        self.roots = [root for root in found.values() if root is not None]
        self._notes = {kind: by_id(root) for kind, root in found.items()}
        self._relations = {kind: walk.parts.relations_of(f"{kind}s") for kind in _KINDS}
        self._comments = by_id(walk.parts.get("comments"))
        self._marks: dict[tuple[str, str], str | None] = {}  # kind and id -> mark; None if the mark is furniture
        self._counts = dict.fromkeys(_KINDS, 0)
        self._waiting: list[tuple[str, str, str]] = []  # kind, id and mark
        self._commented: dict[str, str] = {}  # ids of the comments with a place in the text -> their words
        self._lost = 0  # marks without a note

    def mark(self, element: Element) -> Steps:
        """The mark of a note; the note itself is written after the paragraph."""
        yield from ()
        kind, note_id = tag_of(element).removesuffix("reference"), attribute(element, "id")
        has_own_mark = attribute(element, "customMarkFollows") in ("1", "true", "on")
        if note_id not in self._notes[kind]:
            self._lost += not self.walk.furniture and kind not in self._absent
            return
        if (kind, note_id) in self._marks and (self.walk.furniture or self._marks[kind, note_id] is not None):
            return
        if self.walk.furniture:
            self._marks[kind, note_id] = None
            self.walk.aside(words(self._notes[kind][note_id]), self.walk.furniture)
            return
        self._counts[kind] += not has_own_mark  # Word does not number notes with marks of their own
        mark = "" if has_own_mark else f"[{'e' * (kind == 'endnote')}{self._counts[kind]}]"
        self._marks[kind, note_id] = mark
        self.walk.insert(mark, "number")
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
        outer = walk.relations, walk.story, walk.fields
        walk.relations, walk.story, walk.fields = self._relations[kind], kind, []
        walk.builder.separate("\n\n")
        walk.before = ""
        walk.insert(mark, "number")
        walk.builder.separate(" ")
        walk.joined = True  # the first paragraph is on the line of the mark
        yield walk.content(element)
        walk.joined = False
        walk.builder.separate("\n\n")
        walk.relations, walk.story, walk.fields = outer

    def write_unreferenced(self) -> None:
        """Records the notes without a mark in the text as furniture, and the comments without a place in it."""
        for comment_id, comment in self._comments.items():
            if comment_id not in self._commented:
                self.walk.builder.annotate("comment", words(comment), author=attribute(comment, "author"))
        if self._lost:
            self.walk.parts.warnings.append(f"marks of notes that the file lacks: {self._lost}")
        for kind, notes in self._notes.items():
            for note_id, note in notes.items():
                if (kind, note_id) not in self._marks and (text := words(note)):
                    self.walk.builder.drop(f" {text} ", kind)

    def comment(self, element: Element) -> Steps:
        """A comment on the text before it."""
        yield from ()
        comment_id = attribute(element, "id")
        comment = self._comments.get(comment_id)
        if comment is not None:
            if comment_id not in self._commented:
                self._commented[comment_id] = words(comment)
            text = self._commented[comment_id]
            self.walk.builder.annotate("comment", text, author=attribute(comment, "author"))
