"""Tells the code pages of Europe apart: in the right one, the letters beyond ASCII are those of one language."""

from __future__ import annotations

import re
from collections import Counter

_WESTERN = {
    "Danish, Norwegian": "æøåéö",
    "Dutch": "éëïöüèáó",
    "French": "àâæçèéêëîïôœùûüÿ",
    "German": "äöüß",
    "Icelandic": "áðéíóúýþæö",
    "Italian": "àèéìòùí",
    "Portuguese": "áàâãçéêíóôõúü",
    "Spanish": "áéíñóúü",
    "Catalan": "àçèéíïòóúü",
    "Swedish, Finnish": "äåöé",
}
_CENTRAL = {
    "Croatian, Slovenian": "čćđšž",
    "Czech": "áčďéěíňóřšťúůýž",
    "Hungarian": "áéíóöőúüű",
    "Polish": "ąćęłńóśźż",
    "Romanian": "ăâîşţ",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
}
_TURKISH = {"Turkish": "çğıöşüâî\u0130"}
_PAGES = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "cp1254": _TURKISH,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
}
"""Code page -> the letters beyond ASCII of the languages written in it; of equals, the first is taken."""
_MARKS = frozenset("“”‘’„‚«»‹›–—…•·§¶†‡°ºª©®™€£¥¢½¼¾²³¹±×÷µ¿¡´\xa0\xad")
"""Signs that texts of every language have."""
_LETTER = "[^\\W\\d_¹²³¼½¾]"
_IN_WORD = re.compile(rf"(?<={_LETTER})(?:[^\w\s’‘–—…·\-\xad\x00-\x7f]|[¹²³¼½¾])(?={_LETTER})")
_AFTER_SMALL = re.compile(r"(?<=[a-zß-öø-ÿ])[^\W\d_a-zA-Zß-öø-ÿ]")
_BEYOND = re.compile(r"[^\x00-\x7f]")
_SAMPLE = 200_000
_ENOUGH = 8  # letters beyond ASCII; with fewer, one name decides
_FITS, _CLEARLY = 0.97, 0.1


def european_code_page(data: bytes) -> tuple[str, bool]:
    """The code page of a text, and whether it is long enough to tell.

    Windows-1252 is taken unless the letters of another are those of one language, and clearly more of them.

    >>> european_code_page("Źródło: gęś, łódź, żółw, kość".encode("iso8859-2"))
    ('iso8859-2', True)
    """
    sample = data[:_SAMPLE]
    western, letters = _score(sample, "cp1252")
    if western >= _FITS:
        return "cp1252", True
    scores = {page: _score(sample, page)[0] for page in _PAGES}
    best = max(scores, key=lambda page: scores[page])
    is_clear = scores[best] >= _FITS and scores[best] > western + _CLEARLY
    return (best if is_clear and letters >= _ENOUGH else "cp1252"), letters >= _ENOUGH


def _score(sample: bytes, page: str) -> tuple[float, int]:
    """The share of the characters beyond ASCII that belong to one language, and the number of them.

    Signs such as quotation marks count only where they cannot be: within a word.
    """
    text = sample.decode(page, "replace")
    signs = sum(each in _MARKS for each in _IN_WORD.findall(text))
    capitals = sum(each.isupper() for each in _AFTER_SMALL.findall(text))
    counts = Counter(each for each in _BEYOND.findall(text) if each not in _MARKS)
    total = counts.total() + signs
    best = max(sum(counts[each] + counts[each.upper()] for each in letters) for letters in _PAGES[page].values())
    return (max(best - capitals, 0) / total if total else 1.0), total
