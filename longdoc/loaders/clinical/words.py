"""Comparing texts by their words."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"\w+")


class Words:
    """The words of texts, in order and regardless of case; a text is in them if its words are, next to one another.

    >>> "take 2.5 MG" in Words(["Take: 2.5 mg daily"]), "Take 2" in Words(["Take 25"])
    (True, False)
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._text = " "
        self._words: set[str] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Adds the words of a text."""
        words = _WORD.findall(text.lower())
        self._words.update(words)
        self._text += " ".join([*words, ""])

    def __contains__(self, text: str) -> bool:
        words = _WORD.findall(text.lower())
        return not words or (self._words.issuperset(words) and f" {' '.join(words)} " in self._text)
