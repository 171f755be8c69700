"""Words so long that a converter must have lost the spaces between them."""

from __future__ import annotations

import re
from dataclasses import replace

from longdoc.document import Document
from longdoc.summary import count

_LENGTH = 100
"""The longest words of dictionaries, German compounds and chemical names without hyphens included, are shorter."""
_LONG = re.compile(rf"[^\W_]{{{_LENGTH},}}")
_LOWER_CASE = re.compile("[a-zß-öø-ÿ]")
_SHARE = 0.7
"""Share of lower case that prose has, and sequences of proteins, hashes and encoded data have not."""


def warn_of_glued_words(document: Document) -> Document:
    """Adds a warning that names the first of the words whose length says that spaces are missing, if there are any.

    Sequences of proteins, hashes and encoded data are no words, nor is text in scripts without spaces.
    """
    if max(map(len, document.text.split()), default=0) < _LENGTH:
        return document
    long = _LONG.finditer(document.text)
    found = [match for match in long if len(_LOWER_CASE.findall(match[0])) >= _SHARE * len(match[0])]
    if not found:
        return document
    start = f"{found[0][0][:40]} …"
    page = document.page_at(found[0].start())
    warning = (
        f"{count(len(found), 'word')} of {_LENGTH} characters or more, the first on page {page.number}: {start!r}; "
        "spaces between words may have been lost before"
    )
    return replace(document, warnings=(*document.warnings, warning))
