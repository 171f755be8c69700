"""Content controls of a Word document: fields of a form, whose placeholders are not their content."""

from __future__ import annotations

from longdoc.document import FormField
from longdoc.loaders.docx.bindings import Bindings
from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.docx.package import child
from longdoc.loaders.docx.walk import Walk
from longdoc.loaders.docx.words import words
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of

_KINDS = {"checkbox": "checkbox", "dropdownlist": "choice", "combobox": "choice", "text": "text", "date": "text"}


class Controls:
    """Writes content controls, and records those of forms as fields."""

    def __init__(self, walk: Walk, bindings: Bindings) -> None:
        self.walk, self.bindings = walk, bindings
        self._around_cells: dict[Element, str] = {}  # controls around cells of a row -> kind of furniture

    def control(self, element: Element) -> Steps:
        """A content control; a placeholder in it is furniture, unless data are bound to it."""
        content = child(element, "sdtcontent")
        kind = self.open(element)
        if content is not None:
            yield self.walk.content_as(content, kind)

    def cell(self, cell: Element) -> str:
        """The kind of furniture that the content of a table cell is; empty for text."""
        if child(child(cell, "tcpr"), "celldel") is not None:
            return "deleted"
        kind, around = "", cell.getparent()
        while around is not None and tag_of(around) not in ("tr", "tbl"):
            if tag_of(around) == "sdt" and not kind:
                if around not in self._around_cells:
                    self._around_cells[around] = self.open(around)
                kind = self._around_cells[around]
            around = around.getparent()
        return kind

    def open(self, element: Element) -> str:
        """Records a content control; returns the kind of furniture of its content, empty for text."""
        properties, content = child(element, "sdtpr"), child(element, "sdtcontent")
        is_placeholder = is_on(properties, "showingplchdr") is True
        if properties is None or self.walk.kind:
            return "placeholder" if is_placeholder else ""
        name = value_of(properties, "alias") or value_of(properties, "tag")
        bound = self.bindings.value(child(properties, "databinding"))
        kind = next((_KINDS[tag] for tag in map(tag_of, properties) if tag in _KINDS), "")
        # Controls around other controls have no value of their own.
        is_innermost = content is not None and next(content.iter("{*}sdt"), None) is None
        text = words(content) if content is not None and is_innermost and (kind or bound) else ""
        value = "" if is_placeholder else text
        if is_placeholder and bound:
            self.walk.insert(bound, "field")
            value = bound
        elif bound and kind == "text" and child(properties, "date") is None and bound.split() != text.split():
            shown = name or "without a name"
            self.walk.parts.warnings.append(
                f"the content control {shown} shows {text[:40]!r}, but its data in the file are {bound[:40]!r}; "
                "open the file in Word, which shows the data, and save it"
            )
        if kind == "checkbox":
            value = "on" if is_on(child(properties, "checkbox"), "checked") else "off"
        if kind and is_innermost:
            self.walk.form.append(FormField(name=name, kind=kind, value=value, page=self.walk.builder.page_number))
        self.walk.aside(_on_demand(properties, text), "form")
        return "placeholder" if is_placeholder else ""


def _on_demand(properties: Element, text: str) -> str:
    """The title and the choices of a content control that its text does not show."""
    choices = [choice for tag in ("dropdownlist", "combobox") for choice in children(properties, tag)]
    shown = [value_of(properties, "alias")]
    for choice in choices:
        shown += [attribute(choice, "lastValue")]
        shown += [attribute(item, "displayText") or attribute(item, "value") for item in children(choice, "listitem")]
    return " ".join(dict.fromkeys(word for word in shown if word and word != text))
