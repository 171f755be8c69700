"""Pictures, painted over in their samples: all others stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longdoc.pdf_files import Bounds
from longdoc.redaction.matrices import Matrix, inverse, moved
from longdoc.redaction.walk import UnsafeContentError, entries

MOST_SAMPLES = 400_000_000
_UNREAD = ("/JBIG2Decode", "/JPXDecode", "/CCITTFaxDecode", "/CCF")
_EDGE = 1.0  # points that are painted around a region, where letters of a scan may stick out


def painted_over(pdf: Any, image: Any, matrix: Matrix, regions: Sequence[Bounds]) -> Any:
    """A copy of an image, and of its masks, in which nothing is left of some regions of the page.

    Args:
        pdf: the ``pikepdf.Pdf``.
        image: its stream.
        matrix: where its unit square is on the page.
        regions: in the coordinates of the page's content.

    Raises:
        UnsafeContentError: its samples cannot be read.
    """
    back = inverse(matrix)
    if back is None:
        raise UnsafeContentError("a picture without a size")
    squares = [[moved(x, y, back) for x, y in _corners(region)] for region in regions]
    new = _painted(pdf, image, squares)
    for key in ("/SMask", "/Mask"):
        if hasattr(mask := image.get(key), "read_raw_bytes"):
            new[key] = _painted(pdf, mask, squares)
    return new


def _corners(region: Bounds) -> list[tuple[float, float]]:
    left, bottom, right, top = region
    left, bottom, right, top = left - _EDGE, bottom - _EDGE, right + _EDGE, top + _EDGE
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def _painted(pdf: Any, image: Any, squares: Sequence[Sequence[tuple[float, float]]]) -> Any:
    """A copy of an image or mask with samples of 0 in some polygons of its unit square."""
    width, height = int(image.Width), int(image.Height)
    bits = 1 if bool(image.get("/ImageMask", False)) else int(image.get("/BitsPerComponent", 8))
    data = _samples(image)
    row = len(data) // max(height, 1)
    components = row * 8 // max(width * bits, 1)
    is_exact = row == (width * bits * components + 7) // 8 and len(data) - row * height < max(height, 2)
    known = _components(image)
    if not is_exact or known not in (None, components) or not 1 <= components <= 32:
        raise UnsafeContentError("a picture whose data do not fit its size")
    if width * height * components > MOST_SAMPLES or bits not in (1, 2, 4, 8, 16):
        raise UnsafeContentError("a picture of an unknown layout")
    samples = np.frombuffer(data[: row * height], np.uint8).reshape(height, row).copy()
    _blacken(samples, _covered(squares, width, height), bits * components)
    new = pdf.make_stream(samples.tobytes())
    for key, value in entries(image, without=("/Metadata", "/SMask", "/Mask", "/Alternates", "/OPI")).items():
        new[key] = value
    if "/Mask" in image and not hasattr(image.Mask, "read_raw_bytes"):
        new.Mask = image.Mask  # a range of colours
    return new


def _components(image: Any) -> int | None:
    """The components of a pixel by the colour space; None if that does not say how many."""
    import pikepdf

    if bool(image.get("/ImageMask", False)):
        return 1
    space = image.get("/ColorSpace")
    if isinstance(space, pikepdf.Array) and len(space):
        kind = str(space[0])
        if kind == "/ICCBased":
            return int(space[1].get("/N", 0)) or None
        if kind == "/DeviceN":
            return len(space[1])
    else:
        kind = str(space)
    known = {"Gray": 1, "G": 1, "RGB": 3, "CMYK": 4, "Lab": 3, "Indexed": 1, "I": 1, "Separation": 1}
    return known.get(kind[1:].removeprefix("Device").removeprefix("Cal"))


def _samples(image: Any) -> bytes:
    """The samples of an image, decoded.

    Raises:
        UnsafeContentError: they cannot be.
    """
    import pikepdf

    own = image.get("/Filter", [])
    filters = [str(each) for each in own] if isinstance(own, pikepdf.Array) else [str(own)]
    if any(each in _UNREAD for each in filters):
        raise UnsafeContentError(f"a picture in the format {filters[-1][1:]}")
    try:
        return bytes(image.get_stream_buffer(decode_level=pikepdf.StreamDecodeLevel.all))
    except pikepdf.PdfError as error:
        raise UnsafeContentError("a picture that cannot be read") from error


def _covered(squares: Sequence[Sequence[tuple[float, float]]], width: int, height: int) -> NDArray[np.bool_]:
    """Which pixels polygons of the unit square cover or touch; shape ``(height, width)``."""
    from PIL import Image, ImageDraw, ImageFilter

    covered = np.zeros((height, width), bool)
    for corners in squares:
        points = np.array([(x * width, (1 - y) * height) for x, y in corners])
        low = np.clip(np.floor(points.min(axis=0)) - 2, 0, (width, height)).astype(int)
        high = np.clip(np.ceil(points.max(axis=0)) + 2, 0, (width, height)).astype(int)
        if (high <= low).any():
            continue
        mask = Image.new("L", tuple((high - low).tolist()))
        ImageDraw.Draw(mask).polygon([(x, y) for x, y in (points - low).tolist()], fill=255, outline=255)
        touched = np.asarray(mask.filter(ImageFilter.MaxFilter(3))) > 0
        covered[low[1] : high[1], low[0] : high[0]] |= touched
    return covered


def _blacken(samples: NDArray[np.uint8], covered: NDArray[np.bool_], bits: int) -> None:
    """Sets the samples of the covered pixels to 0, in place.

    Args:
        samples: the rows of an image, packed; shape ``(H, bytes)``.
        covered: which pixels; shape ``(H, W)``.
        bits: of a pixel.
    """
    for y in np.flatnonzero(covered.any(axis=1)).tolist():
        if bits % 8 == 0:
            pixels = samples[y, : covered.shape[1] * bits // 8].reshape(covered.shape[1], bits // 8)
            pixels[covered[y]] = 0
        else:
            keep = np.packbits(~np.repeat(covered[y], bits), axis=0)
            tail = len(keep)
            keep[-1] |= (1 << (-covered.shape[1] * bits) % 8) - 1
            samples[y, :tail] &= keep
