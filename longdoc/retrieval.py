"""The windows of a document that are read for a question: those that share most of its words, if not all are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from longdoc.arguments import check_count
from longdoc.lexical import shared_words
from longdoc.prediction import NOT_SEARCHED, Gap
from longdoc.reader import Reading


def likely_windows(reading: Reading, most: int | None) -> Reading:
    """A reading of at most ``most`` of its windows, in document order; of all if that is None, or none shares a word.

    Raises:
        ConfigError: see :func:`check_windows`.
    """
    check_windows(most)
    if most is None or len(reading.windows) <= most:
        return reading
    text, offsets = reading.document.text, reading.tokens.offsets
    passages = [text[offsets[window.start, 0] : offsets[window.end - 1, 1]] for window in reading.windows]
    shared = shared_words(reading.question or "", passages)
    if not shared.any():
        return reading
    best = np.argsort(-shared, kind="stable")[:most]
    return replace(reading, windows=tuple(reading.windows[index] for index in sorted(best)))


def check_windows(most: int | None) -> None:
    """Checks the number of windows to read for a question.

    Raises:
        ConfigError: it is neither None nor a positive integer.
    """
    check_count("windows", most, 1, optional=True)


def left_out(reading: Reading) -> list[Gap]:
    """The parts of the text that are in none of a reading's windows."""
    outside = np.ones(len(reading.tokens), dtype=bool)
    for window in reading.windows:
        outside[window.start : window.end] = False
    borders = np.flatnonzero(np.diff(outside, prepend=False, append=False)).reshape(-1, 2)
    offsets = reading.tokens.offsets
    return [Gap(int(offsets[a, 0]), int(offsets[b - 1, 1]), NOT_SEARCHED) for a, b in borders]
