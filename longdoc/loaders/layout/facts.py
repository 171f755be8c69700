"""Facts in page headers and footers, such as a patient's name: each is said once in the text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longdoc.loaders.layout.counters import PAGE_MARK, is_label, without_said
from longdoc.loaders.layout.lines import Lines
from longdoc.loaders.layout.margins import MarginLine

_FIELD = re.compile(
    r"(?P<label>[^\W\d_][\w.#/ -]{0,30}?(?<=[^\W\d_.#])[.#]?)\s?[:：]\s*(?=[^\s_:/\\])"
    r"|(?<!\w)(?P<name>account|acct|claim|dob|employee|file|id|invoice|matter|member|mrn|order|patient|policy|ref|ssn)"
    r"\.?\s(?:no\.?|number|#)?\s?(?=[\w/-]*\d)"
)
_EMPTY_FIELD = re.compile(r"[^\W\d_]\W?[:：]$")
_LONG_NUMBER = re.compile(r"(?:\d[a-z]?[-/.,() ]?){5,}")
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}(?:st|nd|rd|th|\.)? [^\W\d]{3,9}\.?,? \d{4}|[^\W\d]{3,9}\.? \d{1,2}, \d{4}"
    r"|\d{1,2}(?P<slash>[/-])\d{1,2}(?P=slash)\d{2})(?!\d)"
)

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
    fact: bool
    """Whether it has a field, a date or a long number."""
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

    The headers of the first page stay if one of them has a fact. On later pages a field stays where its value changes,
    as another record starts there, and where it is first, unless the text says the same. Footers are looked at from
    the last page to the first. So what stays is at the start or the end of a document or a record, where it breaks no
    sentence.

    Args:
        kinds: the kinds of the lines in the margins that are furniture, by index.
        rests: what repeated lines say but for the page number, by index.
        margin: lines in the margins.
        lines: the lines of the document.
        texts: their texts.

    Returns:
        Indices of lines.
    """
    repeated = {line.text.casefold() for line in margin if kinds.get(line.at) == line.zone}
    if not any(_holds_fact(text) or is_label(text) for text in repeated):
        return set()
    of_page = _rows(kinds, rests, margin, lines)
    words = _words(" ".join(text for at, text in enumerate(texts) if at not in kinds))
    facts: set[int] = set()
    for zone in ("header", "footer"):
        latest: dict[tuple[str, ...], _Row] = {}
        pages = sorted((page for page, of_zone in of_page if of_zone == zone), reverse=zone == "footer")
        for page in pages:
            rows = of_page[page, zone]
            kept = _block(rows) if zone == "header" and page == 0 else _news(rows, latest, words)
            kept += _labels(rows, of_page, page, zone)
            latest |= {row.labels: row for row in rows if row.labels}
            words |= _words(" ".join(row.text for row in kept))
            facts |= {line.at for row in kept for line in row.lines}
    return facts


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
    for (page, zone, _), found in at_height.items():
        found.sort(key=lambda line: float(lines.box[line.at, 0]))
        text = " ".join(without_said(rests.get(line.at) or line.text.casefold()) for line in found)
        labels = tuple(match["label"] or match["name"] for match in _FIELD.finditer(text))
        of_page[page, zone].append(
            _Row(
                lines=found,
                y=float(lines.box[found[0].at, 1]),
                height=float(lines.height[found[0].at]),
                text=text,
                labels=labels,
                fact=_holds_fact(text),
                is_label=is_label(text),
                recurs=any(line.at in rests for line in found),
                repeated=any(kinds.get(line.at) == zone for line in found),
            )
        )
    return of_page


def _holds_fact(text: str) -> bool:
    """Whether a text without case has a field, filled in or not, a long number or a date."""
    return any(pattern.search(text) for pattern in (_FIELD, _LONG_NUMBER, _EMPTY_FIELD, _DATE))


def _block(rows: list[_Row]) -> list[_Row]:
    """The repeated rows of the first page's header if it has a fact that recurs."""
    return [row for row in rows if row.repeated] if any(row.fact and row.recurs for row in rows) else []


def _news(rows: list[_Row], latest: Mapping[tuple[str, ...], _Row], words: set[str]) -> list[_Row]:
    """The repeated rows of a later page that say what was not said: all fields, if one of them has another value."""
    innermost = max((at for at, row in enumerate(rows) if row.repeated), default=-1)
    for row in rows[: innermost + 1]:
        before = latest.get(row.labels) if row.labels else None
        if before and before.text != row.text and abs(before.y - row.y) < 0.5 * row.height:
            return [row for row in rows if row.repeated and row.labels]
    return [row for row in _unsaid(rows, words) if row.labels not in latest]


def _labels(rows: list[_Row], of_page: Mapping[tuple[int, str], list[_Row]], page: int, zone: str) -> list[_Row]:
    """The repeated rows that are labels of another value on each page, or of lines to fill in on some pages."""
    around = {row.text for near in (-2, -1, 1, 2) for row in of_page.get((page + near, zone), [])}
    below = [not row.recurs and len(_words(row.text)) <= _MOST_WORDS for row in rows[1:]]
    return [
        row
        for row, has_value in zip(rows, [*below, False], strict=True)
        if row.repeated and row.is_label and (has_value or (row.text.endswith((":", "：")) and row.text not in around))
    ]


def _unsaid(rows: list[_Row], words: set[str]) -> list[_Row]:
    """The repeated rows with fields of which the text does not have every word."""
    return [row for row in rows if row.repeated and row.labels and not _words(row.text) <= words]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
