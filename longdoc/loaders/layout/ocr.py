"""Text from images of pages, by Tesseract."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from longdoc.edits import code_points
from longdoc.errors import LongdocError
from longdoc.loaders.layout.glyphs import BLOCK, LINE, NONE, SPACE, Glyphs

if TYPE_CHECKING:
    from PIL.Image import Image

DOTS_PER_INCH = 300  # the resolution Tesseract is trained for
_DOUBTFUL = 0.65  # a mean confidence below this may be that of a page that is upside down or on its side
_SURER = 1.3  # times as many letters must be certain in a picture that is turned
_TIMEOUT = 120  # seconds per page; Tesseract may get stuck in noise


class OcrError(LongdocError):
    """A page could not be read by OCR; loaders turn it into a warning or a document error."""


@cache
def missing(languages: str = "eng") -> str:
    """What must be installed to read pages in these languages; empty if nothing is missing.

    Args:
        languages: as Tesseract names them: ``"eng"``, ``"fra+eng"``.
    """
    try:
        import pytesseract
    except ImportError:
        return "OCR needs pytesseract: pip install 'longdoc[ocr]', and the program tesseract"
    try:
        lacking = sorted({*languages.split("+")} - {*pytesseract.get_languages()})
    except (pytesseract.TesseractNotFoundError, OSError):
        return "OCR needs the program tesseract (on Debian: apt install tesseract-ocr)"
    packages = " ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in lacking)
    return f"OCR lacks the language(s) {', '.join(lacking)} (on Debian: apt install {packages})" if lacking else ""


def read_picture(picture: Image, languages: str, points: float) -> tuple[Glyphs, NDArray[np.float32]]:
    """Reads a page in any of the four orientations.

    Args:
        picture: the page.
        languages: as Tesseract names them: ``"eng"``, ``"fra+eng"``.
        points: size of a pixel in PDF points.

    Returns:
        The ``N`` glyphs in reading order, each with an even share of its word's box, and OCR's confidence in each,
        0 to 1; shape ``(N,)``.

    Raises:
        OcrError: Tesseract fails, times out or lacks a language.
    """
    deadline = time.monotonic() + _TIMEOUT
    best, turn = _words(picture, languages, "--psm 1", deadline), 0  # which finds the orientation of most pages itself
    if any(map(str.strip, best["text"])) and _mean_confidence(best) < _DOUBTFUL:
        for other in (180, 90, 270):
            try:
                words = _words(picture.rotate(other, expand=True), languages, "--psm 3", deadline)
            except OcrError:  # out of time: the page has been read once
                break
            if _certainty(words) > _SURER * _certainty(best):
                best, turn = words, other
    return _glyphs(_turned_back(best, turn, picture.size), points, turn)


def _words(picture: Image, languages: str, config: str, deadline: float) -> dict[str, list[Any]]:
    """The words of a picture, as Tesseract lists them by column: ``text``, ``conf``, ``left`` ...; in pixels."""
    import pytesseract

    seconds = max(deadline - time.monotonic(), 0.1)
    try:
        with _one_thread():
            found: dict[str, list[Any]] = pytesseract.image_to_data(
                picture, lang=languages, config=config, timeout=seconds, output_type=pytesseract.Output.DICT
            )
    except (pytesseract.TesseractError, RuntimeError) as error:  # pytesseract's timeout is a RuntimeError
        raise OcrError(" ".join(str(error).split())[:300]) from error
    return found


def _certainty(words: dict[str, list[Any]]) -> float:
    """The number of letters and digits that Tesseract is sure of."""
    sure = zip(words["text"], words["conf"], strict=True)
    return sum(sum(map(str.isalnum, text)) for text, confidence in sure if float(confidence) > 100 * _DOUBTFUL)


def _mean_confidence(words: dict[str, list[Any]]) -> float:
    """The mean confidence in the characters of the words, 0 to 1; 0 if there are none."""
    found = [(len(text.strip()), float(conf)) for text, conf in zip(words["text"], words["conf"], strict=True)]
    return sum(n * conf for n, conf in found) / max(100 * sum(n for n, _ in found), 1)


def _turned_back(words: dict[str, list[Any]], turn: int, size: tuple[int, int]) -> dict[str, list[Any]]:
    """Words in a picture that was turned, with their places in the picture as it was.

    Args:
        words: Tesseract's table.
        turn: by how many degrees the picture was turned to the left.
        size: width and height of the picture as it was, in pixels.
    """
    if not turn:
        return words
    left, top, width, height = (np.array(words[key], np.int64) for key in ("left", "top", "width", "height"))
    across, down = size
    sides = {
        90: (across - top - height, left, height, width),
        180: (across - left - width, down - top - height, width, height),
        270: (top, down - left - width, height, width),
    }[turn]
    return words | dict(zip(("left", "top", "width", "height"), (side.tolist() for side in sides), strict=True))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limits Tesseract to one thread: its threads mostly wait for one another."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


def _glyphs(words: dict[str, list[Any]], points: float, turn: int) -> tuple[Glyphs, NDArray[np.float32]]:
    """The glyphs of the words that Tesseract lists, and its confidence in each.

    Args:
        words: Tesseract's table, by column: ``text``, ``conf``, ``left``, ``top`` ..., in pixels.
        points: size of a pixel in PDF points.
        turn: by how many degrees the picture was turned to the left so that its lines run to the right.

    Returns:
        ``N`` glyphs, and confidences from 0 to 1; shape ``(N,)``.
    """
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
    directions = np.full(len(seen), turn // 90) if turn else _directions(boxes, lines)
    glyphs = Glyphs(code_points("".join(texts)), divide_words(boxes, lengths, directions), breaks)
    return glyphs, np.repeat(np.clip(confidences, 0, 1), lengths)


def _directions(boxes: NDArray[np.float32], lines: list[tuple[int, ...]]) -> NDArray[np.int64]:
    """The direction in which the line of each word runs: 0 right, 1 down, 2 left, 3 up.

    Args:
        boxes: boxes of the words; shape ``(W, 4)``.
        lines: identifies the line of each of the ``W`` words.

    Returns:
        Shape ``(W,)``.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    directions = np.zeros(len(lines), np.int64)
    borders = [i for i in range(len(lines) + 1) if i in (0, len(lines)) or lines[i] != lines[i - 1]]
    for start, end in pairwise(borders):
        dx, dy = (centres[end - 1] - centres[start]).tolist()
        directions[start:end] = (0 if dx >= 0 else 2) if abs(dx) >= abs(dy) else (1 if dy > 0 else 3)
    return directions


def divide_words(
    boxes: NDArray[np.float32], lengths: NDArray[np.int64], directions: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Divides the boxes of words evenly among their characters.

    Args:
        boxes: boxes of the words; shape ``(W, 4)``.
        lengths: number of characters of each word, ``N`` in all; shape ``(W,)``.
        directions: the direction in which each word runs: 0 right, 1 down, 2 left, 3 up; shape ``(W,)``.

    Returns:
        The boxes of the characters, in the unit of ``boxes``; shape ``(N, 4)``.
    """
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
