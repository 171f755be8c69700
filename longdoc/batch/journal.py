"""A run into a folder that a kill at any moment leaves whole: it goes on with what is not yet done.

    OUT/
        run.json                        model, settings, version: see `manifest`
        journal.jsonl                   the documents that are done: see `ledger`
        entities/part-00000.parquet     the rows of some documents; each table has a folder
        .pending/                       parts that are being written
        .lock                           who writes: see `lock`

A commit writes the files of its parts to ``.pending``, flushes them to the disk, renames them, and then writes the
lines of their documents to the journal. A kill before the last step leaves files that no line names; they are removed
when the run goes on. Parts are numbered by what the journal holds, so an interrupted run has the parts of an
undisturbed one, provided its documents are committed in the same groups.

The rows of a document that is read again leave their part in the same commit: the rest of that part is copied to a new
one, and the old files are removed. So the rows of each document stand in the tables once, but for the
moment of the commit.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from longdoc.batch.inputs import Input, sha256_of, shown
from longdoc.batch.ledger import Entry, Pending, lines, read_ledger
from longdoc.batch.lock import Lock, now
from longdoc.batch.manifest import check_manifest, read_manifest, write_manifest
from longdoc.batch.status import JOURNAL, MANIFEST, Status
from longdoc.durable import append, flush, write_through
from longdoc.errors import BatchError, ConfigError, DocumentNotFoundError

logger = logging.getLogger(__name__)

_PENDING = ".pending"
_PART = re.compile(r"part-\d{5,}")
_FULL = (errno.ENOSPC, errno.EDQUOT)


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


class Run:
    """A run into a folder: a context manager, which holds the lock on the folder."""

    def __init__(self, folder: Path, lock: Lock, writer: TableWriter) -> None:
        """Reads what an earlier run has done, and removes what it has left half done; see `open`."""
        self.folder = folder
        self._lock, self._writer, self._is_begun = lock, writer, False
        self._to_read: set[str] = set()
        self._ledger, end = read_ledger(folder / JOURNAL)
        self._journal = os.open(folder / JOURNAL, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.ftruncate(self._journal, end)
            self._clean()
        except BaseException:
            os.close(self._journal)
            raise

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        *,
        model: str,
        settings: Mapping[str, Any],
        writer: TableWriter,
        overwrite: bool = False,
    ) -> Run:
        """Begins a run, or goes on with the one in the folder.

        Args:
            folder: a new or empty folder, or that of a run; hidden files in it are not touched.
            model: the fingerprint of the model.
            settings: all else that the tables depend on; values as in JSON.
            writer: writes the tables.
            overwrite: remove what the run in the folder has written, and begin anew.

        Raises:
            ConfigError: the folder is a file, cannot be written, holds other files, or a run with another model or
                other settings.
            BatchError: another run writes there, its journal is damaged, or the disk is full.
        """
        path = Path(os.path.abspath(folder))  # noqa: PTH100 (it keeps links)
        if path.exists() and not path.is_dir():
            raise ConfigError(f"{path}: is a file; give a folder for the results")
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not (path / MANIFEST).exists() and any(not each.name.startswith(".") for each in path.iterdir()):
                raise ConfigError(f"{path}: holds files, but no run; give a new or empty folder")
            lock = Lock(path)
            try:
                _prepare(path, model, settings, overwrite=overwrite)
                return cls(path, lock, writer)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            if error.errno in _FULL:
                raise BatchError(f"{path}: the disk is full; free some space and try again") from error
            raise ConfigError(f"{path}: cannot be written ({error.strerror or error}); give another folder") from error

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets go of the folder; if all documents are done, the journal says so."""
        try:
            if error is None and self._is_begun and self._ledger.n_left <= 0:
                self._append([{"end": now()}])
        finally:
            os.close(self._journal)
            self._lock.release()

    @property
    def is_empty(self) -> bool:
        """Whether no document is done."""
        return not self._ledger.entries

    def discard(self) -> None:
        """Makes the folder of a run without documents one that any run may use."""
        for name in (MANIFEST, JOURNAL):
            (self.folder / name).unlink(missing_ok=True)

    # ---------------------------------------------------------------------------------------------------------- reading

    def pending(self, inputs: Iterable[Input], *, retry_failed: bool = False) -> Pending:
        """Says which documents are to read, and writes to the journal that their reading begins.

        A file whose size and time are those of before has not changed; if only the time differs, its content decides.
        Failed documents are read again if they have changed, or with ``retry_failed``; if that is interrupted and
        begun again, those that it has tried are not tried once more.

        Raises:
            BatchError: the journal cannot be written.
        """
        given = {each.address: each for each in inputs}
        compared = {address: self._compared(each, retry_failed=retry_failed) for address, each in given.items()}
        to_read = {address for address, how in compared.items() if how in ("new", "changed", "retried")}
        to_read |= self._without_rows(to_read, given)
        done = [address for address in given if address not in to_read]
        removed = [address for address in self._ledger.entries if address not in given]
        removed += [address for address in done if compared[address] == "removed"]
        if touched := [address for address in done if compared[address] == "touched"]:
            entries = [replace(self._ledger.entries[address], modified=given[address].modified) for address in touched]
            self._append([*(entry.to_record() for entry in entries), {"commit": {}, "read": 0}])
        counts = {"inputs": len(given), "to_read": len(to_read), "retry_failed": retry_failed}
        self._append([{"begin": now(), **counts}])
        self._is_begun, self._to_read = True, set(to_read)
        return Pending(
            to_read=tuple(each for address, each in given.items() if address in to_read),
            n_done=len(done),
            changed=tuple(address for address, how in compared.items() if how == "changed"),
            removed=tuple(sorted(removed)),
        )

    def owners(self) -> dict[str, str]:
        """Id → the address of the document that has the rows of this content; not those that are still to be read."""
        return self._ledger.owners(self._to_read)

    def _compared(self, each: Input, *, retry_failed: bool) -> str:
        """How a document is, compared with the journal."""
        entry = self._ledger.entries.get(each.address)
        if entry is None:
            return "new"
        if each.problem and entry.status.is_read:
            return "removed"
        if not _is_same(each, entry):
            return "changed"
        if retry_failed and self._is_to_retry(entry):
            return "retried"
        return "same" if each.modified == entry.modified else "touched"

    def _without_rows(self, to_read: Collection[str], given: Collection[str]) -> set[str]:
        """Those of the given documents that have to be read again, since their rows are not there or leave."""
        found = self._ledger.without_rows(to_read)
        if lost := sorted(found.difference(given)):
            logger.warning(
                "%d documents, such as %s, shared the rows of one that has changed; they are not among the inputs, and "
                "have no rows until they are given again",
                len(lost),
                shown(lost[0]),
            )
        return found.intersection(given)

    def _is_to_retry(self, entry: Entry) -> bool:
        retried = self._ledger.retried
        return not entry.status.is_read and (retried is None or entry.status.address not in retried)

    # ---------------------------------------------------------------------------------------------------------- writing

    def commit(self, done: Sequence[tuple[Input, Status]], tables: Mapping[str, Any]) -> str:
        """Writes the rows of some documents as a part, durably, then says in the journal that they are done.

        Args:
            done: the documents, as they were found before they were read, and what became of them, in the order of
                their rows.
            tables: their rows by the name of the table, in the form that the writer takes.

        Returns:
            The name of the part.

        Raises:
            BatchError: the disk is full or fails. Nothing of earlier parts is lost, and the run goes on if it is
                opened again.
        """
        addresses = {each.address for each, _ in done}
        old = sorted({entry.part for name in addresses if (entry := self._ledger.entries.get(name))})
        part = _name(self._ledger.next_part)
        parts = {part: tuple(sorted(tables))}
        entries = [Entry(status, each.size, each.modified, part) for each, status in done]
        self._write(part, {table: self._bytes(table, rows) for table, rows in tables.items()})
        for each in old:
            rest = [entry for entry in self._ledger.members(each) if entry.status.address not in addresses]
            if rest:
                new = _name(self._ledger.next_part + len(parts))
                self._copy(each, new, without=addresses)
                parts[new] = self._ledger.tables[each]
                entries += [replace(entry, part=new) for entry in rest]
        self._publish(parts)
        self._append([*(entry.to_record() for entry in entries), {"commit": parts, "read": len(done)}])
        self._to_read -= addresses
        with self._writing(part):
            for each in old:
                self._remove(dict.fromkeys(self._ledger.tables[each], (each,)))
        return part

    def _bytes(self, table: str, rows: Any) -> bytes:
        stream = BytesIO()
        self._writer.write(table, rows, stream)
        return stream.getvalue()

    def _copy(self, part: str, new: str, *, without: Collection[str]) -> None:
        """Writes the rows of a part as a new one, except those of some documents."""
        content = {}
        members = [entry.status for entry in self._ledger.members(part)]
        for table in self._ledger.tables[part]:
            stream = BytesIO()
            with self._writing(new):
                self._writer.copy(table, self._file(table, part), stream, members=members, without=without)
            content[table] = stream.getvalue()
        self._write(new, content)

    def _write(self, part: str, content: Mapping[str, bytes]) -> None:
        """Writes the files of a part under their pending names."""
        with self._writing(part, sum(map(len, content.values()))):
            (self.folder / _PENDING).mkdir(exist_ok=True)
            for table, data in content.items():
                write_through(self._pending_file(table, part), data)

    def _publish(self, parts: Mapping[str, Sequence[str]]) -> None:
        """Gives the files of parts their names."""
        with self._writing(next(iter(parts))):
            tables = sorted({table for names in parts.values() for table in names})
            for table in tables:
                (self.folder / table).mkdir(exist_ok=True)
            for part, names in parts.items():
                for table in names:
                    self._pending_file(table, part).replace(self._file(table, part))
            (self.folder / _PENDING).rmdir()
            for table in tables:
                flush(self.folder / table)
            flush(self.folder)

    def _append(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Adds the lines of a commit to the journal."""
        data = lines(records)
        with self._writing(JOURNAL, len(data)):
            append(self._journal, data)
        self._ledger.add(records)

    @contextmanager
    def _writing(self, name: str, needed: int = 0) -> Iterator[None]:
        """Turns an error of the disk into the one that ends the run."""
        try:
            yield
        except OSError as error:
            raise self._stopped(error, name, needed) from error

    def _stopped(self, error: OSError, name: str, needed: int) -> BatchError:
        """The error that ends a run whose files cannot be written; its pending files make room."""
        shutil.rmtree(self.folder / _PENDING, ignore_errors=True)
        n_done = len(self._ledger.entries)
        remedy = f"then run the same command again: it goes on, and the {n_done} documents that are done stay"
        if error.errno not in _FULL:
            return BatchError(
                f"{self.folder}: {name} cannot be written ({error.strerror or error}); mend that, {remedy}"
            )
        size = f"{needed / 1e6:.1f} MB, and {shutil.disk_usage(self.folder).free / 1e6:.1f} MB are free"
        return BatchError(f"{self.folder}: the disk is full: {name} needs {size}; free some space, {remedy}")

    def _file(self, table: str, part: str) -> Path:
        return self.folder / table / f"{part}{self._writer.suffix}"

    def _pending_file(self, table: str, part: str) -> Path:
        return self.folder / _PENDING / f"{table}.{part}{self._writer.suffix}"

    # --------------------------------------------------------------------------------------------------------- cleaning

    def _clean(self) -> None:
        """Removes files that no line of the journal names, and forgets the documents of parts that have lost files."""
        shutil.rmtree(self.folder / _PENDING, ignore_errors=True)
        there = self._parts()
        for part in sorted({entry.part for entry in self._ledger.entries.values()}):
            missing = [table for table in self._ledger.tables[part] if part not in there.get(table, ())]
            if missing:
                lost = self._ledger.members(part)
                where = shown(str(self._file(missing[0], part)))
                logger.warning("%s is missing; the %d documents of %s are read again", where, len(lost), part)
                self._ledger.forget(part)
        named = {entry.part for entry in self._ledger.entries.values()}
        self._remove({table: parts - named for table, parts in there.items()})

    def _remove(self, parts: Mapping[str, Collection[str]]) -> None:
        """Removes the files of parts, given by their table."""
        for table, names in parts.items():
            for part in sorted(names):
                self._file(table, part).unlink()
            if names:
                flush(self.folder / table)

    def _parts(self) -> dict[str, set[str]]:
        """Table → the parts that it has files of."""
        folders = [each for each in self.folder.iterdir() if each.is_dir() and not each.name.startswith(".")]
        suffix = self._writer.suffix
        return {
            folder.name: {
                each.name.removesuffix(suffix)
                for each in folder.iterdir()
                if each.name.endswith(suffix) and _PART.fullmatch(each.name.removesuffix(suffix))
            }
            for folder in folders
        }


def _prepare(folder: Path, model: str, settings: Mapping[str, Any], *, overwrite: bool) -> None:
    """Writes the manifest of a new run, or checks that of the run in the folder."""
    if overwrite:
        # First the journal, so that a kill leaves no lines beside the manifest of a run that did not write them.
        (folder / JOURNAL).unlink(missing_ok=True)
        flush(folder)
    elif record := read_manifest(folder):
        check_manifest(folder, record, model, settings)
        return
    write_manifest(folder, model, settings)


def _name(number: int) -> str:
    return f"part-{number:05}"


def _is_same(each: Input, entry: Entry) -> bool:
    """Whether a document has not changed since it was read."""
    if each.problem:
        return not entry.status.id and not entry.size
    if each.size != entry.size or (each.modified == entry.modified and each.modified):
        return each.size == entry.size
    try:
        return bool(entry.status.id) and sha256_of(each.address) == entry.status.id
    except DocumentNotFoundError:
        return False  # reading it says why
