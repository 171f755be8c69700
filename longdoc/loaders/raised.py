"""Raised and lowered text against a number: exponents and marks of notes that would otherwise change its value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["plain", "raised", "lowered", "note", "numerator", "denominator"]
"""How a piece of a line is set: ``"note"`` is raised text that is known to be the mark of a note, and ``"numerator"``
and ``"denominator"`` are above and below the bar of a fraction."""
Piece = tuple[Kind, str]

_CONTEXT = 60  # characters before and after a piece that decide what it gets
_LONGEST_MARK = 8  # characters
_FAR = 6  # groups of pieces after it
_SIGNS = "-+\u2212\u2013"
_SLASHES = ("/", "\u2044", "\u2215")
_CLOSING = ".,;:!?)]}\"'\u201d\u2019\u00bb%"
_LIST_NUMBER = re.compile(r"\s*(?:[(\[]?\w{1,5}[.)\]]{1,2}|[^\w\s])\s+")
_SPLIT_POWER = re.compile(r"(?<![\w.,])10 $")
_NUMBER = re.compile(r"[-+\u2212\u2013]?\d+(?:\.\d+)?")
_BOUND = re.compile(r"[-+\u2212\u2013]\s?\d+(?:[.,]\d+)?\s?%?")
_AMOUNT = re.compile(r"\d[\d.,:]*\s?[^\W\d_]{2}")  # with its unit, such as 10am: no script, but small text
_WORD = re.compile(r"[^\W\d_]{2}")
_LETTERS = re.compile(r"[-+\u2212\u2013]?\d?[ijkmnpqtxyz](?:[-+\u2212\u2013/]\w)?")
_FRACTION = re.compile(r"(\d{1,2})\s?([/\u2044\u2215])\s?(\d{1,2})(?![\d.,]*\d)")
_COMMON = frozenset((2, 3, 4, 5, 6, 8, 12, 16, 32, 64))
"""Denominators of fractions after whole numbers, as in 8 1/2, that are set like other text."""
_MARK = re.compile(r"\d{1,3}|[a-h](?![^\W\d_])|[*\u2020\u2021\u00a7\u00b6#]+|[(\[]\w{1,3}[)\]]")
_SYMBOLS = re.compile(r"[*\u2020\u2021\u00a7\u00b6#]+")
_CHARGE = re.compile(r"\d?[-+\u2212\u2013]")
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
_OXIDE = re.compile(r"(?<![^\W_])(?:[A-Z][a-z]?\d{0,2})*[A-Z][a-z]?\d{1,2}[OS]$")  # H2O: its last letter is no variable
_ROMAN = re.compile("[IVXLCDM]+")
_NOT_MARKED = frozenset("sin cos tan exp log lim det max min".split())
_SHORTENED = re.compile(r"(?:prof|exm|ilm|ill|eng|adv|sra?|dra?|art)", re.IGNORECASE)
_TERM_IN_BRACKETS = re.compile(r"\([^()]*[-+\u2212*/\u00b7\u00d7=\w][^()]*[-+\u2212*/\u00b7\u00d7=][^()]*\)$")


@dataclass(slots=True)
class _Group:
    """Neighbouring pieces that are set alike."""

    kind: Kind
    text: str
    first: int
    """Index of its first piece."""
    last: int
    """Index of its last piece."""


def line_marks(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """What to insert before and after each piece of a line, so that no number in it changes its value.

    This is the one rule for all formats. What stands above or below other text belongs to the word before both; raised
    pieces side by side are read as one, but an exponent and each mark of a note stay apart.

    Args:
        pieces: what the line consists of, in order; white space between them is in their texts.

    >>> line_marks([("plain", "x"), ("lowered", "1"), ("raised", "2"), ("note", "3")])
    [('', ''), ('', ''), ('^', ''), ('[', ']')]
    """
    found = [("", "")] * len(pieces)
    groups = list(_groups(pieces))
    base = stack = ""  # the text so far: up to raised and lowered text side by side, and this
    for at, group in enumerate(groups):
        if group.kind == "plain" or group.text[0].isspace() or len(stack) > _CONTEXT:
            ends_word = stack[-1:].isalpha() and group.text[0].isalpha()
            base, stack = (base + stack + ("\u00b7" if ends_word else ""))[-_CONTEXT:], ""
        if group.kind == "plain":
            base += group.text[-_CONTEXT:]
            continue
        base += group.text[: len(group.text) - len(group.text.lstrip())]
        opening, closing = _group_marks(groups, at, base, stack)
        closing = "" if closing == " " and group.text[-1].isspace() else closing
        found[group.first] = (opening, found[group.first][1])
        found[group.last] = (found[group.last][0], closing)
        stack += opening + group.text.lstrip() + closing
    return found


def _groups(pieces: Sequence[Piece]) -> Iterator[_Group]:
    """The pieces without empty ones; neighbours of one kind are joined, except exponents and marks of notes.

    The text of the group in hand is only its end, which is what decides whether the next piece belongs to it.
    """
    group: _Group | None = None
    texts: list[str] = []
    plain = ""  # the last text that is neither raised nor lowered
    for at, (kind, text) in enumerate(pieces):
        set_as: Kind = kind if text.strip() else "plain"
        plain = text if set_as == "plain" and text else plain
        if group and text and set_as == group.kind != "note" and not _is_next(group, text, plain):
            texts.append(text)
            group.text, group.last = (group.text + text)[-_CONTEXT:], at
        elif text:
            if group:
                group.text = "".join(texts)
                yield group
            group, texts = _Group(set_as, text, at, at), [text]
    if group:
        group.text = "".join(texts)
        yield group


def _is_next(group: _Group, text: str, plain: str) -> bool:
    """Whether text that is set like a group before it is a number or mark of its own.

    Args:
        group: the group before it.
        text: the text.
        plain: the last plain text before the group.
    """
    if group.kind == "plain":
        return False
    if group.text[-1].isdigit() and text[0].isspace() and text.lstrip()[:1].isdigit():
        return True
    if group.kind != "raised" or len(group.text) > _LONGEST_MARK:
        return False
    raised, text = group.text.strip(), text.strip()
    if not _MARK.match(text):
        return False
    if _NUMBER.fullmatch(raised):
        return text[0] != "0"  # 10 in two pieces
    if _CHARGE.fullmatch(raised):
        return not text[0].isdigit()
    if _SYMBOLS.fullmatch(raised):
        return not _SYMBOLS.match(text)
    return _is_letter_mark(plain, raised)


def exponent_length(before: str, raised: str) -> int:
    """The length of the exponent in raised text that ends with the mark of a note; 0 if it is not both.

    >>> exponent_length("10", "-3b"), exponent_length("5 m", "2*"), exponent_length("Smith", "2a")
    (2, 1, 0)
    """
    number = _NUMBER.match(raised)
    if not number or not _MARK.fullmatch(raised, number.end()):
        return 0
    return number.end() if before and _power_marks(before[-40:], number[0], "") else 0


def _group_marks(groups: list[_Group], at: int, base: str, stack: str) -> tuple[str, str]:
    """What to insert before and after one of several groups, which is not plain.

    Args:
        groups: all of them.
        at: index of the one.
        base: the text before the stack that it is in.
        stack: the text of the stack before it, with what was inserted.
    """
    group, before, following = groups[at], base + stack, _following(groups, at)
    above = groups[at - 1] if stack and not stack[-1].isspace() else None
    if group.kind == "numerator":
        return " " if before[-1:].isdigit() else "", ""
    if group.kind == "denominator":
        return "/", " " if following[:1].isdigit() else ""
    if group.kind == "lowered":
        is_bound = bool(_BOUND.fullmatch(group.text.strip()))
        if above and above.kind in ("raised", "note") and above.text.rstrip()[-1] not in (*_SLASHES, "\u221a"):
            is_word = bool((base[-1:].isdigit() and _WORD.match(group.text)) or _AMOUNT.match(group.text))
            opening = " " if is_word else "_" if group.text[0].isalnum() or is_bound else ""
            return opening, lowered_marks("", group.text, following)[1]
        opening, closing = lowered_marks(before, group.text, following)
        is_below = is_bound and before[-1:].isalnum() and _is_next_to(groups, at, "raised")
        return "_" if is_below else opening, closing
    is_note = group.kind == "note"
    if before[-1:].isspace() and (is_note or not _is_mass(groups, at)):
        marks = _marks_after_space(before, group.text, following, is_note=is_note)
        if marks:
            return marks
    if above and above.kind == "lowered" and not is_note:
        if _is_before_word(base):
            return " " if group.text[0].isalnum() else "", raised_marks("", group.text, following)[1]
        return raised_marks(before, group.text, following, lowered=stack)
    if above and above.kind in ("raised", "note") and not is_note:
        return _next_marks(group.text.strip(), following)
    return raised_marks(before, group.text, following, is_note=is_note, is_above=_is_above(groups, at))


def _is_next_to(groups: list[_Group], at: int, kind: Kind) -> bool:
    """Whether a group of a kind follows one."""
    return at + 1 < len(groups) and groups[at + 1].kind == kind


def _is_mass(groups: list[_Group], at: int) -> bool:
    """Whether a raised number stands before a lowered one that a symbol follows, as in ²³⁵₉₂U."""
    after = [group for group in groups[at + 1 : at + 4] if group.text.strip()]
    is_before_number = bool(after) and after[0].kind == "lowered" and after[0].text.strip().isdigit()
    return is_before_number and len(after) > 1 and after[1].text.lstrip()[:1].isupper()


def _is_above(groups: list[_Group], at: int) -> bool:
    """Whether the group after a slash after one is lowered."""
    after = groups[at + 1 : at + 3]
    if after and after[0].kind == "plain":
        return after[0].text.strip() in _SLASHES and after[-1].kind == "lowered"
    return bool(after) and after[0].kind == "lowered" and after[0].text.lstrip().startswith(_SLASHES)


def _next_marks(raised: str, after: str) -> tuple[str, str]:
    """What to insert around raised text directly after raised text."""
    if _NOTE.fullmatch(raised) or _LETTER_MARK.fullmatch(raised) or _LETTER_MARKS.fullmatch(raised):
        return "[", "]"
    is_touching = raised[-1].isdigit() or _SYMBOLS.fullmatch(raised)
    return "", " " if is_touching and after[:1].isdigit() else ""


def _following(groups: list[_Group], at: int) -> str:
    """The text after a group that decides what it gets; of a stack, the text after the whole stack."""
    # Whether the denominator of a fraction follows.
    is_part = groups[at].text.rstrip()[-1:] in _SLASHES or _is_above(groups, at)
    found, after = "", groups[at + 1 : at + 1 + _FAR]
    for group in after:
        if group.kind == "note":
            break
        if group.kind != "plain" and not found and not is_part:
            rest = next((each for each in after if each.kind not in ("raised", "lowered")), group)
            return rest.text if rest.kind == "plain" and rest.text[0].isalpha() else ""
        found += group.text
    return found[:_CONTEXT]


def _is_before_word(base: str) -> bool:
    """Whether raised and lowered text after ``base`` belongs to what follows it, as the mass of an isotope."""
    return not base or base[-1].isspace() or base[-1] in "([{"


def _marks_after_space(before: str, raised: str, after: str, *, is_note: bool) -> tuple[str, str] | None:
    """What to insert around raised text after a space, if that is a power of ten or the mark of a note; else None."""
    if not before.strip() or _LIST_NUMBER.fullmatch(before):
        return None
    if is_note:
        return raised_marks(before.rstrip(), raised, after, is_note=True)
    if not _NUMBER.fullmatch(raised.strip()) or after[:1].isalnum():
        return None
    if _SPLIT_POWER.search(before) and not _is_fraction(before.rstrip(), raised.strip(), after):
        return "^", ""
    if after.startswith(_SLASHES):
        return None
    words = before.rstrip()
    is_after_word = words[-1:].isalpha() or words[-1:] in tuple(_CLOSING)
    return ("[", "]") if is_after_word and len(before) == len(words) + 1 and _NOTE.fullmatch(raised.strip()) else None


def raised_marks(
    before: str,
    raised: str,
    after: str = "",
    *,
    is_note: bool = False,
    lowered: str = "",
    is_above: bool | None = None,
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
        is_above: whether it stands above a lowered number after a slash; None if that is not known.

    >>> raised_marks("the limit is 10", "6"), raised_marks("of 1,000", "2"), raised_marks("the 1", "st")
    (('^', ''), ('[', ']'), ('', ''))
    """
    before, raised, lowered = before[-40:], raised.strip(), lowered.strip()
    if lowered and before.endswith(lowered) and raised:
        marks = raised_marks(before.removesuffix(lowered).removesuffix("_"), raised, after, is_note=is_note)
        return marks if marks[0] or not raised[0].isdigit() else ("^", marks[1])
    if not raised:
        return "", ""
    is_range = raised == "\u2013" and before[-1:].isdigit()
    apart = " " if (raised[-1].isdigit() or raised[-1] in _SIGNS) and after[:1].isdigit() and not is_range else ""
    if not before or before[-1].isspace():
        return "", apart
    if not is_note and _is_fraction(before, raised, after, is_above=is_above):
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
        return _charge_marks(raised, apart)
    return "", apart


def _charge_marks(raised: str, apart: str) -> tuple[str, str]:
    """What to insert around raised text that starts with a digit after a digit, and is no exponent."""
    if _AMOUNT.match(raised):
        return " ", apart
    return ("^", apart) if raised[-1] in _SIGNS else ("[", "]")


def _is_fraction(before: str, raised: str, after: str, *, is_above: bool | None = False) -> bool:
    """Whether raised text is a fraction or a numerator, and not an exponent or a mark before a slash."""
    found = _FRACTION.match(raised + after)
    if not found:
        return False
    if found.end(2) <= len(raised):
        return True
    if not before[-1].isdigit():
        return is_above is not False and not _power_marks(before, found[1], "")
    above, below = int(found[1]), int(found[3])
    is_mixed = above < below and below in _COMMON and (above == 1 or not _POWER.search(before))
    return bool(is_above) or found[2] != "/" or is_mixed


def _power_marks(before: str, raised: str, after: str) -> tuple[str, str] | None:
    """What to insert around an exponent; None if the raised text is none."""
    if _NUMBER.fullmatch(raised) or _BOUND.fullmatch(raised):
        is_signed = raised[0] in _SIGNS and before[-1].isalnum()
        if _OXIDE.search(before) and not is_signed:
            return None
        if is_signed or _BASE.search(before) or _TERM_IN_BRACKETS.search(before):
            return "^", " " if after[:1].isdigit() else ""
        if raised in tuple("23456") and _IN_FORMULA.search(before):
            return "^", " " if after[:1].isdigit() else ""
    if _POWER.search(before) and _LETTERS.fullmatch(raised):
        return ("^(", ")") if len(raised) > 1 else ("^", "")
    return ("^", "") if exponent_length(before, raised) else None


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
    """What to insert before and after lowered text; only digits and bounds against digits change a value.

    >>> lowered_marks("H", "2", "O"), lowered_marks("log", "10", "100"), lowered_marks("5.1", "-0.3")
    (('', ''), ('', ' '), ('_', ''))
    """
    lowered = lowered.strip()
    starts = before[-1:].isdigit() and (lowered[:1].isdigit() or bool(_BOUND.fullmatch(lowered)))
    ends = lowered[-1:].isdigit() and after[:1].isdigit()
    return (" " if _AMOUNT.match(lowered) else "_") if starts else "", " " if ends else ""
