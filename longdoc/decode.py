"""Scores of a whole document → labelled spans, once, after the windows are merged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from longdoc.labels import decode_bio
from longdoc.windows import Tokens, word_starts

_SEPARATORS = ",.;: "


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A decoded span in half-open character offsets, with its mean tag probability (not calibrated)."""

    start: int
    end: int
    label: str
    score: float


def word_scores(scores: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the token scores of each word, so that a word is never labelled in part.

    Args:
        scores: float array ``(T, L)``.
        words: int array ``(T,)``, ascending word numbers.

    Returns:
        Word scores ``(W, L)`` and the index of each word's first token, ``(W,)``.
    """
    first = word_starts(words)
    if not len(first):
        return scores, first
    counts = np.diff(first, append=len(words))
    return np.add.reduceat(scores, first, axis=0) / counts[:, None], first


def decode_entities(
    probabilities: np.ndarray, tokens: Tokens, labels: Sequence[str], text: str, *, min_score: float = 0.5
) -> list[ScoredSpan]:
    """Entities of a document from its stitched tag probabilities.

    Each word takes its most probable tag; a span's score is the mean over its words of the probability that the word
    belongs to that label at all (``B-`` and ``I-`` together). Spans less likely than ``min_score`` are left out, and so
    are separators (``, . ; :``) at a span's start and spans without a letter or digit.

    Args:
        probabilities: float array ``(T, 1 + 2 * len(labels))``, rows sum to one, columns as in ``labels.bio_tags``.
        tokens: the document's tokens.
        labels: the head's labels.
        text: the document's text.
        min_score: the least score of a span; 0.5 keeps what is more likely of its label than of all others.
    """
    if not len(tokens):
        return []
    scores, first = word_scores(probabilities, tokens.words)
    last = np.append(first, len(tokens))[1:] - 1
    spans = []
    for start, end, label in decode_bio(scores.argmax(axis=1), labels):
        column = 1 + 2 * labels.index(label)
        score = min(float(scores[start:end, column : column + 2].sum(axis=1).mean()), 1.0)
        stop = int(tokens.offsets[last[end - 1], 1])
        name = text[tokens.offsets[first[start], 0] : stop].lstrip(_SEPARATORS)
        if score >= min_score and any(map(str.isalnum, name)):
            spans.append(ScoredSpan(stop - len(name), stop, label, score))
    return spans


def introduced(spans: Sequence[ScoredSpan], text: str, within: Mapping[str, int]) -> list[ScoredSpan]:
    """The spans whose name is first met early enough in the document.

    A window in the middle of a contract cannot tell a party from any other company; the document can: its parties are
    named where it begins. A span of a label in ``within`` stays when a span of that label and the same words starts
    among the first ``within[label]`` characters. Other labels are left alone, and so is a label of which no name is met
    that early: the document then begins with something else, such as a cover page.
    """
    names = [(s.label, re.sub(r"[\W_]+", " ", text[s.start : s.end].casefold()).strip()) for s in spans]
    early = {name for name, s in zip(names, spans, strict=True) if s.start < within.get(s.label, len(text))}
    ruled = {label for label, _ in early} & set(within)
    return [s for name, s in zip(names, spans, strict=True) if s.label not in ruled or name in early]
