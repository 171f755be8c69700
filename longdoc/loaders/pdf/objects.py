"""What a PDF page draws, in order: its texts, paths, pictures and shadings, those in forms included."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

TEXT, PATH, PICTURE, SHADING, FORM = (
    pdfium_c.FPDF_PAGEOBJ_TEXT,
    pdfium_c.FPDF_PAGEOBJ_PATH,
    pdfium_c.FPDF_PAGEOBJ_IMAGE,
    pdfium_c.FPDF_PAGEOBJ_SHADING,
    pdfium_c.FPDF_PAGEOBJ_FORM,
)
_DEEPEST = 8  # nesting of forms
_MOST_OBJECTS = 50_000  # of all kinds; nested forms can multiply them


def bind(function: Any, *arguments: Any, result: Any = ctypes.c_int) -> Callable[..., Any]:
    """Binds a pdfium function so that it takes addresses as integers.

    These are called for every character or object, and ctypes' conversions would double the time.
    """
    return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)


_P = ctypes.c_void_p
INDEX = ctypes.c_void_p
"""An index from 0, declared as an address, which ctypes converts faster than an int; pdfium reads the lower half."""

_count = bind(pdfium_c.FPDFPage_CountObjects, _P)
_object = bind(pdfium_c.FPDFPage_GetObject, _P, INDEX, result=_P)
_form_count = bind(pdfium_c.FPDFFormObj_CountObjects, _P)
_form_object = bind(pdfium_c.FPDFFormObj_GetObject, _P, INDEX, result=_P)
_kind = bind(pdfium_c.FPDFPageObj_GetType, _P)
_bounds = bind(pdfium_c.FPDFPageObj_GetBounds, _P, _P, _P, _P, _P)
_matrix = bind(pdfium_c.FPDFPageObj_GetMatrix, _P, _P)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The ``K`` objects that a page draws, in the order in which it draws them; forms stand for what is in them."""

    handles: list[int]
    kinds: NDArray[np.int64]
    """TEXT, PATH, PICTURE or SHADING; shape ``(K,)``."""
    bounds: NDArray[np.float32]
    """``left, bottom, right, top`` in PDF space, in points; shape ``(K, 4)``."""
    matrices: dict[int, NDArray[np.float64]]
    """The transformation to the page of each object in a form, by position; shape ``(3, 3)``."""
    complete: bool
    """Whether these are all: a page that draws very many is not searched to its end."""

    def where(self, *kinds: int) -> NDArray[np.int64]:
        """The positions of the objects of some kinds; shape ``(M,)``."""
        among = self.kinds == kinds[0]
        for kind in kinds[1:]:
            among |= self.kinds == kind
        return np.flatnonzero(among)

    def to_page(self, at: int, bounds: NDArray[np.float32]) -> NDArray[np.float32]:
        """Moves bounds from the space of an object to that of the page.

        Args:
            at: the position of the object.
            bounds: ``left, bottom, right, top`` in points; shape ``(4,)``.
        """
        return _moved(bounds[None], self.matrices[at][None])[0] if at in self.matrices else bounds


def read_drawn(page: pdfium.PdfPage) -> Drawn:
    """Lists what a page draws."""
    address = ctypes.cast(page.raw, _P).value
    handles: list[int] = [*map(_object, repeat(address), range(min(_count(address), _MOST_OBJECTS + 1)))]
    kinds = [*map(_kind, handles)]
    matrices: dict[int, NDArray[np.float64]] = {}
    complete = len(handles) <= _MOST_OBJECTS
    if FORM in kinds:
        handles, matrices, complete = _flattened(handles)
        kinds = [*map(_kind, handles)]
    handles, kinds = handles[:_MOST_OBJECTS], kinds[:_MOST_OBJECTS]
    bounds = np.zeros((len(handles), 4), np.float32)
    sides = (range(side, side + bounds.nbytes, 16) for side in range(bounds.ctypes.data, bounds.ctypes.data + 16, 4))
    deque(map(_bounds, handles, *sides), 0)
    if matrices:
        inner = [*matrices]
        bounds[inner] = _moved(bounds[inner], np.stack([*matrices.values()]))
    return Drawn(handles, np.array(kinds, np.int64), bounds, matrices, complete)


def _flattened(objects: Sequence[int]) -> tuple[list[int], dict[int, NDArray[np.float64]], bool]:
    """Replaces the forms among objects by what is in them.

    Returns:
        The objects, the transformations to the page of those in forms by position, and whether these are all.
    """
    handles: list[int] = []
    matrices: dict[int, NDArray[np.float64]] = {}
    for handle, matrix in _walk(objects):
        if handle is None or len(handles) == _MOST_OBJECTS:
            return handles, matrices, False
        if matrix is not None:
            matrices[len(handles)] = matrix
        handles.append(handle)
    return handles, matrices, True


def _walk(objects: Sequence[int]) -> Iterator[tuple[int | None, NDArray[np.float64] | None]]:
    """The objects of a page, without the forms but with what is in them and its transformation to the page.

    A None instead of an object ends the list where nested forms multiply the objects.
    """
    pending: list[tuple[int, NDArray[np.float64] | None, int]] = [(handle, None, 0) for handle in reversed(objects)]
    while pending:
        handle, outer, depth = pending.pop()
        if _kind(handle) != FORM:
            yield handle, outer
        elif depth < _DEEPEST:
            inner = transformation(handle) @ (np.eye(3) if outer is None else outer)
            count = min(_form_count(handle), _MOST_OBJECTS + 1)
            pending += [(_form_object(handle, i), inner, depth + 1) for i in reversed(range(count))]
            if len(pending) > 4 * _MOST_OBJECTS:
                yield None, None


def transformation(handle: int) -> NDArray[np.float64]:
    """The transformation of an object, for ``(x, y, 1) @ matrix``; shape ``(3, 3)``."""
    found = pdfium_c.FS_MATRIX()
    _matrix(handle, ctypes.addressof(found))
    return np.array([[found.a, found.b, 0], [found.c, found.d, 0], [found.e, found.f, 1]])


def _moved(bounds: NDArray[np.float32], matrices: NDArray[np.float64]) -> NDArray[np.float32]:
    """The bounds of transformed bounds.

    Args:
        bounds: shape ``(M, 4)``.
        matrices: the transformation of each; shape ``(M, 3, 3)``.

    Returns:
        Shape ``(M, 4)``.
    """
    corners = np.ones((len(bounds), 4, 3))
    corners[:, :, 0], corners[:, :, 1] = bounds[:, [0, 2, 0, 2]], bounds[:, [1, 1, 3, 3]]
    moved = (corners @ matrices)[:, :, :2]
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1).astype(np.float32)
