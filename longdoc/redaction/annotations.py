"""Annotations: comments, links and the places of form fields, without what is redacted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from longdoc.pdf_files import Bounds
from longdoc.redaction.fields import clear_field, inherited, says
from longdoc.redaction.matrices import overlap
from longdoc.redaction.names import Search
from longdoc.redaction.objects import empty, listed

_WITH_FILES = ("/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D")
_HIDDEN = 2
"""The flag of an annotation that is not shown."""
_TOUCHES = 1.0  # points: boxes of neighbours may overlap by this much


def clear_annotations(page: Any, regions: Sequence[Bounds], search: Search, dropped: Counter[str]) -> None:
    """Removes annotations over redacted places or with redacted names; of form fields the values, links only unnamed.

    Args:
        page: a ``pikepdf.Page``.
        regions: in the coordinates of the content.
        search: finds what is redacted.
        dropped: counts what is removed.
    """
    from pikepdf import Array, Dictionary

    kept, gone = [], []
    for annotation in listed(page.obj, "/Annots"):
        if not isinstance(annotation, Dictionary):
            continue
        kind = str(annotation.get("/Subtype", ""))
        bounds = _bounds(annotation)
        under = bounds is None or any(overlap(bounds, region, -_TOUCHES) for region in regions)
        is_hidden = bool(int(annotation.get("/F", 0)) & _HIDDEN)
        _keep_normal_look(annotation, without=is_hidden or kind == "/Popup")
        named = says(annotation, search)
        if kind in _WITH_FILES:
            dropped["attached files"] += 1
            gone.append(annotation)
        elif kind == "/Widget":
            if under or named or str(inherited(annotation, "/FT")) == "/Sig":
                dropped["values of form fields"] += clear_field(annotation)
            kept.append(annotation)
        elif named or is_hidden or (under and kind != "/Link"):
            dropped["comments and links"] += 1
            gone.append(annotation)
        else:
            if under and "/AP" in annotation:
                del annotation["/AP"]
            kept.append(annotation)
    if "/Annots" in page.obj:
        page.obj.Annots = Array(kept)
    for annotation in gone:
        empty(annotation)  # others may refer to it


def _keep_normal_look(annotation: Any, *, without: bool) -> None:
    """Removes how an annotation looks under the mouse or when pressed; ``without``, also how it looks otherwise."""
    from pikepdf import Dictionary

    look = annotation.get("/AP")
    if isinstance(look, Dictionary) and not without:
        annotation.AP = Dictionary({"/N": look.N} if "/N" in look else {})
    elif look is not None:
        del annotation["/AP"]


def _bounds(annotation: Any) -> Bounds | None:
    """Where an annotation is, in the coordinates of the content; None if it does not say so in numbers."""
    try:
        left, bottom, right, top = map(float, annotation.get("/Rect", (0, 0, 0, 0)))
    except (TypeError, ValueError):
        return None
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)
