"""What errors and warnings of loaders tell users of Python, in words of the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LOAD = re.compile(r"(?<!longdoc\.)load\(\.\.\., (?P<name>\w+)=(?P<value>\.\.\.|'[^']*'|Limits\([^)]*\))\)")
_OF_SHOW = ("password", "timeout", "memory", "pages", "ocr")
"""The options of `longdoc show`, which prints the text of a document for other commands to read."""
_ONLY_PYTHON = re.compile(r" \(see Document\.confidence\)|; a text itself is read with Document\.from_text")


def for_command_line(text: str, options: Mapping[str, str]) -> str:
    """A message in which remedies name the options of a command, if it has them, and what to do otherwise.

    >>> for_command_line("encrypted; give its password: load(..., password=...)", {"password": "--password"})
    'encrypted; give its password: --password'
    >>> for_command_line("page 7 is damaged; leave it out: load(..., pages=...)", {})
    'page 7 is damaged; leave it out: `longdoc show --text --pages ...` prints a text that can be read instead'

    Args:
        text: the message.
        options: argument of :func:`longdoc.load` → the option of the command that gives it.
    """

    def remedy(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"].strip("'")
        if name in options:
            return options[name] if value == "..." else f"{options[name]} {value}"
        if name in _OF_SHOW:
            return f"`longdoc show --text --{name} {value}` prints a text that can be read instead"
        return f"in Python: longdoc.{found[0]}".replace("=Limits(", "=longdoc.Limits(")

    return _LOAD.sub(remedy, _ONLY_PYTHON.sub("", text))
