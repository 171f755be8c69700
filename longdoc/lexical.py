"""How many of a question's words the parts of a text share: a cheap look at where an answer may be.

Words are compared by their first letters, so that "terminates" meets "termination". English.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

STEM = 5
"""Letters that are compared; on 42 questions about contracts this found answers as often as Snowball's stems."""
PIECE = 600
"""Characters of the pieces of a text in which words are counted."""
ROOT = 3
"""Letters of a short word that are left at least when its ending is taken off."""
STOP_WORDS = frozenset(
    """a about after again all also am an and any are as at be been before being both but by can could did do does doing
    each else ever every for from gets get give given gives had happen happens has have he her him his how i if in into
    is it its just long made make makes many may me might more most much must my no nor not of off often on one or other
    our out over own per shall she should so some soon such than that the their them then there these they this those to
    too under until up upon us very was we were what when where whether which while who whom whose why will with would
    you your""".split()
)
"""Words that say nothing of what a text is about."""

_EVERYDAY = (
    "agreement bear begin big bring call cannot carry clause come contract deal decide describe document end "
    "extra file find follow goes going gone high highest hold include itself keep kind large largest last leave "
    "less let look lose lost low lowest main mean meant mention name need number occur other page part people "
    "person provide put reason regard said say section show small smallest sort start state stop take tell text "
    "thing thought took try turn type use used walk want way word work working write written yes"
)
"""Words of questions that are about the document, or about anything: their absence tells nothing."""
_DATES = frozenset(name.casefold() for name in (*calendar.month_name, *calendar.day_name))
_WORD = re.compile(r"[^\W\d_]+(?:[-‐‑][^\W\d_]+)*")
_ENDING = re.compile(rf"(?<=[^\W\d_]{{{ROOT}}})(?:ing|ies|ed|es|s|d|y|e)$")


def terms(text: str) -> list[str]:
    """The first letters of the words of a text, in order, without those that say nothing of its subject."""
    return [word[:STEM] for word in re.findall(r"[^\W_]+", text.casefold()) if word not in STOP_WORDS]


def shared_words(question: str, passages: Sequence[str]) -> np.ndarray:
    """How many words of a question each passage shares, float64 ``(N,)``; a word counts more, the rarer it is."""
    words = [frozenset(terms(passage)) for passage in passages]
    return _shared(_rarity(question, words), words)


def share_of_words(question: str, passages: Sequence[str], text: str) -> np.ndarray:
    """The share of a question's words that each passage has, float64 ``(N,)``; 0 if the question has none.

    A word counts more, the rarer it is in a text.
    """
    rarity = _rarity(question, _pieces(text))
    return _shared(rarity, [frozenset(terms(passage)) for passage in passages]) / (sum(rarity.values()) or 1.0)


@dataclass(frozen=True, slots=True)
class QuestionWord:
    """A word of a question that says what it is about."""

    text: str
    is_name: bool
    """Whether it is written as a proper name: "Musk", but neither "Who", "SLA" nor "the Supplier"."""


def question_words(question: str) -> list[QuestionWord]:
    """The words that say what a question is about, without numbers and words about documents.

    >>> [(word.text, word.is_name) for word in question_words("What does the contract say about Elon Musk's shares?")]
    [('Elon', True), ('Musk', True), ('shares', False)]
    """
    question = re.sub(r"\b\w+n['’]t\b|(?<=\w)['’](?:s|ll|re|ve|d|m)?(?!\w)", "", question)
    found = list(_WORD.finditer(question))
    is_plain = any(match[0].islower() for match in found[1:])
    words = []
    for match in found:
        text, before = match[0], question[: match.start()].rstrip(" \"'“‘(")
        is_first = not before or before[-1] in ".?!:"
        is_name = is_plain and text[0].isupper() and not text.isupper() and text.casefold() not in _DATES
        is_name = is_name and not is_first and not re.search(r"(?i)\b(?:an?|the)$", before)
        if (
            len(text) > 1
            and text.casefold() not in STOP_WORDS
            and (is_name or not _occurs(text, _vocabulary(_EVERYDAY)))
        ):
            words.append(QuestionWord(text, is_name))
    return words


def absent_words(question: str, text: str) -> list[QuestionWord]:
    """The words of a question that do not occur in a text, in any form that starts alike, with or without a hyphen.

    >>> [
    ...     word.text
    ...     for word in absent_words("Who owns the cryptocurrencies and pays the fees?", "The owner pays a fee.")
    ... ]
    ['cryptocurrencies']
    """
    known = _vocabulary(text)
    return [word for word in dict.fromkeys(question_words(question)) if not _occurs(word.text, known)]


def _occurs(word: str, known: Collection[str]) -> bool:
    parts = re.findall(r"[^\W\d_]+", word.casefold())
    return "".join(parts)[:STEM] in known or all(_is_known(part, known) for part in parts)


def _is_known(word: str, known: Collection[str]) -> bool:
    """Whether a word is known by its first letters; the ending of a short one may be among these."""
    if word[:STEM] in known or word in STOP_WORDS:
        return True
    root = _ENDING.sub("", word)
    return len(root) < STEM and any(each.startswith(root) and len(each) - len(root) <= ROOT for each in known)


@lru_cache(maxsize=4)
def _vocabulary(text: str) -> frozenset[str]:
    """The terms of a text, those of its words without their hyphens, too."""
    return frozenset(terms(text)) | frozenset(terms(re.sub(r"(?<=[^\W\d_])[-‐‑]\s?(?=[^\W\d_])", "", text)))


@lru_cache(maxsize=2)  # several questions about a document take it apart once
def _pieces(text: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(terms(text[start : start + PIECE])) for start in range(0, len(text), PIECE))


def _rarity(question: str, pieces: Sequence[frozenset[str]]) -> dict[str, float]:
    """The inverse document frequency, as in BM25 (Robertson and Zaragoza, 2009), of the words of a question."""
    wanted = set(terms(question))
    frequency = Counter(word for own in pieces for word in own & wanted)
    return {word: float(np.log1p((len(pieces) - frequency[word] + 0.5) / (frequency[word] + 0.5))) for word in wanted}


def _shared(rarity: Mapping[str, float], words: Sequence[frozenset[str]]) -> np.ndarray:
    return np.array([sum(rarity[word] for word in sorted(own & rarity.keys())) for own in words], dtype=np.float64)
