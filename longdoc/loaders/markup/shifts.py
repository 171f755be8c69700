"""Raised and lowered elements of a tree: what is inserted around them so that no number changes its value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from longdoc.loaders.raised import Kind, Piece, line_marks

Part = Literal["plain", "raised", "lowered", "note", "out", "end"]
"""What an element is in its line: inline text, ``"out"`` for what is not shown, ``"end"`` for what ends the line."""

_FAR, _MOST = 40, 100  # characters of plain text, and elements, that are looked at
_AFTER = 8  # pieces after a stack that are looked at
DEEPEST = 8
"""Raised and lowered elements within one another that are marked: the text of each is read again for all within it."""


class Shifts:
    """Finds what is inserted around raised and lowered elements, for all elements of a stack at once.

    Args:
        part_of: what an element is in its line.
        text_of: the text in an element.
    """

    def __init__(self, part_of: Callable[[Any], Part], text_of: Callable[[Any], str]) -> None:
        self._part_of, self._text_of = part_of, text_of
        self._found: dict[Any, tuple[str, str]] = {}

    def marks(self, element: Any, before: str) -> tuple[str, str]:
        """What to insert before and after a raised or lowered element.

        Args:
            element: the element; asked in the order of the tree.
            before: the text before it on its line.
        """
        if element not in self._found:
            pieces, written = list(self._pieces(element)), self._written(element, before)
            marks = line_marks([*written, *((kind, text) for _, kind, text in pieces)])
            for (each, kind, text), found in zip(pieces, marks[len(written) :], strict=True):
                if kind == "plain" and text:
                    break  # what follows is looked at again, with all that is before it
                self._found[each] = found
        return self._found.pop(element, ("", ""))

    def _written(self, element: Any, before: str) -> list[Piece]:
        """The pieces of the text before an element: the one before it may be raised or lowered, too."""
        other = element.getprevious()
        part = "end" if other is None else self._part_of(other)
        if part in ("raised", "lowered") and other.tail:
            text, tail = self._shown(other), other.tail
            if text.strip() and before.endswith(text + tail):
                return [("plain", before.removesuffix(text + tail)), (part, text), ("plain", tail)]
        return [("plain", before)]

    def _pieces(self, first: Any) -> Iterator[tuple[Any, Kind, str]]:
        """The pieces of a line from an element on: the element of each, None for plain text, its kind, its text."""
        at, length, after_stack = first, 0, 0
        for _ in range(_MOST):
            part = self._part_of(at)
            if part == "end":
                return
            if part in ("raised", "lowered", "note"):
                yield at, part, _spaced(self._shown(at))
                after_stack += bool(after_stack)
            text = at.text or "" if part == "plain" else ""
            if part == "plain" and len(at):
                at = at[0]
            else:
                at, after = self._next(at)
                text += after
            yield None, "plain", _spaced(text)
            length += len(text)
            after_stack += bool(text or after_stack)
            if at is None or length >= _FAR or after_stack > _AFTER:
                return

    def _shown(self, element: Any) -> str:
        """The text in an element without that of elements in it that are not shown."""
        if not len(element):
            return self._text_of(element)
        if all(self._part_of(inner) != "out" for inner in element.iterdescendants("*")):
            return self._text_of(element)
        found: list[str] = [element.text or ""]
        waiting: list[Any] = list(reversed(element))
        while waiting:
            inner = waiting.pop()
            if isinstance(inner, str):
                found.append(inner)
                continue
            waiting.append(inner.tail or "")
            if isinstance(inner.tag, str) and self._part_of(inner) != "out":
                found.append(inner.text or "")
                waiting += reversed(inner)
        return "".join(found)

    def _next(self, element: Any) -> tuple[Any, str]:
        """The element after one and all that is in it, None at the end of the line, and the text between both."""
        between = ""
        while True:
            between += element.tail or ""
            if (after := element.getnext()) is not None:
                return after, between
            element = element.getparent()
            if element is None or self._part_of(element) != "plain":
                return None, between


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)
