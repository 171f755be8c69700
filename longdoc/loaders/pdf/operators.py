"""The operators in the contents of a PDF, told from its comments, strings and pictures as pdfium does."""

from __future__ import annotations

import re
from collections import Counter

from longdoc.loaders.pdf.syntax import unescaped

WHITE = rb"\x00\t\n\f\r \x80\xff"  # what separates tokens for pdfium, which is not what the standard says
PLAIN = rb"[^" + WHITE + rb"/\[\]()<>{}%]"
_STARTS, _ENDS = rb"(?<!" + PLAIN + rb")", rb"(?!" + PLAIN + rb")"  # of an operator
_OPERATORS = {kind: re.compile(kind) for kind in (b"Do", b"gs", b"scn", b"SCN", b"Tf")}
_NAMED = re.compile(rb"(/" + PLAIN + rb"*)(?:[" + WHITE + rb"]*[-+.\d]+)?[" + WHITE + rb"]*\Z")
_LONGEST_NAME = 300  # bytes, with a number and the white space before the operator
_REGULAR = re.compile(PLAIN)
DRAWS = re.compile(_STARTS + rb"(?:Tj|TJ|'|\"|[SsFn]|f\*?|[Bb]\*?|Do|sh|EI)" + _ENDS)
_COMMENT = re.compile(rb"%[^\r\n]*")
_NO_OPERATORS = re.compile(rb"%[^\r\n]*|<<|<[^>]*|\(|" + _STARTS + rb"BI" + _ENDS)
_IN_STRING = re.compile(rb"\\.|[()]", re.DOTALL)
_NESTS = re.compile(_STARTS + rb"(?:(BMC|BDC|q)|(EMC|Q))" + _ENDS)
_LEAVES = {b"%": b" ", b"(": b"()", b"<": b"<"}
"""How what is left out begins -> what is left of it, so that no name before it seems to belong to what follows."""
_HIDING = 32  # times the depth allowed: what a content with pictures, whose data can hide ends, may open

UNNAMED = b""
"""Stands for the names of operators before which there is no plain name."""


def without_text(content: bytes) -> tuple[bytes, int, bool]:
    """A content without its comments and strings, up to the first picture in it, whose data can be anything.

    Returns:
        The rest, the most characters that the content can show, and whether it has a picture.
    """
    parts: list[bytes] = []
    at = characters = 0
    while found := _NO_OPERATORS.search(content, at):
        start, end = found.span()
        if found[0] == b"BI":
            return b"".join([*parts, content[at:]]), characters + len(content) - start, True
        kind = found[0][:1]
        if kind == b"(":
            end = _string_end(content, start)
            characters += end - start
        elif kind == b"<":
            characters += (end - start) // 2
        parts += [content[at:start], _LEAVES[kind]]
        at = end
    return b"".join([*parts, content[at:]]), characters, False


def _string_end(content: bytes, start: int) -> int:
    """Where the string ends that begins at a place."""
    depth = 0
    for found in _IN_STRING.finditer(content, start):
        depth += (found[0] == b"(") - (found[0] == b")")
        if depth == 0:
            return found.end()
    return len(content)


def uses_of(content: bytes, kind: bytes) -> Counter[bytes]:
    """How often a content uses each name with an operator; under ``UNNAMED``, with what is no plain name."""
    uses = Counter[bytes]()
    content = _COMMENT.sub(lambda comment: comment[0].replace(b"/", b"%"), content)  # which pdfium may read over
    for operator in [b"scn", b"SCN"] if kind == b"scn" else [kind]:
        for found in _OPERATORS[operator].finditer(content):
            at, end = found.span()
            if _REGULAR.match(content, end):
                continue
            if before := _NAMED.search(content, max(at - _LONGEST_NAME, 0), at):
                uses[unescaped(before[1])] += 1
            elif not at or not _REGULAR.match(content, at - 1):
                uses[UNNAMED] += 1
    return uses


def nesting(content: bytes, most: int) -> int:
    """How deep the saved states and marks of a content nest; 0 if there are too few for more than ``most``."""
    if content.count(b"q") + content.count(b"BMC") + content.count(b"BDC") <= most:
        return 0
    operators, _, has_picture = without_text(content)
    depth = deepest = opened = 0
    for found in _NESTS.finditer(operators):
        opened += bool(found[1])
        depth = depth + 1 if found[1] else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return max(deepest, opened // _HIDING) if has_picture else deepest
