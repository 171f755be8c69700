"""Word files: paragraphs, tables and notes in document order, with the list numbers that Word computes.

Tracked changes are read as accepted; what they delete is furniture of the kind "deleted". A footnote follows the
paragraph or the table that refers to it, as a paragraph of its own, and both show its mark as "[1]"; an endnote shows
"[e1]", and a note that nothing refers to is furniture. A text box follows the paragraph that it is anchored to.
"""

from __future__ import annotations

import hashlib
import re
from typing import ClassVar

from longdoc.document import Document
from longdoc.errors import CorruptDocumentError
from longdoc.loaders.docx.elements import (
    Row,
    by_id,
    goes_on,
    height,
    is_current,
    last_of,
    mark_deleted,
    rows_of,
    runs_on,
    symbol,
    words,
)
from longdoc.loaders.docx.numbering import Numbering, is_on, value_of
from longdoc.loaders.docx.package import Package, Relation, Styles, child, numbering_of, target_of
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.xml import Element, Steps, attribute, children, run, tag_of

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def load_docx(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads a Word file.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        CorruptDocumentError: the zip file or one of its parts is broken, or the main part is missing.
        EncryptedDocumentError: it needs a password.
        NoTextLayerError: it has no text.
        LimitExceededError: it is deeper, longer or larger than the limits allow.
    """
    package = Package(data, name, limits)
    path = target_of(package.relations(""), "officeDocument") or "word/document.xml"
    root = package.part(path)
    body = child(root, "body")
    if root is None or body is None:
        raise CorruptDocumentError(f"{name}: no text part {path} with a body; save it again as .docx")
    writer = _Writer(Builder(name, limits), package, path, root)
    writer.write(body)
    return writer.builder.document(
        media_type=_MEDIA_TYPE,
        sha256=hashlib.sha256(data).hexdigest(),
        loader="docx",
        metadata=package.metadata(),
        warnings=tuple(writer.warnings),
    )


class _Writer:
    """Writes a document through a Builder: ``roles`` says which method writes an element."""

    roles: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("del", "movefrom"), "deletion"),
        **dict.fromkeys(("t", "deltext"), "letters"),
        **dict.fromkeys(("footnotereference", "endnotereference"), "note_mark"),
        **dict.fromkeys(("tab", "ptab", "softhyphen", "nobreakhyphen", "sym"), "character"),
        **dict.fromkeys(("br", "cr"), "line_break"),
        "p": "paragraph",
        "r": "stretch",
        "tbl": "table",
        "hyperlink": "link",
        "alternatecontent": "alternative",
        "txbxcontent": "text_box",
        "commentreference": "comment",
        "altchunk": "other_file",
        "lastrenderedpagebreak": "rendered_page_break",
        **dict.fromkeys(
            "ppr rpr tblpr trpr tcpr sdtpr sdtendpr sectpr tblgrid instrtext delinstrtext smarttagpr".split(), "nothing"
        ),
    }

    def __init__(self, builder: Builder, package: Package, path: str, root: Element) -> None:
        self.builder, self.package = builder, package
        self.warnings: list[str] = []
        self.relations: dict[str, Relation] = package.relations(path)
        self._main = self.relations
        self.styles = Styles(self._part("styles"))
        self.numbering = Numbering(self._part("numbering"), self.styles.numbered)
        self.notes = {kind: by_id(self._part(f"{kind}s")) for kind in ("footnote", "endnote")}
        self.note_relations = {kind: package.relations(target_of(self._main, f"{kind}s")) for kind in self.notes}
        self.comments = by_id(self._part("comments"))
        self.sections = [element for element in root.iter() if tag_of(element) == "sectpr" and is_current(element)]
        self.section = 0
        self.left_out = ""  # the kind of furniture that text is now
        self.story = ""  # "box", "footnote", "endnote", or empty in the body
        self.paragraph_hidden = self.joined = False
        self.fresh_page = True
        self.tables = 0
        self.boxes: list[tuple[Element, str]] = []
        self.waiting_notes: list[tuple[str, str, str]] = []  # kind, id, mark
        self.seen_notes: dict[tuple[str, str], str] = {}  # kind and id -> mark, empty where the mark is left out
        self.note_counts = dict.fromkeys(self.notes, 0)
        self.seen_margins: set[str] = set()

    def _part(self, kind: str) -> Element | None:
        path = target_of(self._main, kind)
        root = self.package.part(path) if path else None
        if path and root is None:
            self.warnings.append(f"the part {path} is missing; its {kind} are left out")
        return root

    def write(self, body: Element) -> None:
        """Write the whole document."""
        self.margins()
        run(self.content(body))
        for kind, notes in self.notes.items():
            for note_id, note in notes.items():
                if (kind, note_id) not in self.seen_notes and (text := words(note)):
                    self.builder.drop(f" {text} ", kind)

    def element(self, element: Element) -> Steps:
        """Write one element by its role; those without one hold others."""
        yield getattr(self, self.roles.get(tag_of(element), "content"))(element)

    def content(self, element: Element) -> Steps:
        """Write the elements in an element; only some of them have text of their own."""
        for inner in element:
            yield self.element(inner)

    def nothing(self, element: Element) -> Steps:
        """What says how text looks."""
        yield from ()

    def content_as(self, element: Element, kind: str) -> Steps:
        """Write the elements in an element, as furniture of that kind; a kind around it is stronger, "" is none."""
        around, self.left_out = self.left_out, self.left_out or kind
        yield self.content(element)
        self.left_out = around

    def paragraph(self, element: Element) -> Steps:
        """A paragraph; where its mark is deleted, the next one goes on with it."""
        around = self.boxes, self.paragraph_hidden
        self.boxes = []
        properties = child(element, "ppr")
        self.paragraph_hidden = self.styles.get(self.styles.id_of(properties)).is_hidden
        starts = not self.joined
        if starts and self.styles.of(properties).breaks_page:
            self.new_page()
        level = self.open(element) if starts else 0
        yield self.content(element)
        if level:
            self.builder.close_heading()
        self.joined = goes_on(element)
        if not self.joined and not self.left_out:
            self.builder.separate("\n\n")
        boxes, (self.boxes, self.paragraph_hidden) = self.boxes, around
        yield self.after(boxes)
        if child(properties, "sectpr") is not None:
            self.next_section()

    def open(self, element: Element) -> int:
        """Write the number of a paragraph and open its heading; gives the level of the heading."""
        last = last_of(element)
        look = self.styles.of(child(last, "ppr"))
        if self.left_out or (look.is_hidden and not runs_on(last)) or (mark_deleted(last) and not words(last)):
            return 0
        number = self.number(child(last, "ppr"))
        has_text = any(tag_of(inner) == "t" and (inner.text or "").strip() for inner in element.iter())
        level = look.level if has_text else 0
        if level:
            self.builder.open_heading(level, number=number.rstrip(".") if re.search(r"\w", number) else "")
        if number:
            self.builder.insert(number, "number")
            self.fresh_page = False
            self.builder.separate(" ")
        return level

    def number(self, properties: Element | None) -> str:
        """The list number that a paragraph of these properties shows."""
        look = self.styles.of(properties)
        if look.list_id in ("", "0"):
            return ""
        _, depth = numbering_of(properties)
        if depth is None:
            depth = self.numbering.level_of_style(look.list_id, self.styles.id_of(properties))
        return self.numbering.next(look.list_id, look.depth if depth is None else depth, self.story)

    def after(self, boxes: list[tuple[Element, str]]) -> Steps:
        """What stands after a paragraph: its text boxes and, outside of tables, its notes."""
        joined, self.joined = self.joined, False
        story, self.story = self.story, "box"
        for box, left_out in boxes:
            yield self.content_as(box, left_out)
        self.joined, self.story = joined, story
        if self.tables or joined:
            return
        notes, self.waiting_notes = self.waiting_notes, []
        for kind, note_id, mark in notes:
            yield self.note(kind, self.notes[kind][note_id], mark)

    def note(self, kind: str, element: Element, mark: str) -> Steps:
        """A footnote or an endnote."""
        around = self.relations, self.story
        self.relations, self.story = self.note_relations[kind], kind
        self.builder.separate("\n\n")
        self.builder.insert(mark, "number")
        self.builder.separate(" ")
        self.joined = True  # its first paragraph stands beside the mark
        yield self.content(element)
        self.joined = False
        self.builder.separate("\n\n")
        self.relations, self.story = around

    def stretch(self, element: Element) -> Steps:
        """A run: text of one look."""
        properties = child(element, "rpr")
        hidden = is_on(properties, "vanish")
        if hidden is None:
            hidden = self.paragraph_hidden or self.styles.get(value_of(properties, "rstyle")).is_hidden
        yield self.content_as(element, "hidden" if hidden else "")

    def deletion(self, element: Element) -> Steps:
        """What a tracked change takes out."""
        yield self.content_as(element, "deleted")

    def letters(self, element: Element) -> Steps:
        """The text itself."""
        yield from ()
        self.put(element.text or "", "deleted" if tag_of(element) == "deltext" else "")

    def put(self, text: str, left_out: str = "") -> None:
        """Write text, or record it where it is left out."""
        kind = left_out or self.left_out
        if kind:
            if text:
                self.builder.drop(text, kind)
            return
        self.builder.write(text)
        self.fresh_page = self.fresh_page and not text.strip()

    def character(self, element: Element) -> Steps:
        """A character that has an element of its own."""
        yield from ()
        tag = tag_of(element)
        self.put(symbol(element) if tag == "sym" else {"softhyphen": "\xad", "nobreakhyphen": "-"}.get(tag, "\t"))

    def line_break(self, element: Element) -> Steps:
        """The end of a line, a column or a page."""
        yield from ()
        if self.left_out:
            return
        if attribute(element, "type") == "page":
            self.new_page()
        else:
            self.builder.separate("\n")

    def rendered_page_break(self, element: Element) -> Steps:
        """Where Word last broke the page; it says so after other breaks too."""
        yield from ()
        if not self.left_out:
            self.new_page()

    def new_page(self) -> None:
        """Start a page, if there is anything on this one."""
        if not self.fresh_page:
            self.builder.start_page()
            self.fresh_page = True
            self.builder.limits.check("pages", self.builder.page_number, self.builder.name)

    def link(self, element: Element) -> Steps:
        """Text that leads to an address, or to a bookmark of this document."""
        relation = self.relations.get(attribute(element, "id"))
        anchor = attribute(element, "anchor")
        uri = (relation.target if relation else "") + (f"#{anchor}" if anchor else "")
        if uri:
            self.builder.open_link(uri)
        yield self.content(element)
        if uri:
            self.builder.close_link()

    def alternative(self, element: Element) -> Steps:
        """The same content for newer and for older programs; it is read once."""
        choices = children(element, "choice") or children(element, "fallback")
        for choice in choices[:1]:
            yield self.content(choice)

    def text_box(self, element: Element) -> Steps:
        """A text box waits until its paragraph ends."""
        yield from ()
        self.boxes.append((element, self.left_out))

    def note_mark(self, element: Element) -> Steps:
        """The mark of a note; the note itself follows the paragraph."""
        yield from ()
        kind, note_id = tag_of(element).removesuffix("reference"), attribute(element, "id")
        if note_id not in self.notes[kind] or self.seen_notes.get((kind, note_id)):
            return
        if self.left_out:
            self.seen_notes[kind, note_id] = ""
            self.put(f" {words(self.notes[kind][note_id])} ")
            return
        self.note_counts[kind] += 1
        mark = self.seen_notes[kind, note_id] = f"[{'e' * (kind == 'endnote')}{self.note_counts[kind]}]"
        if attribute(element, "customMarkFollows") not in ("1", "true", "on"):
            self.builder.insert(mark, "number")
        self.waiting_notes.append((kind, note_id, mark))

    def comment(self, element: Element) -> Steps:
        """A comment on what stands before it."""
        yield from ()
        comment = self.comments.get(attribute(element, "id"))
        if comment is not None:
            self.builder.annotate("comment", words(comment), author=attribute(comment, "author"))

    def other_file(self, element: Element) -> Steps:
        """A file of another format in the middle of this one."""
        yield from ()
        relation = self.relations.get(attribute(element, "id"))
        self.warnings.append(
            f"the file {relation.target if relation else '?'} within it is not read; load it by itself"
        )

    def table(self, element: Element) -> Steps:
        """A table; a cell that goes on below is one cell."""
        around, self.joined = self.joined, False
        self.tables += 1
        self.builder.open_table()
        rows = rows_of(element)
        for index, row in enumerate(rows):
            if self.left_out or row.left_out:
                for cell, _ in row.cells.values():
                    yield self.content_as(cell, row.left_out)
            else:
                yield self.row(rows, index)
        self.builder.close_table()
        self.tables -= 1
        self.joined = around
        yield self.after([])

    def row(self, rows: list[Row], index: int) -> Steps:
        """A row; of merged cells, one above the other, Word shows the text of the first only."""
        self.builder.open_row()
        column = 0
        for start, (cell, width) in rows[index].cells.items():
            if index and rows[index].goes_on(start) and rows[index - 1].merges(start):
                yield self.content_as(cell, "hidden")
            else:
                if start > column:
                    self.builder.open_cell(column_span=start - column)
                    self.builder.close_cell()
                self.builder.open_cell(row_span=height(rows, index, start), column_span=width)
                yield self.content(cell)
                self.builder.close_cell()
                self.joined = False
            column = start + width

    def next_section(self) -> None:
        """The end of a section: the next one says whether it starts on a new page."""
        self.section += 1
        if self.section < len(self.sections):
            if value_of(self.sections[self.section], "type") not in ("continuous", "nextColumn"):
                self.new_page()
            self.margins()

    def margins(self) -> None:
        """Record headers and footers of a section, each once in a document."""
        if self.section >= len(self.sections):
            return
        for kind in ("header", "footer"):
            for reference in children(self.sections[self.section], f"{kind}reference"):
                relation = self._main.get(attribute(reference, "id"))
                if relation is None or relation.is_outside or relation.target in self.seen_margins:
                    continue
                self.seen_margins.add(relation.target)
                root = self.package.part(relation.target)
                if root is None:
                    self.warnings.append(f"the part {relation.target} is missing; its {kind} is left out")
                elif text := words(root):
                    self.builder.drop(f" {text} ", kind)
