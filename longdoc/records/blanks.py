"""Names of parties that are blacked out or left blank: ``[***] (the "Provider")``, ``________ ("Buyer")``."""

from __future__ import annotations

import re

BLACKED_OUT = "[name blacked out]"
LEFT_BLANK = "[name left blank]"
"""What a record shows in place of a name that the text does not give."""
_IN_PLACE = (
    r"(?:\[[\s*●•_.…X-]{0,40}\]|\[\s?(?:redacted"
    r"|(?:insert )?(?:full )?(?:legal )?(?:company )?name(?: of [\w ]{2,30})?)\s?\]"
    r"|_{3,560}(?:\s_{1,560}){0,6}|\*{3,40}|[●•█]{1,60})"
)
_BLANK = re.compile(
    r"(?i)[\s,;:]{0,20}(?:(?:and|both|the|each of|by)[\s,;:]{1,20}){0,3}"
    r"(?:\(?(?:\d{1,2}|[ivx]{1,4}|[a-e])[.)]\)?\s{0,5})?"
    rf"(?P<blank>{_IN_PLACE})(?=\s{{0,3}},?\s{{0,3}}\(|\s{{0,3}},?\s{{1,3}}an?\s)"
)
"""A blank that is described as a party is: by a role in brackets, or as "a Delaware corporation"."""


def blank_name(text: str, at: int, limit: int) -> tuple[int, int] | None:
    """The blank in place of the name of a party that follows an offset, after "and" or the mark of a list."""
    match = _BLANK.match(text, at, limit)
    return match.span("blank") if match else None


def blank_value(name: str) -> str:
    """What to show in place of a name that is a blank; empty if it is a name.

    >>> blank_value("[***]"), blank_value("________"), blank_value("Acme Inc.")
    ('[name blacked out]', '[name left blank]', '')
    """
    if not re.fullmatch(rf"(?i)\s*{_IN_PLACE}\s*", name):
        return ""
    return BLACKED_OUT if re.search(r"(?i)[*█]|redacted", name) else LEFT_BLANK
