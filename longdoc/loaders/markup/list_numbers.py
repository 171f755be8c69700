"""Letters and roman numerals, as the items of a list count in them."""

from __future__ import annotations

_ROMAN = {"m": 1000, "cm": 900, "d": 500, "cd": 400, "c": 100, "xc": 90, "l": 50, "xl": 40, "x": 10}
_ROMAN |= {"ix": 9, "v": 5, "iv": 4, "i": 1}
_MOST_ROMAN = 3999
_MOST_DOUBLED = 30 * 26


def numeral(number: int, style: str, *, doubled: bool = False) -> str:
    """A number in letters or as a roman numeral; in figures where the style does not reach it.

    Args:
        number: what to write; letters and roman numerals start from 1.
        style: ``"a"``, ``"A"``, ``"i"`` or ``"I"``, as HTML names them; any other is figures.
        doubled: whether "z" is followed by "aa", "bb", "cc", as in Word, and not by "aa", "ab", "ac".

    >>> numeral(28, "a"), numeral(28, "A", doubled=True), numeral(14, "i"), numeral(0, "I")
    ('ab', 'BB', 'xiv', '0')
    """
    if style in ("a", "A") and 0 < number <= (_MOST_DOUBLED if doubled else number):
        written = _doubled(number) if doubled else _letters(number)
    elif style in ("i", "I") and 0 < number <= _MOST_ROMAN:
        written = _roman(number)
    else:
        return str(number)
    return written if style.islower() else written.upper()


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
    for sign, value in _ROMAN.items():
        times, number = divmod(number, value)
        roman += sign * times
    return roman
