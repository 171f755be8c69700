"""The styles in which Word writes numbers: letters, Roman and Chinese numerals, words."""

from __future__ import annotations

import re

from longdoc.sections.numerals import numeral

_LETTERS = {"lowerLetter": "a", "upperLetter": "A", "lowerRoman": "i", "upperRoman": "I"}
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS["twelve"] = "twelfth"
_HAN = "〇一二三四五六七八九"
_HAN_UNITS = ((1000, "千"), (100, "百"), (10, "十"))
_SERIES = {
    "ideographTraditional": "甲乙丙丁戊己庚辛壬癸",
    "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥",
    "decimalEnclosedCircle": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "decimalEnclosedCircleChinese": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "decimalEnclosedParen": "⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇",
    "decimalEnclosedFullstop": "⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛",
    "ganada": "가나다라마바사아자차카타파하",
    "chosung": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "aiueoFullWidth": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "russianLower": "абвгдежзиклмнопрстуфхцчшщыэюя",
    "russianUpper": "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ",
}
_CHINESE = frozenset("chineseCounting chineseCountingThousand taiwaneseCounting taiwaneseCountingThousand".split())
_JAPANESE = frozenset("japaneseCounting koreanCounting".split())
_DIGITS = {
    "ideographDigital": _HAN,
    "taiwaneseDigital": "○一二三四五六七八九",
    "japaneseDigitalTenThousand": _HAN,
    "decimalFullWidth": "０１２３４５６７８９",
    "decimalFullWidth2": "０１２３４５６７８９",
    "hindiNumbers": "०१२३४५६७८९",
    "thaiNumbers": "๐๑๒๓๔๕๖๗๘๙",
}
_OTHER = frozenset(
    "none bullet decimal decimalZero ordinal cardinalText ordinalText numberInDash decimalHalfWidth".split()
)
_ZEROS = re.compile("decimal([2-9])")


def is_known(style: str) -> bool:
    """Whether :func:`written` knows a style; others are written in decimal."""
    known = (_LETTERS, _SERIES, _CHINESE, _JAPANESE, _DIGITS, _OTHER)
    return any(style in each for each in known) or bool(_ZEROS.fullmatch(style))


def written(number: int, style: str) -> str:
    """A number in one of Word's styles; in decimal if the style is unknown.

    >>> written(3, "lowerRoman"), written(21, "ordinalText"), written(7, "decimalZero"), written(12, "ordinal")
    ('iii', 'Twenty-first', '07', '12th')
    >>> written(21, "chineseCounting"), written(105, "chineseCountingThousand"), written(2, "decimalEnclosedCircle")
    ('二十一', '一百零五', '②')
    """
    if style in ("none", "bullet"):
        return ""
    if style in _LETTERS:
        return numeral(number, _LETTERS[style], doubled=True)
    if style in _SERIES:
        return _SERIES[style][number - 1] if 0 < number <= len(_SERIES[style]) else str(number)
    if style in _DIGITS:
        return "".join(_DIGITS[style][int(digit)] for digit in str(abs(number)))
    if style in _CHINESE or style in _JAPANESE:
        return _in_han(number, is_chinese=style in _CHINESE)
    if style in ("cardinalText", "ordinalText") and 0 <= number < 100:
        return _in_words(number, ordinal=style == "ordinalText").capitalize()
    return _in_decimal(number, style)


def _in_decimal(number: int, style: str) -> str:
    if zeros := _ZEROS.fullmatch(style):
        return f"{number:0{zeros[1]}}"
    if style == "decimalZero":
        return f"{number:02}"
    if style == "ordinal":
        return f"{number}{'th' if number // 10 % 10 == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
    return f"- {number} -" if style == "numberInDash" else str(number)


def _in_han(number: int, *, is_chinese: bool) -> str:
    """A number below 10,000 in Chinese characters; Chinese writes the one of hundreds and the zero of 105."""
    if not 0 < number < 10_000:
        return str(number)
    text, rest, has_gap = "", number, False
    for unit, sign in _HAN_UNITS:
        digit, rest = divmod(rest, unit)
        if digit:
            shows_one = is_chinese and (unit > 10 or number >= 100)
            text += ("零" if has_gap and is_chinese else "") + (_HAN[digit] if digit > 1 or shows_one else "") + sign
            has_gap = False
        elif text:
            has_gap = True
    if rest:
        text += ("零" if has_gap and is_chinese else "") + _HAN[rest]
    return text


def _in_words(number: int, *, ordinal: bool) -> str:
    tens, unit = divmod(number, 10)
    words = [_UNITS[number]] if number < 20 else [_TENS[tens - 2], *([_UNITS[unit]] if unit else [])]
    if ordinal:
        last = words[-1]
        words[-1] = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return "-".join(words)
