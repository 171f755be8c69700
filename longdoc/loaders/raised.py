"""Raised and lowered text against a number: exponents and marks of notes that would otherwise change its value."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[-+\u2212\u2013]?\d+(?:\.\d+)?")
_LETTERS = re.compile(r"[-+\u2212\u2013]?\d?[ijkmnpqtxyz](?:[-+\u2212\u2013/]\w)?")
_FRACTION = re.compile(r"\d+\s?[/\u2044\u2215]\s?\d")
_NOTE = re.compile(r"\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*")
_POWER = re.compile(r"(?:(?<![\w.,])|(?<=\d[xX]))(?:10|2|e)$")
_BASE = re.compile(
    r"(?:(?:(?<![\w.,])|(?<=\d[xX]))(?:10|2|e)"  # a power of ten or two
    r"|(?<![^\W\d_])[^\W\d_]"  # a variable: one letter
    r"|(?<![^\W\d_])(?:[kcmdn\u00b5]?m|km|ft|in|yd|mi|kg|mol|sec|min|cd|Hz|sq|log|ln|exp|sin|cos|tan|height))$"
)
_NO_WORD = r"(?!(?:an|and|are|as|at|by|do|for|he|if|in|is|it|me|my|no|not|of|on|or|so|the|to|us|we)\b)"
_IN_FORMULA = re.compile(
    rf"(?:(?<![=+*])[=+*]\s?{_NO_WORD}[A-Za-z]{{1,3}}"  # the mc of E=mc²
    r"|[/(][b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ]{1,3}"
    r"|(?<![\w.,])\d{1,3}(?!st|nd|rd|th)[b-df-hj-np-tv-xz]{1,3}"
    r"|[\u0391-\u03a9\u03b1-\u03c9][A-Za-z]{1,3})$"
)
"""Letters directly after an operator, a factor or a Greek letter, which are no word."""
_LAST_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]{3,}$")
_LETTER_MARK = re.compile(r"[a-lA-F]")  # not r, s, t and the like, which end old abbreviations: Govᵗ
_LETTER_MARKS = re.compile(r"[A-Za-z](?:\s?[,;]\s?(?:[A-Za-z]|\d{1,2}|[*\u2020\u2021\u00a7]))+")
_ROMAN = re.compile("[IVXLCDM]+")
_NOT_MARKED = frozenset("sin cos tan exp log lim det max min".split())
_SHORTENED = re.compile(r"(?:prof|exm|ilm|ill|eng|adv|sra?|dra?|art)", re.IGNORECASE)
_TERM_IN_BRACKETS = re.compile(r"\([^()]*[-+\u2212*/\u00b7\u00d7=\w][^()]*[-+\u2212*/\u00b7\u00d7=][^()]*\)$")


def raised_marks(
    before: str, raised: str, after: str = "", *, is_note: bool = False, lowered: str = ""
) -> tuple[str, str]:
    """What to insert before and after raised text so that it cannot be read as a part of the text that it follows.

    An exponent gets ``^``, the mark of a note, a letter included, brackets, the numerator of a fraction a space
    after a whole number. Ordinals (``1st``), signs (``®``) and marks that nothing precedes get nothing.

    Args:
        before: the text before it, at least the last word.
        raised: the raised text.
        after: the text that follows.
        is_note: it is known to be the mark of a note, for example because it links to one.
        lowered: the lowered text at the end of ``before`` that it stands above, as in SO₄²⁻.

    >>> raised_marks("the limit is 10", "6"), raised_marks("of 1,000", "2"), raised_marks("the 1", "st")
    (('^', ''), ('[', ']'), ('', ''))
    """
    before, raised, lowered = before[-40:], raised.strip(), lowered.strip()
    if lowered and before.endswith(lowered) and raised:
        marks = raised_marks(before.removesuffix(lowered).removesuffix("_"), raised, after, is_note=is_note)
        return marks if marks[0] or not raised[0].isdigit() else ("^", marks[1])
    if not raised:
        return "", ""
    apart = " " if raised[-1].isdigit() and after[:1].isdigit() else ""
    if not before or before[-1].isspace():
        return "", apart
    if _FRACTION.match(raised + after) and not is_note:
        return " " if before[-1].isdigit() else "", apart
    if not is_note and (power := _power_marks(before, raised, after)):
        return power
    if not is_note and before[-1] in "([{/-\u2013\u2212" and after[:1].isalpha():
        return "", ""  # the mass of an isotope
    if not is_note and _is_letter_mark(before, raised):
        return "[", "]"
    if _NOTE.fullmatch(raised) or (is_note and not raised.startswith(("[", "("))):
        return "[", "]"
    if raised[0].isdigit() and before[-1].isdigit():  # a charge, such as 2-, or a mark such as 2a
        return ("^", apart) if raised[-1] in "-+\u2212\u2013" else ("[", "]")
    return "", apart


def _power_marks(before: str, raised: str, after: str) -> tuple[str, str] | None:
    """What to insert around an exponent; None if the raised text is none."""
    if _NUMBER.fullmatch(raised):
        is_signed = raised[0] in "-+\u2212\u2013" and before[-1].isalnum()
        if is_signed or _BASE.search(before) or _TERM_IN_BRACKETS.search(before):
            return "^", " " if after[:1].isdigit() else ""
        if raised in tuple("23456") and _IN_FORMULA.search(before):
            return "^", " " if after[:1].isdigit() else ""
    if _POWER.search(before) and _LETTERS.fullmatch(raised):
        return ("^(", ")") if len(raised) > 1 else ("^", "")
    return None


def _is_letter_mark(before: str, raised: str) -> bool:
    """Whether raised letters after a word are the marks of notes, as those of the authors of a paper."""
    word = _LAST_WORD.search(before)
    if not word or word[0] in _NOT_MARKED:
        return False
    if _LETTER_MARKS.fullmatch(raised):
        return True
    is_ordinal = raised == "e" and _ROMAN.fullmatch(word[0])  # the XIXᵉ century
    is_ending = raised in ("a", "e") and _SHORTENED.fullmatch(word[0])
    return bool(_LETTER_MARK.fullmatch(raised)) and not is_ordinal and not is_ending


def lowered_marks(before: str, lowered: str, after: str = "") -> tuple[str, str]:
    """What to insert before and after lowered text; only digits against digits change a value.

    >>> lowered_marks("H", "2", "O"), lowered_marks("log", "10", "100")
    (('', ''), ('', ' '))
    """
    lowered = lowered.strip()
    starts, ends = lowered[:1].isdigit() and before[-1:].isdigit(), lowered[-1:].isdigit() and after[:1].isdigit()
    return "_" if starts else "", " " if ends else ""
