"""Training windows that begin elsewhere in each pass."""

from __future__ import annotations

import numpy as np

from longdoc.windows import Window, split


def random_lead_windows(
    n_tokens: int, *, size: int, overlap: int, cuts: np.ndarray, rng: np.random.Generator
) -> list[Window]:
    """Windows that cover all tokens, the first one shortened at random; without a draw where one window is enough.

    Args:
        n_tokens: the number of tokens of the document.
        size: the maximum number of tokens in a window, special tokens not counted.
        overlap: the number of tokens that neighbouring windows share.
        cuts: preferred cut points, ascending token indices, int64 ``(N,)`` (see ``longdoc.windows.split``).
        rng: draws the length of the first window.
    """
    lead = int(rng.integers(0, size - overlap)) if n_tokens > size else 0
    later = split(n_tokens - lead, size=size, overlap=overlap, cuts=cuts[cuts > lead] - lead)
    windows = [Window(window.start + lead, window.end + lead) for window in later]
    return [Window(0, lead + overlap), *windows] if lead else windows
