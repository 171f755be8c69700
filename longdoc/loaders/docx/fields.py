"""Fields of a Word document: the text shows their results, and their instructions are furniture."""

from __future__ import annotations

import re

from longdoc.document import FormField
from longdoc.loaders.docx.field_codes import Code, formula, parse_code
from longdoc.loaders.docx.field_numbers import FieldNumbers
from longdoc.loaders.docx.numbering import is_on, value_of
from longdoc.loaders.docx.package import child
from longdoc.loaders.docx.walk import OpenField, Walk
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of
from longdoc.loaders.symbol_fonts import in_font

_SHOW_NOTHING = frozenset(
    "TC XE RD TA ASK SET NEXT NEXTIF SKIPIF PRINT PRIVATE ADVANCE DATA BIDIOUTLINE ADDIN EMBED CONTROL SHAPE "
    "HTMLCONTROL INCLUDEPICTURE FORMTEXT".split()
)
_NEVER_EMPTY = frozenset(
    "PAGE NUMPAGES SECTIONPAGES SECTION PAGEREF NOTEREF DATE TIME CREATEDATE SAVEDATE PRINTDATE = SEQ LISTNUM".split()
)
_LONG = 1000  # characters of a result that matter to the field around it
_BUTTON = re.compile(r"\s*\w+\s+\S+\s*(.*)", re.DOTALL)


class Fields:
    """Reads fields: simple ones in one element, others as a sequence of runs that may span paragraphs."""

    def __init__(self, walk: Walk, numbers: FieldNumbers) -> None:
        self.walk, self.numbers = walk, numbers
        self._closed: dict[Element, set[Element]] = {}  # root of a part -> the marks of its complete fields
        self._outdated = 0

    def simple(self, element: Element) -> Steps:
        """A field with its instruction in an attribute."""
        field = OpenField([attribute(element, "instr")], is_part_of_text=not self.walk.kind)
        self.walk.fields.append(field)
        self._start_result(field)
        yield self.walk.content(element)
        self._end()

    def instruction(self, element: Element) -> Steps:
        """A piece of the instruction of the innermost field."""
        yield from ()
        text, code = element.text or "", self.walk.code
        if self.walk.kind == "deleted" or tag_of(element) == "delinstrtext":
            self.walk.write(text, "deleted")
        elif code is not None:
            code.code.append(text)
        else:
            self.walk.aside(text, "field code")

    def mark(self, element: Element) -> Steps:
        """The start of a field, of its result, or its end; fields that are not closed are ignored."""
        yield from ()
        root = element.getroottree().getroot()
        if root not in self._closed:
            self._closed[root] = _complete(root)
        if element not in self._closed[root]:
            return
        kind, fields = attribute(element, "fldCharType"), self.walk.fields
        if kind == "begin":
            self.walk.builder.limits.check("depth", len(fields), self.walk.builder.name)
            is_outdated = attribute(element, "dirty") in ("1", "true", "on")
            form = child(element, "ffdata")
            fields.append(OpenField(is_part_of_text=not self.walk.kind, form=form, is_outdated=is_outdated))
        elif kind == "separate" and fields:
            self._start_result(fields[-1])
        elif fields:
            self._end()

    def _start_result(self, field: OpenField) -> None:
        field.in_result = True
        text = "".join(field.code)
        self.walk.aside(text, "field code")
        code = parse_code(text)
        anchor = code.switches.get("l", "")
        uri = "".join(code.arguments[:1]) + (f"#{anchor}" if anchor else "")
        if code.name == "HYPERLINK" and uri and not self.walk.furniture:
            self.walk.builder.open_link(uri)
            field.has_link = True

    def _end(self) -> None:
        """Ends the innermost field, and writes its result if it has none."""
        walk = self.walk
        field = walk.fields.pop()
        text, result = "".join(field.code), "".join(field.result)
        if walk.fields and walk.fields[-1].in_result:
            walk.fields[-1].result.append(result[:_LONG])
        if not field.in_result:
            walk.aside(text, "field code")
        if field.has_link:
            walk.builder.close_link()
        if field.is_part_of_text and not walk.kind:
            self._finish(field, text, result)

    def _finish(self, field: OpenField, text: str, result: str) -> None:
        """Records a field that is part of the text, and writes its result if none is stored."""
        code = parse_code(text)
        self._outdated += field.is_outdated
        if field.form is not None:
            self._form(field.form, code, result)
        if result.strip():
            if code.name == "SEQ":
                self.numbers.in_sequence(code, result)
            return
        computed = self._computed(code, text, field.form)
        if computed is not None:
            if code.name == "EQ" and self.walk.before[-1:].isdigit() and computed[:1].isdigit():
                computed = f" {computed}"
            is_number = code.name in ("LISTNUM", "SEQ") or code.name.startswith("AUTONUM")
            self.walk.insert(computed, "number" if is_number else "field")
        elif code.name in _NEVER_EMPTY or not (field.in_result or code.name in _SHOW_NOTHING):
            self.walk.missing.append(" ".join(text.split())[:40] or "a field without an instruction")

    def _computed(self, code: Code, text: str, form: Element | None) -> str | None:
        """The result of a field without a stored one; None if it is unknown."""
        button = _BUTTON.match(text)
        if code.name in ("AUTONUM", "AUTONUMLGL", "AUTONUMOUT"):
            return self.numbers.automatic(code)
        if code.name == "LISTNUM":
            return self.numbers.in_list(code)
        if code.name == "SEQ":
            return self.numbers.in_sequence(code, "")
        if code.name == "EQ":
            return formula(text)
        if code.name == "QUOTE":
            return " ".join(code.arguments)
        if code.name == "SYMBOL":
            return _symbol(code)
        if code.name in ("MACROBUTTON", "GOTOBUTTON") and button:
            return button[1].strip()
        if form is not None and code.name in ("FORMCHECKBOX", "FORMDROPDOWN"):
            return _chosen(form)
        return None

    def _form(self, form: Element, code: Code, result: str) -> None:
        """Records a legacy form field; choices and defaults that are not its value are furniture."""
        kinds = {"FORMCHECKBOX": "checkbox", "FORMDROPDOWN": "choice"}
        value = " ".join(result.split()) or _chosen(form)
        if code.name == "FORMCHECKBOX":
            value = "on" if _chosen(form) == "☒" else "off"
        name, page = value_of(form, "name"), self.walk.builder.page_number
        self.walk.form.append(FormField(name=name, kind=kinds.get(code.name, "text"), value=value, page=page))
        texts = [
            attribute(inner, "val")
            for inner in form.iter()
            if tag_of(inner) in ("listentry", "helptext", "statustext")
            or (tag_of(inner) == "default" and not attribute(inner, "val").isdigit())
        ]
        self.walk.aside(" ".join(text for text in texts if text != value), "form")

    def warnings(self) -> list[str]:
        """Which results are missing or outdated."""
        missing, remedy = self.walk.missing, "open it in Word, press Ctrl+A and F9, and save it"
        found = []
        if missing:
            shown = ", ".join(dict.fromkeys(missing[:5])) + (" …" if len(missing) > 5 else "")
            found.append(
                f"fields without a stored result, which Word computes when it opens the file: {len(missing)} "
                f"({shown}); {remedy}"
            )
        if self._outdated:
            found.append(f"fields whose results are marked as out of date: {self._outdated}; {remedy}")
        return found


def _complete(root: Element) -> set[Element]:
    """The marks of the fields that are closed."""
    found: set[Element] = set()
    stack: list[list[Element]] = []
    for mark in root.iter("{*}fldChar"):
        kind = attribute(mark, "fldCharType")
        if kind == "begin":
            stack.append([mark])
        elif stack and kind == "separate" and len(stack[-1]) == 1:
            stack[-1].append(mark)
        elif stack and kind == "end":
            found.update([*stack.pop(), mark])
    return found


def _chosen(form: Element) -> str:
    """The state of a check box or the choice of a list, in a legacy form field; empty for others."""
    box, choices = child(form, "checkbox"), child(form, "ddlist")
    if box is not None:
        state = is_on(box, "checked")
        return "☒" if (is_on(box, "default") if state is None else state) else "☐"
    entries = [] if choices is None else children(choices, "listentry")
    number = value_of(choices, "result") or value_of(choices, "default") or "0"
    chosen = int(number) if re.fullmatch("[0-9]{1,4}", number) else 0
    return attribute(entries[chosen], "val") if chosen < len(entries) else ""


def _symbol(code: Code) -> str | None:
    """The character of a SYMBOL field."""
    given = next(iter(code.arguments), "")
    if not re.fullmatch("[0-9]{1,7}|0[xX][0-9a-fA-F]{1,6}", given):
        return given[:1] or None
    number = int(given, 16 if given[:2].lower() == "0x" else 10)
    if "u" not in code.switches and number < 256:
        return in_font(number, code.switches.get("f", "")) or bytes([number]).decode("cp1252", "replace")
    return chr(number) if 32 <= number < 0xD800 or 0xE000 <= number <= 0x10FFFF else "\ufffd"
