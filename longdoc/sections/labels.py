"""Finds candidate clause numbers: ``ARTICLE IV``, ``4.2``, ``(b)`` or ``Exhibit A`` at the start of a line.

:mod:`longdoc.sections.numbering` decides from their order which of them number clauses.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from heapq import merge

from longdoc.sections.numerals import interpretations
from longdoc.sections.tables import legal_table
from longdoc.sections.titles import is_heading, title_at

MAX_LABELS = 20_000
"""A text with more candidates than this is a list of numbers, not a contract."""

_MIN_TITLES_ABOVE = 3
_LINE_START, _WITHIN_LINE = 0.5, 0.2  # weights


@dataclass(frozen=True, slots=True)
class Reading:
    """One interpretation of a number: ``(i)`` is the ninth letter or the Roman numeral 1."""

    style: str
    """Shared by siblings: ``"(a)"``, ``"(i)"``, ``"(A)"``, ``"1."``, ``"article"``, ``"path 2"`` ...."""
    path: tuple[int, ...]
    """``(4, 2)`` for 4.2; a single number in the other styles."""


@dataclass(frozen=True, slots=True)
class Label:
    """A candidate clause number and the title after it."""

    start: int
    end: int
    text: str
    """As printed, without the unit word and the full stop: ``"IV"``, ``"4.2"``, ``"(b)"``, ``"A"``."""
    kind: str
    readings: tuple[Reading, ...]
    weight: float
    """The cost of ignoring it: lower in the middle of a line than at its start."""
    title: str
    title_end: int
    restarts: bool = False
    """Whether the text before it restarts the numbering: "NOW, THEREFORE, ... agree as follows:"."""

    @property
    def starts_line(self) -> bool:
        return self.weight >= _LINE_START


@cache
def _pattern() -> re.Pattern[str]:
    """Matches any candidate number with the unit word before it."""
    table = legal_table()

    def words(kinds: dict[str, tuple[str, ...]]) -> str:
        forms = {form for names in kinds.values() for name in names for form in (name.upper(), name.title(), name)}
        return "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))

    return re.compile(
        rf"(?:(?P<unit>{words(table.units)})[ \t\xa0]*(?P<number>\d{{1,3}}(?:\.\d{{1,3}})*|[IVXLC]{{1,7}}|[A-Z])"
        r"(?!\.*\w)(?:\([a-z]{1,3}\))*[.:)]?"
        rf"|(?P<attachment>{words(table.attachments)})[ \t]+[\"“‘']?(?P<name>[A-Z]{{1,2}}|\d{{1,2}}|[IVX]{{1,5}})"
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
_SMALL = re.compile("[a-z]")
_LAST_WORD = re.compile(r"([\w§]+)[ \t]*\n?$")


def find_labels(text: str) -> list[Label]:
    """The candidate numbers of a text, in order, without those of tables of contents.

    Stops once there are more than ``MAX_LABELS``.
    """
    starts = ((match.end(), 1.0) for match in _STARTS.finditer(text))
    within = ((match.end(), _WITHIN_LINE) for match in _WITHIN.finditer(text))
    found: list[Label] = []
    for offset, weight in merge(starts, within):
        if not found or offset > found[-1].start:
            found += _labels_at(text, offset, weight)
        if len(found) > MAX_LABELS:
            return found
    kept = _without_attachment_lists(_without_contents(text, found), text)
    kept = sorted([*kept, *_recitals(text), *_forms(text, kept)], key=lambda label: label.start)
    return _with_titles_above(_with_breaks(kept, text), text)


@cache
def _break() -> re.Pattern[str]:
    return re.compile(rf"\b(?i:{'|'.join(re.escape(words) for words in legal_table().breaks)})\b")


def _with_breaks(labels: list[Label], text: str) -> list[Label]:
    """Marks the labels before which the numbering restarts."""
    starts = [label.start for label in labels]
    for match in _break().finditer(text):
        following = bisect_left(starts, match.end())
        if following < len(labels):
            labels[following] = replace(labels[following], restarts=True)
    return labels


@cache
def _recital_heading() -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in legal_table().recitals)
    return re.compile(rf"^[ \t]*((?i:{names}))[ \t]*(?:[:.][ \t]*)?$", re.MULTILINE)


def _recitals(text: str) -> Iterator[Label]:
    """The heading of the recitals."""
    match = _recital_heading().search(text)
    if match is not None and match.start() < 20_000:
        readings = (Reading("recital", (0,)),)
        yield Label(match.start(1), match.end(1), "", "recital", readings, 2.0, match[1], match.end(1))


def _with_titles_above(labels: list[Label], text: str) -> list[Label]:
    """Takes headings on the line above as titles, in documents that print the titles of their clauses there."""
    above: dict[str, list[tuple[int, re.Match[str]]]] = defaultdict(list)
    last = 0
    for index, label in enumerate(labels):
        heading = _LINE_ABOVE.search(text, max(last, label.start - 120), label.start)
        if heading and not label.title and label.starts_line and label.kind == "section" and is_heading(heading[1]):
            above[label.readings[0].style].append((index, heading))
        last = max(label.end, label.title_end)
    for found in above.values():
        for index, heading in found if len(found) >= _MIN_TITLES_ABOVE else ():
            labels[index] = replace(labels[index], start=heading.start(1), title=heading[1])
    return labels


def _forms(text: str, labels: Sequence[Label]) -> Iterator[Label]:
    """Unnumbered headings of forms after the attachments: the clauses under them do not belong to the attachment."""
    ends = [label.end for label in labels if label.readings[0].style == "attachment"]
    small = _SMALL.search(text, ends[0]) if ends else None  # the first small letter after the last attachment
    for match in _FORM.finditer(text, ends[0] if ends else len(text)):
        end = ends[bisect_right(ends, match.start()) - 1]
        if small and small.start() < end:
            small = _SMALL.search(text, end)
        if small and small.start() < match.start():  # otherwise the title of the attachment itself
            title = " ".join(match[1].split())
            yield Label(
                match.start(1), match.end(1), "", "heading", (Reading("attachment", (0,)),), 2.0, title, match.end(1)
            )


def _labels_at(text: str, offset: int, weight: float) -> Iterator[Label]:
    """The label at an offset and those directly after it, as in ``4. Payment. (a) (i) ...``."""
    for _ in range(4):
        match = _pattern().match(text, offset)
        if match is None or (weight == 1.0 and _continues(text, match)):
            return
        if match["mark"] and _MID_SENTENCE.search(text, max(0, offset - 30), offset):
            weight = _WITHIN_LINE
        label = _label(text, match, weight)
        if label is None:
            return
        yield label
        following = (_NEXT_ATTACHMENT if match["attachment"] else _NEXT_MARK).match(text, label.title_end)
        if following is None:
            return
        offset, weight = following.end(), _WITHIN_LINE


def _continues(text: str, match: re.Match[str]) -> bool:
    """Whether the number is part of a sentence: of the one before it, or as a reference in "Section 4.2 shall"."""
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
    return not joins_list and word in legal_table().before_reference


def _label(text: str, match: re.Match[str], weight: float) -> Label | None:
    """The label with all its readings; None if it cannot number a clause."""
    title, title_end = title_at(text, match.end())
    kind = "section"
    if match["attachment"]:
        number, kind, weight = (
            match["name"] + match["part"],
            _kind(match["attachment"], legal_table().attachments),
            2.0 * weight,
        )
        readings: tuple[Reading, ...] = (Reading("attachment", (0,)),)
        if title.lower().startswith("to ") or _NEXT_ATTACHMENT.match(text, match.end()):
            title, title_end = "", match.end()
        if _names_filing(match, kind) or len(_line(text, match.end())) > 90:
            return None
    elif match["unit"]:
        number, kind, weight = match["number"], _kind(match["unit"], legal_table().units), 1.5 * weight
        readings = tuple(Reading(kind if len(p) == 1 else f"path {len(p)}", p) for p in _values(number))
    elif match["path"]:
        number, weight = match["path"].replace(" ", ""), 1.2 * weight
        path = tuple(int(part) for part in number.split("."))
        readings = (Reading(f"path {len(path)}", path),)
    elif match["bare"]:
        number, weight = match["bare"], 0.5
        readings = tuple(Reading(f"{style}.", (value,)) for style, value in interpretations(number))
        if not title or not (title.isupper() or text[title_end : title_end + 1] in ("", "\n")):
            return None
    else:
        mark, inner = match["mark"], (match["mark"] or match["single"]).strip("()")
        shape = "{}." if mark is None else "({})" if mark.startswith("(") else "{})"
        readings = tuple(Reading(shape.format(style), (value,)) for style, value in interpretations(inner))
        number, kind = f"({inner})" if mark else inner, "section" if inner.isdigit() else "clause"
    label = Label(match.start(), match.end(), number, kind, readings, weight, title, title_end)
    return label if readings else None


def _names_filing(match: re.Match[str], kind: str) -> bool:
    """Whether it is the name of the document in its filing: "Exhibit 10.1" at the very top."""
    return match.start() < 600 and kind == "exhibit" and bool(match["part"] or match["name"].isdigit())


def _kind(word: str, kinds: dict[str, tuple[str, ...]]) -> str:
    return next(kind for kind, names in kinds.items() if word.lower() in names)


def _values(number: str) -> Iterator[tuple[int, ...]]:
    """The paths that ``4.2``, ``IV`` or ``A`` may stand for."""
    if number[0].isdigit():
        yield tuple(int(part) for part in number.split("."))
        return
    for _, value in interpretations(number):
        yield (value,)


def _without_contents(text: str, labels: list[Label]) -> list[Label]:
    """Removes the labels of tables of contents and of other lists whose entries end in page numbers."""
    lines = [_line(text, label.end) for label in labels]
    entries = [bool(_ENTRY.search(line)) for line in lines]
    dropped = [
        entry and sum(entries[max(0, i - 3) : i + 4]) > 2 and len(lines[i]) < 130 for i, entry in enumerate(entries)
    ]
    starts = [label.start for label in labels]
    positions: dict[object, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        positions[_identity(label)].append(i)
    end = 0
    for heading in _CONTENTS.finditer(text):
        first = bisect_left(starts, heading.start())
        if first < end or first == len(labels):
            continue  # the heading repeated at the top of the next page
        same = positions[_identity(labels[first])]
        again = bisect_left(same, first + 2)
        if again < len(same):
            end = same[again]
        else:
            end = next((i for i in range(first, len(labels)) if not any(entries[i : i + 6])), len(labels))
        for i in range(first, end):  # keeps recitals between the contents and the first article
            repeated = bool(labels[i].title) and positions[_identity(labels[i])][-1] >= end
            dropped[i] |= entries[i] or repeated
    return [label for label, drop in zip(labels, dropped, strict=True) if not drop]


def _identity(label: Label) -> object:
    """What an entry of a table of contents shares with its heading: the number and the first word of the title."""
    return label.readings, *re.findall(r"\w+", label.title.lower())[:1]


def _line(text: str, start: int) -> str:
    """The rest of the line, at most 300 characters."""
    end = text.find("\n", start, start + 300)
    return text[start : end if end >= 0 else start + 300].rstrip()


def _without_attachment_lists(labels: list[Label], text: str) -> list[Label]:
    """Removes lists of exhibits, and the names of exhibits repeated at the top of their pages."""
    attachments = [label for label in labels if label.readings[0].style == "attachment"]
    last = {(label.kind, label.text): label.start for label in attachments}
    drop, seen = set(), set()
    for label, following in zip(attachments, [*attachments, None][1:], strict=True):
        listed = following is not None and following.start - label.start < 150 and following.starts_line
        before = text[max(0, label.start - 40) : label.start].rstrip(" \t\n:").lower()
        under_heading = before.endswith(("schedules", "exhibits", "appendices", "annexes", "attachments"))
        early = label.start < len(text) // 5 and last[label.kind, label.text] > label.start
        if listed or under_heading or early or (label.kind, label.text) in seen:
            drop.add(id(label))
        else:
            seen.add((label.kind, label.text))
    return [label for label in labels if id(label) not in drop]
