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
        self._added = [" "]
        self._words: set[str] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Adds the words of a text."""
        words = _words(text)
        self._words.update(words, _SIGNS.findall(text))
        self._added.append(" ".join([*words, ""]))

    @property
    def _text(self) -> str:
        """All words, with a space before and after each."""
        if len(self._added) > 1:
            self._added = ["".join(self._added)]
        return self._added[0]

    def __contains__(self, text: str) -> bool:
        words = _words(text)
        if not words:  # a text of signs alone, such as "++", counts if it stands by itself
            return self._words.issuperset(_SIGNS.findall(text))
        return self._words.issuperset(words) and f" {' '.join(words)} " in self._text
