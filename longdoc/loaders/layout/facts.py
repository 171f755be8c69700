"""Facts in page headers and footers, such as a patient's name: each is said once in the text."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from longdoc.loaders.layout.counters import PAGE_MARK, is_label, without_said
from longdoc.loaders.layout.lines import Lines
from longdoc.loaders.layout.margins import MarginLine

_FIELD = re.compile(
    r"(?P<label>[^\W\d_][\w.#/ -]{0,30}?(?<=[^\W\d_.#])[.#]?)\s?[:：]\s*(?=[^\s_:/\\])"
    r"|(?<!\w)(?P<name>account|acct|claim|dob|employee|file|id|invoice|matter|member|mrn|order|patient|policy|ref|ssn)"
    r"\.?\s(?:no\.?|number|#)?\s?(?=[\w/-]*\d)"
)
_NOUN = re.compile(
    r"(?<!\S)(?:patient|resident|client|customer|employee|student|member|applicant|claimant|insured|borrower|lender"
    r"|lessee|lessor|tenant|landlord|name|account|policy|claim|invoice|matter)(?=\s)"
)
_EMPTY_FIELD = re.compile(r"[^\W\d_]\W?[:：]$")
_LONG_NUMBER = re.compile(r"(?:\d[a-z]?[-/.,() ]?){5,}")
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}(?:st|nd|rd|th|\.)? [^\W\d]{3,9}\.?,? \d{4}|[^\W\d]{3,9}\.? \d{1,2}, \d{4}"
    r"|\d{1,2}(?P<slash>[/-])\d{1,2}(?P=slash)\d{2})(?!\d)"
)

_MONTH = re.compile(r"(?<!\w)(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{4}(?!\d)")
_SAME_PLACE = 0.5  # heights of a line
_VALUE = "\0"
_PITCH = 1.5  # heights of a line: the rows of a header are nearer
_MOST_WORDS = 3  # of a value below its label


@dataclass(frozen=True, slots=True)
class _Row:
    """The lines at the same height in the margin of a page."""

    lines: list[MarginLine]
    y: float
    height: float
    text: str
    """Without case and page numbers."""
    labels: tuple[str, ...]
    """Of its fields, such as "patient" of "Patient: Jane Roe"."""
    key: tuple[str, ...]
    """What another value may follow in: its labels, or the text around its dates and long numbers."""
    fact: bool
    """Whether it has a field, a date or a long number, or varies."""
    varies: bool
    """Whether another repeated row has the same key and says something else."""
    is_label: bool
    """Whether it is the label of what is below or to be filled in."""
    recurs: bool
    """Whether it is on several pages."""
    repeated: bool
    """Whether it would be left out as a header or a footer of several pages."""


def said_once(
    kinds: Mapping[int, str], rests: Mapping[int, str], margin: Sequence[MarginLine], lines: Lines, texts: list[str]
) -> set[int]:
    """Finds the lines to leave in the text of headers and footers with facts, so that each fact is said once.

    The headers of the first page stay if one of them has a fact. On later pages they stay where a value changes, as
    another record starts there; and a fact stays where it is first, unless the text says the same. Footers are looked
    at from the last page to the first, and only their fields stay. So what stays is at the start or the end of a
    document or a record, where it breaks no sentence.

    Args:
        kinds: the kinds of the lines in the margins that are furniture, by index.
        rests: what repeated lines say but for the page number, by index.
        margin: lines in the margins.
        lines: the lines of the document.
        texts: their texts.

    Returns:
        Indices of lines.
    """
    if not any(kinds.get(line.at) == line.zone for line in margin):
        return set()
    of_page = _rows(kinds, rests, margin, lines)
    said = _Said(" ".join(text for at, text in enumerate(texts) if at not in kinds))
    facts: set[int] = set()
    for zone in ("header", "footer"):
        latest: dict[tuple[str, ...], _Row] = {}
        before: list[_Row] = []
        pages = sorted((page for page, of_zone in of_page if of_zone == zone), reverse=zone == "footer")
        for page in pages:
            rows = of_page[page, zone]
            if zone == "footer":
                kept = _news_at_foot(rows, latest, said)
            else:
                kept = _block(rows) if page == 0 else _news(rows, latest, before, said)
            kept += _labels(rows, of_page, page, zone)
            latest |= {row.key: row for row in rows if row.labels or (row.key and row.recurs)}
            before = rows if any(row.repeated for row in rows) else before
            said.add(" ".join(row.text for row in kept))
            facts |= {line.at for row in kept for line in row.lines}
    return facts


class _Said:
    """What the text says."""

    def __init__(self, text: str) -> None:
        self.words: set[str] = set()
        self.text = " "
        self.add(text)

    def add(self, text: str) -> None:
        words = _words(text)
        self.words.update(words)
        self.text += " ".join([*words, ""])

    def has(self, row: _Row) -> bool:
        """Whether it says every word of a row of fields, or the dates and long numbers of another row."""
        if row.labels:
            return self.words.issuperset(_words(row.text))
        values = [match[0] for pattern in (_DATE, _LONG_NUMBER, _MONTH) for match in pattern.finditer(row.text)]
        return bool(values) and all(f" {' '.join(_words(value))} " in self.text for value in values)


def _rows(
    kinds: Mapping[int, str], rests: Mapping[int, str], margin: Sequence[MarginLine], lines: Lines
) -> dict[tuple[int, str], list[_Row]]:
    """The rows of the header and the footer of each page, without stamps and lines that are page numbers."""
    at_height: dict[tuple[int, str, int], list[MarginLine]] = defaultdict(list)
    for line in margin:
        apart = kinds.get(line.at) in ("page number", "stamp") or without_said(rests.get(line.at, "")) == PAGE_MARK
        if line.zone != "side" and not apart:
            at_height[line.page, line.zone, line.row].append(line)
    of_page: dict[tuple[int, str], list[_Row]] = defaultdict(list)
    values: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for (page, zone, _), found in at_height.items():
        found.sort(key=lambda line: float(lines.box[line.at, 0]))
        text = " ".join(without_said(rests.get(line.at) or line.text.casefold()) for line in found)
        labels, key = _labels_and_key(text, len(found) > 1 or bool(lines.tabbed[found[0].at]))
        row = _Row(
            lines=found,
            y=float(lines.box[found[0].at, 1]),
            height=float(lines.height[found[0].at]),
            text=text,
            labels=labels,
            key=key,
            fact=bool(labels) or _holds_fact(text),
            varies=False,
            is_label=is_label(text),
            recurs=any(line.at in rests for line in found),
            repeated=any(kinds.get(line.at) == zone for line in found),
        )
        of_page[page, zone].append(row)
        if row.key and row.repeated:
            values[zone, row.key].add(text)
    return {
        (page, zone): [
            replace(row, fact=True, varies=True) if row.repeated and len(values[zone, row.key]) > 1 else row
            for row in rows
        ]
        for (page, zone), rows in of_page.items()
    }


def _labels_and_key(text: str, has_gap: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of a row's fields, and what another value may follow in."""
    labels = tuple(match["label"] or match["name"] for match in _FIELD.finditer(text))
    noun = _NOUN.search(text) if has_gap else _NOUN.match(text)
    if noun and noun.start() == 0 and not labels and has_gap and not is_label(text):
        labels = (noun[0],)
    around = _LONG_NUMBER.sub(_VALUE, _MONTH.sub(_VALUE, _DATE.sub(_VALUE, text)))
    return labels, labels or ((around,) if around != text else (noun[0],) if noun else ())


def _holds_fact(text: str) -> bool:
    """Whether a text without case has a field, filled in or not, a long number or a date."""
    return any(pattern.search(text) for pattern in (_FIELD, _LONG_NUMBER, _EMPTY_FIELD, _DATE))


def _block(rows: list[_Row]) -> list[_Row]:
    """The repeated rows of the first page's header if it has a fact that recurs."""
    facts = any(row.fact and row.recurs for row in rows) or any(
        row.is_label and row.recurs and value.recurs and any(map(str.isdigit, value.text))
        for row, value in itertools.pairwise(rows)
    )
    return [row for row in rows if row.repeated] if facts else []


def _news(rows: list[_Row], latest: Mapping[tuple[str, ...], _Row], before: list[_Row], said: _Said) -> list[_Row]:
    """The repeated rows of a later page's header: all if a value has changed, else the facts that were not said."""
    repeated = [row for row in rows if row.repeated]
    if _has_other_value(rows, latest) or _has_other_row(repeated, before):
        return repeated
    return [row for row in repeated if row.fact and row.key and _is_news(row, latest) and not said.has(row)]


def _news_at_foot(rows: list[_Row], latest: Mapping[tuple[str, ...], _Row], said: _Said) -> list[_Row]:
    """The repeated fields of an earlier page's footer: all if a value has changed, else those that were not said."""
    fields = [row for row in rows if row.repeated and (row.labels or row.varies)]
    if _has_other_value(rows, latest):
        return fields
    return [row for row in fields if _is_news(row, latest) and not said.has(row)]


def _has_other_value(rows: list[_Row], latest: Mapping[tuple[str, ...], _Row]) -> bool:
    """Whether a field, a date or a long number is another than in the latest row of its kind."""
    end = max((at for at, row in enumerate(rows, 1) if row.repeated), default=0)
    while 0 < end < len(rows) and abs(rows[end].y - rows[end - 1].y) < _PITCH * rows[end].height:
        end += 1
    found = ((row, latest.get(row.key)) for row in rows[:end] if row.labels or (row.key and row.repeated))
    return any(other and other.text != row.text and _in_same_place(row, other) for row, other in found)


def _has_other_row(rows: list[_Row], before: list[_Row]) -> bool:
    """Whether a row without a field differs from the page before, in headers that have a fact or a label in common."""
    shared = {row.text for row in rows} & {row.text for row in before}
    others = [row for row in before if row.repeated and not row.key and row.text not in shared]
    return any((row.fact or row.is_label) and row.repeated and row.text in shared for row in before) and any(
        not row.key and row.text not in shared and any(_in_same_place(row, other) for other in others) for row in rows
    )


def _is_news(row: _Row, latest: Mapping[tuple[str, ...], _Row]) -> bool:
    return row.key not in latest or latest[row.key].text != row.text


def _in_same_place(row: _Row, other: _Row) -> bool:
    return abs(other.y - row.y) < _SAME_PLACE * row.height


def _labels(rows: list[_Row], of_page: Mapping[tuple[int, str], list[_Row]], page: int, zone: str) -> list[_Row]:
    """The repeated rows that are labels of another value on each page, or of lines to fill in on some pages."""
    around = {row.text for near in (-2, -1, 1, 2) for row in of_page.get((page + near, zone), [])}
    below = [not row.recurs and len(_words(row.text)) <= _MOST_WORDS for row in rows[1:]]
    return [
        row
        for row, has_value in zip(rows, [*below, False], strict=True)
        if row.repeated and row.is_label and (has_value or (row.text.endswith((":", "：")) and row.text not in around))
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
