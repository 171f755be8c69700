"""The files that hold the rows of a run: a folder for each table, and in it a file for each part.

A file is written to ``.pending`` and flushed to the disk before it gets its name, so that a file that has its name is
whole. Errors of the disk are ``OSError``; the run knows what to say of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from longdoc.batch.ledger import PART
from longdoc.batch.status import Status
from longdoc.durable import flush, write_through

_PENDING = ".pending"
_SUFFIXES = (".parquet", ".csv", ".jsonl")


class TableWriter(Protocol):
    """Writes the tables of a part. The same rows must give the same bytes."""

    @property
    def suffix(self) -> str:
        """The suffix of the files, such as ``".parquet"``."""

    def write(self, table: str, rows: Any, stream: BinaryIO) -> None:
        """Writes the rows of a table."""

    def copy(
        self, table: str, source: Path, stream: BinaryIO, *, members: Sequence[Status], without: Collection[str]
    ) -> None:
        """Writes the rows of a file that this has written, except those of some documents.

        Args:
            table: its name.
            source: the file.
            stream: gets the rows that stay.
            members: the documents of the part, in the order in which they were committed.
            without: the addresses of the documents whose rows leave.
        """


class Parts:
    """The parts of the run in a folder."""

    def __init__(self, folder: Path, writer: TableWriter) -> None:
        self._folder, self._writer = folder, writer

    def file(self, table: str, part: str) -> Path:
        """The file of a table that holds the rows of a part."""
        return self._folder / table / f"{part}{self._writer.suffix}"

    def made(self, tables: Mapping[str, Any]) -> dict[str, bytes]:
        """Table → the content of the file for some rows."""
        content = {}
        for table, rows in tables.items():
            stream = BytesIO()
            self._writer.write(table, rows, stream)
            content[table] = stream.getvalue()
        return content

    def left(
        self, part: str, tables: Collection[str], *, members: Sequence[Status], without: Collection[str]
    ) -> dict[str, bytes]:
        """Table → the content of its file for what is left of a part; see `TableWriter.copy`."""
        content = {}
        for table in tables:
            stream = BytesIO()
            self._writer.copy(table, self.file(table, part), stream, members=members, without=without)
            content[table] = stream.getvalue()
        return content

    def write(self, part: str, content: Mapping[str, bytes]) -> None:
        """Writes the files of a part under their pending names."""
        (self._folder / _PENDING).mkdir(exist_ok=True)
        for table, data in content.items():
            write_through(self._pending_file(table, part), data)

    def publish(self, parts: Mapping[str, Collection[str]]) -> None:
        """Gives the files of parts their names: part → the tables that it has files of."""
        tables = sorted({table for names in parts.values() for table in names})
        for table in tables:
            (self._folder / table).mkdir(exist_ok=True)
        for part, names in parts.items():
            for table in names:
                self._pending_file(table, part).replace(self.file(table, part))
        self.drop_pending()
        for table in tables:
            flush(self._folder / table)
        flush(self._folder)

    def drop_pending(self) -> None:
        """Removes the files that have no names yet."""
        shutil.rmtree(self._folder / _PENDING, ignore_errors=True)

    def remove(self, parts: Mapping[str, Collection[str]]) -> None:
        """Removes the files of parts: table → parts."""
        for table, names in parts.items():
            for part in sorted(names):
                self.file(table, part).unlink()
            if names:
                flush(self._folder / table)

    def drop_other_formats(self) -> None:
        """Removes the files of a run of another format, which this one has replaced."""
        for folder in self._tables():
            for each in folder.iterdir():
                if PART.fullmatch(each.stem) and each.suffix in _SUFFIXES and each.suffix != self._writer.suffix:
                    each.unlink()

    def _tables(self) -> list[Path]:
        return [each for each in self._folder.iterdir() if each.is_dir() and not each.name.startswith(".")]

    def there(self) -> dict[str, set[str]]:
        """Table → the parts that it has files of."""
        suffix = self._writer.suffix
        return {
            folder.name: {
                each.name.removesuffix(suffix)
                for each in folder.iterdir()
                if each.name.endswith(suffix) and PART.fullmatch(each.name.removesuffix(suffix))
            }
            for folder in self._tables()
        }

    def _pending_file(self, table: str, part: str) -> Path:
        return self._folder / _PENDING / f"{table}.{part}{self._writer.suffix}"
