"""A run into a folder that a kill at any moment leaves whole: it goes on with what is not yet done.

    OUT/
        run.json                        model, settings, version: see `manifest`
        journal.jsonl                   the documents that are done: see `ledger`
        entities/part-00000.parquet     the rows of some documents: see `parts`
        .pending/                       parts that are being written
        .lock                           who writes: see `lock`

A commit writes the files of its parts to ``.pending``, flushes them to the disk, renames them, and then writes the
lines of their documents to the journal. A kill before the last step leaves files that no line names; they are removed
when the run goes on. Parts are numbered by what the journal holds, so an interrupted run has the parts of an
undisturbed one, provided its documents are committed in the same groups.

The rows of a document that is read again leave their part in the same commit: the rest of that part is copied to a new
one, and the old files are removed. So the rows of each document stand in the tables once, but for the
moment of the commit. Documents that share the rows of one that will be read again leave the tables before, so that none
is ever said to be read whose rows are not there.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from longdoc.batch.inputs import Input, sha256_of
from longdoc.batch.ledger import Entry, Pending, lines, read_ledger
from longdoc.batch.lock import Lock, now
from longdoc.batch.manifest import check_manifest, read_manifest, write_manifest
from longdoc.batch.parts import Parts, TableWriter
from longdoc.batch.status import JOURNAL, MANIFEST, Status
from longdoc.durable import append, flush
from longdoc.errors import BatchError, ConfigError, DocumentNotFoundError
from longdoc.summary import count, shown

logger = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Run:
    """A run into a folder: a context manager, which holds the lock on the folder."""

    def __init__(self, folder: Path, lock: Lock, writer: TableWriter) -> None:
        """Reads what an earlier run has done, and removes what it has left half done; see `open`."""
        self.folder = folder
        self._lock, self._parts, self._is_begun = lock, Parts(folder, writer), False
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
                raise ConfigError(
                    f"{path}: holds other files, and no results of an earlier run; give a new or empty folder"
                )
            lock = Lock(path)
            try:
                if overwrite:
                    Parts(path, writer).drop_other_formats()
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

    def pending(self, inputs: Iterable[Input], *, retry_failed: bool = False, drop_gone: bool = False) -> Pending:
        """Says which documents are to read, and writes to the journal that their reading begins.

        A file whose size and time are those of before has not changed; if only the time differs, its content decides.
        Failed documents are read again if they have changed, or with ``retry_failed``; if that is interrupted and
        begun again, those that it has tried are not tried once more. With ``drop_gone`` documents that are no inputs
        any more leave the tables.

        Raises:
            BatchError: the journal cannot be written.
        """
        given = {each.address: each for each in inputs}
        compared = {address: self._compared(each, retry_failed=retry_failed) for address, each in given.items()}
        to_read = {address for address, how in compared.items() if how in ("new", "changed", "retried")}
        gone = {address for address in self._ledger.entries if address not in given}
        dropped = gone if drop_gone else set()
        without_rows = self._ledger.without_rows(to_read | dropped) - dropped
        to_read |= without_rows.intersection(given)
        done = [address for address in given if address not in to_read]
        removed = gone - without_rows - dropped
        removed |= {address for address in done if compared[address] == "removed"}
        self._leave(without_rows, given)
        if dropped:
            self._replace(dropped, [], {}, {"read": 0, "left": sorted(dropped)})
        self._note(removed, {address: given[address].modified for address in done if compared[address] == "touched"})
        counts = {"inputs": len(given), "to_read": len(to_read), "retry_failed": retry_failed}
        self._append([{"begin": now(), **counts}])
        self._is_begun, self._to_read = True, set(to_read)
        return Pending(
            to_read=tuple(each for address, each in given.items() if address in to_read),
            n_done=len(done),
            changed=tuple(address for address, how in compared.items() if how == "changed"),
            removed=tuple(sorted(removed)),
            dropped=tuple(sorted(dropped)),
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
        if not is_same(each, entry):
            return "changed"
        if retry_failed and self._is_to_retry(entry):
            return "retried"
        return "same" if each.modified == entry.modified else "touched"

    def _leave(self, addresses: Collection[str], given: Collection[str]) -> None:
        """Takes documents out of the tables that share the rows of one that will be read again, or has lost them."""
        if lost := sorted(set(addresses).difference(given)):
            logger.warning(
                "%s, such as %s, shared the rows of one that has changed; not among the inputs, and no more in the "
                "tables until given again",
                count(len(lost), "document"),
                shown(lost[0]),
            )
        if addresses:
            self._replace(addresses, [], {}, {"read": 0, "left": sorted(addresses)})

    def _note(self, removed: Collection[str], touched: Mapping[str, int]) -> None:
        """Writes to the journal which documents are no inputs any more, and the new times of files."""
        entries = [
            replace(entry, is_removed=address in removed, modified=touched.get(address, entry.modified))
            for address, entry in self._ledger.entries.items()
        ]
        changed = [entry for entry in entries if entry != self._ledger.entries[entry.status.address]]
        if changed:
            self._append([*(entry.to_record() for entry in changed), {"commit": {}, "read": 0}])

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
        part = _name(self._ledger.next_part)
        entries = [Entry(status, each.size, each.modified, part) for each, status in done]
        self._write(part, self._parts.made(tables))
        addresses = {each.address for each, _ in done}
        self._to_read -= addresses
        stale = self._stale({status.id for _, status in done if status.is_owner})
        says = {"read": len(done), "left": sorted(stale)} if stale else {"read": len(done)}
        self._replace(addresses | stale, entries, {part: tuple(sorted(tables))}, says)
        return part

    def _stale(self, ids: Collection[str]) -> set[str]:
        """The documents still to be read again whose rows are of this content, which is written for another now."""
        entries = ((address, self._ledger.entries.get(address)) for address in self._to_read)
        return {address for address, entry in entries if entry and entry.status.is_owner and entry.status.id in ids}

    def _replace(
        self, leaving: Collection[str], entries: list[Entry], parts: dict[str, tuple[str, ...]], says: Mapping[str, Any]
    ) -> None:
        """Commits parts that are written, and takes the rows of documents out of those in which they stood.

        Args:
            leaving: the addresses of those documents.
            entries: of the documents of the new parts.
            parts: the new parts, and the tables that they have files of.
            says: what the closing line says beside the parts.
        """
        old = sorted({entry.part for name in leaving if (entry := self._ledger.entries.get(name))})
        for each in old:
            members = self._ledger.members(each)
            rest = [entry for entry in members if entry.status.address not in leaving]
            if rest:
                new, tables = _name(self._ledger.next_part + len(parts)), self._ledger.tables[each]
                with self._writing(new):
                    statuses = [entry.status for entry in members]
                    content = self._parts.left(each, tables, members=statuses, without=leaving)
                self._write(new, content)
                parts[new] = tables
                entries += [replace(entry, part=new) for entry in rest]
        with self._writing(next(iter(parts), JOURNAL)):
            self._parts.publish(parts)
        self._append([*(entry.to_record() for entry in entries), {"commit": parts, **says}])
        with self._writing(next(iter(parts), JOURNAL)):
            for each in old:
                self._parts.remove(dict.fromkeys(self._ledger.tables[each], (each,)))

    def _write(self, part: str, content: Mapping[str, bytes]) -> None:
        """Writes the files of a part under their pending names."""
        with self._writing(part, sum(map(len, content.values()))):
            self._parts.write(part, content)

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
        self._parts.drop_pending()
        n_done = len(self._ledger.entries)
        remedy = f"then run the same command again: it goes on, and the {n_done} documents that are done stay"
        if error.errno not in _FULL:
            return BatchError(
                f"{self.folder}: {name} cannot be written ({error.strerror or error}); mend that, {remedy}"
            )
        size = f"{needed / 1e6:.1f} MB, and {shutil.disk_usage(self.folder).free / 1e6:.1f} MB are free"
        return BatchError(f"{self.folder}: the disk is full: {name} needs {size}; free some space, {remedy}")

    # --------------------------------------------------------------------------------------------------------- cleaning

    def _clean(self) -> None:
        """Removes files that no line of the journal names, and forgets the documents of parts that have lost files."""
        self._parts.drop_pending()
        there = self._parts.there()
        for part in sorted({entry.part for entry in self._ledger.entries.values()}):
            missing = [table for table in self._ledger.tables[part] if part not in there.get(table, ())]
            if missing:
                lost = self._ledger.members(part)
                where = shown(str(self._parts.file(missing[0], part)))
                logger.warning("%s is missing; %s of %s read again", where, count(len(lost), "document"), part)
                self._append([{"commit": {}, "read": 0, "left": [entry.status.address for entry in lost]}])
        named = {entry.part for entry in self._ledger.entries.values()}
        self._parts.remove({table: parts - named for table, parts in there.items()})


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


def is_same(each: Input, entry: Entry) -> bool:
    """Whether a document has not changed since it was read."""
    if each.problem:
        return not entry.status.id and not entry.size
    if each.size != entry.size or (each.modified == entry.modified and each.modified):
        return each.size == entry.size
    try:
        return bool(entry.status.id) and sha256_of(each.address) == entry.status.id
    except DocumentNotFoundError:
        return False  # reading it says why
