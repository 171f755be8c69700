"""The texts that are redacted, found again in any other text.

>>> names = Names(["Ann Lee", "O’Neil", "张伟"])
>>> text = "ANN  LEE and O'Neil's annual report for 张伟先生"
>>> [text[start:end] for start, end in names.find(text)]
['ANN  LEE', "O'Neil", '张伟']
>>> names.without("Letter to Ann Lee")
'Letter to [redacted]'
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

REDACTED = "[redacted]"
"""What stands for a name in bookmarks and other texts beside the page."""
FEWEST = 3
"""Letters and digits of a text that is looked for elsewhere, too; others are removed where they were found."""
_FEWEST_IN_BYTES = 5
_FEWEST_GLUED = 6  # letters of a name that is sought across the borders of words, too
_WEIGHT = 3  # Latin letters that say as much as a letter of Chinese or Japanese
_GAP = 12  # characters between two letters of a name: punctuation, and the break of a line
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""A letter of a script that does not put spaces between words: Chinese, Japanese, Thai and others."""

_TAG = re.compile("<[^<>]*>")
_LANGUAGE = re.compile("\x1b[^\x1b]*\x1b")
"""What says in the midst of a text of PDF which language it is."""
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())
_SEPARATORS = (" ", "", "_", "-")
"""What stands between the words of a name in a file within the file."""
_WORDS_OF_PDF = frozenset(
    "Action Annots Artifact Author Border Catalog Circle Contents Creator Default Dictionary Document Encoding Figure "
    "Filter Format Header Height Hidden Highlight Identity Images Indexed Length Matrix Multiply Normal Number Object "
    "Opacity Outlines Overlay Parent Pattern Perceptual Position Prefix"
    " Private Producer Properties Reason Resources Rotate Saturation "
    "Screen Section Separation Shading Single Square Standard Subject Subtype Summary Template Texture Transparency "
    "Underline "
    "Version Visible Volume Widget Window".split()
)
"""Names that PDF gives a meaning, and that may be words of a text."""


@lru_cache(1 << 16)
def _plain(character: str) -> str:
    """The letters and digits of a character: those of a ligature, none of a comma; without accents."""
    form: Literal["NFKC", "NFKD"] = (
        "NFKC" if _UNSPACED.match(character) or "\uac00" <= character <= "\ud7a3" else "NFKD"
    )
    return "".join(filter(str.isalnum, unicodedata.normalize(form, character).casefold()))


def squeezed(text: str) -> str:
    """The letters and digits of a text, in small letters, in their plain form."""
    return "".join(map(_plain, text))


def is_long(text: str) -> bool:
    """Whether a text is long enough to be told from others."""
    return len(squeezed(text)) >= (2 if _UNSPACED.search(text) else FEWEST)


class Names:
    """Finds texts in others, whatever their case, punctuation and white space, as whole words.

    Texts in scripts without spaces between words are found anywhere.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        by_letters = {squeezed(text): text for text in sorted(set(texts), reverse=True) if is_long(text)}
        self.by_letters = dict(sorted(by_letters.items()))
        """Each text by its letters."""

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where they are, as half-open ranges in order, which do not overlap."""
        plain = list(map(_plain, text))
        letters = "".join(plain)
        at = np.repeat(np.arange(len(text)), list(map(len, plain)))  # of each letter, its position in the text
        found = sorted(place for wanted in self.by_letters for place in _places(wanted, letters, at, text))
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        return merged

    def without(self, text: str) -> str:
        """The text with ``REDACTED`` in their place."""
        parts, done = [], 0
        for start, end in self.find(text):
            parts += [text[done:start], REDACTED]
            done = end
        return "".join([*parts, text[done:]])


def _places(wanted: str, letters: str, at: NDArray[np.int64], text: str) -> Iterator[tuple[int, int]]:
    """Where the letters of a name are in a text.

    Args:
        wanted: the letters of the name.
        letters: the ``N`` letters of the text.
        at: the position of each in the text; shape ``(N,)``.
        text: the text.
    """
    first = letters.find(wanted)
    while first >= 0:
        own = at[first : first + len(wanted)]
        start, end = int(own[0]), int(own[-1]) + 1
        alone = not _is_within(text, start) and not _is_within(text, end)
        if alone and int(np.diff(own).max(initial=0)) <= _GAP:
            yield start, end
        first = letters.find(wanted, first + 1)


def _is_within(text: str, border: int) -> bool:
    """Whether a border is within a word."""
    if not 0 < border < len(text):
        return False
    before, after = text[border - 1], text[border]
    return before.isalnum() and after.isalnum() and not _UNSPACED.match(before) and not _UNSPACED.match(after)


class Search:
    """Finds what is left of names, also where a reader runs words together.

    A name that also arises from letters that stay, as "Ann" does in "annual", is found as whole words only.

    Args:
        names: the names.
        kept: the text that stays.
    """

    def __init__(self, names: Names, kept: str) -> None:
        self.names = names
        letters = squeezed(kept)
        alone = {each: text for each, text in names.by_letters.items() if each not in letters}
        self._strict = {each: text for each, text in alone.items() if _weight(each) >= _FEWEST_GLUED}
        self.encoded = [each for text in self._strict.values() for each in _encoded(text)]
        """Each name as its bytes may be in a picture or a font, in small letters: the bytes and the name."""
        self._glued = [each for text in self._strict.values() for each in _glued(text)]

    def found(self, text: str) -> str | None:
        """A name that is in a text; None if none is."""
        for each in _readings(text):
            letters = squeezed(each)
            for wanted, name in self._strict.items():
                if wanted in letters:
                    return name
            if ranges := self.names.find(each):
                return each[slice(*ranges[0])]
        return None

    def found_in_name(self, text: str) -> str | None:
        """A name that is in a name of PDF; None if none is.

        Names that are one word, as those of PDF itself are, are searched for texts of many letters only.
        """
        if " " in text:
            return self.found(text)
        if text in _WORDS_OF_PDF:
            return None
        letters = squeezed(text)
        return next((name for wanted, name in self._strict.items() if wanted in letters), None)

    def found_in_bytes(self, data: bytes) -> str | None:
        """A name that is in a picture, a font or a colour profile; None if none is.

        Names of few letters, and numbers, are not sought.
        """
        low = data.lower()
        return next((text for wanted, text in self.encoded if wanted in low), None)

    def found_in_code(self, data: bytes) -> str | None:
        """A name that is in any other stream, whatever stands between its letters that is none; None if none is.

        Names of few letters, and numbers, are not sought.
        """
        letters = data.lower().translate(None, _NO_LETTERS)
        found = next((text for wanted, text in self._glued if wanted in letters), None)
        if found is not None or data.isascii():
            return found
        plain = squeezed(_as_text(data))
        return next((text for wanted, text in self._strict.items() if wanted in plain), None)

    def crossed_out(self, data: bytes) -> bytes | None:
        """Data of the same length in which each letter of a name is an x; None if :meth:`found_in_bytes` finds none."""
        low, new = data.lower(), bytearray(data)
        for wanted, _ in self.encoded:
            at = low.find(wanted)
            while at >= 0:
                new[at : at + len(wanted)] = bytes(byte and ord("x") for byte in wanted)
                at = low.find(wanted, at + 1)
        return None if new == data else bytes(new)

    def without(self, text: str) -> str | None:
        """A text with ``REDACTED`` for each name; None if none is in it."""
        if self.found(text) is None:
            return None
        new = self.names.without(text)
        return new if self.found(new) is None else REDACTED


def _readings(text: str) -> list[str]:
    """A text as it is, with composed accents, without the codes of addresses, and without tags and their codes."""
    if not text:
        return []
    plain = html.unescape(_TAG.sub("", _LANGUAGE.sub("", text)))
    others = (unicodedata.normalize("NFC", text), unquote(text), unquote(text, "latin-1"), plain)
    return list(dict.fromkeys((text, *others)))


def _as_text(data: bytes) -> str:
    """Data as text; empty if they are none in the encodings of PDF that have accents apart from letters."""
    try:
        return data.decode("utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8")
    except UnicodeDecodeError:
        return ""


def _encoded(text: str) -> Iterator[tuple[bytes, str]]:
    """The bytes of a name in the encodings of PDF."""
    spelled = {separator.join(text.split()).lower() for separator in _SEPARATORS}
    found = {data for each in spelled for data in _in_encodings(each)}
    yield from ((each, text) for each in sorted(found) if len(each) >= _FEWEST_IN_BYTES)


def _glued(text: str) -> Iterator[tuple[bytes, str]]:
    """The bytes of the letters of a name in the encodings of PDF, with accents and without."""
    spelled = {squeezed(text), "".join(filter(str.isalnum, text.lower()))}
    found = {data.translate(None, _NO_LETTERS) for each in spelled for data in _in_encodings(each)}
    yield from ((each, text) for each in sorted(found) if len(each) >= _FEWEST_IN_BYTES)


def _in_encodings(text: str) -> Iterator[bytes]:
    """A text in the encodings of PDF, in small letters; none of a number."""
    if any(map(str.isalpha, text)):
        yield from (text.encode(encoding, "replace").lower() for encoding in ("utf-8", "utf-16-be", "utf-16-le"))
        if max(text) < "\u0100":
            yield text.encode("latin-1").lower()


def _weight(letters: str) -> int:
    """How many Latin letters say as much as some letters."""
    return sum(_WEIGHT if _UNSPACED.match(each) else 1 for each in letters)
