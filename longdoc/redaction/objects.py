"""The objects of a PDF: what is in them, what they refer to, and their texts, names and data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

DEEPEST = 100
"""Containers in one another; what is nested deeper is not searched, and told."""
_CODE = re.compile(rb"#([0-9a-fA-F]{2})")


def read_text(string: Any) -> str:
    """A string of PDF as text; its bytes need not be of the encoding that they name."""
    try:
        return str(string)
    except UnicodeDecodeError:
        data = bytes(string)
        return data.decode("utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")


def read_name(name: Any) -> str:
    """A name of PDF without its slash; its bytes need not be UTF-8."""
    try:
        return str(name)[1:]
    except UnicodeDecodeError:
        return name_of(name.unparse())


def name_of(written: bytes) -> str:
    """A name of PDF, as it is written in a file, without its slash and with its codes as letters."""
    data = _CODE.sub(lambda code: bytes.fromhex(code[1].decode()), written)[1:]
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def unpacked(stream: Any) -> bytes:
    """The data of a stream: decoded, a picture in a format of its own up to that."""
    import pikepdf

    try:
        return bytes(stream.read_bytes())
    except pikepdf.PdfError:
        packed = bytes(stream.read_raw_bytes())
    filters, options = stream.get("/Filter"), stream.get("/DecodeParms")
    if not isinstance(filters, pikepdf.Array) or len(filters) < 2:
        return packed
    with pikepdf.new() as scratch:
        copy = scratch.make_stream(b"")
        copy.write(packed, filter=pikepdf.Array([pikepdf.Name(str(each)) for each in list(filters)[:-1]]))
        if isinstance(options, pikepdf.Array):
            copy.DecodeParms = pikepdf.Array([_numbers(each) for each in list(options)[:-1]])
        try:
            return bytes(copy.read_bytes())
        except pikepdf.PdfError:
            return packed


def _numbers(options: Any) -> Any:
    """The numbers of a dictionary, in a new one."""
    from pikepdf import Dictionary

    return None if options is None else Dictionary({key: int(value) for key, value in options.items()})


def containers(item: Any, key: str = "", depth: int = 0) -> Iterator[tuple[Any, str, int]]:
    """An object and the dictionaries and arrays in it, with the key and the depth of each; what it refers to aside.

    Of what is ``DEEPEST`` deep nothing further is given.
    """
    from pikepdf import Array, Dictionary, Stream

    if not isinstance(item, (Dictionary, Stream, Array)):
        return
    yield item, key, depth
    if depth == DEEPEST:
        return
    inner = [(key, each) for each in item] if isinstance(item, Array) else list(item.items())
    for name, each in inner:
        if not getattr(each, "is_indirect", False):
            yield from containers(each, name, depth + 1)


def reached(start: Any, *, through_pages: bool) -> set[tuple[int, int]]:
    """The numbers of the objects that an object refers to, and those refer to, but for what is above it.

    Args:
        start: the object.
        through_pages: whether also by way of other pages, to which links lead.
    """
    from pikepdf import Array, Dictionary, Stream

    found: set[tuple[int, int]] = set()
    pending = [start]
    while pending:
        for own, *_ in containers(pending.pop()):
            inner = own if isinstance(own, Array) else [each for key, each in own.items() if key != "/Parent"]
            for each in inner:
                if not (isinstance(each, (Array, Dictionary, Stream)) and each.is_indirect) or each.objgen in found:
                    continue
                if through_pages or not is_page(each):
                    found.add(each.objgen)
                    pending.append(each)
    return found


def listed(own: Any, key: str) -> list[Any]:
    """The items of the array under a key; none of what a damaged file has there instead."""
    from pikepdf import Array

    found = own.get(key)
    return list(found) if isinstance(found, Array) else []


def is_page(item: Any) -> bool:
    """Whether an object is a page."""
    from pikepdf import Dictionary

    return isinstance(item, Dictionary) and str(item.get("/Type", "")) == "/Page"


def empty(own: Any) -> None:
    """Removes all that a dictionary has."""
    for key in list(own.keys()):
        del own[key]
