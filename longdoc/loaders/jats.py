"""Papers in JATS XML: the text of a paper in reading order; what is said about it, and its references, as metadata."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import yaml

from longdoc.document import Document
from longdoc.loaders.limits import Limits
from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.xml import (
    Element,
    Steps,
    Writer,
    attribute,
    children,
    parse_xml,
    run,
    tag_of,
    text_of,
    whole_number,
    words_of,
)

_KINDS: dict[str, str] = yaml.safe_load((Path(__file__).parents[1] / "assets/sections/kinds.yaml").read_text("utf-8"))[
    "jats"
]
_CITATIONS = ("mixed-citation", "element-citation", "nlm-citation", "citation")
_NAME_PARTS = frozenset(("given-names", "suffix"))
_LIST_STYLES = {"bullet": "bullet", "order": "1", "arabic": "1", "alpha-lower": "a", "alpha-upper": "A"}
_LIST_STYLES |= {"roman-lower": "i", "roman-upper": "I"}
_TEX = re.compile(r"(?P<before>.*\\begin\{document\})(?P<formula>.*)(?P<after>\\end\{document\}.*)", re.DOTALL)
_READINGS = ("math", "textual-form", "table", "tex-math", "p", "code")
"""Of alternatives that say the same, the first of these is read."""
_METADATA = {
    "journal-title": "Journal",
    "journal-title-group": "Journal",
    "journal-id": "Journal identifiers",
    "issn": "ISSN",
    "publisher": "Publisher",
    "article-id": "Article identifiers",
    "article-categories": "Subjects",
    "contrib-group": "Contributors",
    "aff": "Affiliations",
    "author-notes": "Author notes",
    "pub-date": "Publication dates",
    "history": "History",
    "permissions": "Licence",
    "kwd-group": "Keywords",
    "funding-group": "Funding",
    "custom-meta-group": "Notes",
    "related-article": "Related articles",
    "alt-title": "Running title",
}
"""Elements of the front matter -> the metadata that they become; the others go by their own names."""


def load_jats(data: bytes, *, name: str, limits: Limits) -> Document:
    """Reads a paper: title, abstracts, sections with their figures' captions and tables, back matter.

    References are ``metadata["references"]``, one a line. Identifiers, and readings of a formula beside the one that is
    in the text, are furniture.

    Args:
        data: the file's content.
        name: what to call it, in errors and in ``Document.source``.
        limits: what to refuse.

    Raises:
        CorruptDocumentError: it is not well formed.
        NoTextLayerError: there is no text in it.
        LimitExceededError: it goes beyond a limit.
    """
    root = parse_xml(data, name, limits)
    writer = _Paper(Builder(name, limits))
    run(writer.article(root))
    return writer.builder.document(
        media_type="application/jats+xml",
        sha256=hashlib.sha256(data).hexdigest(),
        loader="jats",
        metadata=writer.metadata,
    )


class _Paper(Writer):
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
        "label": "label",
        "list": "listing",
        "list-item": "item",
        "math": "math",
        "tex-math": "tex",
        "term": "spaced",
        "ref-list": "references",
    }

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.metadata: dict[str, str] = {}
        self._level = 0
        self._headings: set[Element | None] = set()
        self._notes: list[Element] = []
        self._in_paragraph = False

    # ------------------------------------------------------------------------------------------------- front matter

    def article(self, element: Element) -> Steps:
        """A paper, or one within a paper; floating figures come last."""
        self.builder.separate("\n\n")
        yield self.content(element)
        self.builder.separate("\n\n")

    def front(self, element: Element) -> Steps:
        """Titles and abstracts are text; the rest is about the paper."""
        groups = children(element, "journal-meta", "article-meta")
        for part in [inner for group in groups for inner in group] + [p for p in element if p not in groups]:
            tag = tag_of(part)
            if tag in ("abstract", "trans-abstract"):
                yield self.section(part)
            elif tag == "title-group":
                yield self.titles(part)
            else:
                self._describe(part)

    def titles(self, element: Element) -> Steps:
        """The title of the paper, and what else it is called."""
        for part in element:
            if tag_of(part) == "article-title":
                self.note("Title", text_of(part), join=" / ")
            if tag_of(part) in ("alt-title", "fn-group"):
                self._describe(part)
            else:
                yield self.block(part)

    def note(self, key: str, value: str, join: str = "\n") -> None:
        """Add to the metadata."""
        if value:
            self.metadata[key] = f"{self.metadata[key]}{join}{value}" if key in self.metadata else value

    def _describe(self, element: Element) -> None:
        """Turn an element of the front matter into metadata; all of its text is in it."""
        tag = tag_of(element)
        key = _METADATA.get(tag, tag.replace("-", " ").capitalize())
        if tag == "article-id" and attribute(element, "pub-id-type") == "doi":
            key = "DOI"
        elif tag == "pub-date":
            self.metadata.setdefault("Date", _date(element))
        elif tag == "contrib-group":
            names = (_author(contrib) for contrib in children(element, "contrib"))
            self.note("Author", "; ".join(filter(None, names)), join="; ")
        if tag in ("article-categories", "kwd-group", "subj-group"):
            found = (e for e in element.iter() if tag_of(e) not in ("subj-group", "kwd-group", "article-categories"))
            self.note(key, "; ".join(dict.fromkeys(filter(None, map(words_of, found)))), join="; ")
        elif tag in ("contrib-group", "author-notes", "history", "custom-meta-group"):
            for part in element:
                kind = attribute(part, "date-type") or attribute(part, "contrib-type")
                self.note(key, f"{kind}: {words_of(part)}" if kind else words_of(part))
        else:
            self.note(key, words_of(element))

    # ----------------------------------------------------------------------------------------------------- sections

    def section(self, element: Element) -> Steps:
        """A section with its heading; an abstract without one is called so."""
        tag, title = tag_of(element), next(iter(children(element, "title")), None)
        name = "" if title is None else text_of(title).lower()
        kind = _KINDS.get(attribute(element, "sec-type").lower()) or _KINDS.get(name.rstrip(".:"))
        implied = {"abstract": "Abstract", "ack": "Acknowledgements"}.get(tag, "")
        kind = kind or _KINDS.get(implied.lower()) or "section"
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
        """A paragraph, a line or part of one, by what it stands in; footnotes wait for its end."""
        parent, before = element.getparent(), element.getprevious()
        around = "" if parent is None else tag_of(parent)
        heading, tight = element in self._headings, around in _TIGHT
        first = before is None and parent is not None and not (parent.text or "").strip()
        reads_on = (tight and first) or (before is not None and tag_of(before) in ("label", "term"))
        self.builder.separate("" if reads_on else "\n" if tight else "\n\n")
        outer, self._in_paragraph = self._in_paragraph, True
        yield self.content(element)
        self._in_paragraph = outer
        if heading:
            self.builder.close_heading()
        self.builder.separate("\n" if tight else "\n\n")
        if not outer:
            notes, self._notes = self._notes, []
            for note in notes:
                yield self.footnote(note)

    def footnote(self, element: Element) -> Steps:
        """A footnote: after the paragraph in which it stands."""
        if self._in_paragraph:
            self._notes.append(element)
        else:
            yield self.line(element)

    def label(self, element: Element) -> Steps:
        """The number of a section, figure, table, formula, item or note."""
        self.builder.separate(" ")
        yield self.content(element)
        self.builder.separate(" ")

    def caption(self, element: Element) -> Steps:
        """What a figure or a table shows, after its number."""
        before = element.getprevious()
        self.builder.separate(" " if before is not None and tag_of(before) == "label" else "\n\n")
        yield self.content(element)
        self.builder.separate("\n\n")

    def list_style(self, element: Element) -> str:
        """As the list's type says."""
        return _LIST_STYLES.get(attribute(element, "list-type"), "")

    def email(self, element: Element) -> Steps:
        """An address to write to."""
        self.builder.open_link("mailto:" + text_of(element))
        yield self.content(element)
        self.builder.close_link()

    def references(self, element: Element) -> Steps:
        """The list of references is metadata, its heading furniture; remarks in it are text."""
        for part in element:
            tag = tag_of(part)
            if tag == "ref":
                self.note("references", _reference(part))
            elif tag in ("title", "label"):
                self.hidden_as(part, "heading")
            else:
                yield self.element(part)

    def hidden_as(self, element: Element, kind: str) -> None:
        """Keep the text of an element as furniture."""
        if text_of(element):
            self.builder.drop(f" {words_of(element)} ", kind)

    def hidden(self, element: Element) -> Steps:
        """Identifiers, and descriptions of what is drawn."""
        yield from ()
        self.hidden_as(element, "identifier" if tag_of(element).endswith("-id") else "description")

    # ---------------------------------------------------------------------------------------------- tables, formulas

    def table(self, element: Element) -> Steps:
        """A table; OASIS tables keep their rows in a ``tgroup`` within one."""
        if tag_of(element) == "table" and children(element, "tgroup"):
            yield self.block(element)
        else:
            yield super().table(element)

    def spans(self, element: Element) -> tuple[int, int]:
        """XHTML counts rows and columns; OASIS counts further rows and names the first and the last column."""
        if tag_of(element) != "entry":
            return super().spans(element)
        group = next((e for e in element.iterancestors() if tag_of(e) == "tgroup"), element)
        names = [attribute(column, "colname") for column in children(group, "colspec")]
        first, last = (attribute(element, side) for side in ("namest", "nameend"))
        columns = names.index(last) - names.index(first) + 1 if first in names and last in names else 1
        more = attribute(element, "morerows")
        return 1 + (whole_number(more) if more else 0), columns

    def alternatives(self, element: Element) -> Steps:
        """One of several readings of the same; the others are furniture."""
        parts = [part for part in element if text_of(part)]
        readings = [part for tag in _READINGS for part in parts if tag_of(part) == tag] or parts
        for part in parts:
            if part in readings[:1]:
                yield self.element(part)
            else:
                self.hidden_as(part, "alternative")

    def tex(self, element: Element) -> Steps:
        """A formula in TeX, without the document class around it."""
        yield from ()
        if whole := _TEX.fullmatch(text_of(element)):
            self.builder.drop(whole["before"], "preamble")
            self.builder.write(whole["formula"])
            self.builder.drop(whole["after"], "preamble")
        else:
            self.builder.write(text_of(element))

    def math(self, element: Element) -> Steps:
        """A formula in MathML on one line: white space between its elements means nothing."""
        tag, parts = tag_of(element), list(element)
        if tag in ("annotation", "annotation-xml"):
            self.hidden_as(element, "alternative")
            return
        if not parts or (element.text or "").strip():
            self.builder.write(element.text or "")
        if tag in ("mspace", "mtr", "mtd"):
            self.builder.separate(" ")
        signs = _MATH_SIGNS.get(tag, "")
        for position, part in enumerate(parts):
            if text_of(part) and 0 < position <= len(signs) and text_of(parts[position - 1]):
                self.builder.insert(signs[position - 1], "formula")
            yield self.math(part)
            if (part.tail or "").strip():
                self.builder.write(part.tail or "")


_MATH_SIGNS = {"msup": "^", "msub": "_", "msubsup": "_^", "mfrac": "/"}
_TIGHT = ("list-item", "def-item", "def", "td", "th", "entry", "fn", "caption", "label")


def _author(contrib: Element) -> str:
    """A name as it is spoken."""
    if attribute(contrib, "contrib-type") not in ("", "author"):
        return ""
    for name in contrib.iter():
        if tag_of(name) == "name":
            parts = [children(name, tag) for tag in ("prefix", "given-names", "surname", "suffix")]
            return " ".join(text_of(part) for found in parts for part in found)
        if tag_of(name) in ("collab", "string-name"):
            return text_of(name)
    return ""


def _date(element: Element) -> str:
    """A date as ``2011-11-15``, as far as it is given."""
    parts = [" ".join(map(text_of, children(element, tag))) for tag in ("year", "month", "day")]
    return "-".join(part.zfill(2) for part in parts if part) or text_of(element)


def _reference(element: Element) -> str:
    """A reference on one line."""
    parts = [
        words_of(part, _NAME_PARTS) if tag_of(part) in _CITATIONS[:1] else words_of(part)
        for part in element
        if tag_of(part) != "label"
    ]
    labels = [text_of(part).rstrip(".") + "." for part in children(element, "label")]
    return " ".join([*labels, *filter(None, parts)])
