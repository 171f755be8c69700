"""What a document is made of: sections as a tree, defined terms, cross-references.

Contracts are read by their numbering (``legal.yaml``), notes and papers by the names of their headings
(``clinical.yaml``, ``paper.yaml``). To teach longdoc a heading, add it to the table of its kind, or give it to
:func:`add_structure`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from longdoc.document import Document
from longdoc.parts import Section
from longdoc.sections.labels import MOST_LABELS, find_labels
from longdoc.sections.lists import without_lists
from longdoc.sections.named import Heading, named_headings
from longdoc.sections.numbering import Node
from longdoc.sections.terms import find_definitions, find_references

__all__ = ["add_structure"]

_NO_HEADINGS: Mapping[str, str] = MappingProxyType({})


def add_structure(document: Document, *, headings: Mapping[str, str] = _NO_HEADINGS) -> Document:
    """The document with its sections, defined terms and cross-references.

    Sections that the source itself gives are kept; headings of Word and HTML are joined with the numbering of the text.

    Args:
        document: as a loader gives it.
        headings: names of headings of notes and papers beside those of the tables, each with the kind it means, such
            as ``{"tumour board": "plan"}``.
    """
    sections, warnings = document.sections, document.warnings
    exact = document.source.loader in ("jats", "ccda", "fhir")
    if not exact or not sections:
        found, problem = _headings(document, headings)
        sections, warnings = nest(found, len(document.text)), (*warnings, *problem)
    return replace(
        document,
        sections=sections,
        definitions=find_definitions(document.text, sections),
        references=find_references(document.text, sections),
        warnings=warnings,
    )


def _headings(document: Document, further: Mapping[str, str]) -> tuple[list[Heading], tuple[str, ...]]:
    """The headings of the text by the rules of its kind, and a warning if they are too many to be any.

    The names of headings count, those of notes or of papers, whichever has more kinds in the text: three at least, one
    in a note of up to 5,000 characters, and one for every ten clauses. Else the numbering counts.
    """
    text, given = document.text, [_given(section) for section in document.sections]
    labels = find_labels(text)
    if len(labels) > MOST_LABELS:
        problem = f"more than {MOST_LABELS:,} numbers at the start of lines: not read as sections"
        return given, (problem,)
    numbered = _clauses(without_lists(labels, text), given)
    known = {table: named_headings(text, table, further) for table in ("clinical", "paper")}
    kinds = {table: len({h.kind for h in found} - {"heading"}) for table, found in known.items()}
    table = max(kinds, key=lambda name: kinds[name])
    few = 3 if table == "paper" or len(text) > 5000 else 1
    if kinds[table] < few or len(numbered) > 10 * kinds[table]:
        return _joined(given, numbered), ()
    titled = [h for h in numbered if h.title and h.number[:1].isdigit() and "(" not in h.number]
    return _joined(given, _joined(known[table], titled if table == "paper" else [])), ()


def _given(section: Section) -> Heading:
    return Heading(section.start, section.level, section.number, section.title, section.kind)


def _clauses(nodes: Sequence[Node], given: Sequence[Heading]) -> list[Heading]:
    """The clauses as headings; those of a list are one level below the clause or the given heading above the first."""
    starts, levels = [heading.start for heading in given], {0: 0}
    lists: dict[tuple[int, str], int] = {}
    for node in nodes:
        around, place = id(node.parent) if node.parent else 0, (id(node.parent), node.reading.style)
        if place not in lists or node.reading.path[-1] <= 1:
            index = bisect_left(starts, node.label.start) - 1
            inner = index >= 0 and (node.parent is None or starts[index] > node.parent.label.title_end)
            lists[place] = max(levels[around], given[index].level if inner else 0) + 1
        levels[id(node)] = lists[place]
    return [Heading(n.label.start, levels[id(n)], _number(n), n.label.title, n.label.kind) for n in nodes]


def _number(node: Node) -> str:
    """The number as printed, after those of the clauses around it unless it has them already."""
    own, parent = node.label.text, node.parent
    whole = (
        node.label.kind == "article" or node.reading.style in ("section", "attachment") or "path" in node.reading.style
    )
    if whole or parent is None or own.isdigit() or parent.reading.style in ("attachment", "recital"):
        return own
    return _number(parent) + (own if own.startswith("(") else f"({own})")


def _joined(given: Sequence[Heading], numbered: Sequence[Heading]) -> list[Heading]:
    """Both in order; where a heading and a number stand on one line, the number tells its place, the first its kind."""
    found = {heading.start: heading for heading in given}
    for heading in numbered:
        near = next((s for s in range(heading.start, heading.start + len(heading.number) + 12) if s in found), None)
        same = found.pop(near) if near is not None else None
        kind = same.kind if same and same.kind != "heading" else heading.kind
        found[heading.start] = replace(heading, kind=kind, title=heading.title or (same.title if same else ""))
    return [found[start] for start in sorted(found)]


def nest(headings: Sequence[Heading], length: int) -> tuple[Section, ...]:
    """Sections that each go down to the next heading of their level or above."""
    ends, parents = [length] * len(headings), [-1] * len(headings)
    around: list[int] = []
    for index, heading in enumerate(headings):
        while around and headings[around[-1]].level >= heading.level:
            ends[around.pop()] = heading.start
        parents[index] = around[-1] if around else -1
        around.append(index)
    return tuple(
        Section(
            number=h.number,
            title=h.title,
            kind=h.kind,
            level=h.level,
            start=h.start,
            end=end,
            parent=None if parent < 0 else parent,
        )
        for h, end, parent in zip(headings, ends, parents, strict=True)
    )
