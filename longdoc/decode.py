"""Scores of a whole document → labelled spans and answers, decoded once, after the windows are merged.

Dimensions: ``T`` tokens, ``W`` words, ``L`` tags or labels.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar, get_args

import numpy as np

from longdoc.errors import ConfigError
from longdoc.labels import PREFIXES, Entity, Scheme, decode_tags
from longdoc.windows import Tokens, Window, merge_weights, word_starts

Subwords: TypeAlias = Literal["mean", "first", "max"]

_NEVER_LAST = ",;: \n\t"
_SEPARATORS = _NEVER_LAST + "."


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns a score in log-odds into a probability: ``sigmoid((score - bias) / temperature)`` (Platt, 1999).

    ``longdoc calibrate`` fits both parameters on documents that were not trained on.
    """

    temperature: float = 1.0
    """Above 1, probabilities move towards 0.5; below 1, away from it."""
    bias: float = 0.0
    """The score whose probability is 0.5."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ConfigError(f"temperature must be above 0; got {self.temperature}")

    def probability(self, score: float) -> float:
        """The probability that a finding with this score is correct."""
        return float(self.probabilities(np.array(score)))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """The same for scores of any shape ``(…,)``; the result has that shape."""
        shares: np.ndarray = 0.5 * (1 + np.tanh((scores - self.bias) / self.temperature / 2))
        return shares

    def score(self, probability: float) -> float:
        """The inverse of :meth:`probability`."""
        return self.temperature * log_odds(probability, limit=1e-15) + self.bias


def log_odds(probability: float, *, limit: float = 1e-7) -> float:
    """The inverse of the sigmoid, of a probability at least ``limit`` away from 0 and 1."""
    safe = min(max(probability, limit), 1 - limit)
    return float(np.log(safe / (1 - safe)))


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A decoded span in half-open character offsets, with its mean tag probability, not calibrated."""

    start: int
    end: int
    label: str
    score: float


SpanT = TypeVar("SpanT", ScoredSpan, Entity)


def word_scores(scores: np.ndarray, words: np.ndarray, subwords: Subwords = "mean") -> tuple[np.ndarray, np.ndarray]:
    """Combines the scores of each word's tokens, so that words are labelled as a whole.

    Args:
        scores: float ``(T, L)``.
        words: int ``(T,)``, ascending word numbers.
        subwords: the mean over the word's tokens, its first token, or the token with the highest score.

    Returns:
        Word scores, float ``(W, L)``, and the index of each word's first token, int ``(W,)``.
    """
    first = word_starts(words)
    if not len(first) or subwords == "first":
        return scores[first], first
    counts = np.diff(first, append=len(words))
    if subwords == "mean":
        return np.add.reduceat(scores, first, axis=0) / counts[:, None], first
    sure = np.maximum.reduceat(scores.max(axis=1), first)
    chosen = np.flatnonzero(scores.max(axis=1) == np.repeat(sure, counts))
    return scores[chosen[np.searchsorted(chosen, first)]], first


def decode_entities(
    probabilities: np.ndarray,
    tokens: Tokens,
    labels: Sequence[str],
    text: str,
    *,
    scheme: Scheme = "bio",
    subwords: Subwords = "mean",
    min_score: float = 0.5,
) -> list[ScoredSpan]:
    """Decodes the entities of a document from its merged tag probabilities.

    Words get the likeliest sequence of tags that the scheme allows. The score of a span is the mean, over its words, of
    the probability of its label (all tags of the label together). Spans below ``min_score`` are dropped, as are
    separators at the start (``, . ; :``) and the end (``, ; :``) of a span, and spans without a letter or digit.

    Args:
        probabilities: float ``(T, L)``, rows sum to one, columns as in ``labels.tag_names(labels, scheme)``.
        tokens: the document's tokens.
        labels: the head's labels.
        text: the document's text.
        scheme: the tagging scheme.
        subwords: how the scores of a word's tokens are combined.
        min_score: threshold of a span's score; at 0.5 its label is likelier than all others together.
    """
    if not len(tokens):
        return []
    scores, first = word_scores(probabilities, tokens.words, subwords)
    last = np.append(first, len(tokens))[1:] - 1
    width = len(PREFIXES[scheme])
    spans = []
    for start, end, label in decode_tags(best_tags(scores, len(labels), scheme), labels, scheme):
        column = 1 + width * labels.index(label)
        score = min(float(scores[start:end, column : column + width].sum(axis=1).mean()), 1.0)
        stop = int(tokens.offsets[last[end - 1], 1])
        begin = int(tokens.offsets[first[start], 0])
        name = text[begin:stop].rstrip(_NEVER_LAST)
        stop, name = begin + len(name), name.lstrip(_SEPARATORS)
        if score >= min_score and any(map(str.isalnum, name)):
            spans.append(ScoredSpan(stop - len(name), stop, label, score))
    return spans


def best_tags(probabilities: np.ndarray, n_labels: int, scheme: Scheme) -> np.ndarray:
    """The likeliest sequence of tags that the scheme allows (Viterbi, 1967): no ``I-`` without its ``B-``.

    Where the likeliest tag of each word is allowed after that of the word before, they are the best sequence. Only
    stretches with a forbidden transition are searched, each widened until its best sequence fits its neighbours.

    Args:
        probabilities: float ``(W, L)``.
        n_labels: number of labels.
        scheme: the tagging scheme.

    Returns:
        Columns, int64 ``(W,)``.
    """
    allowed, starts, ends = transitions(n_labels, scheme)
    tags: np.ndarray = probabilities.argmax(axis=1)
    if not len(tags):
        return tags
    logs = np.log(np.maximum(probabilities, 1e-30))
    cuts = np.flatnonzero(starts[tags[1:]] & ends[tags[:-1]]) + 1
    borders = [0, *cuts.tolist(), len(tags)]
    bad = np.append(0, np.cumsum(~allowed[tags[:-1], tags[1:]]))
    index = 0
    while index < len(borders) - 1:
        start, end = borders[index], borders[index + 1]
        clean = bad[end - 1] == bad[start] and (start > 0 or starts[tags[0]]) and (end < len(tags) or ends[tags[-1]])
        if not clean:
            bound = (starts if start == 0 else None, ends if end == len(tags) else None)
            path = _viterbi(logs[start:end], allowed, *bound)
            if not ends[path[-1]] and end < len(tags):
                del borders[index + 1]
                continue
            if not starts[path[0]] and start > 0:
                del borders[index]
                index -= 1
                bad[start:] += 1  # so that the wider stretch is searched again
                continue
            tags[start:end] = path
        index += 1
    return tags


def transitions(n_labels: int, scheme: Scheme) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Allowed pairs of tags, bool ``(L, L)``; tags allowed at the start and at the end of a text, bool ``(L,)``."""
    letters = ["O", *PREFIXES[scheme] * n_labels]
    owner = [-1, *(label for label in range(n_labels) for _ in PREFIXES[scheme])]
    inside = "" if scheme in ("io", "iob1") else "IE"
    open_ended = "BI" if scheme == "bioes" else ""
    starts = np.array([letter not in inside for letter in letters])
    ends = np.array([letter not in open_ended for letter in letters])
    same = np.equal.outer(owner, owner)
    goes_on = np.array([letter in "BI" for letter in letters])
    allowed = (ends[:, None] & starts[None, :]) | (same & goes_on[:, None] & ~starts[None, :])
    return allowed, starts, ends


def _viterbi(logs: np.ndarray, allowed: np.ndarray, starts: np.ndarray | None, ends: np.ndarray | None) -> np.ndarray:
    """The best path, int64 ``(W,)``, through ``logs`` ``(W, L)``; any tag may be at an end without a mask, ``(L,)``."""
    step = np.where(allowed, 0.0, -np.inf)
    best = logs[0] if starts is None else np.where(starts, logs[0], -np.inf)
    came_from = np.zeros(logs.shape, dtype=np.int64)
    for word in range(1, len(logs)):
        reached = best[:, None] + step
        came_from[word] = reached.argmax(axis=0)
        best = reached.max(axis=0) + logs[word]
    path = np.zeros(len(logs), dtype=np.int64)
    path[-1] = (best if ends is None else np.where(ends, best, -np.inf)).argmax()
    for word in range(len(logs) - 1, 0, -1):
        path[word - 1] = came_from[word, path[word]]
    return path


def drop_late_mentions(spans: Sequence[ScoredSpan], text: str, within: Mapping[str, int]) -> list[ScoredSpan]:
    """Drops spans whose name is first mentioned too late in the document.

    A window in the middle of a contract does not show which companies are parties, but the start of the document does:
    parties are named there. A span with a label in ``within`` is kept if a span with that label and the same words
    starts in the first ``within[label]`` characters. Labels not in ``within`` are not filtered, nor is a label with no
    mention that early: such a document starts with something else, such as a cover page.
    """
    names = [(s.label, re.sub(r"[\W_]+", " ", text[s.start : s.end].casefold()).strip()) for s in spans]
    early = {name for name, s in zip(names, spans, strict=True) if s.start < within.get(s.label, len(text))}
    ruled = {label for label, _ in early} & set(within)
    return [s for name, s in zip(names, spans, strict=True) if s.label not in ruled or name in early]


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """Tokens ``first`` to ``last``, both inclusive, and the margin of their logits over "no answer"."""

    first: int
    last: int
    score: float


def decode_answers(
    scores: Sequence[np.ndarray], windows: Sequence[Window], n_tokens: int, *, n_best: int = 20, max_tokens: int = 30
) -> list[ScoredAnswer]:
    """Decodes answers to one question, best first, by the arithmetic of SQuAD's reference code.

    A span belongs to the window in which its start is most central, so that it is found once. Its score is the sum of
    its start and end logits minus the document's "no answer" score, which is the lowest one of its windows.

    Args:
        scores: one float array ``(len(window), 3)`` per window: start logits, end logits, "no answer" score.
        windows: the windows.
        n_tokens: length of the document in tokens.
        n_best: number of starts and of ends of each window that are paired.
        max_tokens: maximum length of an answer.
    """
    owned = merge_weights(windows, n_tokens, "most central")
    null = min((float(score[0, 2]) for score in scores if len(score)), default=0.0)
    found: list[tuple[float, int, int]] = []
    for window, score, own in zip(windows, scores, owned, strict=True):
        starts, ends = _best(score[:, 0], n_best), _best(score[:, 1], n_best)
        length = ends[None, :] - starts[:, None] + 1
        fits = (length >= 1) & (length <= max_tokens) & (own[starts] > 0)[:, None]
        total = score[starts, 0].astype(np.float64)[:, None] + score[ends, 1]
        for i, j in zip(*np.nonzero(fits), strict=True):
            found.append((float(total[i, j]) - null, window.start + int(starts[i]), window.start + int(ends[j])))
    found.sort(key=lambda item: -item[0])  # stable: ties keep the order of their starts, as in the reference code
    return [ScoredAnswer(first, last, score) for score, first, last in found]


def _best(values: np.ndarray, n_best: int) -> np.ndarray:
    """Indices, int ``(n_best,)``, of the highest of ``values`` ``(T,)``, highest first."""
    order: np.ndarray = np.argsort(-values, kind="stable")[:n_best]
    return order


_LONGEST_WORD = 32
"""Tokens of a word; more are text without spaces."""


def in_words(answer: ScoredAnswer, starts: np.ndarray) -> ScoredAnswer:
    """An answer from the start of its first word to the end of its last.

    Args:
        answer: the answer.
        starts: first tokens of all words, and the number of tokens, int ``(W + 1,)``, ascending.
    """
    first, last = (np.searchsorted(starts, [answer.first, answer.last], side="right") - 1).tolist()
    before, after = int(starts[first]), int(starts[last + 1]) - 1
    if starts[first + 1] - before > _LONGEST_WORD:
        before = answer.first
    if after + 1 - starts[last] > _LONGEST_WORD:
        after = answer.last
    return replace(answer, first=before, last=after)


def deduplicate(
    answers: Iterable[ScoredAnswer], text_of: Callable[[ScoredAnswer], str], top_k: int
) -> list[ScoredAnswer]:
    """The best ``top_k`` of answers sorted best first, no two of which overlap or have the same words."""
    kept: list[ScoredAnswer] = []
    firsts: list[int] = []  # of those kept, in the order of the text
    lasts: list[int] = []
    said: set[str] = set()
    for answer in answers:
        if len(kept) == top_k:
            break
        words = re.sub(r"[\W_]+", " ", text_of(answer)).casefold().strip()
        at = bisect_right(firsts, answer.last)  # no two of those kept overlap: the one before this decides
        if words and words not in said and (at == 0 or lasts[at - 1] < answer.first):
            kept.append(answer)
            firsts.insert(at, answer.first)
            lasts.insert(at, answer.last)
            said.add(words)
    return kept


Overlap: TypeAlias = Literal["all", "longest", "best"]


def without_overlap(spans: Sequence[SpanT], policy: Overlap) -> list[SpanT]:
    """Resolves overlaps between spans.

    Of two that overlap, ``longest`` keeps the longer and ``best`` the one with the higher score; ``all`` keeps both.
    """
    if policy == "all":
        return list(spans)
    ranks = {"longest": lambda s: (s.start - s.end, -s.score), "best": lambda s: (-s.score, s.start - s.end)}
    if policy not in ranks:
        raise ConfigError(f"unknown overlap {policy!r}; allowed: {', '.join(get_args(Overlap))}")
    kept: list[SpanT] = []  # in the order of the text
    for span in sorted(spans, key=ranks[policy]):
        at = bisect_left(kept, span.end, key=lambda other: other.start)
        if at == 0 or kept[at - 1].end <= span.start:
            kept.insert(at, span)
    return kept
