"""The ruling lines of a PDF page: the horizontal and vertical lines that it draws."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from longdoc.loaders.pdf.glyphs import displayed

_THICKEST = 3.0  # points: a filled rectangle up to this thickness is a line
_DEEPEST = 4  # nesting of form objects
_PAPER = 250  # of 255: an area this light cannot be distinguished from paper
_MOST_RULES = 3000  # a real page has a few hundred; finding tables takes time quadratic in their number
_MOST_LINES = 30_000  # segments of all paths; only maps and drawings have more
_MOST_OBJECTS = 50_000  # of all kinds; nested forms can multiply them
_Matrix = NDArray[np.float64]
_Rule = tuple[float, float, float, float]


class TableError(Exception):
    """The tables of a page cannot be read; the message gives the reason."""


def read_rules(page: pdfium.PdfPage) -> NDArray[np.float32]:
    """Reads the ruling lines of a page.

    Returns:
        ``x0, y0, x1, y1`` in points from the top left of the page as displayed; shape ``(K, 4)``.

    Raises:
        TableError: the page has more ruling lines, other lines or objects than a page with tables can have.
    """
    rules: list[_Rule] = []
    lines = 0
    for path, matrix in _paths(page):
        lines += max(pdfium_c.FPDFPath_CountSegments(path), 0)
        if lines > _MOST_LINES:
            raise TableError(f"more than {_MOST_LINES:,} lines are drawn on it")
        rules += _rules_of(path, matrix)
        if len(rules) > _MOST_RULES:
            raise TableError(f"more than {_MOST_RULES:,} rules are drawn on it")
    return displayed(page, np.array(rules, np.float32).reshape(-1, 4))


def _paths(page: pdfium.PdfPage) -> Iterator[tuple[pdfium_c.FPDF_PAGEOBJECT, _Matrix]]:
    """The paths of a page and of the forms on it, each with its transformation to the page; shape ``(3, 3)``."""
    count, seen, identity = pdfium_c.FPDFPage_CountObjects(page), 0, np.eye(3)
    objects = [(pdfium_c.FPDFPage_GetObject(page, i), identity, 0) for i in range(min(count, _MOST_OBJECTS + 1))]
    objects.reverse()
    while objects:
        seen += 1
        if seen + len(objects) > _MOST_OBJECTS:
            raise TableError(f"more than {_MOST_OBJECTS:,} objects are drawn on it")
        item, outer, depth = objects.pop()
        kind = pdfium_c.FPDFPageObj_GetType(item)
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            yield item, _matrix(item) @ outer
        elif kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
            inner = _matrix(item) @ outer
            count = min(pdfium_c.FPDFFormObj_CountObjects(item), _MOST_OBJECTS)
            objects += [(pdfium_c.FPDFFormObj_GetObject(item, i), inner, depth + 1) for i in range(count)]


def _matrix(item: pdfium_c.FPDF_PAGEOBJECT) -> _Matrix:
    """The transformation of an object, for ``(x, y, 1) @ matrix``; shape ``(3, 3)``."""
    found = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFPageObj_GetMatrix(item, found)
    return np.array([[found.a, found.b, 0], [found.c, found.d, 0], [found.e, found.f, 1]])


def _rules_of(path: pdfium_c.FPDF_PAGEOBJECT, matrix: _Matrix) -> list[_Rule]:
    """The horizontal and vertical lines of a path: ``left, top, right, bottom`` in PDF space, in points."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke)
    if not stroke.value and not (fill.value and _is_dark(path)):
        return []
    rules: list[_Rule] = []
    for outline in _outlines(path, matrix):
        (x0, y0), (x1, y1) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
        if min(x1 - x0, y1 - y0) <= _THICKEST:
            middle = ((x0 + x1) / 2, (y0 + y1) / 2)
            horizontal = x1 - x0 > y1 - y0
            rules.append((x0, middle[1], x1, middle[1]) if horizontal else (middle[0], y1, middle[0], y0))
            continue
        low, high = np.minimum(outline[:-1], outline[1:]), np.maximum(outline[:-1], outline[1:])
        thin = (high - low).min(axis=1) <= 0.5
        sides = np.stack([low[:, 0], high[:, 1], high[:, 0], low[:, 1]], axis=1)[thin]
        rules += [tuple(side) for side in sides.tolist()]
    return [rule for rule in rules if max(rule[2] - rule[0], rule[1] - rule[3]) >= 1]


def _is_dark(path: pdfium_c.FPDF_PAGEOBJECT) -> bool:
    """Whether the fill of a path can be distinguished from paper."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    pdfium_c.FPDFPageObj_GetFillColor(path, red, green, blue, alpha)
    return min(red.value, green.value, blue.value) < _PAPER and alpha.value > 0


def _outlines(path: pdfium_c.FPDF_PAGEOBJECT, matrix: _Matrix) -> Iterator[NDArray[np.float64]]:
    """The connected lines of a path, without its curves: corners in PDF space, in points; shape ``(K, 2)``, K > 1."""
    points: list[tuple[float, float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for i in range(pdfium_c.FPDFPath_CountSegments(path)):
        segment = pdfium_c.FPDFPath_GetPathSegment(path, i)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        if kind != pdfium_c.FPDF_SEGMENT_LINETO:
            yield from _on_page(points, matrix)
            points = []
        points.append((x.value, y.value, 1.0))
        if kind == pdfium_c.FPDF_SEGMENT_LINETO and pdfium_c.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    yield from _on_page(points, matrix)


def _on_page(points: list[tuple[float, float, float]], matrix: _Matrix) -> Iterator[NDArray[np.float64]]:
    """Transforms points to the page, shape ``(K, 2)``; yields nothing for a single point or overflow."""
    if len(points) > 1:
        transformed = (np.array(points) @ matrix)[:, :2]
        if np.isfinite(transformed).all():
            yield transformed
