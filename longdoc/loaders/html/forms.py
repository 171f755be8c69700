"""The fields of forms in HTML: their values, as they are when the page is opened. Passwords are never read."""

from __future__ import annotations

from typing import Any

from longdoc.document import FormField
from longdoc.loaders.html.tree import NO_TEXT, text_of
from longdoc.loaders.markup.builder import Builder

_BUTTONS = {"submit": "Submit", "reset": "Reset", "button": "", "image": ""}
_SECRET = ("password", "one-time-code", "cc-number", "cc-csc")
_CHECKS = ("checkbox", "radio")
_ENDS_OPTION, _ENDS_BUTTON = {*NO_TEXT, "option"}, {*NO_TEXT, "button"}
"""What is not in the text of an option or a button: in browsers the next one ends it, but not in the parser."""


def write_input(builder: Builder, element: Any, fields: list[FormField]) -> None:
    """Writes an ``input``: its value, a checked or an empty box, or the label of a button."""
    kind, value = element.get("type", "text").strip().lower(), element.get("value", "")
    builder.separate(" ")
    if _is_secret(element):
        if kind != "hidden":
            _add(builder, element, fields, "text", "")
    elif kind == "hidden":
        _drop(builder, value, "hidden")
    elif kind in _CHECKS:
        is_on = element.get("checked") is not None
        on = value if kind == "radio" and value else "on"
        _write_box(builder, element, fields, kind, on if is_on else "off")
    elif kind in _BUTTONS:
        own = value or element.get("alt", "")
        builder.write(own)
        if not own and _BUTTONS[kind]:
            builder.insert(_BUTTONS[kind], "form")
        _add(builder, element, fields, "button", own or _BUTTONS[kind])
    else:
        value = "" if kind == "file" else value
        builder.write(value)
        _add(builder, element, fields, "text", value)
    builder.separate(" ")


def write_select(builder: Builder, element: Any, fields: list[FormField]) -> None:
    """Writes the options of a ``select`` that are selected; the others, and text between them, are furniture."""
    options = [option for option in element.iter("option") if option.get("hidden") is None]
    chosen = [option for option in options if option.get("selected") is not None]
    many = element.get("multiple") is not None
    if not many:
        chosen = chosen[-1:] or (options[:1] if element.get("size", "1").strip() in ("", "0", "1") else [])
    written = set(chosen)
    builder.separate(" ")
    for option in element.iter("option", "optgroup"):
        if option.tag == "optgroup":
            _drop(builder, option.get("label", ""), "option")
        elif option in written:
            builder.write(_label(option))
            builder.separate(" ")
        else:
            _drop(builder, _label(option), "option")
    _drop(builder, text_of(element, without=_ENDS_OPTION), "hidden")
    _add(builder, element, fields, "choice", ", ".join(map(_label, chosen)))


def add_text_field(builder: Builder, element: Any, fields: list[FormField]) -> None:
    """Adds the field of a ``textarea`` or ``button``, or of an element that plays the role of a box."""
    if element.tag == "button":
        _add(builder, element, fields, "button", " ".join(text_of(element, without=_ENDS_BUTTON).split()))
    else:
        _add(builder, element, fields, "text", text_of(element))


def is_box(element: Any) -> bool:
    """Whether an element of another kind plays the role of a checkbox or radio button."""
    return element.get("role", "") in _CHECKS and element.get("aria-checked") is not None and element.tag != "input"


def write_role(builder: Builder, element: Any, fields: list[FormField]) -> None:
    """Writes the box of an element that plays the role of a checkbox or radio button."""
    _write_box(builder, element, fields, element.get("role"), "on" if element.get("aria-checked") == "true" else "off")


def drop_values(builder: Builder, element: Any) -> None:
    """Records the values of the inputs in an element that is left out as furniture."""
    for each in element.iter("input"):
        if not _is_secret(each) and each.get("type", "").strip().lower() not in _CHECKS:
            _drop(builder, each.get("value", ""), "hidden")


def _write_box(builder: Builder, element: Any, fields: list[FormField], kind: str, value: str) -> None:
    builder.insert("☐" if value == "off" else "☒", "form")
    builder.separate(" ")
    _add(builder, element, fields, kind, value)


def _add(builder: Builder, element: Any, fields: list[FormField], kind: str, value: str) -> None:
    names = (element.get(name, "").strip() for name in ("name", "id", "aria-label", "placeholder"))
    name = next(filter(None, names), "")
    fields.append(FormField(name=name, kind=kind, value=value.strip(), page=builder.page_number))


def _is_secret(element: Any) -> bool:
    """Whether an ``input`` is for a password or the like."""
    kind, use = element.get("type", "").strip().lower(), element.get("autocomplete", "").lower()
    return kind == "password" or any(secret in use for secret in _SECRET)


def _label(option: Any) -> str:
    return " ".join(text_of(option, without=_ENDS_OPTION).split()) or option.get("label", "")


def _drop(builder: Builder, value: str, kind: str) -> None:
    if value.strip():
        builder.drop(f" {value} ", kind)
