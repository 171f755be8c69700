"""Reads single elements of a Word file: joined paragraphs, alternatives, the characters of a run."""

from __future__ import annotations

from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.docx.package import child, font_of, is_struck
from longdoc.loaders.docx.symbols import symbol
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of
from longdoc.loaders.symbol_fonts import shown_in, symbol_font

_MARKS = (
    "bookmarkstart bookmarkend commentrangestart commentrangeend prooferr permstart permend movefromrangestart "
    "movefromrangeend movetorangestart movetorangeend customxmlinsrangestart customxmlinsrangeend "
    "customxmldelrangestart customxmldelrangeend"
).split()
"""Elements without content, which may stand between two paragraphs."""
_CHARACTERS = {"softhyphen": "\xad", "nobreakhyphen": "-", "tab": "\t", "ptab": "\t"}
_UNDERSTOOD = ("http://schemas.microsoft.com/", "http://schemas.openxmlformats.org/", "http://purl.oclc.org/ooxml/")


def by_id(root: Element | None) -> dict[str, Element]:
    """The notes or comments of a part, by id."""
    return {} if root is None else {attribute(element, "id"): element for element in root}


def is_current(section: Element) -> bool:
    """Whether section properties are current rather than replaced by a tracked change."""
    parent = section.getparent()
    return parent is not None and tag_of(parent) in ("body", "ppr")


def mark_is_deleted(paragraph: Element) -> bool:
    """Whether a tracked change deletes the paragraph mark, which joins the paragraph to the next one."""
    mark = child(child(paragraph, "ppr"), "rpr")
    return child(mark, "del") is not None or child(mark, "movefrom") is not None


def runs_in(paragraph: Element) -> bool:
    """Whether the paragraph ends in a style separator, so that the next one is on the same line."""
    return is_on(child(child(paragraph, "ppr"), "rpr"), "specvanish") is True


def next_paragraph(paragraph: Element) -> Element | None:
    """The paragraph that follows directly; None if another block or the end does."""
    after = paragraph.getnext()
    while after is not None and tag_of(after) in _MARKS:
        after = after.getnext()
    return after if after is not None and tag_of(after) == "p" else None


def last_joined(paragraph: Element) -> Element:
    """The last of the paragraphs that tracked changes join; its properties apply to all of them."""
    while mark_is_deleted(paragraph) and (after := next_paragraph(paragraph)) is not None:
        paragraph = after
    return paragraph


def is_joined(paragraph: Element) -> bool:
    """Whether the next paragraph is on the same line."""
    return (mark_is_deleted(paragraph) or runs_in(paragraph)) and next_paragraph(paragraph) is not None


def chosen(alternatives: Element) -> Element | None:
    """The one of several alternatives that Word shows: the first choice it understands, else the fallback."""
    for choice in children(alternatives, "choice"):
        spaces = [choice.nsmap.get(prefix) or "" for prefix in attribute(choice, "Requires").split()]
        if all(space.startswith(_UNDERSTOOD) for space in spaces):
            return choice
    return child(alternatives, "fallback")


def characters(element: Element) -> str:
    """The characters of an element within a run; empty if it has none."""
    tag = tag_of(element)
    if tag == "sym":
        return symbol(element)
    parent = element.getparent()
    if tag == "t" and element.text and parent is not None:
        return shown_in(element.text, symbol_font(font_of(child(parent, "rpr"))))
    return _CHARACTERS.get(tag, "")


def is_hidden(run: Element) -> bool | None:
    """Whether the properties of a run itself hide it; None if they do not say."""
    found = [is_on(properties, "vanish") for properties in children(run, "rpr")]
    return next((hidden for hidden in found if hidden is not None), None)


def is_struck_out(run: Element) -> bool | None:
    """Whether the properties of a run itself strike it out; None if they do not say."""
    return is_struck(child(run, "rpr"))


def is_all_struck(paragraph: Element) -> bool:
    """Whether all text of a paragraph is struck out by the properties of its runs, so that its number is, too."""
    runs = [run for run in paragraph.iter("{*}r") if any(characters(inner).strip() for inner in run)]
    return bool(runs) and all(map(is_struck_out, runs))


def visible_text(run: Element) -> str:
    """The characters of a run that its own properties neither hide nor strike out."""
    return "" if is_hidden(run) or is_struck_out(run) else "".join(map(characters, run))


def raising_of(run: Element) -> str:
    """``"superscript"``, ``"subscript"`` or ``"baseline"`` by the properties of a run itself; empty if unspecified."""
    return next((value for properties in children(run, "rpr") if (value := value_of(properties, "vertalign"))), "")
