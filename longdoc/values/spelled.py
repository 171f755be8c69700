"""Numbers in words, with a scale (``5 million``) or as a power (``3 x 10^5``), written as plain figures."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

WORDS = "\ue000"
"""Precedes figures that the text has in words."""
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "mm": 6, "mn": 6, "mio": 6}
_SCALES |= {"mln": 6, "bn": 9, "tn": 12, "lakh": 5, "lakhs": 5, "lac": 5, "lacs": 5, "crore": 7, "crores": 7}
LETTER_SCALES = {"k": 3, "m": 6, "b": 9}

# Thousands separated by commas (also the Indian way) or apostrophes; European grouping; decimal comma or point; digits.
NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{2,3}){0,6},[0-9]{3}(?:\.[0-9]{1,10})?|[0-9]{1,3}(?:'[0-9]{3}){1,6}(?:\.[0-9]{1,10})?"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,6},[0-9]{1,2}|[0-9]{1,3}(?:\.[0-9]{3}){2,6}"
    r"|[0-9]{1,20},[0-9]{1,2}|[0-9]{0,20}\.[0-9]{1,10}|[0-9]{1,20})"
    r"(?![0-9]|[.,'][0-9]|e[+-]?[0-9]|\^|\[\*)"
)
AMOUNT = rf"{WORDS}?{NUMBER}"
"""A number in figures or, after ``spelled_to_figures``, in words."""
AMOUNT_ALONE = re.compile(AMOUNT, re.I)
START = r"(?<![\w.,/^])(?<!\*\])"
MINUS = r"(?:(?P<minus>(?<![\w.,)%/+-])(?<![0-9%] )-|\b(?:minus|negative) ))?"
"""A hyphen is a minus at the start of a word, unless a number stands before it, as in a range."""

_CARDINALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion"
).split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth "
    "ninetieth hundredth thousandth millionth"
).split()
_CARDINAL = rf"(?:{'|'.join(_CARDINALS)})"
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.I)
_NUMERAL = rf"(?:{'|'.join([*_ORDINALS, *_CARDINALS])})\b"
_BEFORE_ORDINAL = re.compile(r"(?:ty|hundred|thousand|million|billion)\W+(?:and )?$|-$", re.I)
_RUN = re.compile(
    rf"\b{_NUMERAL}(?:(?:[ -]{{1,3}}(?:and )?|(?:(?<=sand)|(?<=lion)),(?: and)? ){_NUMERAL}){{0,40}}", re.I
)
_DENOMINATORS = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_DENOMINATORS |= {"eighth": 8, "ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000}
_SMALL = rf"{_CARDINAL}(?:-{_CARDINAL})?"
_FRACTION = re.compile(
    rf"\b(?:(?P<whole>[0-9]{{1,9}}|{_CARDINAL}(?:[ -](?:and )?{_CARDINAL}){{0,12}}) and )?"
    rf"(?P<top>an?|{_SMALL})(?P<mark> ?-? ?)(?:one-)?(?P<bottom>{'|'.join(_DENOMINATORS)})s?\b"
    r"(?P<before_unit>(?= of\b| ?\(? ?[0-9]{0,3}[ .-]?[0-9]{1,3}(?:/| ?%)| ?per ?-?cent| ?%))?",
    re.I,
)
_HUNDREDTHS = re.compile(rf"\band ({_SMALL})(?:/ ?100| one[ -]hundredth)s?\b", re.I)
_HALF = re.compile(
    r"\b(?:an? )?half(?:[ -]an?)?[ -]"
    r"(?=(?:hundred|thousand|million|billion|dozen|year|month|day|hour|per ?-?cent|of)\b|%)",
    re.I,
)
_DIGIT_FRACTIONS = (
    re.compile(r"(?<![0-9/.,^])(?:(?P<whole>[0-9]{1,3})(?: and |[ -]))?(?P<top>[1-9])/(?P<bottom>[2-9])(?![0-9/])"),
    re.compile(
        r"(?<![0-9/.,^])(?:(?P<whole>[0-9]{1,3})(?: and |[ -]))?(?P<top>[1-9][0-9]?)/(?P<bottom>10|12|16|32|64|100)"
        r"(?:th)?s?(?= of (?:an?|one|1)\b| ?%| ?per ?-?cent)"
    ),
)
_SCALED = re.compile(rf"(?<![0-9.,^])({AMOUNT}) ?-?(?:of )?(?:an? |one )?({'|'.join(_SCALES)}|dozen)\b", re.I)
_LOW = re.compile(
    rf"(?P<between>\bbetween )?(?P<sign>[$€£¥] ?)?(?<![0-9.,^])(?P<low>{NUMBER})"
    rf"(?= ?(?P<join>-|to|or|and) ?(?:[$€£¥] ?)?{NUMBER} ?-?(?P<scale>{'|'.join(_SCALES)})\b)",
    re.I,
)
_SHARE = re.compile(rf"({AMOUNT}) of (?:an?|{WORDS}?1(?: ?\(1\))?)(?= ?(?:per|%|(?:year|month|week|day|hour)\b))", re.I)
"""A part of one unit: ``0.75 of 1 percent``."""
_POWER = re.compile(
    rf"(?:(?<![\w.,^])({NUMBER}) ?[x\u00d7*\u00b7\u22c5] ?)?"
    rf"(?<![\w.,^])([0-9]{{1,3}})(?:\^|\*\*)[({{]?(-?[0-9]{{1,2}})[)}}]?(?![0-9])"
)


def spelled_to_figures(text: str, *, ordinals: bool = False) -> str:
    """Writes spelled-out numbers as figures after ``WORDS``: ``thirty (30)``, ``half a million``, ``1 1/2``, ``10^6``.

    Args:
        text: normalised text.
        ordinals: convert ordinals, as in dates, and no fractions; otherwise "the second year" is not two years.
    """
    if ordinals:
        return _RUN.sub(lambda match: _figures(match[0]), text)
    text = _POWER.sub(_power, text)
    text = _HUNDREDTHS.sub(lambda match: f"and {_figures(match[1])}/100", text)
    text = _HALF.sub(f"{WORDS}0.5 ", _FRACTION.sub(_fraction_in_words, text))
    for pattern in _DIGIT_FRACTIONS:
        text = pattern.sub(_fraction, text)
    text = _SCALED.sub(_scaled, _LOW.sub(_scaled_low, text))
    text = _SCALED.sub(_scaled, _RUN.sub(lambda match: _cardinals(match[0]), text))
    text = re.sub(r"\b(?:an? )?dozen\b", f"{WORDS}12", text, flags=re.I)
    return _SHARE.sub(lambda match: match[1] if to_decimal(match[1]) < 1 else match[0], text)


def _cardinals(run: str) -> str:
    """A run of numerals in figures, ordinals aside."""
    ordinal = _ORDINAL.search(run)
    if not ordinal:
        return _figures(run)
    before, after = run[: ordinal.start()], run[ordinal.end() :]
    if before and not _BEFORE_ORDINAL.search(before):
        before = _RUN.sub(lambda match: _figures(match[0]), before)
    return before + ordinal[0] + _RUN.sub(lambda match: _cardinals(match[0]), after)


@lru_cache(maxsize=4096)
def _figures(run: str) -> str:
    from number_parser import parse

    whole = str(parse(run.replace(",", ""), language="en"))
    figures = whole if whole.isdecimal() else str(parse(run, language="en"))
    return re.sub("[0-9]+", rf"{WORDS}\g<0>", figures)


def _power(match: re.Match[str]) -> str:
    factor, base, exponent = Decimal(to_decimal(match[1]) if match[1] else 1), Decimal(match[2]), int(match[3])
    value = factor * base**exponent
    figures = f"{value.normalize():f}"
    return figures if len(figures) <= 20 else match[0]


def _fraction_in_words(match: re.Match[str]) -> str:
    top, bottom = match["top"].lower(), match["bottom"].lower()
    last = re.split("[ -]", top)[-1]
    is_article = last in ("a", "an")
    hyphen = "-" in match["mark"] and not is_article and last in _CARDINALS[1:20]
    if not (hyphen or match["before_unit"] is not None or bottom == "half" or match["whole"]):
        return match[0]
    whole = match["whole"] or ""
    if whole and not whole.isdecimal():
        whole = _figures(whole)
    above = "1" if is_article else _figures(top)
    if not re.fullmatch(f"{WORDS}?[0-9]*", whole) or not re.fullmatch(f"{WORDS}?[0-9]+", above):
        return match[0]
    scale = _SCALES.get(match["whole"].lower().split()[-1], 0) if whole and is_article else 0
    one = 10**scale if scale > 2 else 1  # "a million and a half"
    amount = to_decimal(whole or "0") + one * to_decimal(above) / _DENOMINATORS[bottom]
    return f"{WORDS}{_rounded(amount)}"


def _fraction(match: re.Match[str]) -> str:
    return _rounded(Decimal(match["whole"] or 0) + Decimal(match["top"]) / Decimal(match["bottom"]))


def _rounded(amount: Decimal) -> str:
    rounded = round(amount, 4) if amount != round(amount, 10) else amount
    return f"{rounded.normalize():f}"


def _scaled(match: re.Match[str]) -> str:
    scale = match[2].lower()
    amount = to_decimal(match[1]) * (12 if scale == "dozen" else 10 ** _SCALES[scale])
    return f"{WORDS if WORDS in match[1] else ''}{amount.normalize():f}"


def _scaled_low(match: re.Match[str]) -> str:
    """The lower end of a range whose scale is only told at its upper end, as in ``$5 to 10 million``."""
    low, before = match["low"], f"{match['between'] or ''}{match['sign'] or ''}"
    if to_decimal(low) >= 1000 or (match["join"].lower() == "and") != bool(match["between"]):
        return match[0]
    return f"{before}{(to_decimal(low) * 10 ** _SCALES[match['scale'].lower()]).normalize():f}"


def to_decimal(number: str) -> Decimal:
    """Converts text that ``AMOUNT`` matched."""
    number = number.removeprefix(WORDS)
    if re.search(r",[0-9]{1,2}$|\.[0-9]{3}\.", number):
        number = number.replace(".", "").replace(",", ".")
    return Decimal(re.sub("[,']", "", number))


_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_SUPERSCRIPT = re.compile(r"(?<![\d.,$€£¥])10(?!¹(?![⁰¹²³⁴-⁹]))(⁻?[⁰¹²³⁴-⁹]{1,2})")
_NOTE_MARKS = re.compile(
    "[\u00b9\u00b2\u00b3\u2070\u2074-\u2079\xad\u200b\u200c\u200d\u2060\ufeff]"
    r"|(?<=[0-9%])\[(?:[0-9]{1,3}(?:[,;\u2013-] ?[0-9]{1,3})*|[a-z])\]"
)
_GROUPS = re.compile(r"(?<=\d)[\xa0\u2007\u2009\u202f](?=\d{3}(?!\d))")


def normalize(text: str) -> str:
    """Converts digits, dashes and apostrophes to ASCII, collapses white space, and drops footnote marks."""
    text = _SUPERSCRIPT.sub(r"10^\1", text.replace(WORDS, " "))
    text = re.sub(r"(?<=\^)⁻?[⁰¹²³⁴-⁹]+", lambda power: unicodedata.normalize("NFKC", power[0]), text)
    text = _NOTE_MARKS.sub("", _VULGAR.sub(" ", _GROUPS.sub("", text)))
    text = re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit[0])), unicodedata.normalize("NFKC", text))
    text = re.sub("[\u2010-\u2013\u2212]", "-", re.sub("[‘’‛′]", "'", text))
    return " ".join(re.sub("[\u2014\u2015]", "--", text).replace("\u2044", "/").split())
