"""Document → tokens → windows, and window scores → one score per token.

The whole document is tokenised once, without truncation; a window is a slice of that token stream. What the windows
say of a token is merged before anything is decoded, so no entity is cut at a border and none is found twice.

    tokens   0 . . . . . . . . . 9 10 . . . . . . 17
    windows  [===================]
                           [====================]        overlap: tokens 8, 9
    weights  1 1 1 1 1 1 1 1 .7 .3 | .3 .7 1 1 …         sum to one for every token
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from tokenizers import Tokenizer

from longdoc.edits import WHITE_SPACE, code_points
from longdoc.errors import ConfigError

MergeRule = Literal["first", "mean", "centre", "most central"]

_CLOSERS = frozenset(map(ord, ".!?;:\n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig:
    """How documents are cut for the encoder."""

    size: int = 256
    """Most positions in a window, special tokens counted."""
    overlap: int = 32
    """Tokens that neighbouring windows share."""
    merge: MergeRule = "centre"
    """How the windows that see a token are combined."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One tokenisation of a whole document.

    ``ids`` int32 of shape ``(T,)``; ``offsets`` int32 of shape ``(T, 2)``, half-open character offsets;
    ``words`` int32 of shape ``(T,)``, the number of the word each token belongs to, ascending.
    """

    ids: np.ndarray
    offsets: np.ndarray
    words: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``start`` to ``end``, half-open, that the encoder sees together."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def tokenize(text: str, tokenizer: Tokenizer) -> Tokens:
    """Tokenises ``text`` whole, without special tokens.

    Raises:
        ConfigError: where the tokenizer truncates or pads; call its ``no_truncation`` and ``no_padding`` first.
    """
    if tokenizer.truncation is not None or tokenizer.padding is not None:
        raise ConfigError("the tokenizer truncates or pads; call its no_truncation() and no_padding() first")
    encoding = tokenizer.encode(text, add_special_tokens=False)
    ids = np.array(encoding.ids, dtype=np.int32)
    offsets = _without_space(text, np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2))
    words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int32)
    return Tokens(ids, offsets, _words(text, offsets, words))


def _words(text: str, offsets: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Words as BERT has them, which end where punctuation begins: some tokenizers end them at white space alone."""
    if not len(words):
        return words
    codes, place = np.unique(code_points(text), return_inverse=True)
    mark = np.append(np.array([_is_punctuation(chr(code)) for code in codes.tolist()], dtype=bool)[place], False)
    begins = mark[offsets[:, 0]] | mark[offsets[:, 0] - 1] & (offsets[:, 0] > 0)
    numbers: np.ndarray = (np.diff(words, prepend=words[0]) != 0) | begins
    return numbers.cumsum(dtype=np.int32)


def _is_punctuation(character: str) -> bool:
    ascii_symbol = character.isascii() and character.isprintable() and not character.isalnum() and character != " "
    return ascii_symbol or unicodedata.category(character).startswith("P")


def _without_space(text: str, offsets: np.ndarray) -> np.ndarray:
    """Offsets less the white space at the ends of tokens, which some tokenizers count to the word that follows it."""
    if not len(offsets):
        return offsets
    codes = code_points(text)
    space = np.append(np.isin(codes, WHITE_SPACE), False)
    place = np.arange(len(space))
    following = np.minimum.accumulate(np.where(space, len(text), place)[::-1])[::-1]
    preceding = np.maximum.accumulate(np.where(space, -1, place))
    starts = np.minimum(following[offsets[:, 0]], offsets[:, 1])
    ends = np.maximum(preceding[np.maximum(offsets[:, 1] - 1, 0)] + 1, starts)
    ends = np.where(offsets[:, 0] == offsets[:, 1], offsets[:, 1], ends)
    return np.stack([starts, ends], axis=1).astype(np.int32)


def word_starts(words: np.ndarray) -> np.ndarray:
    """Index of the first token of each word, from ascending word numbers ``(T,)``."""
    return np.flatnonzero(np.diff(words, prepend=-2))


def word_offsets(tokens: Tokens) -> np.ndarray:
    """Half-open character offsets of the words, int32 ``(W, 2)``: from a word's first token to its last."""
    first = word_starts(tokens.words)
    last = np.append(first, len(tokens))[1:] - 1
    return np.stack([tokens.offsets[first, 0], tokens.offsets[last, 1]], axis=1)


def token_range(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """The tokens, half-open, that share a character with ``start:end``."""
    first = int(np.searchsorted(tokens.offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(tokens.offsets[:, 0], end, side="left"))
    return first, max(first, last)


def unseen(text: str, tokens: Tokens) -> list[tuple[int, int]]:
    """Half-open ranges of the characters, white space aside, that are in no token and so never reach a model."""
    depth = np.zeros(len(text) + 1, dtype=np.int64)
    np.add.at(depth, tokens.offsets[:, 0], 1)
    np.add.at(depth, tokens.offsets[:, 1], -1)
    missing = ~np.isin(code_points(text), WHITE_SPACE) & (depth.cumsum()[:-1] == 0)
    borders = np.flatnonzero(np.diff(missing.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in borders.reshape(-1, 2)]


def sentence_starts(text: str, offsets: np.ndarray) -> np.ndarray:
    """Ascending indices of the tokens that follow a line break or closing punctuation and white space.

    A cheap over-approximation of sentence starts: good enough to choose where a window may be cut.
    """
    if len(offsets) < 2:
        return np.zeros(0, dtype=np.int64)
    codes = code_points(text)
    gap = offsets[1:, 0] > offsets[:-1, 1]
    closed = np.isin(codes[offsets[:-1, 1] - 1], list(_CLOSERS)) | (codes[offsets[1:, 0] - 1] == ord("\n"))
    return np.flatnonzero(gap & closed) + 1


def split(n_tokens: int, *, size: int, overlap: int, cuts: np.ndarray | None = None) -> list[Window]:
    """Windows that cover all tokens, in order, none inside another.

    Args:
        n_tokens: length of the document in tokens.
        size: most tokens in a window, special tokens not counted.
        overlap: tokens that neighbours share, ``0 <= overlap < size``.
        cuts: ascending token indices at which a window better ends (see :func:`sentence_starts`); one is taken where
            it costs at most an eighth of the window's new tokens.

    Raises:
        ConfigError: where no window could advance.
    """
    if not 0 <= overlap < size:
        raise ConfigError(f"a window of {size} tokens takes an overlap of 0 to {size - 1}; got {overlap}")
    slack = (size - overlap) // 8
    windows: list[Window] = []
    start = 0
    while n_tokens:
        end = min(start + size, n_tokens)
        if end == n_tokens:
            windows.append(Window(start, end))
            break
        end = _last_cut(cuts, end - slack, end)
        windows.append(Window(start, end))
        start = end - overlap
    return windows


def _last_cut(cuts: np.ndarray | None, low: int, high: int) -> int:
    """The last cut in ``low..high``, both inclusive, or ``high`` where there is none."""
    if cuts is not None:
        index = int(np.searchsorted(cuts, high, side="right")) - 1
        if index >= 0 and cuts[index] >= low:
            return int(cuts[index])
    return high


def merge_weights(windows: Sequence[Window], n_tokens: int, rule: MergeRule = "centre") -> list[np.ndarray]:
    """How much each window counts for each of its tokens: float32 arrays ``(len(window),)`` that sum to one per token.

    A token's centrality in a window is its distance to the nearer border; the document's own ends are no borders,
    since nothing is missing beyond them. ``mean`` counts all windows alike, ``centre`` by centrality, ``most central``
    takes the most central window alone (the "max context" of BERT's SQuAD code; Devlin et al., 2019), ``first`` the
    first window that sees the token.
    """
    if rule == "mean":
        votes = [np.ones(len(window)) for window in windows]
    elif rule == "centre":
        votes = [_centrality(window, n_tokens) for window in windows]
    elif rule == "most central":
        votes = _winner(windows, [_centrality(window, n_tokens) for window in windows], n_tokens)
    elif rule == "first":
        votes = _winner(windows, [np.full(len(window), -index) for index, window in enumerate(windows)], n_tokens)
    else:
        raise ConfigError(f"unknown merge rule {rule!r}; allowed: {', '.join(get_args(MergeRule))}")
    total = np.zeros(n_tokens)
    for window, vote in zip(windows, votes, strict=True):
        total[window.start : window.end] += vote
    return [(v / total[w.start : w.end]).astype(np.float32) for w, v in zip(windows, votes, strict=True)]


def _centrality(window: Window, n_tokens: int) -> np.ndarray:
    size = len(window)
    near_left = np.arange(1, size + 1) if window.start > 0 else np.full(size, size)
    near_right = np.arange(size, 0, -1) if window.end < n_tokens else np.full(size, size)
    nearer: np.ndarray = np.minimum(near_left, near_right)
    return nearer


def _winner(windows: Sequence[Window], priorities: Sequence[np.ndarray], n_tokens: int) -> list[np.ndarray]:
    """One where a window has the highest priority for a token, the earlier window where two are equal, else zero."""
    best, owner = np.full(n_tokens, -np.inf), np.full(n_tokens, -1)
    for index, (window, priority) in enumerate(zip(windows, priorities, strict=True)):
        held = slice(window.start, window.end)
        higher = priority > best[held]
        best[held] = np.where(higher, priority, best[held])
        owner[held] = np.where(higher, index, owner[held])
    return [(owner[w.start : w.end] == index).astype(np.float64) for index, w in enumerate(windows)]


def stitch(
    scores: Sequence[np.ndarray], windows: Sequence[Window], n_tokens: int, rule: MergeRule = "centre"
) -> np.ndarray:
    """Scores of the whole document, float32 ``(T, L)``, from each window's scores ``(len(window), L)``."""
    width = scores[0].shape[1] if scores else 0
    merged = np.zeros((n_tokens, width), dtype=np.float32)
    for window, weight, score in zip(windows, merge_weights(windows, n_tokens, rule), scores, strict=True):
        merged[window.start : window.end] += weight[:, None] * score
    return merged
