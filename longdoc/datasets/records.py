"""Checks and error messages that all readers share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from longdoc.edits import code_points
from longdoc.errors import DataError
from longdoc.labels import Span

T = TypeVar("T")

CODE_POINTS = "code points"
ONE_LINE_END = "a Windows line end as one character"


def checked_span(entity: Mapping[str, Any], text: str) -> Span:
    """Converts a record with start, end, label and optionally the marked text to a span.

    Raises:
        ValueError: the offsets are not integers or out of range, or the marked text differs from the document's.
    """
    start, end, label = entity["start"], entity["end"], entity["label"]
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(label, str)):
        raise ValueError(f"a span needs two integers and a label, got {start!r}, {end!r}, {label!r}")
    span = Span(start, end, label)
    check_span_text(text, start, end, entity.get("text", text[start:end]))
    return span


def check_span_text(text: str, start: int, end: int, expected: str, found: str | None = None) -> None:
    """Checks that the offsets lie in the text and that ``found``, by default ``text[start:end]``, is as expected.

    Raises:
        ValueError: they do not, or it is not.
    """
    found = text[start:end] if found is None else found
    hint = "; the text has Windows line ends, and no way of counting them fits" if "\r\n" in text else ""
    counting = f"offsets count characters (code points) from 0, and the end is exclusive{hint}"
    if end > len(text):
        raise ValueError(f"the span {start}-{end} ends beyond the text of {len(text)} characters; {counting}")
    if found != expected:
        raise ValueError(f"text[{start}:{end}] is {found!r}, expected {expected!r}; {counting}")


@dataclass(frozen=True, slots=True)
class Counting:
    """A way in which tools count offsets: where each code point of a text begins, int64 ``(C + 1,)``, ascending."""

    name: str
    positions: np.ndarray

    def place(self, offset: int) -> int:
        """The code point that begins at an offset; an offset in code points is not checked.

        Raises:
            ValueError: the offset is beyond the text, or inside a character.
        """
        if self.name == CODE_POINTS:
            return offset
        index = int(np.searchsorted(self.positions, offset))
        if index == len(self.positions) or self.positions[index] != offset:
            raise ValueError(f"no character of the text begins at {offset}, counted in {self.name}")
        return index


def countings(text: str) -> list[Counting]:
    """The ways to count offsets into a text that differ for it; code points, which longdoc counts, come first.

    Browsers and Java count UTF-16 units; tools that read a file with universal line ends, such as brat, count a Windows
    line end as one character.
    """
    codes = code_points(text)
    once, wide = np.ones(len(codes), dtype=np.int64), 1 + (codes > 0xFFFF)
    is_return = np.append((codes[:-1] == 13) & (codes[1:] == 10), False) if len(codes) else codes > 0
    widths = {
        CODE_POINTS: once,
        ONE_LINE_END: np.where(is_return, 0, once),
        "UTF-16 units": wide,
        f"UTF-16 units, {ONE_LINE_END}": np.where(is_return, 0, wide),
    }
    distinct = {
        width.tobytes(): Counting(name, np.append(0, width.cumsum())) for name, width in reversed(widths.items())
    }
    return list(reversed(distinct.values()))


def read_counted(text: str, read: Callable[[Counting], T]) -> tuple[T, Counting]:
    """What ``read`` makes of offsets, with the first way of counting for which it raises no error.

    Raises:
        ValueError: none fits; the error is that of code points.
    """
    first: ValueError | None = None
    for counting in countings(text):
        try:
            return read(counting), counting
        except ValueError as error:
            first = first or error
    assert first is not None
    raise first


@contextmanager
def errors_at(location: str) -> Iterator[None]:
    """Turns the exceptions that a malformed record causes into a DataError that begins with the record's location."""
    try:
        yield
    except KeyError as error:
        raise DataError(f"{location}: missing key {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{location}: {error}") from error
    except (AttributeError, IndexError, TypeError) as error:
        raise DataError(f"{location}: unexpected structure ({type(error).__name__}: {error})") from error


def read_text(path: Path) -> str:
    """Reads a file without changing its line ends, since offsets count them.

    Raises:
        DataError: the file is not UTF-8.
    """
    with _utf8(path):
        return path.read_bytes().decode("utf-8")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yields the lines of a file without their line ends, numbered from 1.

    Raises:
        DataError: the file is not UTF-8.
    """
    with _utf8(path), path.open(encoding="utf-8-sig", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            yield number, line.rstrip("\r\n")


def load_json_key(path: Path, key: str) -> Any:
    """Reads the value of a key of the JSON object in a file.

    Raises:
        DataError: the file is not JSON, or its content has no such key.
    """
    text = read_text(path)
    with errors_at(str(path)):
        return json.loads(text)[key]


@contextmanager
def _utf8(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
