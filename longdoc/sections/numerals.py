"""Numbers written as letters and as Roman numerals, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator

ROMAN = re.compile(r"(?=[ivxlc])(c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})$", re.IGNORECASE)
"""A well-formed Roman numeral below 400, the range in which clauses are numbered."""

_VALUES = {"m": 1000, "cm": 900, "d": 500, "cd": 400, "c": 100, "xc": 90, "l": 50, "xl": 40, "x": 10}
_VALUES |= {"ix": 9, "v": 5, "iv": 4, "i": 1}
_MAX_ROMAN = 3999
_MAX_DOUBLED = 30 * 26


def numeral(number: int, style: str, *, doubled: bool = False) -> str:
    """A number as letters or as a Roman numeral; in digits if the style cannot express it.

    Args:
        number: the number to write; letters and Roman numerals start at 1.
        style: ``"a"``, ``"A"``, ``"i"`` or ``"I"``, as in the ``type`` of an HTML list; any other means digits.
        doubled: whether "z" is followed by "aa", "bb", "cc", as in Word, rather than by "aa", "ab", "ac".

    >>> numeral(28, "a"), numeral(28, "A", doubled=True), numeral(14, "i"), numeral(0, "I")
    ('ab', 'BB', 'xiv', '0')
    """
    if style in ("a", "A") and 0 < number <= (_MAX_DOUBLED if doubled else number):
        lower = _doubled(number) if doubled else _letters(number)
    elif style in ("i", "I") and 0 < number <= _MAX_ROMAN:
        lower = _roman(number)
    else:
        return str(number)
    return lower if style.islower() else lower.upper()


def roman_value(roman: str) -> int:
    """The value of a Roman numeral.

    >>> roman_value("XIV")
    14
    """
    values = [_VALUES[letter] for letter in roman.lower()]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def interpretations(number: str) -> Iterator[tuple[str, int]]:
    """Each style (``"a"``, ``"A"``, ``"i"``, ``"I"``, ``"1"``) in which a number can be read, with its value.

    >>> list(interpretations("i")), list(interpretations("BB")), list(interpretations("12"))
    ([('i', 1), ('a', 9)], [('A', 28)], [('1', 12)])
    """
    if number.isdigit():
        yield "1", int(number)
        return
    lower = number.lower()
    if ROMAN.match(number):
        yield ("i" if number.islower() else "I"), roman_value(number)
    if len(set(lower)) == 1 and len(lower) <= 4:
        yield ("a" if number.islower() else "A"), ord(lower[0]) - 96 + 26 * (len(lower) - 1)
    elif len(lower) == 2 and lower[0] in "ab":
        yield ("a" if number.islower() else "A"), 26 * (ord(lower[0]) - 96) + ord(lower[1]) - 96


def _doubled(number: int) -> str:
    times, letter = divmod(number - 1, 26)
    return chr(ord("a") + letter) * (times + 1)


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters


def _roman(number: int) -> str:
    roman = ""
    for sign, value in _VALUES.items():
        times, number = divmod(number, value)
        roman += sign * times
    return roman
