"""Headings and the tree of sections they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.parts import Section


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a section, before it is known where the section ends."""

    start: int
    """Offset in the text."""
    level: int
    """From 1, the outermost."""
    number: str
    title: str
    kind: str


def nest(headings: Sequence[Heading], length: int) -> tuple[Section, ...]:
    """One section per heading; it ends at the next heading of its level or above.

    Args:
        headings: N headings in the order of the text.
        length: length of the text, in characters.

    Returns:
        N sections in the same order, each with the index of its parent.
    """
    ends: list[int] = [length] * len(headings)
    parents: list[int | None] = []
    open_sections: list[int] = []
    for index, heading in enumerate(headings):
        while open_sections and headings[open_sections[-1]].level >= heading.level:
            ends[open_sections.pop()] = heading.start
        parents.append(open_sections[-1] if open_sections else None)
        open_sections.append(index)
    return tuple(
        Section(
            number=heading.number,
            title=heading.title,
            kind=heading.kind,
            level=heading.level,
            start=heading.start,
            end=end,
            parent=parent,
        )
        for heading, end, parent in zip(headings, ends, parents, strict=True)
    )
