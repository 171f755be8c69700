"""Papers in JATS XML: the text in reading order; front matter and references as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import ClassVar

from longdoc.document import Document
from longdoc.loaders.jats.metadata import Metadata
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.formulas import drop_element, write_math, write_tex
from longdoc.loaders.markup.writer import Steps, Writer, run
from longdoc.loaders.markup.xml import Element, attribute, children, parse_xml, tag_of, text_of, whole_number
from longdoc.loaders.options import Options
from longdoc.sections.tables import section_kinds

_LIST_STYLES = {"bullet": "bullet", "order": "1", "arabic": "1", "alpha-lower": "a", "alpha-upper": "A"}
_LIST_STYLES |= {"roman-lower": "i", "roman-upper": "I"}
_PREFERRED = ("math", "textual-form", "table", "tex-math", "p", "code")
"""Of alternatives with the same content, the first of these is read."""
_COMPACT = ("list-item", "def-item", "def", "td", "th", "entry", "fn", "caption", "label")
"""Elements whose paragraphs are lines."""


def load_jats(data: bytes, *, name: str, options: Options) -> Document:
    """Reads a paper: title, abstracts, sections with captions and tables, back matter.

    The references are ``metadata["references"]``, one per line. Identifiers, and alternatives to the version of a
    formula that is in the text, are furniture.

    Args:
        data: the content of the file.
        name: the name of the file, for errors and ``Document.source``.
        options: the options of :func:`longdoc.load`.

    Raises:
        CorruptDocumentError: it is not well formed.
        UnsupportedFormatError: its DOCTYPE declares entities or elements.
        NoTextLayerError: it contains no text.
        LimitExceededError: it exceeds a limit.
    """
    root = parse_xml(data, name, options.limits)
    writer = _Paper(Builder(name, options.limits))
    run(writer.article(root))
    return writer.builder.document(
        data, media_type="application/jats+xml", loader="jats", metadata=writer.metadata.fields
    )


class _Paper(Writer):
    """Writes a paper and collects its metadata."""

    roles: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("article", "sub-article", "response"), "article"),
        **dict.fromkeys(("front", "front-stub"), "front"),
        **dict.fromkeys(("disp-quote", "boxed-text", "verse-group", "speech", "statement", "array", "code"), "block"),
        **dict.fromkeys(("fig", "table-wrap", "supplementary-material", "media", "table-wrap-group"), "block"),
        **dict.fromkeys(("disp-formula", "disp-formula-group", "preformat", "body", "back"), "block"),
        **dict.fromkeys(("fn-group", "table-wrap-foot", "fig-group", "floats-group", "def-list"), "block"),
        **dict.fromkeys(("verse-line", "def-item", "attrib", "permissions", "sig", "speaker", "subtitle"), "line"),
        **dict.fromkeys(("sec", "ack", "app", "glossary", "notes", "bio", "abstract", "trans-abstract"), "section"),
        **dict.fromkeys(("object-id", "long-desc", "alt-text", "issue-id"), "hidden"),
        **dict.fromkeys(("ext-link", "uri", "self-uri"), "link"),
        **dict.fromkeys(("th", "td", "entry"), "cell"),
        **dict.fromkeys(("tr", "row"), "row"),
        **dict.fromkeys(("table", "tgroup"), "table"),
        **dict.fromkeys(("hr", "break"), "line_break"),
        **dict.fromkeys(("p", "title", "def"), "paragraph"),
        "alternatives": "alternatives",
        "caption": "caption",
        "email": "email",
        "fn": "footnote",
        "label": "spaced",
        "list": "listing",
        "list-item": "item",
        "math": "math",
        "tex-math": "tex",
        "term": "spaced",
        "ref-list": "references",
        "strike": "deleted",
        "sub": "lowered",
        "sup": "raised",
    }

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.metadata = Metadata()
        self._level = 0
        self._headings: set[Element | None] = set()
        self._footnotes: list[Element] = []  # of the current paragraph
        self._in_paragraph = False
        self._columns: dict[Element, dict[str, int]] = {}  # OASIS table -> the places of its columns by their names

    # ------------------------------------------------------------------------------------------------- front matter

    def article(self, element: Element) -> Steps:
        """A paper, or a paper within a paper."""
        self.builder.separate("\n\n")
        yield self.content(element)
        self.builder.separate("\n\n")

    def front(self, element: Element) -> Steps:
        """Front matter: titles and abstracts are text, the rest is metadata."""
        groups = children(element, "journal-meta", "article-meta")
        others = (part for part in element if tag_of(part) not in ("journal-meta", "article-meta"))
        for part in chain(*groups, others):
            tag = tag_of(part)
            if tag in ("abstract", "trans-abstract"):
                yield self.section(part)
            elif tag == "title-group":
                yield self.titles(part)
            else:
                self.metadata.add_element(part)

    def titles(self, element: Element) -> Steps:
        """The title of the paper and its subtitles."""
        for part in element:
            if tag_of(part) == "article-title":
                self.metadata.add("Title", text_of(part), " / ")
            if tag_of(part) in ("alt-title", "fn-group"):
                self.metadata.add_element(part)
            else:
                yield self.block(part)

    # ----------------------------------------------------------------------------------------------------- sections

    def section(self, element: Element) -> Steps:
        """A section with its heading; an untitled abstract gets the heading "Abstract"."""
        tag, title = tag_of(element), next(iter(children(element, "title")), None)
        name, kinds = "" if title is None else text_of(title).lower(), section_kinds("jats")
        implied = {"abstract": "Abstract", "ack": "Acknowledgements"}.get(tag, "")
        special = "summary" if attribute(element, "abstract-type") else ""  # for readers of the contents, for patients
        names = (name.rstrip(".:"), attribute(element, "sec-type").lower(), special, implied.lower())
        kind = next((kinds[each] for each in names if each in kinds), "section")
        self.builder.separate("\n\n")
        if name or implied:
            self._level += 1
            label = " ".join(text_of(part) for part in children(element, "label"))
            self.builder.open_heading(self._level, kind=kind, number=label.rstrip("."))
            if name:
                self._headings.add(title)
            else:
                self.builder.insert(implied, "heading")
                self.builder.close_heading()
                self.builder.separate("\n\n")
        yield self.content(element)
        if name or implied:
            self._level -= 1
        self.builder.separate("\n\n")

    def paragraph(self, element: Element) -> Steps:
        """A paragraph, a line or part of a line, depending on its parent; its footnotes follow it."""
        parent, before = element.getparent(), element.getprevious()
        is_heading, is_compact = element in self._headings, parent is not None and tag_of(parent) in _COMPACT
        is_first = before is None and parent is not None and not (parent.text or "").strip()
        is_inline = (is_compact and is_first) or (before is not None and tag_of(before) in ("label", "term"))
        self.builder.separate("" if is_inline else "\n" if is_compact else "\n\n")
        nested, self._in_paragraph = self._in_paragraph, True
        yield self.content(element)
        self._in_paragraph = nested
        if is_heading:
            self.builder.close_heading()
        self.builder.separate("\n" if is_compact else "\n\n")
        if not nested:
            footnotes, self._footnotes = self._footnotes, []
            for footnote in footnotes:
                yield self.footnote(footnote)

    def footnote(self, element: Element) -> Steps:
        """A footnote, after the paragraph that contains it."""
        if self._in_paragraph:
            self._footnotes.append(element)
        else:
            yield self.line(element)

    def caption(self, element: Element) -> Steps:
        """The caption of a figure or table, on the line of its number."""
        before = element.getprevious()
        self.builder.separate(" " if before is not None and tag_of(before) == "label" else "\n\n")
        yield self.content(element)
        self.builder.separate("\n\n")

    def list_style(self, element: Element) -> str:
        """The style that the type of the list names."""
        return _LIST_STYLES.get(attribute(element, "list-type"), "")

    def email(self, element: Element) -> Steps:
        """An e-mail address."""
        self.builder.open_link("mailto:" + text_of(element))
        yield self.content(element)
        self.builder.close_link()

    def references(self, element: Element) -> Steps:
        """The list of references: entries are metadata, its heading is furniture, other elements are text."""
        for part in element:
            tag = tag_of(part)
            if tag == "ref":
                self.metadata.add_reference(part)
            elif tag in ("title", "label"):
                drop_element(self.builder, part, "heading")
            else:
                yield self.element(part)

    def deleted(self, element: Element) -> Steps:
        """Text that is struck out."""
        yield from ()
        drop_element(self.builder, element, "deleted")

    def hidden(self, element: Element) -> Steps:
        """Identifiers, and descriptions of images."""
        yield from ()
        drop_element(self.builder, element, "identifier" if tag_of(element).endswith("-id") else "description")

    # ---------------------------------------------------------------------------------------------- tables, formulas

    def table(self, element: Element) -> Steps:
        """A table; the rows of an OASIS table are in a ``tgroup``, which is the table here."""
        if tag_of(element) == "table" and children(element, "tgroup"):
            yield self.block(element)
        else:
            yield super().table(element)

    def spans(self, element: Element) -> tuple[int, int]:
        """The number of rows and of columns that a cell spans.

        XHTML gives both numbers; OASIS gives the number of additional rows, and the names of the first and last column.
        """
        if tag_of(element) != "entry":
            return super().spans(element)
        group = next((e for e in element.iterancestors() if tag_of(e) == "tgroup"), element)
        if group not in self._columns:
            names = [attribute(column, "colname") for column in children(group, "colspec")]
            self._columns[group] = {name: place for place, name in reversed([*enumerate(names)])}
        places = self._columns[group]
        first, last = (attribute(element, side) for side in ("namest", "nameend"))
        columns = places[last] - places[first] + 1 if first in places and last in places else 1
        more = attribute(element, "morerows")
        return 1 + (whole_number(more) if more else 0), columns

    def alternatives(self, element: Element) -> Steps:
        """Alternatives with the same content: one is text, the others are furniture."""
        parts = [part for part in element if text_of(part)]
        preferred = [part for tag in _PREFERRED for part in parts if tag_of(part) == tag] or parts
        for part in parts:
            if part in preferred[:1]:
                yield self.element(part)
            else:
                drop_element(self.builder, part, "alternative")

    def tex(self, element: Element) -> Steps:
        """A formula in TeX."""
        yield from ()
        write_tex(self.builder, element)

    def math(self, element: Element) -> Steps:
        """A formula in MathML."""
        yield write_math(self.builder, element)
