"""Sentences, as spaCy's ``sentencizer`` splits English text, which :func:`sentences` equals without spaCy.

A sentence ends with a token such as "." or "?" and the punctuation after it. Whether a "." is a token, or a part of an
abbreviation, a number or a URL, follows from spaCy's rules for English, which ``benchmarks/sentence_rules.py`` writes
into ``assets/sentences/rules.json``. Words of more than ``LONGEST`` characters, which take spaCy the square of their
length, are read in parts.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

RULES_FILE = Path(__file__).parent / "assets" / "sentences" / "rules.json"

LONGEST = 500
"""Maximum length of a word, in characters, that is read whole."""
_SUFFIX = 32
"""Maximum length of a suffix, in characters, except a row of dots."""
_PIECES = re.compile(r"(\s+)")


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open character ranges of the sentences of a text, which cover it but for single spaces between them."""
    rules, found = _rules(), []
    first, ended, end = 0, False, 0
    for start, stop in _tokens(text):
        token = text[start:stop]
        closes = token in rules.closers
        if ended and not closes and not _is_punctuation(token):
            found.append((first, end))
            first, ended = start, False
        elif closes:
            ended = True
        end = stop
    return [*found, (first, end)] if end else []


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    """Half-open character ranges of the tokens; of white space after a word, the first space is none."""
    place = 0
    for number, piece in enumerate(_PIECES.split(text)):
        if number % 2 == 0:
            start = place
            for part in range(0, len(piece), LONGEST):
                for length in _lengths(piece[part : part + LONGEST]):
                    yield start, start + length
                    start += length
        elif piece != " " or not place:
            yield place + (piece[0] == " " and place > 0), place + len(piece)
        place += len(piece)


@lru_cache(maxsize=1 << 14)
def _lengths(word: str) -> tuple[int, ...]:
    """Lengths of the tokens of a word between white space."""
    return tuple(map(len, _rejoined(_split(word, _rules().exceptions))))


def _split(word: str, exceptions: dict[str, tuple[str, ...]]) -> list[str]:
    """The tokens of a word: punctuation before and after it, one by one, and what is between them."""
    before: list[str] = []
    after: list[str] = []
    last = -1
    while word and len(word) != last and word not in exceptions:
        last = len(word)
        left = _length(_rules().prefix.match(word))
        if left and word[left:] in exceptions:
            return [*before, word[:left], *exceptions[word[left:]], *reversed(after)]
        right = _suffix_length(word[left:])
        if right and word[:-right] in exceptions:
            return [*before, *exceptions[word[:-right]], word[-right:], *reversed(after)]
        if left:
            before.append(word[:left])
        if right and left + right <= len(word):
            after.append(word[len(word) - right :])
            word = word[: len(word) - right]
        word = word[left:]
    return [*before, *_middle(word, exceptions), *reversed(after)]


def _length(match: re.Match[str] | None) -> int:
    return 0 if match is None else match.end() - match.start()


def _suffix_length(word: str) -> int:
    start = max(len(word) - _SUFFIX, 0)
    while start and word[start] == ".":
        start -= 1
    return _length(_rules().suffix.search(word, start))


def _middle(word: str, exceptions: dict[str, tuple[str, ...]]) -> Sequence[str]:
    """The tokens of a word without punctuation around it: an exception, a URL, or what hyphens and the like divide."""
    if word in exceptions:
        return exceptions[word]
    if not word or _rules().url.match(word):
        return [word] if word else []
    found, start = [], 0
    for match in _rules().infix.finditer(word):
        if match.start():
            found += [word[start : match.start()], match.group()]
            start = match.end()
    return [token for token in (*found, word[start:]) if token]


def _rejoined(tokens: list[str]) -> list[str]:
    """The tokens of a word, of which those that an exception consists of are the exception's; the longest one first."""
    joined = _joined()
    spans = [
        (first, first + len(parts), pieces)
        for first, token in enumerate(tokens)
        for parts, pieces in joined.get(token, ())
        if tuple(tokens[first : first + len(parts)]) == parts
    ]
    kept: list[tuple[int, int, tuple[str, ...]]] = []
    for span in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    for first, last, pieces in sorted(kept, reverse=True):
        tokens[first:last] = pieces
    return tokens


def _is_punctuation(token: str) -> bool:
    return all(unicodedata.category(character)[0] == "P" for character in token)


@dataclass(frozen=True, slots=True)
class _Rules:
    prefix: re.Pattern[str]
    suffix: re.Pattern[str]
    infix: re.Pattern[str]
    url: re.Pattern[str]
    exceptions: dict[str, tuple[str, ...]]
    """Words → their tokens."""
    closers: frozenset[str]
    """Tokens that end a sentence."""


@cache
def _rules() -> _Rules:
    record = json.loads(RULES_FILE.read_text(encoding="utf-8"))
    patterns = {name: re.compile(record[name]) for name in ("prefix", "suffix", "infix", "url")}
    exceptions = {"".join(parts): tuple(parts) for parts in record["divided"]}
    exceptions |= {word: (word,) for word in record["whole"]}
    return _Rules(**patterns, exceptions=exceptions, closers=frozenset(record["closers"]))


@cache
def _joined() -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    """First token → the tokens that a word with punctuation would be if it were no exception, and those that it is."""
    rules = _rules()
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for word, pieces in rules.exceptions.items():
        if rules.prefix.match(word) or rules.infix.search(word) or rules.suffix.search(word):
            parts = tuple(_split(word, {}))
            if parts:
                found.setdefault(parts[0], []).append((parts, pieces))
    return found
