"""What a PDF has besides the content of its pages: outline, links, form fields, comments."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from itertools import islice
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from longdoc.document import Annotation, Box, FormField, OutlineItem
from longdoc.loaders.layout.glyphs import LINE, SPACE, Glyphs
from longdoc.loaders.layout.page import Interactive, PageLink
from longdoc.loaders.pdf.anchors import anchors
from longdoc.loaders.pdf.glyphs import displayed
from longdoc.loaders.pdf.strings import Strings

_MOST_ITEMS = 100_000  # of an outline, or of the annotations of a page: only hostile files have more
_FIELD_KINDS = {
    pdfium_c.FPDF_FORMFIELD_PUSHBUTTON: "button",
    pdfium_c.FPDF_FORMFIELD_CHECKBOX: "checkbox",
    pdfium_c.FPDF_FORMFIELD_RADIOBUTTON: "radio",
    pdfium_c.FPDF_FORMFIELD_COMBOBOX: "choice",
    pdfium_c.FPDF_FORMFIELD_LISTBOX: "choice",
    pdfium_c.FPDF_FORMFIELD_TEXTFIELD: "text",
    pdfium_c.FPDF_FORMFIELD_SIGNATURE: "signature",
}
_COMMENT_KINDS = {
    pdfium_c.FPDF_ANNOT_TEXT: "note",
    pdfium_c.FPDF_ANNOT_FREETEXT: "free text",
    pdfium_c.FPDF_ANNOT_HIGHLIGHT: "highlight",
    pdfium_c.FPDF_ANNOT_UNDERLINE: "underline",
    pdfium_c.FPDF_ANNOT_SQUIGGLY: "underline",
    pdfium_c.FPDF_ANNOT_STRIKEOUT: "strikeout",
    pdfium_c.FPDF_ANNOT_STAMP: "stamp",
    pdfium_c.FPDF_ANNOT_CARET: "insertion",
    pdfium_c.FPDF_ANNOT_SQUARE: "shape",
    pdfium_c.FPDF_ANNOT_CIRCLE: "shape",
    pdfium_c.FPDF_ANNOT_LINE: "shape",
    pdfium_c.FPDF_ANNOT_POLYGON: "shape",
    pdfium_c.FPDF_ANNOT_POLYLINE: "shape",
    pdfium_c.FPDF_ANNOT_INK: "drawing",
    pdfium_c.FPDF_ANNOT_FILEATTACHMENT: "file",
    pdfium_c.FPDF_ANNOT_REDACT: "redaction",
}
_NO_COMMENTS = (pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_WIDGET, pdfium_c.FPDF_ANNOT_XFAWIDGET)
_DRAWS_TEXT = (
    pdfium_c.FPDF_ANNOT_WIDGET,
    pdfium_c.FPDF_ANNOT_FREETEXT,
    pdfium_c.FPDF_ANNOT_STAMP,
    pdfium_c.FPDF_ANNOT_WATERMARK,
)
_BUTTONS = ("checkbox", "radio")
_MARKUP = re.compile(r"<[^>]*>")


def read_outline(pdf: pdfium.PdfDocument, strings: Strings) -> tuple[OutlineItem, ...]:
    """Reads the bookmarks of a document, in order.

    Raises:
        LimitExceededError: their titles are longer than the limits allow.
    """
    items = []
    for bookmark in islice(pdf.get_toc(), _MOST_ITEMS):
        destination = bookmark.get_dest()
        index = destination.get_index() if destination else None
        page = None if index is None else index + 1
        title = strings.text(pdfium_c.FPDFBookmark_GetTitle, bookmark)
        items.append(OutlineItem(title=" ".join(title.split()), level=bookmark.level + 1, page=page))
    return tuple(items)


def read_interactive(pdf: pdfium.PdfDocument, page: pdfium.PdfPage, number: int, strings: Strings) -> Interactive:
    """Reads the links, form fields and comments of a page.

    Raises:
        LimitExceededError: their texts are longer than the limits allow.
    """
    count = min(pdfium_c.FPDFPage_GetAnnotCount(page), _MOST_ITEMS)
    if not count:
        return Interactive()
    fields: list[FormField] = []
    annotations: list[Annotation] = []
    files: list[str] = []
    said: set[str] = set()
    draws_text, buttons = False, []
    for index in range(count):
        with _annotation(page, index) as annotation:
            kind = pdfium_c.FPDFAnnot_GetSubtype(annotation) if annotation else None
            draws_text |= kind in _DRAWS_TEXT
            if kind == pdfium_c.FPDF_ANNOT_FILEATTACHMENT:
                files.append(_file_name(annotation, strings))
            if kind == pdfium_c.FPDF_ANNOT_WIDGET and _is_password(pdf.formenv, annotation):
                _hide(annotation)
            if kind == pdfium_c.FPDF_ANNOT_WIDGET and pdf.formenv:
                fields.append(_field(pdf.formenv, annotation, strings, number, _box(page, annotation, number)))
                if fields[-1].kind in _BUTTONS and _hide(annotation):
                    buttons.append(fields[-1])
            elif kind is not None and kind not in _NO_COMMENTS and (text := _comment(annotation, strings)):
                if kind == pdfium_c.FPDF_ANNOT_POPUP and text in said:
                    continue  # the window of a comment, which repeats it
                said.add(text)
                box = _box(page, annotation, number)
                author, name = strings.value(annotation, b"T"), _COMMENT_KINDS.get(kind, "comment")
                annotations.append(Annotation(kind=name, text=text, page=number, author=author, box=box))
    return Interactive(
        links=tuple(_links(pdf, page, number, strings)),
        fields=tuple(fields),
        annotations=tuple(annotations),
        files=tuple(files),
        draws_text=draws_text,
        buttons=tuple(buttons),
    )


def draw_annotations(pdf: pdfium.PdfDocument, page: pdfium.PdfPage, index: int) -> pdfium.PdfPage:
    """Adds the text of fields and annotations to the content of a page, where pdfium reads it; closes ``page``."""
    pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
    page.close()
    return pdf[index]


@contextmanager
def _annotation(page: pdfium.PdfPage, index: int) -> Iterator[Any]:
    """The handle of an annotation; None if it is broken."""
    handle = pdfium_c.FPDFPage_GetAnnot(page, index)
    try:
        yield handle or None
    finally:
        if handle:
            pdfium_c.FPDFPage_CloseAnnot(handle)


def _file_name(annotation: Any, strings: Strings) -> str:
    """The name of the file that an annotation attaches; empty if it has none."""
    attachment = pdfium_c.FPDFAnnot_GetFileAttachment(annotation)
    return strings.text(pdfium_c.FPDFAttachment_GetName, attachment) if attachment else ""


def _comment(annotation: Any, strings: Strings) -> str:
    """The text of a comment; that with markup if it has no other."""
    plain = strings.value(annotation, b"Contents").strip()
    return plain or " ".join(unescape(_MARKUP.sub(" ", strings.value(annotation, b"RC"))).split())


def _field(form: Any, annotation: Any, strings: Strings, number: int, box: Box | None) -> FormField:
    kind = _FIELD_KINDS.get(pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation), "text")
    if kind in _BUTTONS:
        value = _choice(form, annotation, strings, kind) if pdfium_c.FPDFAnnot_IsChecked(form, annotation) else "off"
    elif _is_password(form, annotation):
        value = ""
    else:
        value = strings.text(pdfium_c.FPDFAnnot_GetFormFieldValue, form, annotation)
    name = strings.text(pdfium_c.FPDFAnnot_GetFormFieldName, form, annotation)
    return FormField(name=name, kind=kind, value=value, page=number, box=box)


def _choice(form: Any, annotation: Any, strings: Strings, kind: str) -> str:
    """The value of a marked button: what it stands for among those of its field, or "on" if it is the only one."""
    alone = kind == "checkbox" and pdfium_c.FPDFAnnot_GetFormControlCount(form, annotation) < 2
    return "on" if alone else strings.text(pdfium_c.FPDFAnnot_GetFormFieldExportValue, form, annotation) or "on"


def _is_password(form: Any, annotation: Any) -> bool:
    """Whether a widget is a text field whose value is kept from view."""
    own = ctypes.c_float(0)
    pdfium_c.FPDFAnnot_GetNumberValue(annotation, b"Ff", ctypes.byref(own))
    flags = int(own.value) | (pdfium_c.FPDFAnnot_GetFormFieldFlags(form, annotation) if form else 0)
    if not flags & pdfium_c.FPDF_FORMFLAG_TEXT_PASSWORD:
        return False
    return not form or pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation) == pdfium_c.FPDF_FORMFIELD_TEXTFIELD


def _hide(annotation: Any) -> bool:
    """Keeps an annotation from being drawn; False if it is not drawn anyway."""
    flags = pdfium_c.FPDFAnnot_GetFlags(annotation)
    pdfium_c.FPDFAnnot_SetFlags(annotation, flags | pdfium_c.FPDF_ANNOT_FLAG_HIDDEN)
    return not flags & (pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW)


def _links(pdf: pdfium.PdfDocument, page: pdfium.PdfPage, number: int, strings: Strings) -> Iterator[PageLink]:
    position, link = ctypes.c_int(0), pdfium_c.FPDF_LINK()
    for _ in range(_MOST_ITEMS):
        if not pdfium_c.FPDFLink_Enumerate(page, ctypes.byref(position), ctypes.byref(link)):
            return
        rectangle = pdfium_c.FS_RECTF()
        if not pdfium_c.FPDFLink_GetAnnotRect(link, ctypes.byref(rectangle)):
            continue
        action = pdfium_c.FPDFLink_GetAction(link)
        destination = pdfium_c.FPDFLink_GetDest(pdf, link)
        uri = strings.raw(pdfium_c.FPDFAction_GetURIPath, pdf, action).rstrip(b"\0").decode("utf-8", "replace")
        target = pdfium_c.FPDFDest_GetDestPageIndex(pdf, destination) + 1 if destination else 0
        if uri or target > 0:
            yield PageLink(_displayed_box(page, rectangle, number), uri, None if uri else target)


def _box(page: pdfium.PdfPage, annotation: Any, number: int) -> Box | None:
    rectangle = pdfium_c.FS_RECTF()
    found = pdfium_c.FPDFAnnot_GetRect(annotation, ctypes.byref(rectangle))
    return _displayed_box(page, rectangle, number) if found else None


def _displayed_box(page: pdfium.PdfPage, rectangle: pdfium_c.FS_RECTF, number: int) -> Box:
    sides = [[rectangle.left, rectangle.top, rectangle.right, rectangle.bottom]]
    return Box(number, *displayed(page, np.array(sides, np.float32))[0].tolist())


def place_drawn(glyphs: Glyphs, own: int) -> Glyphs:
    """Moves the text of fields and annotations from the end to where it is on the page.

    Args:
        glyphs: the glyphs of the page, its own first.
        own: how many of them are the page's own.

    Returns:
        The same glyphs, each run of drawn ones after its left neighbour, or else after the line above.
    """
    boxes, n = glyphs.boxes, len(glyphs.codes)
    if own in (0, n):
        return glyphs
    moved = np.abs(np.diff(boxes[own:, 3])) > 0.5 * (boxes[own:-1, 3] - boxes[own:-1, 1])
    spaced = np.diff(boxes[own:, 0]) > 3 * (boxes[own:-1, 3] - boxes[own:-1, 1])
    starts = own + np.flatnonzero(np.append(True, moved | spaced | (glyphs.breaks[own + 1 :] == LINE)))
    rank, breaks = np.arange(n, dtype=np.float64), glyphs.breaks.copy()
    places, breaks[starts] = anchors(boxes[:own], boxes[starts])
    rank[own:] = np.repeat(places + 0.5, np.diff(np.append(starts, n)))
    order = np.argsort(rank, kind="stable")
    after = np.flatnonzero(np.diff(order) != 1) + 1
    breaks[order[after]] = np.maximum(breaks[order[after]], SPACE)  # what follows a drawn run is another word
    return replace(glyphs, breaks=breaks).take(order)
