"""Document → tokens → windows, and window scores → one score per token.

The whole document is tokenised once, without truncation; a window is a slice of that token stream. The scores that
several windows give a token are merged before decoding, so no entity is cut at a border or found twice.

Dimensions: ``T`` tokens of the document, ``W`` its words, ``L`` labels. Tokens are ranges of the token stream,
half-open; character offsets are half-open and count code points.

    tokens   0 . . . . . . . . . 9 10 . . . . . . 17
    windows  [===================]
                           [====================]        overlap: tokens 8, 9
    weights  1 1 1 1 1 1 1 1 .7 .3 | .3 .7 1 1 …         sum to one for every token
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from tokenizers import Tokenizer

from longdoc.edits import WHITE_SPACE, code_points
from longdoc.errors import ConfigError, DocumentError
from longdoc.labels import overlapping
from longdoc.vocabulary import deleted, respelled, typed_errors, unknown_id

MergeRule = Literal["first", "mean", "centre", "most central"]

_CLOSERS = frozenset(map(ord, ".!?;:\n"))
_UNSPACED_SCRIPTS = (
    "CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "JAVANESE", "BALINESE",
    "YI SYLLABLE", "TAI THAM", "NEW TAI LUE", "TAI LE", "TAI VIET",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig:
    """How documents are split into windows for the encoder."""

    size: int = 256
    """Maximum window length in tokens, including special tokens."""
    overlap: int = 32
    """Tokens shared by neighbouring windows."""
    merge: MergeRule = "centre"
    """How the scores of a token from overlapping windows are combined: their ``mean``; weighted by the distance to the
    nearer border of each window (``centre``); only from the window where that is largest (``most central``); only from
    the ``first`` window."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One tokenisation of a whole document, without special tokens.

    ``ids`` int32 ``(T,)``; ``offsets`` int32 ``(T, 2)``, half-open character offsets; ``words`` int32 ``(T,)``, the
    index of the word each token belongs to, ascending.
    """

    ids: np.ndarray
    offsets: np.ndarray
    words: np.ndarray
    unknown: int = -1
    """Id of the token that stands for what the vocabulary lacks; -1 if there is none."""
    deleted: str = ""
    """The characters of the text that the tokenizer deletes, even inside of words."""

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, end: int) -> Tokens:
        """The tokens that share a character with the characters ``start:end``; their offsets stay the document's."""
        first, last = token_range(self, start, end)
        return replace(self, ids=self.ids[first:last], offsets=self.offsets[first:last], words=self.words[first:last])


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of tokens that the encoder reads together."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def tokenize(text: str, tokenizer: Tokenizer, *, masks: bool = False, lead: str = "") -> Tokens:
    """Tokenises ``text`` whole, without special tokens: ``[SEP]`` in a text is three words like any others.

    Words that are too long for WordPiece are read in pieces.

    Args:
        text: the text.
        tokenizer: the tokenizer; it is told to take special tokens for text.
        masks: whether the mask token in the text masks a word.
        lead: what stands before the text when the model reads it, such as a prompt: some tokenizers read a first word
            in another way than one that follows a space.

    Raises:
        ConfigError: the tokenizer truncates or pads; call its ``no_truncation`` and ``no_padding`` first.
        DocumentError: the tokenizer fails on the text.
    """
    if tokenizer.truncation is not None or tokenizer.padding is not None:
        raise ConfigError("the tokenizer truncates or pads; call its no_truncation() and no_padding() first")
    with typed_errors(DocumentError, "the model's tokenizer cannot read the text; repair it or use another model"):
        found = _tokens(lead + text, tokenizer, masks=masks)
    return _without_lead(found, len(lead)) if lead else found


def _without_lead(tokens: Tokens, length: int) -> Tokens:
    """The tokens of a text, from those of a text with ``length`` characters before it."""
    kept = (tokens.offsets[:, 0] >= length) | (tokens.offsets[:, 1] > length)
    offsets = np.maximum(tokens.offsets[kept] - length, 0)
    return replace(tokens, ids=tokens.ids[kept], offsets=offsets, words=tokens.words[kept])


def _tokens(text: str, tokenizer: Tokenizer, *, masks: bool) -> Tokens:
    if tokenizer.encode_special_tokens == masks:
        tokenizer.encode_special_tokens = not masks
    encoding = tokenizer.encode(text, add_special_tokens=False)
    ids = np.array(encoding.ids, dtype=np.int32)
    offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int32)
    unknown = unknown_id(tokenizer)
    parts = respelled(text, tokenizer, ids, offsets, unknown, masks=masks)
    found = _replaced(Tokens(ids, offsets, words), parts)
    codes, index = np.unique(code_points(text), return_inverse=True)
    characters = [chr(code) for code in codes.tolist()]
    offsets = _strip_white_space(text, found.offsets)
    words = _split_words(characters, index, offsets, found.words)
    return Tokens(found.ids, offsets, words, unknown, deleted(characters, tokenizer))


def _replaced(tokens: Tokens, parts: Mapping[int, Sequence[tuple[int, int, int]]]) -> Tokens:
    """Replaces tokens, by index, by others of the same word: id, start and end of each."""
    if not parts:
        return tokens
    rows = np.column_stack([tokens.ids, tokens.offsets, tokens.words])
    pieces, end = [], 0
    for index, found in parts.items():
        pieces.append(rows[end:index])
        pieces.append(np.array([(*row, tokens.words[index]) for row in found], dtype=np.int32).reshape(-1, 4))
        end = index + 1
    rows = np.concatenate([*pieces, rows[end:]])
    return replace(tokens, ids=rows[:, 0], offsets=rows[:, 1:3], words=rows[:, 3])


def _split_words(characters: Sequence[str], index: np.ndarray, offsets: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Word indices int32 ``(T,)`` with punctuation split off as in BERT; some tokenizers split at white space only.

    In scripts without spaces between words, such as Chinese and Thai, each token is a word.

    Args:
        characters: the distinct characters of the text.
        index: which of them each character of the text is.
        offsets: int32 ``(T, 2)``, half-open character offsets of the tokens.
        words: int32 ``(T,)``, word indices as the tokenizer has them.
    """
    if not len(words):
        return words
    is_apart = np.array([_is_punctuation(character) or _is_unspaced(character) for character in characters], dtype=bool)
    is_mark = np.append(is_apart[index], False)
    at_mark = is_mark[offsets[:, 0]] | is_mark[offsets[:, 0] - 1] & (offsets[:, 0] > 0)
    at_mark[1:] &= offsets[1:, 0] >= offsets[:-1, 1]  # not between two bytes of a character
    starts: np.ndarray = (np.diff(words, prepend=words[0]) != 0) | at_mark
    return starts.cumsum(dtype=np.int32)


def _is_punctuation(character: str) -> bool:
    ascii_symbol = character.isascii() and character.isprintable() and not character.isalnum() and character != " "
    return ascii_symbol or unicodedata.category(character).startswith("P")


def _is_unspaced(character: str) -> bool:
    return any(script in unicodedata.name(character, "") for script in _UNSPACED_SCRIPTS)


def _strip_white_space(text: str, offsets: np.ndarray) -> np.ndarray:
    """Offsets int32 ``(T, 2)`` without white space at either end; some tokenizers attach it to the following word."""
    if not len(offsets):
        return offsets
    codes = code_points(text)
    is_space = np.append(np.isin(codes, WHITE_SPACE), False)
    position = np.arange(len(is_space))
    following = np.minimum.accumulate(np.where(is_space, len(text), position)[::-1])[::-1]
    preceding = np.maximum.accumulate(np.where(is_space, -1, position))
    starts = np.minimum(following[offsets[:, 0]], offsets[:, 1])
    ends = np.maximum(preceding[np.maximum(offsets[:, 1] - 1, 0)] + 1, starts)
    ends = np.where(offsets[:, 0] == offsets[:, 1], offsets[:, 1], ends)
    return np.stack([starts, ends], axis=1).astype(np.int32)


def word_starts(words: np.ndarray) -> np.ndarray:
    """Index of the first token of each word, int64 ``(W,)``, from ascending word indices ``(T,)``."""
    return np.flatnonzero(np.diff(words, prepend=-2))


def word_offsets(tokens: Tokens) -> np.ndarray:
    """Half-open character offsets of the words, int32 ``(W, 2)``."""
    first = word_starts(tokens.words)
    last = np.append(first, len(tokens))[1:] - 1
    return np.stack([tokens.offsets[first, 0], tokens.offsets[last, 1]], axis=1)


def token_range(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """The half-open range of tokens that share at least one character with the characters ``start:end``.

    Empty (``first == last``) if no token does.
    """
    return overlapping(tokens.offsets, start, end)


def unseen(text: str, tokens: Tokens) -> list[tuple[int, int]]:
    """Half-open character ranges that no token covers, so that no model sees them; white space is ignored."""
    depth = np.zeros(len(text) + 1, dtype=np.int64)
    np.add.at(depth, tokens.offsets[:, 0], 1)
    np.add.at(depth, tokens.offsets[:, 1], -1)
    missing = ~np.isin(code_points(text), WHITE_SPACE) & (depth.cumsum()[:-1] == 0)
    borders = np.flatnonzero(np.diff(missing.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in borders.reshape(-1, 2)]


def unreadable(text: str, tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """Characters that tokens contain and no model sees: bool ``(len(text),)``, twice.

    Returns:
        Those that reach the model as the unknown token, and those that the tokenizer deletes.
    """
    depth = np.zeros(len(text) + 1, dtype=np.int64)
    np.add.at(depth, tokens.offsets[tokens.ids == tokens.unknown, 0], 1)
    np.add.at(depth, tokens.offsets[tokens.ids == tokens.unknown, 1], -1)
    return depth.cumsum()[:-1] > 0, np.isin(code_points(text), code_points(tokens.deleted))


def sentence_starts(text: str, offsets: np.ndarray) -> np.ndarray:
    """Ascending indices, int64, of the tokens that follow a line break, or closing punctuation and white space.

    A cheap over-approximation of sentence starts, used as preferred cut points between windows.

    Args:
        text: the document's text.
        offsets: int ``(T, 2)``, half-open character offsets of its tokens.
    """
    if len(offsets) < 2:
        return np.zeros(0, dtype=np.int64)
    codes = code_points(text)
    gap = offsets[1:, 0] > offsets[:-1, 1]
    closed = np.isin(codes[offsets[:-1, 1] - 1], list(_CLOSERS)) | (codes[offsets[1:, 0] - 1] == ord("\n"))
    return np.flatnonzero(gap & closed) + 1


def split(n_tokens: int, *, size: int, overlap: int, cuts: np.ndarray | None = None) -> list[Window]:
    """Splits a document into windows that cover all tokens, in order, none contained in another.

    Args:
        n_tokens: length of the document in tokens.
        size: maximum window length in tokens, excluding special tokens.
        overlap: tokens shared by neighbouring windows, ``0 <= overlap < size``.
        cuts: preferred cut points, ascending token indices, int ``(N,)`` (see :func:`sentence_starts`). A window ends
            at one if that shortens it by at most an eighth of the tokens it adds.

    Raises:
        ConfigError: ``overlap`` is out of range.
    """
    if not 0 <= overlap < size:
        raise ConfigError(f"overlap must be from 0 to {size - 1} for windows of {size} tokens; got {overlap}")
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


def split_with_random_lead(
    n_tokens: int, *, size: int, overlap: int, rng: np.random.Generator, cuts: np.ndarray | None = None
) -> list[Window]:
    """Like :func:`split`, with a first window of random length, so that training sees other borders in each pass.

    A document that fits into one window is not split, and draws nothing from ``rng``. ``cuts`` is int ``(N,)``.
    """
    if n_tokens <= size:
        return split(n_tokens, size=size, overlap=overlap, cuts=cuts)
    lead = int(rng.integers(0, size - overlap))
    later_cuts = None if cuts is None else cuts[cuts > lead] - lead
    windows = split(n_tokens - lead, size=size, overlap=overlap, cuts=later_cuts)
    first = [Window(0, min(lead + overlap, n_tokens))] if lead else []
    return first + [Window(window.start + lead, window.end + lead) for window in windows]


def _last_cut(cuts: np.ndarray | None, low: int, high: int) -> int:
    """The last cut point in ``low..high``, both inclusive; ``high`` if there is none."""
    if cuts is not None:
        index = int(np.searchsorted(cuts, high, side="right")) - 1
        if index >= 0 and cuts[index] >= low:
            return int(cuts[index])
    return high


def merge_weights(windows: Sequence[Window], n_tokens: int, rule: MergeRule = "centre") -> list[np.ndarray]:
    """The weight of each window for each of its tokens: float32 ``(len(window),)`` arrays that sum to one per token.

    A token's centrality in a window is its distance in tokens to the nearer border; the ends of the document do not
    count as borders, since no context is missing there.

    Args:
        windows: windows that cover ``n_tokens`` tokens.
        n_tokens: length of the document in tokens.
        rule: ``mean`` weights all windows equally; ``centre`` in proportion to centrality; ``most central`` uses only
            the most central window ("max context" in BERT's SQuAD code; Devlin et al., 2019); ``first`` only the first
            window that contains the token.

    Raises:
        ConfigError: the rule is unknown.
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
    """Distance of each token to the nearer border, int64 ``(len(window),)``, at most the window's length."""
    size = len(window)
    near_left = np.arange(1, size + 1) if window.start > 0 else np.full(size, size)
    near_right = np.arange(size, 0, -1) if window.end < n_tokens else np.full(size, size)
    nearer: np.ndarray = np.minimum(near_left, near_right)
    return nearer


def _winner(windows: Sequence[Window], priorities: Sequence[np.ndarray], n_tokens: int) -> list[np.ndarray]:
    """Float64 ``(len(window),)``: 1 where a window has a token's highest priority (the earlier on a tie), else 0."""
    best, owner = np.full(n_tokens, -np.inf), np.full(n_tokens, -1)
    for index, (window, priority) in enumerate(zip(windows, priorities, strict=True)):
        inside = slice(window.start, window.end)
        higher = priority > best[inside]
        best[inside] = np.where(higher, priority, best[inside])
        owner[inside] = np.where(higher, index, owner[inside])
    return [(owner[w.start : w.end] == index).astype(np.float64) for index, w in enumerate(windows)]


def stitch(
    scores: Sequence[np.ndarray], windows: Sequence[Window], n_tokens: int, rule: MergeRule = "centre"
) -> np.ndarray:
    """Merges each window's scores ``(len(window), L)`` into the document's, float32 ``(T, L)``.

    The weights are those of :func:`merge_weights`.
    """
    n_labels = scores[0].shape[1] if scores else 0
    merged = np.zeros((n_tokens, n_labels), dtype=np.float32)
    for window, weight, score in zip(windows, merge_weights(windows, n_tokens, rule), scores, strict=True):
        merged[window.start : window.end] += weight[:, None] * score
    return merged
