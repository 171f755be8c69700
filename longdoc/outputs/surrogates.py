"""Lone surrogates, which UTF-8 cannot hold, as escapes; in Python they stand for bytes of names that are not UTF-8.

Escapes in JSON are no remedy: strict readers, such as DuckDB, refuse those of lone surrogates.
"""

from __future__ import annotations

import re
from typing import Any

_LONE = re.compile("[\ud800-\udfff]")


def escaped(value: Any) -> Any:
    r"""A text, or the texts in a list, a tuple or a dict, with lone surrogates as escapes; anything else as it is.

    >>> escaped({"caf\udce9": ["caf\udce9", None]})
    {'caf\\udce9': ['caf\\udce9', None]}
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {escaped(name): escaped(each) for name, each in value.items()}
    return [escaped(each) for each in value] if isinstance(value, (list, tuple)) else value


def replaced(text: str) -> str:
    r"""A text with U+FFFD for each lone surrogate, so that offsets into it stay as they are.

    >>> replaced("caf\udce9")
    'caf\ufffd'
    """
    return _LONE.sub("\ufffd", text)


def n_lone(value: Any) -> int:
    r"""The number of lone surrogates in a text, or in the texts of a list, a tuple or a dict.

    >>> n_lone({"a\ud800": ["b\udce9\udce9", 1]})
    3
    """
    if isinstance(value, str):
        return len(_LONE.findall(value))
    if isinstance(value, dict):
        return sum(n_lone(name) + n_lone(each) for name, each in value.items())
    return sum(map(n_lone, value)) if isinstance(value, (list, tuple)) else 0
