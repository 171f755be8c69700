"""Comparing texts by their words."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(
    r"(?:[<>≤≥](?=[-+.\w]))?(?:(?<![\w%)\]])[-+](?=\.?\d))?(?:(?<!\w)\.(?=\d))?"
    r"\w+(?:(?<=\d)[.,]\d\w*)*(?:\++(?!\w))?|%"
)
"""A word or number with the signs that change its meaning, as in ``<7``, ``-3`` and ``2+``; or a percent sign."""
_SIGNS = re.compile(r"(?<!\S)[-+<>≤≥±%]+(?!\S)")
_COMPARISON = re.compile(r"([<>])(=?)\s*")
_DASHES = str.maketrans("−‐‑–", "----")


def _words(text: str) -> list[str]:
    found = _COMPARISON.sub(_comparison, text.lower().translate(_DASHES))
    return _WORD.findall(found)


def _comparison(match: re.Match[str]) -> str:
    return {"<": "≤", ">": "≥"}[match[1]] if match[2] else match[1]


class Words:
    """The words of texts, in order and regardless of case; a text is in them if its words are, next to one another.

    >>> "take 2.5 MG" in Words(["Take: 2.5 mg daily"]), "Take 2" in Words(["Take 25"])
    (True, False)
    >>> "-3" in Words(["Base excess 3"]), "< 7%" in Words(["HbA1c <7 %"]), "10" in Words(["5-10 mg"])
    (False, True, True)
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._all: list[str] = []
        self._places: dict[str, list[int]] = {}
        """Word → its indices."""
        self._signs: set[str] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Adds the words of a text."""
        for word in _words(text):
            self._places.setdefault(word, []).append(len(self._all))
            self._all.append(word)
        self._signs.update(_SIGNS.findall(text))

    def __contains__(self, text: str) -> bool:
        words = _words(text)
        if not words:  # a text of signs alone, such as "++", counts if it stands by itself
            return all(sign in self._signs or sign in self._places for sign in _SIGNS.findall(text))
        places = [self._places.get(word, ()) for word in words]
        rarest = min(range(len(words)), key=lambda index: len(places[index]))
        starts = (place - rarest for place in places[rarest] if place >= rarest)
        return any(self._all[start : start + len(words)] == words for start in starts)
