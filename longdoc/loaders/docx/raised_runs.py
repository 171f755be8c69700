"""Raised and lowered runs of a Word document: what is inserted around them so that no number changes its value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from longdoc.loaders.docx.elements import raising_of, visible_text
from longdoc.loaders.docx.numbering import value_of
from longdoc.loaders.docx.package import Styles, child, size_of
from longdoc.loaders.markup.xml import Element, attribute, children, tag_of
from longdoc.loaders.raised import Kind, exponent_length, line_marks

_DEFAULT_SIZE = 20  # half points, if neither the document nor the style says
_SMALL = 0.8  # of the size around it: the sizes that people give to exponents
_LONGEST_EXPONENT = 8  # characters
_TO_A_NOTE = re.compile("_(ftn|edn)")
_KINDS: dict[str, Kind] = {"superscript": "raised", "subscript": "lowered"}
_GONE = frozenset(("del", "movefrom"))


@dataclass(slots=True)
class _Stretch:
    """Neighbouring runs that are raised or lowered alike."""

    kind: Kind
    link: str
    """The bookmark to which a mark of a note links."""
    runs: list[Element]
    texts: list[str]
    length: int
    """The number of characters of its texts."""


class RaisedRuns:
    """Finds raised and lowered runs by their properties, their styles, or their position and size."""

    def __init__(self, styles: Styles, root_elements: list[Element]) -> None:
        """Prepares for a document.

        Args:
            styles: the styles of the document.
            root_elements: the roots of its parts with text.
        """
        self.styles = styles
        self._raising_styles = styles.raising()
        used = any(next(root.iter("{*}vertAlign", "{*}position"), None) is not None for root in root_elements)
        self._is_needed = used or bool(self._raising_styles)

    def marks(self, paragraph: Element) -> dict[Element, tuple[str, str]]:
        """The raised and lowered runs of a paragraph -> what to insert before and after each."""
        if not self._is_needed or not self._has_any(paragraph):
            return {}
        stretches = self._stretches(paragraph)
        found = {}
        marks = line_marks([(stretch.kind, "".join(stretch.texts)) for stretch in stretches])
        for stretch, (opening, closing) in zip(stretches, marks, strict=True):
            if len(stretch.runs) == 1:
                found[stretch.runs[0]] = opening, closing
            else:
                found[stretch.runs[0]], found[stretch.runs[-1]] = (opening, ""), ("", closing)
        return {run: marks for run, marks in found.items() if any(marks)}

    def _has_any(self, paragraph: Element) -> bool:
        if next(paragraph.iter("{*}vertAlign", "{*}position"), None) is not None:
            return True
        named = (attribute(style, "val") for style in paragraph.iter("{*}rStyle", "{*}pStyle"))
        return bool(self._raising_styles) and not self._raising_styles.isdisjoint(named)

    def _stretches(self, paragraph: Element) -> list[_Stretch]:
        """The text of a paragraph without deleted and hidden runs and text boxes, cut where raising changes."""
        style = self.styles.get(self.styles.id_of(child(paragraph, "ppr")))
        found: list[_Stretch] = []
        size = style.size or _DEFAULT_SIZE
        for run, link in _runs(paragraph):
            text = visible_text(run)
            if not text:
                continue
            raising = self._raising(run, size) or style.raising
            size = size if raising in _KINDS else size_of(child(run, "rpr")) or style.size or _DEFAULT_SIZE
            own_mark = any(
                attribute(reference, "customMarkFollows") in ("1", "true", "on")
                for reference in children(run, "footnotereference", "endnotereference")
            )
            is_note = own_mark or bool(_TO_A_NOTE.match(link))
            kind: Kind = _KINDS.get(raising, "plain")
            kind = "note" if kind == "raised" and is_note else kind
            target = link if kind == "note" else ""
            is_same = bool(found) and (found[-1].kind, found[-1].link) == (kind, target) and not own_mark
            if is_same and not (kind == "raised" and _is_next_mark(found, text)):
                found[-1].runs.append(run)
                found[-1].texts.append(text)
                found[-1].length += len(text)
            else:
                found.append(_Stretch(kind, target, [run], [text], len(text)))
        return found

    def _raising(self, run: Element, size: int) -> str:
        """How a run is raised; a run that is shifted and smaller than the text around it counts."""
        properties = child(run, "rpr")
        named = raising_of(run) or self.styles.get(value_of(properties, "rstyle")).raising
        shift = value_of(properties, "position")
        if named or not re.fullmatch("-?[0-9]{1,4}", shift) or not 0 < size_of(properties) <= _SMALL * size:
            return named
        return "superscript" if int(shift) > 0 else "subscript" if int(shift) < 0 else ""


def _is_next_mark(found: list[_Stretch], text: str) -> bool:
    """Whether raised text is the mark of a note after an exponent, which is the last stretch."""
    if len(found) < 2 or found[-1].length >= _LONGEST_EXPONENT:
        return False
    exponent = "".join(found[-1].texts)
    return exponent_length("".join(found[-2].texts), exponent + text) == len(exponent)


def _runs(paragraph: Element) -> list[tuple[Element, str]]:
    """The runs of a paragraph itself that are not deleted, each with the bookmark to which it links."""
    found, stack = [], [(inner, "") for inner in reversed(paragraph)]
    while stack:
        element, link = stack.pop()
        tag = tag_of(element)
        if tag == "r":
            found.append((element, link))
        elif tag not in _GONE:
            link = attribute(element, "anchor") if tag == "hyperlink" else link
            stack += [(inner, link) for inner in reversed(element)]
    return found
