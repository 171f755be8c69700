r"""Finds what may be the number of a clause: ``ARTICLE IV``, ``4.2``, ``(b)``, ``Exhibit A`` where a line starts.

Whether it is one is decided by :mod:`longdoc.sections.numbering`, from the order of the numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from heapq import merge

from longdoc.sections._rules import legal_rules
from longdoc.sections.titles import is_heading, title_at

MOST_LABELS = 20_000
_FEWEST_TITLES_ABOVE = 3
_LINE_START, _WITHIN_LINE = 0.5, 0.2
ROMAN = re.compile(r"(?=[ivxlc])(c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})$", re.IGNORECASE)
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a number: ``(i)`` is the letter 9 or the roman 1."""

    style: str
    """What siblings share: ``"(a)"``, ``"(i)"``, ``"(A)"``, ``"1."``, ``"article"``, ``"path 2"`` ...."""
    path: tuple[int, ...]
    """``(4, 2)`` for 4.2; one number for the rest."""


@dataclass(frozen=True, slots=True)
class Label:
    """A possible number of a clause and the title after it."""

    start: int
    end: int
    text: str
    """As printed, without the unit word and the full stop: ``"IV"``, ``"4.2"``, ``"(b)"``, ``"A"``."""
    kind: str
    readings: tuple[Reading, ...]
    weight: float
    """What it costs to leave it out: little for one that stands within a line."""
    title: str
    title_end: int
    fresh: bool = False
    """Whether the text before it ends what came before: "NOW, THEREFORE, ... agree as follows:"."""

    @property
    def starts_line(self) -> bool:
        return self.weight >= _LINE_START


@cache
def _pattern() -> re.Pattern[str]:
    """Every number, with the unit word before it."""
    rules = legal_rules()

    def words(kinds: dict[str, tuple[str, ...]]) -> str:
        forms = {form for names in kinds.values() for name in names for form in (name.upper(), name.title(), name)}
        return "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))

    return re.compile(
        rf"(?:(?P<unit>{words(rules.units)})[ \t\xa0]*(?P<number>\d{{1,3}}(?:\.\d{{1,3}})*|[IVXLC]{{1,7}}|[A-Z])"
        r"(?![\w.]*\w)(?:\([a-z]{1,3}\))*[.:)]?"
        rf"|(?P<attachment>{words(rules.attachments)})[ \t]+[\"“‘']?(?P<name>[A-Z]{{1,2}}|\d{{1,2}}|[IVX]{{1,5}})"
        r"(?P<part>(?:[-.]\w{1,3})*|(?:\(\w{1,4}\))*)[\"”’']?(?![\w])"
        r"|(?P<mark>\((?:\d{1,2}|[a-z]{1,5}|[A-Z]{1,5})\)|(?:\d{1,2}|[a-z]{1,4}|[A-Z]{1,4})\))\.?"
        r"|(?P<path>\d{1,3}(?:\.[ ]?\d{1,3})+)[.:)]?(?=\s|[A-Z“\"(])"
        r"|(?P<single>\d{1,3}|[A-Z]|[a-z]|[ivx]{1,5}|[IVX]{1,6})(?:[ ]?\.|、)\)?(?=\s|[A-Z][A-Za-z]|$|[“\"(])"
        r"|(?P<bare>\d{1,2}(?=[ \t]+(?:[-–—][ \t]+)?[A-Z][A-Za-z])|[IVX]{1,6}(?=[ \t]+[-–—][ \t]+[A-Z])))"
    )


_STARTS = re.compile(r"^[ \t]*(?=[\w(§])", re.MULTILINE)
_WITHIN = re.compile(r"(?<=[.;:\u037e]) +(?=(?:\(\w{1,4}\)|\d{1,2}\.\d{1,2}\.?) )")
_NEXT_MARK = re.compile(r"[ \t]*(?=\(?[A-Za-z\d]{1,4}\)|\d{1,2}\.\d{1,2}\.?\s)")
_NEXT_ATTACHMENT = re.compile(r"[ \t]*(?=(?:Exhibit|EXHIBIT|Annex|ANNEX)[ \t]+[A-Z\d])")
_CONTENTS = re.compile(
    r"^[ \t]*(?:TABLE OF CONTENTS|Table of Contents|CONTENTS|INDEX|Contents)[ \t:]*(?=$|\n|[A-Z])", re.M
)
_ENTRY = re.compile(r"(?:\.[ ]?){4,}|…|[ \t](?:\d{1,3}|[ivx]{1,5}|[A-Z]-\d{1,2})[ \t]*$")
_MID_SENTENCE = re.compile(r"(?<!\w)(?!(?:and|or)\b)[a-z]+[ \t]*\n[ \t]*$")
_LINE_ABOVE = re.compile(r"(?<=\n)([A-Z][^\n:;\d]{1,90}[^\s.,:;\d])[ \t]*\n{1,2}[ \t]*$")
_FORM = re.compile(r"^[ \t]*(FORM OF [^a-z\n]{4,100}(?:\n[^a-z\n\d]{3,100})?)[ \t]*$", re.MULTILINE)
_LAST_WORD = re.compile(r"([\w§]+)[ \t]*\n?$")


def find_labels(text: str) -> list[Label]:
    """Every possible number in the text, in order, those of tables of contents left out.

    Where there are more than ``MOST_LABELS``, it stops after the next one: that many lines are a list, no contract.
    """
    starts = ((match.end(), 1.0) for match in _STARTS.finditer(text))
    within = ((match.end(), _WITHIN_LINE) for match in _WITHIN.finditer(text))
    found: list[Label] = []
    for place, weight in merge(starts, within):
        if not found or place > found[-1].start:
            found += _labels_at(text, place, weight)
        if len(found) > MOST_LABELS:
            return found
    kept = _without_attachment_lists(_without_contents(text, found), text)
    kept = sorted([*kept, *_recitals(text), *_forms(text, kept)], key=lambda label: label.start)
    return _with_titles_above(_with_breaks(kept, text), text)


@cache
def _break() -> re.Pattern[str]:
    return re.compile(rf"\b(?i:{'|'.join(re.escape(words) for words in legal_rules().breaks)})\b")


def _with_breaks(labels: list[Label], text: str) -> list[Label]:
    """The labels, those marked ``fresh`` that follow words which end what came before."""
    starts = [label.start for label in labels]
    for match in _break().finditer(text):
        following = bisect_left(starts, match.end())
        if following < len(labels):
            labels[following] = replace(labels[following], fresh=True)
    return labels


@cache
def _recital_heading() -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in legal_rules().recitals)
    return re.compile(rf"^[ \t]*((?i:{names}))[ \t]*[:.]?[ \t]*$", re.MULTILINE)


def _recitals(text: str) -> Iterator[Label]:
    """The heading of the recitals."""
    match = _recital_heading().search(text)
    if match is not None and match.start() < 20_000:
        readings = (Reading("recital", (0,)),)
        yield Label(match.start(1), match.end(1), "", "recital", readings, 2.0, match[1], match.end(1))


def _with_titles_above(labels: list[Label], text: str) -> list[Label]:
    """The labels, with the heading on the line above as title where the document titles its clauses so."""
    above: dict[str, list[tuple[int, re.Match[str]]]] = defaultdict(list)
    last = 0
    for index, label in enumerate(labels):
        heading = _LINE_ABOVE.search(text, max(last, label.start - 120), label.start)
        if heading and not label.title and label.starts_line and label.kind == "section" and is_heading(heading[1]):
            above[label.readings[0].style].append((index, heading))
        last = max(label.end, label.title_end)
    for found in above.values():
        for index, heading in found if len(found) >= _FEWEST_TITLES_ABOVE else ():
            labels[index] = replace(labels[index], start=heading.start(1), title=heading[1])
    return labels


def _forms(text: str, labels: Sequence[Label]) -> Iterator[Label]:
    """The headings of forms that follow the attachments and have no number: their clauses are not the attachment's."""
    attachments = [label for label in labels if label.readings[0].style == "attachment"]
    for match in _FORM.finditer(text, attachments[0].end if attachments else len(text)):
        before = next(label for label in reversed(attachments) if label.end <= match.start())
        if re.search("[a-z]", text[before.end : match.start()]):  # else it is the title of the attachment itself
            title = " ".join(match[1].split())
            yield Label(
                match.start(1), match.end(1), "", "heading", (Reading("attachment", (0,)),), 2.0, title, match.end(1)
            )


def _labels_at(text: str, place: int, weight: float) -> Iterator[Label]:
    """The label at ``place`` and those that follow it at once: ``4. Payment. (a) (i) ...``."""
    for _ in range(4):
        match = _pattern().match(text, place)
        if match is None or (weight == 1.0 and _continues(text, match)):
            return
        if match["mark"] and _MID_SENTENCE.search(text, max(0, place - 30), place):
            weight = _WITHIN_LINE
        label = _label(text, match, weight)
        if label is None:
            return
        yield label
        following = (_NEXT_ATTACHMENT if match["attachment"] else _NEXT_MARK).match(text, label.title_end)
        if following is None:
            return
        place, weight = following.end(), _WITHIN_LINE


def _continues(text: str, match: re.Match[str]) -> bool:
    """Whether the number goes on with the sentence before it, or starts one as a reference: "Section 4.2 shall"."""
    after = text[match.end() : match.end() + 12].lstrip(" \t")
    if match["unit"] and (after[:1].islower() or after[:1] in (",", ";", ")")):
        return True
    if match["attachment"] and (after[:1].islower() or after[:1] in (",", ";", ")", ".")):
        return True
    before = text[max(0, match.start() - 30) : match.start()]
    if before.endswith("\n\n") or not before:
        return False
    last = _LAST_WORD.search(before)
    word = last[1] if last else ""
    joins_list = match["mark"] is not None and word in ("and", "or")
    if before.rstrip().endswith(",") and not match["mark"]:
        return match["unit"] is not None
    return not joins_list and word in legal_rules().before_reference


def _label(text: str, match: re.Match[str], weight: float) -> Label | None:
    """The label with all its readings; None where it cannot be one."""
    title, title_end = title_at(text, match.end())
    kind = "section"
    if match["attachment"]:
        number, kind, weight = (
            match["name"] + match["part"],
            _kind(match["attachment"], legal_rules().attachments),
            2.0 * weight,
        )
        readings: tuple[Reading, ...] = (Reading("attachment", (0,)),)
        if title.lower().startswith("to ") or _NEXT_ATTACHMENT.match(text, match.end()):
            title, title_end = "", match.end()
        if _names_filing(match, kind) or len(_line(text, match.end())) > 90:
            return None
    elif match["unit"]:
        number, kind, weight = match["number"], _kind(match["unit"], legal_rules().units), 1.5 * weight
        readings = tuple(Reading(kind if len(p) == 1 else f"path {len(p)}", p) for p in _values(number))
    elif match["path"]:
        number, weight = match["path"].replace(" ", ""), 1.2 * weight
        path = tuple(int(part) for part in number.split("."))
        readings = (Reading(f"path {len(path)}", path),)
    elif match["bare"]:
        number, weight = match["bare"], 0.5
        readings = tuple(Reading(f"{sign}.", (value,)) for sign, value in _signs(number))
        if not title or not (title.isupper() or text[title_end : title_end + 1] in ("", "\n")):
            return None
    else:
        mark, inner = match["mark"], (match["mark"] or match["single"]).strip("()")
        shape = "{}." if mark is None else "({})" if mark.startswith("(") else "{})"
        readings = tuple(Reading(shape.format(sign), (value,)) for sign, value in _signs(inner))
        number, kind = f"({inner})" if mark else inner, "section" if inner.isdigit() else "clause"
    label = Label(match.start(), match.end(), number, kind, readings, weight, title, title_end)
    return label if readings else None


def _names_filing(match: re.Match[str], kind: str) -> bool:
    """Whether it is the filing's own name for the document: "Exhibit 10.1" at the very top."""
    return match.start() < 600 and kind == "exhibit" and bool(match["part"] or match["name"].isdigit())


def _kind(word: str, kinds: dict[str, tuple[str, ...]]) -> str:
    return next(kind for kind, names in kinds.items() if word.lower() in names)


def _values(number: str) -> Iterator[tuple[int, ...]]:
    """What ``4.2``, ``IV`` or ``A`` count."""
    if number[0].isdigit():
        yield tuple(int(part) for part in number.split("."))
        return
    for _, value in _signs(number):
        yield (value,)


def _signs(inner: str) -> Iterator[tuple[str, int]]:
    """The sign that stands for the style ("a", "i", "A", "I", "1") and the value, for each way to read ``inner``."""
    if inner.isdigit():
        yield "1", int(inner)
        return
    lower = inner.lower()
    if ROMAN.match(inner):
        yield ("i" if inner.islower() else "I"), roman(inner)
    if len(set(lower)) == 1 and len(lower) <= 4:
        yield ("a" if inner.islower() else "A"), ord(lower[0]) - 96 + 26 * (len(lower) - 1)
    elif len(lower) == 2 and lower[0] in "ab":
        yield ("a" if inner.islower() else "A"), 26 * (ord(lower[0]) - 96) + ord(lower[1]) - 96


def roman(number: str) -> int:
    """The value of a roman number.

    >>> roman("XIV")
    14
    """
    values = [_VALUES[sign] for sign in number.lower()]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _without_contents(text: str, labels: list[Label]) -> list[Label]:
    """The labels without those of tables of contents, and without other lists of entries with page numbers."""
    lines = [_line(text, label.end) for label in labels]
    entries = [bool(_ENTRY.search(line)) for line in lines]
    dropped = [
        entry and sum(entries[max(0, i - 3) : i + 4]) > 2 and len(lines[i]) < 130 for i, entry in enumerate(entries)
    ]
    starts = [label.start for label in labels]
    places: dict[object, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        places[_identity(label)].append(i)
    end = 0
    for heading in _CONTENTS.finditer(text):
        first = bisect_left(starts, heading.start())
        if first < end or first == len(labels):
            continue  # the heading again, at the top of the next page
        same = places[_identity(labels[first])]
        again = bisect_left(same, first + 2)
        if again < len(same):
            end = same[again]
        else:
            end = next((i for i in range(first, len(labels)) if not any(entries[i : i + 6])), len(labels))
        for i in range(first, end):  # recitals may stand between the contents and the first article
            announces = bool(labels[i].title) and places[_identity(labels[i])][-1] >= end
            dropped[i] |= entries[i] or announces
    return [label for label, drop in zip(labels, dropped, strict=True) if not drop]


def _identity(label: Label) -> object:
    """What an entry of a table of contents shares with the heading it announces: the number and the first word."""
    return label.readings, *re.findall(r"\w+", label.title.lower())[:1]


def _line(text: str, start: int) -> str:
    """The rest of the line, at most 300 characters of it."""
    end = text.find("\n", start, start + 300)
    return text[start : end if end >= 0 else start + 300].rstrip()


def _without_attachment_lists(labels: list[Label], text: str) -> list[Label]:
    """The labels without lists of exhibits, and without exhibit names repeated at the top of their pages."""
    attachments = [label for label in labels if label.readings[0].style == "attachment"]
    last = {(label.kind, label.text): label.start for label in attachments}
    drop, seen = set(), set()
    for label, following in zip(attachments, [*attachments, None][1:], strict=True):
        listed = following is not None and following.start - label.start < 150 and following.starts_line
        before = text[max(0, label.start - 40) : label.start].rstrip(" \t\n:").lower()
        announced = before.endswith(("schedules", "exhibits", "appendices", "annexes", "attachments"))
        early = label.start < len(text) // 5 and last[label.kind, label.text] > label.start
        if listed or announced or early or (label.kind, label.text) in seen:
            drop.add(id(label))
        else:
            seen.add((label.kind, label.text))
    return [label for label in labels if id(label) not in drop]
