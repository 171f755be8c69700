"""Form fields, on the pages and elsewhere: the values of those that say what is redacted are removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from longdoc.redaction.names import REDACTED, Search
from longdoc.redaction.objects import DEEPEST, containers, listed, read_name, read_text, unpacked

_VALUES = ("/V", "/DV", "/I", "/AS", "/RV", "/RC", "/AP", "/MK", "/Lock", "/SV")
"""Keys of what a field says, how it looks, and what its signature is bound to."""


def clear_form(pdf: Any, search: Search, dropped: Counter[str]) -> None:
    """Removes the values of signatures and of fields that say what is redacted, whether a page shows them or not.

    Args:
        pdf: the ``pikepdf.Pdf``.
        search: finds what is redacted.
        dropped: counts the fields that had a value.
    """
    from pikepdf import Dictionary

    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, Dictionary):
        return
    seen: set[tuple[int, int]] = set()
    pending = [(field, "") for field in listed(form, "/Fields")]
    while pending:
        field, above = pending.pop()
        if not isinstance(field, Dictionary) or field.objgen in seen:
            continue
        if field.is_indirect:
            seen.add(field.objgen)
        title = read_text(field.T) if "/T" in field else ""
        name = ".".join(filter(None, (above, title)))
        if title and search.found(name) and not search.found(above):
            field.T = REDACTED  # of the whole name, which its parts may make only together
        if str(inherited(field, "/FT")) == "/Sig" or says(field, search):
            dropped["values of form fields"] += clear_field(field)
        pending += [(kid, name) for kid in listed(field, "/Kids")]


def says(annotation: Any, search: Search) -> bool:
    """Whether an annotation, or a field that it belongs to, says what is redacted: in a text, a state or its look."""
    from pikepdf import Dictionary

    holder = annotation
    for _ in range(DEEPEST):
        if any(search.found(text) for text in _texts(holder)):
            return True
        holder = holder.get("/Parent")
        if not isinstance(holder, Dictionary):
            break
    looks = _looks(annotation.get("/AP"), 0)
    return any(search.found_in_code(unpacked(each)) is not None for each in looks)


def _looks(look: Any, depth: int) -> Iterator[Any]:
    """The streams of an appearance."""
    from pikepdf import Dictionary, Stream

    if isinstance(look, Stream):
        yield look
    elif isinstance(look, Dictionary) and depth < 2:  # kinds of looks, and states in these
        for each in look.values():
            yield from _looks(each, depth + 1)


def _texts(holder: Any) -> Iterator[str]:
    """The texts of an annotation or field, and of its action and look: strings, streams, and the names of states."""
    from pikepdf import Array, Name, Stream, String

    for key, value in holder.items():
        if isinstance(value, String):
            yield read_text(value)
        elif key in ("/V", "/DV", "/RV", "/RC", "/Contents") and isinstance(value, Stream):
            data = unpacked(value)
            yield from (data.decode("utf-8", "replace"), data.replace(b"\0", b"").decode("latin-1"))
        elif key in ("/V", "/DV", "/AS") and isinstance(value, Name):
            yield read_name(value)
        elif key == "/AP":
            yield from _states(value)
        elif key in ("/V", "/DV", "/Opt", "/A", "/MK"):
            for own, *_ in containers(value):
                inner = own if isinstance(own, Array) else own.values()
                yield from (read_text(each) for each in inner if isinstance(each, String))


def _states(look: Any) -> Iterator[str]:
    """The names of the states, such as that of a box that is ticked, in which a field may look different."""
    from pikepdf import Dictionary

    for states in look.values() if isinstance(look, Dictionary) else ():
        if isinstance(states, Dictionary):
            yield from (state[1:] for state in states.keys())  # noqa: SIM118 (a dictionary of PDF)


def inherited(annotation: Any, key: str) -> Any:
    """A value of a form field, which may be that of a field above it."""
    for _ in range(DEEPEST):
        if key in annotation or "/Parent" not in annotation:
            break
        annotation = annotation.Parent
    return annotation.get(key)


def clear_page(page: Any) -> None:
    """Removes the values of all form fields of a page."""
    from pikepdf import Dictionary

    for annotation in listed(page.obj, "/Annots"):
        if isinstance(annotation, Dictionary) and str(annotation.get("/Subtype", "")) == "/Widget":
            clear_field(annotation)


def clear_field(annotation: Any) -> bool:
    """Removes the value of a form field, and how it looks in all its places; whether it had one."""
    from pikepdf import Dictionary

    field = annotation
    for _ in range(DEEPEST):
        if "/Parent" in field and "/FT" not in field:
            field = field.Parent
    had_value = any(key in field for key in ("/V", "/DV"))
    pending, seen = [field, annotation], set()
    while pending:
        each = pending.pop()
        if not isinstance(each, Dictionary) or each.objgen in seen:
            continue
        if each.is_indirect:
            seen.add(each.objgen)
        for key in _VALUES:
            if key in each:
                del each[key]
        pending += listed(each, "/Kids")
    return had_value
