"""The structure of a document: a tree of sections, defined terms and cross-references.

Contracts are structured by the numbers of their clauses (``legal.yaml``), notes and papers by the names of their
headings (``clinical.yaml``, ``paper.yaml``). For longdoc to recognise another heading, add it to the table of its kind
of document, or pass it to :func:`add_structure`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from longdoc.document import Document
from longdoc.parts import Section
from longdoc.sections.labels import MAX_LABELS, find_labels
from longdoc.sections.lists import without_lists
from longdoc.sections.named import named_headings
from longdoc.sections.numbering import Node
from longdoc.sections.terms import find_definitions, find_references, sentence_end
from longdoc.sections.tree import Heading, nest

__all__ = ["Heading", "add_structure", "nest", "sentence_end"]

_NO_HEADINGS: Mapping[str, str] = MappingProxyType({})


def add_structure(document: Document, *, headings: Mapping[str, str] = _NO_HEADINGS) -> Document:
    """Adds sections, defined terms and cross-references to a document.

    The sections of JATS, C-CDA and FHIR documents are kept as they are; headings of Word and HTML documents are merged
    with the numbering of the text.

    Args:
        document: a document as a loader returns it.
        headings: headings of notes and papers in addition to those of the tables, each with its kind of section, such
            as ``{"tumour board": "plan"}``.
    """
    sections, warnings = document.sections, document.warnings
    is_exact = document.source.loader in ("jats", "ccda", "fhir")
    if not is_exact or not sections:
        found, problems = _headings(document, headings)
        sections, warnings = nest(found, len(document.text)), (*warnings, *problems)
    return replace(
        document,
        sections=sections,
        definitions=find_definitions(document.text, sections),
        references=find_references(document.text, sections),
        warnings=warnings,
    )


def _headings(document: Document, extra: Mapping[str, str]) -> tuple[list[Heading], tuple[str, ...]]:
    """The headings of a document, and a warning if it has too many numbers to be structured by them.

    Headings are taken from the table of notes or of papers, whichever has more kinds in the text, if there are at least
    three kinds (one is enough in a note of up to 5,000 characters), and one for every ten clauses; otherwise from the
    numbering.
    """
    text, given = document.text, [_heading_of(section) for section in document.sections]
    labels = find_labels(text)
    if len(labels) > MAX_LABELS:
        problem = f"more than {MAX_LABELS:,} numbers at the start of lines: not read as sections"
        return given, (problem,)
    numbered = _clause_headings(without_lists(labels, text), given)
    named = {table: named_headings(text, table, extra) for table in ("clinical", "paper")}
    kinds = {table: len({h.kind for h in found} - {"heading"}) for table, found in named.items()}
    table = max(kinds, key=lambda name: kinds[name])
    required = 3 if table == "paper" or len(text) > 5000 else 1
    if kinds[table] < required or len(numbered) > 10 * kinds[table]:
        return _merged(given, numbered), ()
    titled = [h for h in numbered if h.title and h.number[:1].isdigit() and "(" not in h.number]
    return _merged(given, _merged(named[table], titled if table == "paper" else [])), ()


def _heading_of(section: Section) -> Heading:
    return Heading(section.start, section.level, section.number, section.title, section.kind)


def _clause_headings(nodes: Sequence[Node], given: Sequence[Heading]) -> list[Heading]:
    """Clauses as headings; a list is one level below the clause, or the given heading, that precedes its first item."""
    starts, levels = [heading.start for heading in given], {0: 0}
    list_levels: dict[tuple[int, str], int] = {}
    for node in nodes:
        parent, key = id(node.parent) if node.parent else 0, (id(node.parent), node.reading.style)
        if key not in list_levels or node.reading.path[-1] <= 1:
            index = bisect_left(starts, node.label.start) - 1
            inner = index >= 0 and (node.parent is None or starts[index] > node.parent.label.title_end)
            list_levels[key] = max(levels[parent], given[index].level if inner else 0) + 1
        levels[id(node)] = list_levels[key]
    return [Heading(n.label.start, levels[id(n)], _number(n), n.label.title, n.label.kind) for n in nodes]


def _number(node: Node) -> str:
    """The number as printed, prefixed with the numbers of the enclosing clauses unless it contains them."""
    own, parent, style = node.label.text, node.parent, node.reading.style
    is_complete = node.label.kind == "article" or style in ("section", "attachment") or "path" in style
    if is_complete or parent is None or own.isdigit() or parent.reading.style in ("attachment", "recital"):
        return own
    return _number(parent) + (own if own.startswith("(") else f"({own})")


def _merged(given: Sequence[Heading], numbered: Sequence[Heading]) -> list[Heading]:
    """Both lists in order; of two headings on one line, the number sets the position and the given one the kind."""
    found = {heading.start: heading for heading in given}
    for heading in numbered:
        near = next((s for s in range(heading.start, heading.start + len(heading.number) + 12) if s in found), None)
        same = found.pop(near) if near is not None else None
        kind = same.kind if same and same.kind != "heading" else heading.kind
        found[heading.start] = replace(heading, kind=kind, title=heading.title or (same.title if same else ""))
    return [found[start] for start in sorted(found)]
