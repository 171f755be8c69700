"""Text from pictures of pages, by Tesseract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import code_points
from longdoc.errors import LongdocError
from longdoc.loaders.layout.text import BLOCK, LINE, NONE, SPACE, Glyphs

if TYPE_CHECKING:
    from PIL.Image import Image

DOTS_PER_INCH = 300  # what Tesseract is trained for
_SECONDS = 120  # a page; beyond, Tesseract is stuck in noise


class OcrError(LongdocError):
    """A page could not be read by OCR; the loader says so in the document's warnings."""


@cache
def missing(languages: str = "eng") -> str:
    """What has to be installed before pages in these languages can be read; empty when everything is there."""
    try:
        import pytesseract
    except ImportError:
        return "OCR needs pytesseract: pip install 'longdoc[ocr]', and the program tesseract"
    try:
        lacking = sorted({*languages.split("+")} - {*pytesseract.get_languages()})
    except (pytesseract.TesseractNotFoundError, OSError):
        return "OCR needs the program tesseract (on Debian: apt install tesseract-ocr)"
    packages = " ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in lacking)
    return f"OCR has not learnt {', '.join(lacking)} (on Debian: apt install {packages})" if lacking else ""


def languages(ocr: str) -> str:
    """The languages that an ``ocr`` option of :func:`longdoc.load` names."""
    return "eng" if ocr == "auto" else ocr


def read_picture(picture: Image, languages: str, points: float) -> tuple[Glyphs, NDArray[np.float32]]:
    """Reads a page, whichever way up it is.

    Args:
        picture: the page.
        languages: as Tesseract names them: ``"eng"``, ``"fra+eng"``.
        points: size of a pixel in PDF points.

    Returns:
        The glyphs in reading order, each with an even share of its word's box, and OCR's confidence in each, 0 to 1.

    Raises:
        OcrError: Tesseract fails, takes too long, or lacks a language.
    """
    import pytesseract

    try:
        with _one_thread():
            words = pytesseract.image_to_data(
                picture, lang=languages, config="--psm 1", timeout=_SECONDS, output_type=pytesseract.Output.DICT
            )
    except (pytesseract.TesseractError, RuntimeError) as error:  # pytesseract's timeout is a RuntimeError
        raise OcrError(" ".join(str(error).split())[:300]) from error
    return _glyphs(words, points)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tesseract's threads wait for each other longer than they work; those of this process are left alone."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


def _glyphs(words: dict[str, list[Any]], points: float) -> tuple[Glyphs, NDArray[np.float32]]:
    """The glyphs of the words that Tesseract lists, and its confidence in each."""
    seen = [i for i, text in enumerate(words["text"]) if text.strip()]
    lines = [tuple(words[key][i] for key in ("block_num", "par_num", "line_num")) for i in seen]
    sides = [[words[key][i] for key in ("left", "top", "width", "height")] for i in seen]
    boxes = np.array(sides, np.float32).reshape(-1, 4) * np.float32(points)
    boxes[:, 2:] += boxes[:, :2]
    texts = [words["text"][i].strip() for i in seen]
    lengths = np.array([len(text) for text in texts], np.int64)
    before = [
        SPACE if line == last else LINE if line[:2] == last[:2] else BLOCK
        for line, last in zip(lines, [(0, 0, 0), *lines], strict=False)
    ]
    breaks = np.full(int(lengths.sum()), NONE, np.uint8)
    breaks[np.cumsum(lengths) - lengths] = before
    confidences = np.array([words["conf"][i] for i in seen], np.float32) / 100
    glyphs = Glyphs(code_points("".join(texts)), _shares(boxes, lengths, _directions(boxes, lines)), breaks)
    return glyphs, np.repeat(np.clip(confidences, 0, 1), lengths)


def _directions(boxes: NDArray[np.float32], lines: list[tuple[int, ...]]) -> NDArray[np.int64]:
    """For each word the way its line runs: 0 right, 1 down, 2 left, 3 up; shape ``(W,)``."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    directions = np.zeros(len(lines), np.int64)
    borders = [i for i in range(len(lines) + 1) if i in (0, len(lines)) or lines[i] != lines[i - 1]]
    for start, end in pairwise(borders):
        dx, dy = (centres[end - 1] - centres[start]).tolist()
        directions[start:end] = (0 if dx >= 0 else 2) if abs(dx) >= abs(dy) else (1 if dy > 0 else 3)
    return directions


def _shares(
    boxes: NDArray[np.float32], lengths: NDArray[np.int64], directions: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Each word's box cut evenly along its line, one piece a character; shape ``(lengths.sum(), 4)``."""
    shares = np.repeat(boxes, lengths, axis=0)
    within = np.arange(len(shares)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    count, direction = np.repeat(lengths, lengths), np.repeat(directions, lengths)
    within = np.where(direction < 2, within, count - 1 - within)
    for axis in (0, 1):
        along = direction % 2 == axis
        low, size = shares[along, axis].copy(), (shares[along, axis + 2] - shares[along, axis]) / count[along]
        shares[along, axis] = low + within[along] * size
        shares[along, axis + 2] = low + (within[along] + 1) * size
    return shares
