"""Writes a tree of HTML elements through a Builder."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from longdoc.loaders.html import forms
from longdoc.loaders.html.left_out import Notes, kind_left_out, write_descriptions
from longdoc.loaders.html.styles import Look, Styles
from longdoc.loaders.html.tree import (
    BLOCKS,
    NEVER_TEXT,
    address,
    has_text,
    in_full,
    page_numbers,
    start_of,
    table_roles,
    text_of,
)
from longdoc.loaders.html.visible import Visibility
from longdoc.loaders.markup.builder import Builder, Separator
from longdoc.loaders.markup.formulas import write_math
from longdoc.loaders.markup.shifts import DEEPEST, Part, Shifts
from longdoc.loaders.markup.symbols import write_shown
from longdoc.loaders.markup.writer import run
from longdoc.loaders.symbol_fonts import shown_in, symbol_font
from longdoc.sections.numerals import numeral

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PREFORMATTED = ("pre", "xmp", "listing", "plaintext", "textarea")
_APART = ("textarea", "button", "svg", "text", "object")
"""Inline elements with space around them."""
_SHIFTS = {"sup": "raised", "sub": "lowered"}
_LINE_ENDS = ("br", "input", "select", "iframe", *_APART)
"""Inline elements that raised text does not continue after."""
_LINES = ("li", "tr", "dd", "dt")
_NOTE_CLASS = re.compile(r"\b\w*(?:footnote|noteref|reference|fnref|citation|cite)\w*\b", re.IGNORECASE)
_TEX_SCRIPT = re.compile(r"math/tex", re.IGNORECASE)


class HtmlWriter:
    """Writes a tree of elements.

    Args:
        builder: what the text is written to.
        root: the root of the tree.
        styles: its style sheets.
        notes: collects what is not read.
        write_source: reads a document within the document from its source.
    """

    def __init__(
        self, builder: Builder, root: Any, styles: Styles, notes: Notes, write_source: Callable[[str], None]
    ) -> None:
        self.builder, self.root, self.styles, self.notes = builder, root, styles, notes
        self.write_source = write_source
        self.base = next((each.get("href") for each in root.iter("base") if each.get("href")), "")
        self.after_marker = False  # the text that follows continues the line of a list marker
        self.page_is_empty = True  # nothing visible since the last page break
        self.preformatted = 0  # depth in <pre> elements
        self.roles: dict[Any, str] = {}  # elements of tables, list markers, and elements left out
        self.cells: list[Any] = [None]  # the cells and tables around the current element
        self.counters: dict[Any, int] = {}  # <ol> -> the next number
        self.closers: dict[
            Any, list[tuple[str, str]]
        ] = {}  # element -> what is inserted at its end, and the kind of edit
        self.brackets: dict[Any, bool] = {}  # element with readings -> whether it has brackets around them
        self.looks: list[Look] = []  # of the element that is written, and those around it
        self.fonts = [""]  # the symbol font of each element around the current text; empty for other fonts
        self.shifted: list[Any] = []  # the raised and lowered elements around the current one
        self.shifts = Shifts(self._part_of, text_of)
        self.page_numbers = page_numbers(root, styles)
        self.visibility = Visibility(root, styles)

    def write(self) -> None:
        """Writes the whole tree."""
        walk, depth = etree.iterwalk(self.root, events=("start", "end")), 0
        for event, element in walk:
            inline = element.tag not in BLOCKS  # not counted: unclosed <font> tags pile up in real filings
            if event == "start":
                depth += not inline
                self.builder.limits.check("depth", depth, self.builder.name)
                self.looks.append(self.styles.look(element))
                self.fonts.append(self._symbol_font(element))
                self.visibility.enter(element, self.looks[-1])
                kind = kind_left_out(element, self.looks[-1]) or self.kind_left_out(element)
                if kind:
                    walk.skip_subtree()
                    self.roles[element] = "left out"
                    self.leave_out(element, kind)
                elif self.replace(element):
                    walk.skip_subtree()
                    self.roles[element] = "left out"
                else:
                    self.open(element)
                    self.text(element.text)
            else:
                depth -= not inline
                if self.roles.get(element) != "left out":
                    self.close(element)
                self.looks.pop()
                self.visibility.leave()
                self.fonts.pop()
                self.text(element.tail if element is not self.root else None)

    def kind_left_out(self, element: Any) -> str:
        """The kind of furniture that an element is because of what is around it; empty if it is written."""
        if element in self.page_numbers:
            return "page number"
        if not self.visibility.is_hidden or not self.visibility.shows_nothing(element):
            return ""
        if element.tag == "li" and _parent_list(element) is not None:  # it has its number, although it is not seen
            self._next_number(element, _parent_list(element))
        return "hidden"

    def text(self, text: str | None) -> None:
        """Writes text of the source; hidden text becomes furniture."""
        if not text:
            return
        if self.visibility.is_hidden and text.strip():
            self.builder.drop(text, "hidden")
            if text[0].isspace() or text[-1].isspace():
                self.builder.separate(" ")
            return
        if text.strip():
            self.after_marker = self.page_is_empty = False
        write_shown(self.builder, text, shown_in(text, self.fonts[-1]), lines=self.preformatted > 0)

    def _symbol_font(self, element: Any) -> str:
        """The symbol font of the text in an element; empty for other fonts."""
        families = self.looks[-1].font or (element.get("face", "") if element.tag == "font" else "")
        return symbol_font(families) if families else self.fonts[-1]

    def separate(self, separator: Separator) -> None:
        """Puts a separator unless the line of a list marker continues."""
        if not self.after_marker:
            self.builder.separate(separator)

    def is_block(self, element: Any) -> bool:
        """Whether an element starts and ends a line."""
        inline = self.looks[-1].is_inline
        return element.tag in BLOCKS if inline is None else not inline

    def leave_out(self, element: Any, kind: str) -> None:
        """Records the text of an element as furniture of this kind; ``"markup"`` is not recorded."""
        if element.tag in BLOCKS:
            self.separate("\n" if element.tag in _LINES else "\n\n")
        if self.looks[-1].breaks_before:
            self.start_page()
        if element.tag == "script" and _TEX_SCRIPT.search(element.get("type", "")):
            self.text(element.text)
        elif kind != "markup":
            if (text := text_of(element, without=NEVER_TEXT)).strip():
                self.builder.drop(text, kind)
            write_descriptions(self.builder, element, inside=True)
            forms.drop_values(self.builder, element)
        if self.looks[-1].breaks_after:
            self.start_page()

    def replace(self, element: Any) -> bool:
        """Writes an element whose content is not written as such; False for all others."""
        tag = element.tag
        if tag == "math":
            is_block = element.get("display") == "block"
            self.separate("\n" if is_block else "")
            run(write_math(self.builder, element))
            self.separate("\n" if is_block else "")
        elif tag == "input":
            forms.write_input(self.builder, element, self.notes.fields)
            write_descriptions(self.builder, element)
        elif tag == "select":
            forms.write_select(self.builder, element, self.notes.fields)
        elif tag == "iframe":
            self.notes.add(element)
            if text_of(element).strip():
                self.builder.drop(text_of(element), "alternative")
            if source := element.get("srcdoc"):
                self.builder.separate("\n\n")
                self.write_source(source)
                self.builder.separate("\n\n")
        else:
            return False
        self.after_marker = self.page_is_empty = False
        return True

    def start_page(self) -> None:
        """Starts a page unless the current one is empty."""
        if not self.page_is_empty:
            self.builder.start_page()
            self.builder.limits.check("pages", self.builder.page_number, self.builder.name)
        self.page_is_empty = True

    def open(self, element: Any) -> None:
        """Writes what comes before the text of an element."""
        tag = element.tag
        if tag not in ("td", "th") and self.is_block(element):
            self.separate("\n" if tag in _LINES else "\n\n")
        if self.looks[-1].breaks_before:
            self.start_page()
        self.notes.add(element)
        write_descriptions(self.builder, element)
        if tag in _HEADINGS:
            self.builder.open_heading(_HEADINGS[tag])
        elif uri := address(element):
            self.builder.open_link(in_full(uri, self.base))
        elif tag == "br":
            self.separate("\n")
        elif tag == "li":
            self.open_item(element)
        elif tag in ("table", "tr", "td", "th"):
            self.open_table_part(element)
            self.cells += [element] if tag != "tr" else []
        self.preformatted += self._is_preformatted(element)
        self._open_inline(element)

    def _is_preformatted(self, element: Any) -> bool:
        return element.tag in _PREFORMATTED or self.looks[-1].is_preformatted

    def _open_inline(self, element: Any) -> None:
        """Inserts what a browser shows around quotations, readings, raised and lowered text, and adds fields."""
        tag = element.tag
        if self.visibility.is_hidden:
            return
        if shift := self._shift(element, self.looks[-1]):
            self._open_shift(element, shift)
        elif tag == "q":
            self.builder.insert("“", "quotation")
            self.closers[element] = [("”", "quotation")]
        elif tag == "rt" and not self._has_brackets(element.getparent()) and has_text(element):
            self.builder.insert("(", "reading")
            self.closers[element] = [(")", "reading")]
        elif tag in _APART:
            self.builder.separate(" ")
        if tag in ("textarea", "button"):
            forms.add_text_field(self.builder, element, self.notes.fields)
        elif element.attrib and forms.is_box(element):
            forms.write_role(self.builder, element, self.notes.fields)

    def _has_brackets(self, ruby: Any) -> bool:
        """Whether an element with readings has brackets around them of its own."""
        if ruby not in self.brackets:
            self.brackets[ruby] = next(ruby.iter("rp"), None) is not None
        return self.brackets[ruby]

    def _shift(self, element: Any, look: Look) -> str:
        """Whether an element is raised or lowered."""
        if (
            element.tag == "span" and element.get("class") == "msupsub"
        ):  # KaTeX; a second column makes room below the line
            return "lowered" if element.xpath("boolean(./*[contains(@class, 'vlist-t2')])") else "raised"
        return _SHIFTS.get(element.tag) or look.shift

    def _open_shift(self, element: Any, shift: str) -> None:
        """Inserts what keeps a raised or lowered number apart from the number before it."""
        outer = self.shifted[-1] if self.shifted else None
        self.shifted.append(element)
        text = text_of(element).strip() if len(self.shifted) <= DEEPEST else ""
        if not text or (outer is not None and text_of(outer).strip() == text):
            return
        first, last = self.shifts.marks(element, self.builder.last_text())
        if first:
            self.builder.insert(first, shift)
        if last:
            self.closers[element] = [(last, shift)]

    def _part_of(self, element: Any) -> Part:
        """What an element is in its line."""
        look = self.styles.look(element)
        is_inline = element.tag not in BLOCKS if look.is_inline is None else look.is_inline
        if not is_inline or element.tag in _LINE_ENDS:
            return "end"
        if kind_left_out(element, look):
            return "out"
        shift = self._shift(element, look)
        if shift == "raised":
            return "note" if _is_note(element) else "raised"
        return "lowered" if shift else "plain"

    def open_item(self, element: Any) -> None:
        """Writes the bullet or the number of a list item that is not empty."""
        parent = _parent_list(element)
        if not has_text(element):
            return
        label = "• "
        if parent is not None:
            number = self._next_number(element, parent)
            label = numeral(number, element.get("type") or parent.get("type") or "1") + ". "
        if not self.visibility.is_hidden:
            self.builder.insert(label, "number")
            self.after_marker = True

    def _next_number(self, item: Any, ol: Any) -> int:
        """The number of an item, after which the list continues."""
        if ol not in self.counters:
            self.counters[ol] = _first_number(ol)
        number = _integer(item.get("value"), self.counters[ol])
        self.counters[ol] = number + (-1 if ol.get("reversed") is not None else 1)
        return number

    def open_table_part(self, element: Any) -> None:
        """Starts a table, a row or a cell, or the line of a cell that is only layout."""
        if element.tag == "table":
            self.roles |= table_roles(element)
        role = self.roles.get(element)
        if role == "table":
            self.builder.tables.open()
        elif role == "row":
            self.builder.tables.open_row()
        elif role == "cell":
            self.builder.separate(" ")
            spans = (_integer(element.get(name), 1) for name in ("rowspan", "colspan"))
            self.builder.tables.open_cell(row_span=next(spans), column_span=next(spans))
        elif element.tag in ("td", "th"):
            self.separate("\n")

    def close(self, element: Any) -> None:
        """Writes what comes after the text of an element."""
        tag, role = element.tag, self.roles.get(element)
        for text, kind in self.closers.pop(element, ()):
            (self.builder.close_up if kind in _SHIFTS.values() else self.builder.insert)(text, kind)
        if self.shifted and self.shifted[-1] is element:
            self.shifted.pop()
        self.preformatted -= self._is_preformatted(element)
        if tag in _HEADINGS:
            self.builder.close_heading()
        elif address(element):
            self.builder.close_link()
        elif tag in _APART:
            self.builder.separate(" ")
        else:
            self._close_table_part(role)
        is_part = tag in ("td", "th") or role == "table"
        # The line continues after a block in a cell with a list marker.
        if not is_part and self.is_block(element) and self.roles.get(self.cells[-1]) != "marker":
            self.separate("\n" if tag in _LINES else "\n\n")
        if self.cells[-1] is element:
            self.cells.pop()
        if self.looks[-1].breaks_after:
            self.start_page()

    def _close_table_part(self, role: str | None) -> None:
        """Ends a table or a cell."""
        if role == "table":
            self.builder.tables.close()
        elif role == "cell":
            self.builder.tables.close_cell()
            self.builder.separate(" ")
            self.after_marker = False
        elif role == "marker":
            self.builder.separate(" ")
            self.after_marker = True


def _is_note(element: Any) -> bool:
    """Whether raised text is the mark of a note: it links within the document, or is named as one."""
    around, parent = [element], element.getparent()
    if parent is not None and parent.tag in ("a", "sup", "span") and _contains_only(parent, element):
        around.append(parent)
    links = [*element.iter("a"), *(each for each in around[1:] if each.tag == "a")]
    if any(link.get("href", "").startswith("#") or link.get("role") == "doc-noteref" for link in links):
        return True
    return any(_NOTE_CLASS.search(each.get("class", "")) for each in (*around, *links)) and bool(start_of(element))


def _contains_only(parent: Any, element: Any) -> bool:
    """Whether there is no text in an element but that of this element, and brackets around it."""
    return start_of(parent).strip("()[] ") == start_of(element).strip("()[] ")


def _parent_list(item: Any) -> Any:
    """The numbered list that an item is in; None if it has a bullet."""
    parent = item.getparent()
    return parent if parent is not None and parent.tag == "ol" else None


def _first_number(ol: Any) -> int:
    """The number of the first item of a list."""
    if ol.get("start") is None and ol.get("reversed") is not None:
        return sum(1 for _ in ol.iterchildren("li"))
    return _integer(ol.get("start"), 1)


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text) else default
