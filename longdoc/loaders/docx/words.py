"""The words of a part that is not written paragraph by paragraph: a header, a comment, the value of a form field."""

from __future__ import annotations

from longdoc.loaders.docx.elements import characters, chosen, raising_of
from longdoc.loaders.docx.equations import linear, pieces_of
from longdoc.loaders.markup.xml import Element, attribute, tag_of
from longdoc.loaders.raised import Kind, Piece, line_marks

_KINDS: dict[str, Kind] = {"superscript": "raised", "subscript": "lowered"}
_PLAIN: Kind = "plain"
_SPACES = frozenset("p br cr tc".split())
_LEFT_OUT = frozenset("del movefrom ppr rpr sdtpr rt omath".split())


def words(root: Element) -> str:
    """The text of a part, with white space collapsed: of alternatives, one; of fields, the result."""
    pieces: list[Piece] = []
    stack: list[Element | None] = [root]  # None where a run ends
    fields, kind = _Fields(root), _PLAIN
    while stack:
        element = stack.pop()
        if element is None:
            kind = _PLAIN
            continue
        tag = tag_of(element)
        if tag == "fldchar":
            fields.step(attribute(element, "fldCharType"))
        if not fields.in_code:
            pieces.append((kind, _own_text(element, tag)))
        if tag == "r" and kind == _PLAIN and raising_of(element) in _KINDS:
            kind = _KINDS[raising_of(element)]
            stack.append(None)
        if tag == "alternatecontent":
            one = chosen(element)
            stack += [] if one is None else [one]
        elif tag not in _LEFT_OUT:
            stack += reversed(element)
    marked = (f"{left}{text}{right}" for (left, right), (_, text) in zip(line_marks(pieces), pieces, strict=True))
    return " ".join("".join(marked).split())


def _own_text(element: Element, tag: str) -> str:
    """The text of an element without that of the elements in it, except in an equation."""
    if tag in _SPACES:
        return " "
    if tag == "textpath":
        return f" {attribute(element, 'string')} "
    return linear(pieces_of(element)) if tag == "omath" else characters(element)


class _Fields:
    """Whether a place is in the code of a field; fields that are not closed are ignored."""

    def __init__(self, root: Element) -> None:
        kinds = [attribute(element, "fldCharType") for element in root.iter("{*}fldChar")]
        self._is_used = kinds.count("begin") == kinds.count("end")
        self._in_code: list[bool] = []  # of the open fields
        self._n_in_code = 0

    def step(self, kind: str) -> None:
        if kind == "begin":
            self._in_code.append(True)
            self._n_in_code += 1
        elif self._in_code and kind in ("separate", "end"):
            self._n_in_code -= self._in_code.pop()
            if kind == "separate":
                self._in_code.append(False)

    @property
    def in_code(self) -> bool:
        return self._is_used and self._n_in_code > 0
