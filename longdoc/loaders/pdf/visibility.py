"""Which texts of a PDF page nobody sees: white on white, covered, clipped, or in a layer that is switched off.

The objects of the page name the suspects, of which most pages have none; whether they are seen is then told by drawing
the page with and without them.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from longdoc.loaders.layout.glyphs import SPACE, Glyphs, is_blank
from longdoc.loaders.pdf.objects import INDEX, PATH, PICTURE, SHADING, TEXT, Drawn, bind

_PALE = 190  # of 255: lighter text may be too light to be seen
_ALIKE = 16  # of 255: colours this close cannot be told apart
_FAINT = 5  # of 255: a change of grey level up to this is not seen
_THIN = 3.0  # points: rules do not cover text
_LARGE = 0.5  # of the page: a picture this large, drawn over text, is a scan over its text layer
_SCALE = 1.5  # pixels per point
_MOST_PIXELS = 4_000_000
_FEWEST_PIXELS = 3  # of the longer side of a glyph: of a smaller one, nothing may be seen anyway
_NEARLY_ALL = 0.8  # of the glyphs of a text
_UNFILLED = (pdfium_c.FPDF_TEXTRENDERMODE_CLIP, pdfium_c.FPDF_TEXTRENDERMODE_STROKE)
_FAR = 1e6  # points
_MOST_PAIRS = 2_000_000  # of texts and areas compared at once
_P, _I = ctypes.c_void_p, ctypes.c_int
_fill_colour = bind(pdfium_c.FPDFPageObj_GetFillColor, _P, _P, _P, _P, _P)
_draw_mode = bind(pdfium_c.FPDFPath_GetDrawMode, _P, _P, _P)
_render_mode = bind(pdfium_c.FPDFTextObj_GetTextRenderMode, _P)
_set_active = bind(pdfium_c.FPDFPageObj_SetIsActive, _P, _I)
_clip = bind(pdfium_c.FPDFPageObj_GetClipPath, _P, result=_P)
_clip_paths = bind(pdfium_c.FPDFClipPath_CountPaths, _P)
_clip_segments = bind(pdfium_c.FPDFClipPath_CountPathSegments, _P, INDEX)
_clip_segment = bind(pdfium_c.FPDFClipPath_GetPathSegment, _P, INDEX, INDEX, result=_P)
_point = bind(pdfium_c.FPDFPathSegment_GetPoint, _P, _P, _P)
_mark_count = bind(pdfium_c.FPDFPageObj_CountMarks, _P)


def find_suspects(page: pdfium.PdfPage, drawn: Drawn, layered: bool) -> tuple[list[int], list[int]]:
    """Finds the texts that may not be seen.

    Args:
        page: the page.
        drawn: what it draws.
        layered: whether the file may have layers.

    Returns:
        The handles of those that are drawn over later, and of those that may be pale, clipped or in a hidden layer.
    """
    texts = _not_under_scans(page, drawn)
    if not len(texts):
        return [], []
    colours = _colours(drawn, texts)
    areas = _areas(drawn)
    covered, same = _under_areas(drawn, texts, areas, colours)
    pale = (colours[:, :3].min(axis=1) >= _PALE) | (colours[:, 3] < _PALE)
    handles = np.array(drawn.handles, np.uint64)[texts]
    unfilled = np.array([_render_mode(handle) in _UNFILLED for handle in handles.tolist()], bool)
    others = pale | same | _clipped(drawn, texts) | unfilled
    if layered:
        others |= [at in drawn.matrices or _in_layer(drawn.handles[at]) for at in texts.tolist()]
    return handles[covered].tolist(), handles[others & ~covered].tolist()


def seen_texts(page: pdfium.PdfPage, drawn: Drawn) -> list[int]:
    """The handles of the texts that a reader sees: neither invisible nor under a picture of most of the page."""
    handles = [drawn.handles[at] for at in _not_under_scans(page, drawn).tolist()]
    return [handle for handle in handles if _render_mode(handle) != pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE]


def unseen(
    page: pdfium.PdfPage, glyphs: Glyphs, objects: NDArray[np.uint64], suspects: Sequence[list[int]]
) -> NDArray[np.bool_]:
    """Which glyphs nobody sees, word by word.

    Args:
        page: the page.
        glyphs: its ``N`` glyphs, in the order in which they are drawn.
        objects: the handle of the text object of each; shape ``(N,)``.
        suspects: handles of texts, in groups that do not lie on one another.

    Returns:
        Shape ``(N,)``.
    """
    width, height = page.get_size()
    scale = min(_SCALE, (_MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
    whole = _draw(page, scale)
    result = np.zeros(len(glyphs.codes), bool)
    for group in suspects:
        among = np.isin(objects, np.array(group, np.uint64))
        if among.any():
            with inactive(group):
                rest = _draw(page, scale)
            changed = (whole > rest + _FAINT) | (rest > whole + _FAINT)
            result[among] = ~_is_changed(changed, glyphs.boxes[among] * scale)
    return _by_word(glyphs, objects, _by_text(objects, result))


@contextmanager
def inactive(handles: Sequence[int]) -> Iterator[None]:
    """Leaves objects out when their page is drawn."""
    for handle in handles:
        _set_active(handle, 0)
    try:
        yield
    finally:
        for handle in handles:
            _set_active(handle, 1)


def _not_under_scans(page: pdfium.PdfPage, drawn: Drawn) -> NDArray[np.int64]:
    """The positions of the texts over which no picture of most of the page is drawn; such texts are a scan's layer."""
    texts, pictures = drawn.where(TEXT), drawn.where(PICTURE)
    width, height = page.get_size()
    under = np.zeros(len(texts), bool)
    x, y = (drawn.bounds[texts, :2] + drawn.bounds[texts, 2:]).T / 2
    for at in pictures[_sizes(drawn.bounds[pictures]).prod(axis=1) > _LARGE * width * height].tolist():
        left, bottom, right, top = drawn.bounds[at].tolist()
        under |= (texts < at) & (left <= x) & (x <= right) & (bottom <= y) & (y <= top)
    return texts[~under]


def _sizes(bounds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Width and height of bounds of shape ``(M, 4)``; shape ``(M, 2)``."""
    sizes: NDArray[np.float32] = bounds[:, 2:] - bounds[:, :2]
    return sizes


def _colours(drawn: Drawn, which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Red, green, blue and opacity of the fill of objects, 0 to 255; black where it is a pattern; shape ``(M, 4)``."""
    colours = np.zeros((len(which), 4), np.uint32)
    sides = (range(at, at + colours.nbytes, 16) for at in range(colours.ctypes.data, colours.ctypes.data + 16, 4))
    deque(map(_fill_colour, [drawn.handles[at] for at in which.tolist()], *sides), 0)
    return colours.astype(np.int64)


def _areas(drawn: Drawn) -> NDArray[np.int64]:
    """The positions of what may cover text or be its background: pictures and filled paths that are no rules."""
    found = drawn.where(PATH, PICTURE, SHADING)
    found = found[_sizes(drawn.bounds[found]).min(axis=1) > _THIN]
    fill, stroke = _I(), _I()
    filled = []
    for at in found.tolist():
        if drawn.kinds[at] == PATH:
            _draw_mode(drawn.handles[at], ctypes.addressof(fill), ctypes.addressof(stroke))
        filled.append(drawn.kinds[at] != PATH or fill.value != 0)
    areas: NDArray[np.int64] = found[np.array(filled, bool)]
    return areas


def _under_areas(
    drawn: Drawn, texts: NDArray[np.int64], areas: NDArray[np.int64], colours: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which texts are drawn over by an area, and which are of the colour of an area below them.

    Args:
        drawn: what the page draws.
        texts: positions of the ``N`` texts; shape ``(N,)``.
        areas: positions of the areas; shape ``(M,)``.
        colours: colours of the texts; shape ``(N, 4)``.

    Returns:
        Two arrays of shape ``(N,)``.
    """
    covered, same = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    if not len(areas):
        return covered, same
    x0, y0, x1, y1 = drawn.bounds[texts].T
    for some in np.array_split(areas, len(areas) * len(texts) // _MOST_PAIRS + 1):
        left, bottom, right, top = (side[:, None] for side in drawn.bounds[some].T)
        across = np.minimum(x1, right) - np.maximum(x0, left) > np.minimum(_THIN, (x1 - x0) / 2)
        over = across & (np.minimum(y1, top) - np.maximum(y0, bottom) > (y1 - y0) / 2)
        later = some[:, None] > texts
        covered |= (over & later).any(axis=0)
        paths = drawn.kinds[some] == PATH
        near = np.abs(_colours(drawn, some[paths])[:, None, :3] - colours[:, :3]).max(axis=2, initial=0) <= _ALIKE
        same |= (over[paths] & ~later[paths] & near).any(axis=0)
    return covered, same


def _clipped(drawn: Drawn, texts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which texts have a clip path that cuts a part of them off that could be read.

    Args:
        drawn: what the page draws.
        texts: positions of the ``N`` texts; shape ``(N,)``.

    Returns:
        Shape ``(N,)``.
    """
    clips = [_clip(drawn.handles[at]) for at in texts.tolist()]
    counts = np.array([max(_clip_paths(clip), 0) if clip else 0 for clip in clips], np.int64)
    some = np.flatnonzero(counts)
    clipped = np.zeros(len(texts), bool)
    if not len(some):
        return clipped
    bounds = _clip_bounds([(clips[i], path) for i in some.tolist() for path in range(counts[i])])
    first = np.cumsum(counts[some]) - counts[some]
    # Where all paths of each clip path overlap:
    inside = np.hstack([np.maximum.reduceat(bounds[:, :2], first), np.minimum.reduceat(bounds[:, 2:], first)])
    for row, i in enumerate(some.tolist()):
        if int(texts[i]) in drawn.matrices:
            inside[row] = drawn.to_page(int(texts[i]), inside[row])
    x0, y0, x1, y1 = drawn.bounds[texts[some]].T
    left, bottom, right, top = inside.T
    beyond = np.maximum(left - x0, x1 - right) > _THIN
    clipped[some] = beyond | (np.maximum(bottom - y0, y1 - top) > (y1 - y0) / 2)
    return clipped


def _clip_bounds(paths: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """``left, bottom, right, top`` of paths in points, each given by its clip path and its index; shape ``(M, 4)``."""
    bounds = np.zeros((len(paths), 4), np.float32)
    rows = range(bounds.ctypes.data, bounds.ctypes.data + bounds.nbytes, 16)
    for i, ((clip, path), row) in enumerate(zip(paths, rows, strict=True)):
        count = _clip_segments(clip, path)
        if count in (4, 5):  # opposite corners of a rectangle, which nearly all are
            _point(_clip_segment(clip, path, 0), row, row + 4)
            _point(_clip_segment(clip, path, 2), row + 8, row + 12)
        else:
            bounds[i] = _outline(clip, path, count)
    one, other = bounds[:, :2], bounds[:, 2:]
    lowest, highest = np.minimum(one, other), np.maximum(one, other)
    return np.hstack([np.maximum(lowest, -_FAR), np.minimum(highest, _FAR)])


def _outline(clip: int, path: int, count: int) -> tuple[float, float, float, float]:
    """``left, bottom, right, top`` of a path of ``count`` points, in points; without limits if it has none."""
    x, y = ctypes.c_float(), ctypes.c_float()
    xs, ys = [], []
    for i in range(count):
        _point(_clip_segment(clip, path, i), ctypes.addressof(x), ctypes.addressof(y))
        xs.append(x.value)
        ys.append(y.value)
    return (min(xs), min(ys), max(xs), max(ys)) if xs else (-_FAR, -_FAR, _FAR, _FAR)


def _in_layer(handle: int) -> bool:
    """Whether an object is marked as the content of a layer."""
    return any(_mark_name(handle, i) == "OC" for i in range(max(_mark_count(handle), 0)))


def _mark_name(handle: int, index: int) -> str:
    item = ctypes.cast(handle, pdfium_c.FPDF_PAGEOBJECT)
    mark, size = pdfium_c.FPDFPageObj_GetMark(item, index), ctypes.c_ulong()
    buffer = ctypes.create_string_buffer(32)
    units = ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR))
    found = pdfium_c.FPDFPageObjMark_GetName(mark, units, len(buffer), ctypes.byref(size))
    return buffer.raw[: size.value].decode("utf-16-le", "replace").rstrip("\0") if found else ""


def _draw(page: pdfium.PdfPage, scale: float) -> NDArray[np.int16]:
    """The page in grey levels; shape ``(height, width)``."""
    picture = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_numpy()
    grey: NDArray[np.int16] = picture.reshape(picture.shape[:2]).astype(np.int16)
    return grey


def _is_changed(changed: NDArray[np.bool_], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which glyphs have a changed pixel within their boxes, or are too small to tell; shape ``(N,)``.

    Args:
        changed: which pixels are changed; shape ``(height, width)``.
        boxes: boxes of the glyphs in pixels; shape ``(N, 4)``.
    """
    height, width = changed.shape
    ends = np.nan_to_num(np.clip(boxes, 0, (width, height, width, height)))
    x0, y0 = np.floor(ends[:, :2]).astype(np.int64).T
    x1, y1 = np.ceil(ends[:, 2:]).astype(np.int64).T
    left, top = x0.min(), y0.min()
    part = changed[top : y1.max(), left : x1.max()]
    total = np.zeros((part.shape[0] + 1, part.shape[1] + 1), np.int32)
    total[1:, 1:] = part.cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    x0, x1, y0, y1 = x0 - left, x1 - left, y0 - top, y1 - top
    count = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
    small = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) < _FEWEST_PIXELS
    seen: NDArray[np.bool_] = (count > 0) | small
    return seen


def _by_text(objects: NDArray[np.uint64], unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which glyphs are unseen, with all of a text alike but for a few that something else touches; shape ``(N,)``.

    Args:
        objects: the handle of the text of each of ``N`` glyphs; shape ``(N,)``.
        unseen: which of them are unseen; shape ``(N,)``.
    """
    _, text = np.unique(objects, return_inverse=True)
    share = (np.bincount(text, unseen) / np.maximum(np.bincount(text), 1))[text]
    return np.where(share >= _NEARLY_ALL, True, np.where(share <= 1 - _NEARLY_ALL, False, unseen))


def _are_apart(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which glyphs but the first do not continue the line of the one before; shape ``(N - 1,)``.

    Args:
        boxes: in points; shape ``(N, 4)``.
    """
    one, other = boxes[:-1], boxes[1:]
    height = one[:, 3] - one[:, 1]
    apart: NDArray[np.bool_] = np.maximum(np.abs(other[:, 0] - one[:, 2]), np.abs(other[:, 1] - one[:, 1])) > height / 2
    return apart


def _by_word(glyphs: Glyphs, objects: NDArray[np.uint64], unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which glyphs are in words of which most letters are unseen; a blank is like the letter before it.

    Args:
        glyphs: the ``N`` glyphs.
        objects: the handle of the text of each; shape ``(N,)``.
        unseen: which of them are unseen; shape ``(N,)``.
    """
    ink = np.flatnonzero(~is_blank(glyphs.codes))
    if not (len(ink) and unseen.any()):
        return unseen
    another = (np.diff(objects[ink]) != 0) & _are_apart(glyphs.boxes[ink])
    starts = np.flatnonzero(np.append(True, (glyphs.breaks[ink[1:]] >= SPACE) | (np.diff(ink) > 1) | another))
    sizes = np.diff(np.append(starts, len(ink)))
    of_ink = np.repeat(np.add.reduceat(unseen[ink].astype(np.int64), starts) > sizes / 2, sizes)
    before = np.maximum(np.searchsorted(ink, np.arange(len(unseen)), "right") - 1, 0)
    result: NDArray[np.bool_] = of_ink[before]
    return result
