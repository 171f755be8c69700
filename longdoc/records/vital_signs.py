"""Vital signs in a note: names, values and units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from longdoc.document import Document
from longdoc.labels import Answer
from longdoc.parts import Cell
from longdoc.records.evidence import cell
from longdoc.records.passages import Passage, Range, lines

_SIGNS: dict[str, tuple[str, str, str]] = {
    # name -> how notes write it, its value, its units
    "blood pressure": (
        r"blood\s+pressure|b\.?p\.?",
        r"\d{2,3}\s?/\s?\d{2,3}|systolic\s+\d{2,3}\D{0,24}diastolic\s+\d{2,3}",
        r"mm\s?\[?hg\]?",
    ),
    "heart rate": (
        r"heart\s+rate|pulse(?:\s+rate)?(?!\s*ox)|h\.?r\.?|p", r"\d{2,3}(?:\.\d)?s?",
        r"bpm|beats(?:\s+per\s+|/)min(?:ute)?|/\s?min|per\s+minute",
    ),
    "respiratory rate": (
        r"respiratory\s+rate|respirations?|resp\.?|r\.?r\.?", r"\d{1,2}(?:\.\d)?",
        r"breaths(?:\s+per\s+|/)min(?:ute)?|/\s?min|per\s+minute|breaths",
    ),
    "temperature": (
        r"(?:body\s+)?temp(?:erature)?\.?|t", r"\d{2,3}(?:\.\d+)?",
        r"(?:degrees?|deg\.?|°|º)\s?(?:fahrenheit|celsius|[fc]\b)?|fahrenheit|celsius|[FC]\b|\[?deg[fc]\]?|cel\b",
    ),
    "oxygen saturation": (
        r"(?:oxygen|o2)\s+sat(?:uration|s)?\.?|sp\s?o2|o2\s?sats?|pulse\s+ox(?:imetry|ygenation)?|sa\s?o2|sats?",
        r"\d{2,3}(?:\.\d+)?", r"(?:%|percent)(?:\s+(?:on|in)\s+(?:room\s+air|ra\b|\d+\s?l\w*))?",
    ),
    "weight": (r"weight|wt\.?", r"\d{1,3}(?:\.\d+)?", r"lbs?\b\.?|pounds?|kgs?\b|kilograms?|g\b|grams|\[?lb_av\]?"),
    "height": (r"height|ht\.?", r"\d['’′]\s?\d{0,2}[\"”″]?|\d{1,3}(?:\.\d+)?", r"cm\b|inches|in\b|feet|m\b"),
    "body mass index": (r"body\s+mass\s+index|bmi", r"\d{2}(?:\.\d+)?", r"kg/m2?\b"),
    "pain": (r"pain(?:\s+(?:score|level|scale))", r"\d{1,2}\s?/\s?10|\d{1,2}\s+out\s+of\s+10", r"(?!)"),
}  # fmt: skip
_JOIN = (
    r"(?:[:=-]|\bof\b|\bis\b|\bwas\b|\bat\b|\btoday\b|\btaken\b|\bin\s+office\b|\s)*"
    r"(?:(?:slightly\s+|mildly\s+)?(?:elevated|high|low|stable|normal|good)\s+(?:at|to)\s+|approximately\s+"
    r"|about\s+)?"
)
"""What stands between the name and the value."""
_SAID = re.compile(
    r"(?i)(?:(?:slightly|mildly|otherwise|a\s+bit|markedly)\s+)?(?:elevated|high|low|normal"
    r"|within\s+(?:the\s+)?normal\s+limits|wnl|afebrile|febrile|stable|good|unremarkable|regular|decreased"
    r"|increased)\b"
)
_SECTIONS = ("vital signs",)
_ELSEWHERE = (
    "physical examination",
    "objective",
    "history of present illness",
    "hospital course",
    "",
    "plan",
    "assessment and plan",
    "assessment",
    "heading",
    "subjective",
)
_BOUNDS = {
    "heart rate": (20, 300),
    "respiratory rate": (4, 80),
    "oxygen saturation": (40, 100),
    "temperature": (30, 115),
}


@dataclass(frozen=True, slots=True)
class VitalSign:
    """A vital sign: ``value`` is the number with its unit, or the word that stands for it (``"normal"``)."""

    name: str
    """``"blood pressure"``, ``"heart rate"``, ``"temperature"`` and the like, whatever the note calls it."""
    value: Answer
    numbers: tuple[Decimal, ...] = ()
    """The number; two of a blood pressure; none of a word."""
    unit: str = ""
    """As written; empty if it is not said."""

    @property
    def remark(self) -> str:
        """Its name."""
        return self.name


def find_vital_signs(document: Document, found: Sequence[Passage]) -> tuple[VitalSign, ...]:
    """The vital signs of the sections for them; numbers that other sections give are read where there is none."""
    signs: list[VitalSign] = []
    for passage in found:
        if passage.kind in _SECTIONS:
            signs += _in_table(document, passage) or _in_lines(document, passage, words=True)
    for passage in found:
        if passage.kind in _ELSEWHERE:
            known = {sign.name for sign in signs}
            signs += [sign for sign in _in_lines(document, passage, words=False) if sign.name not in known]
    return tuple({(sign.name, sign.value.text): sign for sign in signs}.values())


def _in_lines(document: Document, passage: Passage, *, words: bool) -> list[VitalSign]:
    signs: list[VitalSign] = []
    for start, end in lines(document.text, passage.start, passage.end):
        for name, (letters, value, units) in _SIGNS.items():
            # One letter is a name only in a list of vital signs: "T 98.6, P 72".
            written = letters if words else re.sub(r"\|[pt]$", "", letters)
            pattern = (
                rf"(?i)(?<![\w-])(?:{written})(?![\w]){_JOIN}(?P<value>{value})(?:\s*(?P<unit>{units}))?(?![\w/.]*\d)"
            )
            matches = list(re.finditer(pattern, document.text[start:end]))
            if not words and name in ("weight", "height", "pain"):
                continue
            signs += [sign for m in matches if (sign := _sign(document, name, m, start, passage))]
            if words and not matches and (word := _word(document, written, (start, end), name, passage)):
                signs.append(word)
    return signs


def _sign(document: Document, name: str, match: re.Match[str], start: int, passage: Passage) -> VitalSign | None:
    """A vital sign with its numbers, if they are such as people have."""
    numbers = tuple(Decimal(each) for each in re.findall(r"\d+(?:\.\d+)?", match["value"]))
    low, high = _BOUNDS.get(name, (0, 1000))
    if not low <= numbers[0] <= high:
        return None
    end = match.end("unit") if match["unit"] else match.end("value")
    score = 0.95 if passage.kind in _SECTIONS else 0.75
    source = passage.source
    value = cell(document, start + match.start("value"), start + end, label=name, source=source, score=score)
    return VitalSign(name, value, numbers, match["unit"] or "")


def _word(document: Document, written: str, line: Range, name: str, passage: Passage) -> VitalSign | None:
    """A vital sign that is said in a word: "Temperature: normal"."""
    text = document.text[slice(*line)]
    match = re.search(rf"(?i)^[^.]{{0,60}}?(?<!\w)(?:{written})(?!\w)\s*(?::|is|was|looks?|are|remains|\s)*\s*", text)
    said = _SAID.match(text, match.end()) if match else None
    if said is None:
        return None
    start = line[0]
    return VitalSign(
        name,
        cell(
            document, start + said.start(), start + said.end(), label=name, source=f"section {passage.kind}", score=0.8
        ),
    )


def _in_table(document: Document, passage: Passage) -> list[VitalSign]:
    """The vital signs of tables whose first row, or first column, names them."""
    return [
        sign
        for table in document.tables
        if passage.start <= table.start < passage.end
        for sign in _cells(document, table.cells, passage)
    ]


def _cells(document: Document, cells: Sequence[Cell], passage: Passage) -> Iterator[VitalSign]:
    heads = {c.column: c.text for c in cells if c.row == 0}
    sides = {c.row: c.text for c in cells if c.column == 0}
    for each in cells:
        for title in (heads.get(each.column, ""), sides.get(each.row, "")):
            for name, (written, value, units) in _SIGNS.items():
                named = re.match(rf"(?i)(?:{written})(?!\w)", title.strip())
                match = (
                    re.match(rf"(?i)(?P<value>{value})(?:\s*(?P<unit>{units}))?", each.text.strip()) if named else None
                )
                if match and each.text != title and (sign := _sign(document, name, match, each.start, passage)):
                    yield sign
