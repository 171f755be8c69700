"""Named places that links and bookmarks lead to: their names become numbers, since nobody reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from longdoc.redaction.objects import DEEPEST, containers, listed

_MOST = 1_000_000


class _Numbers:
    """The new names of places, by kind and bytes of their old ones."""

    def __init__(self) -> None:
        self.known: dict[tuple[bool, bytes], int] = {}

    def of(self, name: Any) -> Any:
        """What stands for a string or name; both have places of their own."""
        from pikepdf import Name, String

        is_name = isinstance(name, Name)
        key = is_name, name.unparse() if is_name else bytes(name)
        number = f"{self.known.setdefault(key, len(self.known) + 1):07}"  # in order as texts, too
        return Name(f"/D{number}") if is_name else String(number)


def number(pdf: Any, dropped: Counter[str]) -> None:
    """Gives all named places numbers for names, here and where links, bookmarks and actions lead to them.

    Args:
        pdf: the ``pikepdf.Pdf``.
        dropped: counts the names.
    """
    from pikepdf import Array, Dictionary, Name

    numbers = _Numbers()
    named = pdf.Root.get("/Names")
    tree = named.get("/Dests") if isinstance(named, Dictionary) else None
    listed = pdf.Root.get("/Dests")
    if isinstance(listed, Dictionary):
        pdf.Root.Dests = Dictionary({str(numbers.of(Name(key))): place for key, place in listed.items()})
    if isinstance(tree, Dictionary):
        places = [each for name, place in _leaves(tree) for each in (numbers.of(name), place)]
        named.Dests = Dictionary(Names=Array(places))
    for item in pdf.objects:
        for own, *_ in containers(item):
            if not isinstance(own, Array):
                _lead(own, numbers)
    if numbers.known:
        dropped["names of places that links lead to"] += len(numbers.known)


def _leaves(tree: Any) -> Iterator[tuple[Any, Any]]:
    """The strings of a tree of names, each once, with their places."""
    from pikepdf import Array, Dictionary, String

    pending = [(tree, 0)]
    seen: set[bytes] = set()
    while pending and len(seen) < _MOST:
        node, depth = pending.pop(0)
        own = listed(node, "/Names")
        for name, place in zip(own[::2], own[1::2], strict=False):
            if isinstance(name, String) and bytes(name) not in seen:
                seen.add(bytes(name))
                yield name, place
        kids = node.get("/Kids", ())
        if isinstance(kids, Array) and depth < DEEPEST:
            pending += [(kid, depth + 1) for kid in kids if isinstance(kid, Dictionary)]


def _lead(own: Any, numbers: _Numbers) -> None:
    """Renames the place that a link, a bookmark or an action leads to."""
    from pikepdf import Name, String

    key = "/D" if str(own.get("/S", "")) == "/GoTo" else "/Dest"
    if isinstance(own.get(key), (Name, String)):
        own[key] = numbers.of(own[key])
