"""Formulas in MathML or TeX, as text on one line that keeps their value: ``(b+c)/(4+x)``, ``10^3``."""

from __future__ import annotations

import re

from lxml import etree

from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, tag_of, text_of, words_of

_TEX = re.compile(r"(?P<before>.*\\begin\{document\})(?P<formula>.*)(?P<after>\\end\{document\}.*)", re.DOTALL)
_OPERATORS = {
    **{"msup": ("^",), "msub": ("_",), "msubsup": ("_", "^"), "mfrac": ("/",), "mroot": ("^(1/",)},
    **{"mover": ("^",), "munder": ("_",), "munderover": ("_", "^")},
}
"""MathML element -> what is inserted between its parts."""
_SINGLE_TERM = re.compile(r"[-+\u2212]?(?:\d[\d.,]*%?|[^\W\d_]*)|\([^()]*\)|\[[^\[\]]*\]|\|[^|]*\|")


def needs_brackets(term: str) -> bool:
    """Whether a term must stand in brackets beside ``/`` or ``^``, because it has several parts.

    >>> [needs_brackets(term) for term in ("4+x", "2n", "-1", "alpha", "(b+c)", "(b)(c)")]
    [True, True, False, False, False, True]
    """
    return len(term.strip()) > 1 and not _SINGLE_TERM.fullmatch(term.strip())


def write_tex(builder: Builder, element: Element) -> None:
    """Writes a formula in TeX without the document around it."""
    if document := _TEX.fullmatch(text_of(element)):
        builder.drop(document["before"], "preamble")
        builder.write(document["formula"])
        builder.drop(document["after"], "preamble")
    else:
        builder.write(text_of(element))


def write_math(builder: Builder, element: Element) -> Steps:
    """Writes a formula in MathML; white space between its elements is ignored."""
    tag, parts = tag_of(element), list(element)
    if tag in ("annotation", "annotation-xml"):
        drop_element(builder, element, "alternative")
        return
    if not parts or (element.text or "").strip():
        builder.write(element.text or "")
    if tag in ("mspace", "mtr", "mtd"):
        builder.separate(" ")
    if tag == "msqrt":
        yield _write_root(builder, element)
        return
    between = _OPERATORS.get(tag, ("", ""))
    for position, part in enumerate(parts):
        before = between[position - 1] if 0 < position <= len(between) and text_of(parts[position - 1]) else ""
        if before and text_of(part):
            builder.insert(before, "formula")
        elif position and _ends_in_number(parts[position - 1]) and _starts_with_number(part):
            builder.separate(" ")  # a mixed number, or two numbers
        yield _write_part(builder, part, is_operand=tag in _OPERATORS and not before.endswith("("))
        if before.endswith("(1/") and text_of(part):
            builder.insert(")", "formula")
        if (part.tail or "").strip():
            builder.write(part.tail or "")


def _write_part(builder: Builder, part: Element, *, is_operand: bool) -> Steps:
    """Writes a part of a formula, in brackets if it is an operand of several terms."""
    is_nested = any(tag_of(inner) in (*_OPERATORS, "msqrt") for inner in part.iter(etree.Element))
    bracketed = is_operand and bool(text_of(part)) and (is_nested or needs_brackets(text_of(part)))
    if bracketed:
        builder.insert("(", "formula")
    yield write_math(builder, part)
    if bracketed:
        builder.insert(")", "formula")


def _write_root(builder: Builder, element: Element) -> Steps:
    """Writes a square root, with its content in brackets if that has several terms."""
    is_long = len(element) > 1 or needs_brackets(text_of(element))
    builder.insert("√(" if is_long else "√", "formula")
    for part in element:
        yield write_math(builder, part)
    if is_long:
        builder.insert(")", "formula")


def _ends_in_number(element: Element) -> bool:
    return tag_of(element) == "mn" and text_of(element)[-1:].isdigit()


def _starts_with_number(element: Element) -> bool:
    return tag_of(element) in ("mn", "mfrac") and text_of(element)[:1].isdigit()


def drop_element(builder: Builder, element: Element, kind: str) -> None:
    """Records the text of an element as furniture of this kind."""
    if text_of(element):
        builder.drop(f" {words_of(element)} ", kind)
