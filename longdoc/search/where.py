"""Which documents of an index a search is limited to, by what is known of them."""

from __future__ import annotations

import datetime
import fnmatch
import re
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, get_args

from longdoc.arguments import check_choice
from longdoc.document_type import Kind
from longdoc.errors import ConfigError, did_you_mean
from longdoc.record_types import DATE_COLUMNS
from longdoc.summary import shortened

Where: TypeAlias = Mapping[str, Any]
"""Key → what is wanted: a text or a range of dates, or a list of them, of which one is enough."""
Row: TypeAlias = Mapping[str, Any]
"""A document, as in the table ``documents``."""

_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def wanted_documents(where: Where, documents: Iterable[Row]) -> set[str]:
    """The ids of the documents that fulfil all conditions; see :func:`conditions`.

    Raises:
        ConfigError: as there, or no document has a text that is wanted, such as a label with a slip.
    """
    checks, rows = conditions(where), [row for row in documents if row["document_id"]]
    for key in _COLUMNS:
        for text in _texts(key, where[key]) if key in where and rows else ():
            if not any(_TEXTS[key](row, text) for row in rows):
                raise ConfigError(f"no document has the {key} {text!r:.80}; {_known(key, text, rows)}")
    return {row["document_id"] for row in rows if all(check(row) for check in checks)}


def _known(key: str, text: str, rows: Iterable[Row]) -> str:
    """What the documents have in place of a text, the most frequent first."""
    found = Counter(cell for row in rows for cell in _cells(row, _COLUMNS[key]))
    if not found:
        return "none of them has one"
    named = ", ".join(shortened(each, _SHOWN_CHARACTERS) for each, _ in found.most_common(_SHOWN))
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    names = {each.casefold(): each for each in found}
    return f"there are: {named}{more}{did_you_mean(text, names)}"


def _cells(row: Row, column: str) -> list[str]:
    cells = row[column] if isinstance(row[column], list) else [row[column]]
    return [cell for cell in cells if cell]


def check_labels(where: Where, path: Path, settings: Mapping[str, Any]) -> None:
    """Refuses a filter by labels of an index that has none.

    Raises:
        ConfigError: it was made without a model for records.
    """
    if isinstance(where, Mapping) and "label" in where and settings.get("records") is None:
        raise ConfigError(
            f"{path}: was made without a model for records, so that it has no labels; leave out the filter label, or "
            "make an index with records: longdoc index FOLDER -o INDEX"
        )


def conditions(where: Where) -> list[Callable[[Row], bool]]:
    """What each key demands of a document.

    ``type`` and ``label`` are compared as a whole, ``party``, ``title`` and ``law`` by what they contain, without
    regard to case; ``address`` is a pattern such as ``*/leases/*``; the dates of contracts are a year, a month, a day,
    or a range: ``2019..2020-06``, ``2019..``, or a tuple of two dates or None. Of a list one is enough.

    Raises:
        ConfigError: there is no such key, or its value is of another kind.
    """
    if not isinstance(where, Mapping):
        raise ConfigError(f"where must be a dict, such as {{'type': 'contract'}}; got {where!r:.80}")
    made: list[Callable[[Row], bool]] = []
    for key, value in where.items():
        if key in DATE_COLUMNS:
            made.append(_in_a_range(key, _ranges(key, value)))
        elif key in _TEXTS:
            made.append(partial(_has_one, _TEXTS[key], _texts(key, value)))
        else:
            known = (*_TEXTS, *DATE_COLUMNS)
            raise ConfigError(
                f"where has an unknown key {key!r:.80}; allowed: {', '.join(known)}{did_you_mean(key, known)}"
            )
    return made


def _has_one(find: Callable[[Row, str], bool], texts: Sequence[str], row: Row) -> bool:
    return any(find(row, text) for text in texts)


def _contains(column: str) -> Callable[[Row, str], bool]:
    def check(row: Row, text: str) -> bool:
        return any(text in cell.casefold() for cell in _cells(row, column))

    return check


_TEXTS: dict[str, Callable[[Row, str], bool]] = {
    "type": lambda row, text: text == row["kind"],
    "label": lambda row, text: any(text == label.casefold() for label in row["labels"] or ()),
    "party": _contains("parties"),
    "title": _contains("title"),
    "law": _contains("governing_law"),
    "address": lambda row, text: fnmatch.fnmatchcase(row["address"].casefold(), text),
}
"""Key → whether a document has a text, which is in small letters."""
_COLUMNS = {"label": "labels", "party": "parties", "title": "title", "law": "governing_law", "address": "address"}
"""Key → the column with what the documents have."""
_SHOWN, _SHOWN_CHARACTERS = 20, 60
"""What is shown of them: so many, and so much of each."""


def _texts(key: str, value: object) -> Sequence[str]:
    texts = [value] if isinstance(value, str) else value
    if (
        not isinstance(texts, (list, tuple, set, frozenset))
        or not texts
        or not all(isinstance(t, str) and t for t in texts)
    ):
        raise ConfigError(f"where[{key!r}] must be a text, or a list of them; got {value!r:.80}")
    if key == "type":
        for text in texts:
            check_choice("type", text.casefold(), get_args(Kind))
    return [text.casefold() for text in texts]


def _in_a_range(key: str, ranges: Sequence[tuple[datetime.date, datetime.date]]) -> Callable[[Row], bool]:
    return lambda row: row[key] is not None and any(first <= row[key] <= last for first, last in ranges)


def _ranges(key: str, value: object) -> list[tuple[datetime.date, datetime.date]]:
    """The first and the last day of each range, of which one is enough."""
    if value == []:
        raise _no_dates(key, value)
    return [_range(key, each) for each in (value if isinstance(value, list) else [value])]


def _range(key: str, value: object) -> tuple[datetime.date, datetime.date]:
    """The first and the last day that are wanted."""
    if isinstance(value, str):
        first, dots, last = value.partition("..")
        pair: Sequence[object] = (first or None, last or None) if dots else (value, value)
    else:
        pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or all(each is None for each in pair):
        raise _no_dates(key, value)
    first_day, last_day = (
        _day(key, each, value, is_last=is_last) for each, is_last in zip(pair, (False, True), strict=True)
    )
    if first_day > last_day:
        raise ConfigError(f"where[{key!r}] is a range that ends before it begins: {value!r:.80}")
    return first_day, last_day


def _day(key: str, given: object, value: object, *, is_last: bool) -> datetime.date:
    if given is None:
        return datetime.date.max if is_last else datetime.date.min
    if isinstance(given, datetime.date):
        return given.date() if isinstance(given, datetime.datetime) else given
    match = _DAY.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise _no_dates(key, value)
    year, month = int(match[1]), int(match[2] or (12 if is_last else 1))
    try:
        return datetime.date(year, month, int(match[3] or (monthrange(year, month)[1] if is_last else 1)))
    except ValueError as error:
        raise _no_dates(key, value) from error


def _no_dates(key: str, value: object) -> ConfigError:
    return ConfigError(
        f"where[{key!r}] must be a day, a month, a year or a range of them, such as '2019-03..2020'; got {value!r:.80}"
    )
