"""The tables of an index as one: parts in their order, and in them rows, which are numbered through."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from longdoc.errors import SearchError, first_line, require

if TYPE_CHECKING:
    import pyarrow

_OPEN = 64
"""Files that are kept open."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the tables, and how many passages it has."""

    name: str
    rows: int

    @property
    def number(self) -> int:
        return int(self.name.rpartition("-")[2])


class Parts:
    """The parts of an index. The rows of all parts are numbered in the order of the parts, from 0."""

    def __init__(self, folder: Path, parts: Sequence[Part]) -> None:
        self._parquet = require("pyarrow.parquet", extra="search", needed_by="an index")
        self._folder, self.parts = folder, tuple(parts)
        self._starts = np.cumsum([0, *(part.rows for part in parts)]).tolist()
        self._by_number = {part.number: index for index, part in enumerate(parts)}
        self._open: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """The number of passages."""
        return int(self._starts[-1])

    def row(self, number: int, index: int) -> int | None:
        """The row of a passage, from the number of its part and its place there; None if there is no such part."""
        at = self._by_number.get(number)
        return None if at is None or index >= self.parts[at].rows else int(self._starts[at]) + index

    def documents(self, columns: Sequence[str]) -> Iterator[tuple[Part, dict[str, Any]]]:
        """The rows of the table ``documents``, each with its part."""
        for part in self.parts:
            for row in self._read(part, "documents", columns).to_pylist():
                yield part, row

    def documents_of(self, part: Part, columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of the table ``documents`` of one part."""
        rows: list[dict[str, Any]] = self._read(part, "documents", columns).to_pylist()
        return rows

    def column(self, part: Part, name: str) -> pyarrow.ChunkedArray:
        """A column of the passages of a part."""
        return self._read(part, "passages", [name])[name]

    def content(self, part: Part, document_id: str) -> bytes:
        """The compressed JSON of a document that was read."""
        rows = self._read(part, "documents", ["document_id", "content"]).to_pylist()
        return bytes(next(row["content"] for row in rows if row["document_id"] == document_id and row["content"]))

    def all_passages(self, part: Part) -> list[dict[str, Any]]:
        """All rows of a part in the table ``passages``."""
        path = self._path("passages", part)
        with _read_errors(path):
            return list(self._parquet.read_table(path).to_pylist())

    def passages(self, rows: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of the table ``passages`` with these numbers, in their order.

        Raises:
            SearchError: a file is missing or damaged.
        """
        found: dict[int, dict[str, Any]] = {}
        for group in self._groups(rows):
            found.update(self._in_group(*group, columns=columns))
        return [found[row] for row in rows]

    def _groups(self, rows: Sequence[int]) -> Iterator[tuple[Part, int, list[int]]]:
        """The parts that have some rows, the number of their first row, and those rows."""
        by_part: dict[int, list[int]] = {}
        for row in sorted(set(rows)):
            by_part.setdefault(bisect_right(self._starts, row) - 1, []).append(row)
        return ((self.parts[at], self._starts[at], own) for at, own in by_part.items())

    def _in_group(
        self, part: Part, start: int, rows: list[int], *, columns: Sequence[str]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        with self._lock, _read_errors(self._path("passages", part)):
            file = self._file("passages", part)
            size = max(file.metadata.row_group(0).num_rows, 1)
            groups = sorted({(row - start) // size for row in rows})
            table = file.read_row_groups(groups, columns=list(columns))
        place = {group * size + i: at * size + i for at, group in enumerate(groups) for i in range(size)}
        chosen = table.take([place[row - start] for row in rows]).to_pylist()
        return zip(rows, chosen, strict=True)

    def _read(self, part: Part, table: str, columns: Sequence[str]) -> pyarrow.Table:
        path = self._path(table, part)
        with _read_errors(path):
            return self._parquet.read_table(path, columns=list(columns))

    def _path(self, table: str, part: Part) -> Path:
        return self._folder / table / f"{part.name}.parquet"

    def _file(self, table: str, part: Part) -> Any:
        """A file that stays open for the searches to come."""
        key = table, part.name
        if key not in self._open:
            self._open[key] = self._parquet.ParquetFile(self._path(table, part))
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(key)
        return self._open[key]


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Turns errors of a file into one that says what to do."""
    import pyarrow

    try:
        yield
    except FileNotFoundError as error:
        raise SearchError(
            f"{path}: is missing: the index has changed since it was opened, or lost the file; open it again, or make "
            "it anew with `longdoc index`, by the command that made it"
        ) from error
    except (pyarrow.ArrowException, OSError) as error:
        raise SearchError(
            f"{path}: is damaged ({first_line(error)}); remove it, and run `longdoc index` by the command that made "
            "the index: its documents are read again"
        ) from error
