r"""The instructions of fields: ``SEQ Table \* ARABIC`` and the formulas of ``EQ`` fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from longdoc.loaders.markup.formulas import needs_brackets
from longdoc.loaders.raised import lowered_marks, raised_marks

_UNQUOTED = r'(?P<switch>\\[^\s"“])(?P<attached>[^\s"\\]*)|(?P<word>[^\s"]+)'
_TOKEN = re.compile(r'["“”](?P<quoted>(?:\\.|[^"“”\\])*)(?P<closing>["“”])?|' + _UNQUOTED)
_AFTER_STRAY_QUOTE = re.compile(r"(?P<quoted>(?!))|" + _UNQUOTED)
_FORMATS = {"arabic": "decimal", "ordinal": "ordinal", "cardtext": "cardinalText", "ordtext": "ordinalText"}
_FORMATS |= {"arabicdash": "numberInDash"}


@dataclass(frozen=True, slots=True)
class Code:
    """An instruction in parts."""

    name: str
    """The type of the field, in capitals: ``"SEQ"``."""
    arguments: tuple[str, ...]
    switches: dict[str, str]
    """Letter or sign after the backslash, in lower case -> what follows it; empty if nothing does."""

    @property
    def number_style(self) -> str:
        """The style of numbers in which the result is shown; decimal by default."""
        shown = self.switches.get("*", "")
        if shown.lower() in ("alphabetic", "roman"):
            kind = "Letter" if shown.lower() == "alphabetic" else "Roman"
            return ("upper" if shown[0].isupper() else "lower") + kind
        return _FORMATS.get(shown.lower(), "decimal")


def tokens(text: str) -> Iterator[re.Match[str]]:
    """The parts of an instruction; a quote that nothing closes quotes nothing."""
    at = stray = 0  # no quote before ``stray`` is closed
    while token := (_TOKEN if at >= stray else _AFTER_STRAY_QUOTE).search(text, at):
        if token["quoted"] is not None and token["closing"] is None:
            at, stray = token.start(), token.end()
        else:
            at = token.end()
            yield token


def parse_code(text: str) -> Code:
    r"""The parts of an instruction.

    >>> parse_code(r" AUTONUMLGL \* ALPHABETIC \e ").number_style
    'upperLetter'
    >>> parse_code(r'HYPERLINK "http://a.b/" \l "x"').arguments
    ('http://a.b/',)
    """
    name, arguments, switches, switch = "", [], {}, ""
    for token in tokens(text):
        if token["switch"] and name:
            switch = token["switch"][1].lower()
            # Only the first format is of the number; MERGEFORMAT and the like keep the look of the result.
            if token["attached"] or switch not in switches:
                switches[switch] = token["attached"]
            switch = "" if token["attached"] else switch
            continue
        value = re.sub(r'\\([\\"])', r"\1", token["quoted"] or token["word"] or token["switch"] or "")
        if not name:
            name = "=" if value.startswith("=") else value.upper()
        elif switch:
            if value.upper() not in ("MERGEFORMAT", "CHARFORMAT"):
                switches[switch] = switches[switch] or value
            switch = ""
        else:
            arguments.append(value)
    return Code(name, tuple(arguments), switches)


_COMMAND = re.compile(
    r"\\(?P<command>[fradbilosx])(?P<options>(?:\s*\\(?:[lrb]c\\.|[a-z]{2}\d*)){0,20})\s*\(", re.IGNORECASE
)
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_MOST_NESTED = 50


def formula(text: str) -> str:
    r"""The formula of an EQ field, on one line.

    >>> formula(r"EQ \f(b+c,4+x)"), formula(r"EQ 10\s\up8(3)"), formula(r"EQ \r(3,8)")
    ('(b+c)/(4+x)', '10^3', '8^(1/3)')
    """
    return _Formula(re.sub(r"^\s*EQ\b", "", text, flags=re.IGNORECASE)).sequence("", 0).strip()


class _Formula:
    """Reads a formula from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def sequence(self, stops: str, depth: int) -> str:
        """The text up to one of the signs that end an argument."""
        found = ""
        while self.at < len(self.text) and self.text[self.at] not in stops:
            command = _COMMAND.match(self.text, self.at) if depth < _MOST_NESTED else None
            if command:
                self.at = command.end()
                found += _shown(command["command"].lower(), command["options"] or "", self._arguments(depth), found)
            elif self.text[self.at] == "(" and stops:
                self.at += 1
                found += f"({self.sequence(')', min(depth + 1, _MOST_NESTED)) if depth < _MOST_NESTED else ''})"
                self.at += 1
            else:
                self.at += self.text[self.at] == "\\"
                found += self.text[self.at : self.at + 1]
                self.at += 1
        return found

    def _arguments(self, depth: int) -> list[str]:
        found = [self.sequence(",;)", depth + 1)]
        while self.text[self.at : self.at + 1] in (",", ";"):
            self.at += 1
            found.append(self.sequence(",;)", depth + 1))
        self.at += 1
        return [each.strip() for each in found]


def _bracketed(term: str) -> str:
    return f"({term})" if needs_brackets(term) else term


def _shown(command: str, options: str, arguments: list[str], before: str) -> str:
    """A command of an EQ field with its arguments, after the text ``before``."""
    first, last = arguments[0], arguments[-1]
    if command == "f" and len(arguments) == 2:
        space = " " if before[-1:].isdigit() and first[:1].isdigit() else ""
        return f"{space}{_bracketed(first)}/{_bracketed(last)}"
    if command == "r":
        degree = first if len(arguments) == 2 else ""
        return f"{_bracketed(last)}^(1/{_bracketed(degree)})" if degree else f"√{_bracketed(last)}"
    if command == "s":
        opening, closing = (lowered_marks if r"\do" in options.lower() else raised_marks)(before, first)
        return f"{opening}{_bracketed(first) if opening == '^' else first}{closing}"
    if command == "i":
        sign = "∑" if r"\su" in options else "∏" if r"\pr" in options else "∫"
        limits = "".join(f"{at}{_bracketed(limit)}" for at, limit in zip("_^", arguments[:-1], strict=False) if limit)
        return f"{sign}{limits} {last}"
    if command == "b":
        around = re.search(r"\\[lrb]c\\(.)", options)
        opening = around[1] if around else "("
        return f"{opening}{first}{_CLOSING.get(opening, opening)}"
    if command == "o":  # a number in a circle
        return "".join(argument for argument in arguments if argument not in ("○", "◯", "□", "△", "◇"))
    return ("; " if command == "a" else ", ").join(arguments)
