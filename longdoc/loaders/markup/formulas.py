"""Formulas in MathML or TeX, as text on one line that keeps their value: ``(b+c)/(4+x)``, ``10^3``."""

from __future__ import annotations

import re

from longdoc.loaders.markup.builder import Builder
from longdoc.loaders.markup.writer import Steps
from longdoc.loaders.markup.xml import Element, tag_of, text_of, words_of

_TEX = re.compile(r"(?P<before>.*\\begin\{document\})(?P<formula>.*)(?P<after>\\end\{document\}.*)", re.DOTALL)
_OPERATORS = {
    **{"msup": "^", "msub": "_", "msubsup": "_^", "mfrac": "/", "mroot": "√", "msqrt": "√"},
    **{"mover": "^", "munder": "_", "munderover": "_^"},
}
"""MathML element -> what is inserted between its parts, or before them for a root."""
_SINGLE_TERM = re.compile(r"[-+\u2212]?(?:\d[\d.,]*%?|[^\W\d_]*)|\([^()]*\)|\[[^\[\]]*\]|\|[^|]*\||\S")


def needs_brackets(term: str) -> bool:
    """Whether a term must stand in brackets beside ``/`` or ``^``, because it has several parts.

    >>> [needs_brackets(term) for term in ("4+x", "2n", "-1", "alpha", "(b+c)", "(b)(c)")]
    [True, True, False, False, False, True]
    """
    return not _SINGLE_TERM.fullmatch(term.strip())


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
    operators = _OPERATORS.get(tag, "")
    if operators == "√":  # an n-th root has its index after the radicand
        builder.insert("√", "formula")
    for position, part in enumerate(parts):
        bracketed = bool(operators) and needs_brackets(text_of(part))
        if operators != "√" and text_of(part) and 0 < position <= len(operators) and text_of(parts[position - 1]):
            builder.insert(operators[position - 1], "formula")
        if bracketed:
            builder.insert("(", "formula")
        yield write_math(builder, part)
        if bracketed:
            builder.insert(")", "formula")
        if (part.tail or "").strip():
            builder.write(part.tail or "")


def drop_element(builder: Builder, element: Element, kind: str) -> None:
    """Records the text of an element as furniture of this kind."""
    if text_of(element):
        builder.drop(f" {words_of(element)} ", kind)
