"""What a document is made of: sections as a tree, defined terms, cross-references.

Contracts are read by their numbering (``legal.yaml``), notes and papers by the names of their headings
(``clinical.yaml``, ``paper.yaml``). To teach longdoc a heading, add it to the table of its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from longdoc.document import Document
from longdoc.parts import Section
from longdoc.sections.labels import MOST_LABELS, find_labels
from longdoc.sections.named import Heading, named_headings
from longdoc.sections.numbering import Node, clauses
from longdoc.sections.terms import find_definitions, find_references

__all__ = ["add_structure"]


def add_structure(document: Document) -> Document:
    """The document with its sections, defined terms and cross-references.

    Sections that the source itself gives are kept; headings of Word and HTML are joined with the numbering of the text.
    """
    sections, warnings = document.sections, document.warnings
    exact = document.source.loader in ("jats", "ccda", "fhir")
    if not exact or not sections:
        headings, problem = _headings(document)
        sections, warnings = nest(headings, len(document.text)), (*warnings, *problem)
    return replace(
        document,
        sections=sections,
        definitions=find_definitions(document.text, sections),
        references=find_references(document.text, sections),
        warnings=warnings,
    )


def _headings(document: Document) -> tuple[list[Heading], tuple[str, ...]]:
    """The headings of the text by the rules of its kind, and a warning if they are too many to be any.

    A document is a note if it has headings of three kinds of notes or more, a paper if it has those of three kinds of
    papers, each if they outnumber the other's; else, and where clauses outnumber them, its numbering counts.
    """
    text, given = document.text, [_given(section) for section in document.sections]
    labels = find_labels(text)
    if len(labels) > MOST_LABELS:
        problem = f"more than {MOST_LABELS:,} numbers at the start of lines: not read as sections"
        return given, (problem,)
    numbered = [_clause(node) for node in clauses(labels)]
    known = {table: named_headings(text, table) for table in ("clinical", "paper")}
    kinds = {table: len({h.kind for h in found} - {"heading"}) for table, found in known.items()}
    table = max(kinds, key=lambda name: kinds[name])
    few = 3 if table == "paper" or len(text) > 5000 else 1
    if kinds[table] < few or len(numbered) > 10 * kinds[table]:
        return _joined(given, numbered), ()
    titled = [h for h in numbered if h.title and h.number[:1].isdigit() and "(" not in h.number]
    return _joined(given, _joined(known[table], titled if table == "paper" else [])), ()


def _given(section: Section) -> Heading:
    return Heading(section.start, section.level, section.number, section.title, section.kind)


def _clause(node: Node) -> Heading:
    return Heading(node.label.start, node.depth, _number(node), node.label.title, node.label.kind)


def _number(node: Node) -> str:
    """The number as printed, after those of the clauses around it unless it has them already."""
    own, parent = node.label.text, node.parent
    whole = (
        node.label.kind == "article" or node.reading.style in ("section", "attachment") or "path" in node.reading.style
    )
    if whole or parent is None or own.isdigit() or parent.reading.style in ("attachment", "recital"):
        return own
    return _number(parent) + own


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
