"""Regular expressions of tokenizers, which ``tokenizers`` runs on every document without a limit."""

from __future__ import annotations

import re
import unicodedata
import warnings

from longdoc.backtracking import why_slow
from longdoc.errors import ConfigError

_PART = re.compile(r"\\([pP])\{(\^?)(\w+)\}|\\x\{([0-9a-fA-F]{1,6})\}|([*+?}])\+|\\.|.", re.DOTALL)
_KINDS = [*map(chr, range(0x80)), *"ĀāǅʰƄ一\u0301\u0903\u0488٠Ⅰ²‐‿“”€´©\u2003\u2028\xad"]
"""Characters of all kinds, which stand for those of a property of Unicode."""
_ESCAPED = re.compile(r"\\[pP]\{\^?\w+\}|\\x\{[0-9a-fA-F]+\}|\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\[\]]*\]")
_REPEATED = re.compile(r"[*+]|\{\d*,\}|\{\d*,?\d{3,}\}")
_GROUP = re.compile(r"\((?:\?(?:[imsx-]*:|[=!>]|<[=!]|[imsx-]+(?=\))))?([^()]*)\)")  # an innermost group
MAX_REPEATS = 3
MAX_UNREAD_REPEATS = 1
"""Repetitions in a row, and those in an expression that Python cannot read."""
MAX_CHOICES = 8
MAX_EXPRESSION = 2000


def check_expression(expression: str, where: str) -> None:
    r"""Refuses a regular expression that may need more than a few passes over a text.

    These are repetitions within repetitions, references to groups, repeated alternatives, looks at what a
    repetition follows, many repetitions in a row, and fewer that can match the same text.

    >>> check_expression(r"'s|'t| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", "GPT-2")
    >>> check_expression("(a+)+$", "tokenizer.json: normalizer")
    Traceback (most recent call last):
        ...
    longdoc.errors.ConfigError: tokenizer.json: normalizer: '(a+)+$' may take more than linear time; ...

    Raises:
        ConfigError: it may take more than linear time.
    """
    refused = ConfigError(
        f"{where}: {expression!r:.80} may take more than linear time; write it without nested repetitions and "
        "references to groups"
    )
    if len(expression) > MAX_EXPRESSION or re.search(r"\\[1-9kg]|\(\?[PR&\d(]|\(\?<\w", expression):
        raise refused
    in_python = _in_python(expression)
    if in_python is not None and why_slow(in_python):
        raise refused
    most = MAX_UNREAD_REPEATS if in_python is None else MAX_REPEATS
    rest = _ESCAPED.sub("x", expression)
    while (shorter := _CLASS.sub("x", rest)) != rest:  # classes within classes
        rest = shorter
    rest = re.sub(r"(?<=[*+?}])[+?]", "", rest)  # possessive and reluctant repetitions
    while (group := _GROUP.search(rest)) is not None and group.end() > group.start():
        repeats, looks = _REPEATED.search(group[1]), group[0].startswith(("(?=", "(?!", "(?<"))
        if (repeats and looks) or (re.search(r"[*+?|{]", group[1]) and _REPEATED.match(rest, group.end())):
            raise refused
        # A group that repeats something counts as one repetition of the branch around it.
        stands_for = "x+" if repeats else "x?" if re.search(r"[?|{]", group[1]) else "x"
        rest = f"{rest[: group.start()]}{stands_for}{rest[group.end() :]}"
    for branch in rest.split("|"):
        if len(_REPEATED.findall(branch)) > most or len(re.findall(r"[*+?{]", branch)) > MAX_CHOICES:
            raise refused


def _in_python(expression: str) -> str | None:
    """An expression as Python writes it, with some characters in place of a property; None if it cannot be written."""
    parts, is_class = list[str](), False
    for part in _PART.finditer(expression):
        text, code, possessive = part[0], part[4], part[5]
        if part[1]:
            is_negated = (part[1] == "P") != bool(part[2])
            members = [each for each in _KINDS if unicodedata.category(each).startswith(part[3]) != is_negated]
            if not 0 < len(members) < len(_KINDS):
                return None
            text = re.escape("".join(members))
            text = text if is_class else f"[{text}]"
        elif code:
            text = re.escape(chr(min(int(code, 16), 0x10FFFF)))
        elif possessive and not is_class:  # which Python 3.10 cannot read
            text = possessive
        elif text in ("[", "]"):
            is_class = text == "["
        parts.append(text)
    pattern = "".join(parts)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of classes within classes, which Python reads in another way
            re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError):
        return None
    return pattern
