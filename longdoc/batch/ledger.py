"""What a journal says: the documents that are done, the parts that hold their rows, and how far the last run came.

The journal has a line of JSON for each document that is done. The lines of one commit are followed by a line that
closes it, ``{"commit": {"part-00003": ["documents", "entities"]}, "read": 64}``; lines after the last closing line are
not part of it, as a kill has cut them short. Of several lines for one address the last one counts. The first ``read``
lines of a commit are of documents that were read, the others of documents whose rows have moved to another part, whose
file was touched, or that have become, or ceased to be, inputs. ``"left": [ADDRESS, ...]`` in the closing line names
documents that are in the tables no more.

``{"begin": TIME, "inputs": 10000, "to_read": 9936, "retry_failed": false}`` starts a run, ``{"end": TIME}`` is written
when all of its documents are done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from sys import intern
from typing import Any

from longdoc.batch.inputs import Input
from longdoc.batch.status import STATES, Status
from longdoc.errors import BatchError

PART = re.compile(r"part-\d{5,12}", re.ASCII)
"""The name of a part, from which those of its files are made."""
_STATUS = tuple(field.name for field in fields(Status))


@dataclass(frozen=True, slots=True)
class Entry:
    """A document that is done."""

    status: Status
    size: int
    modified: int
    """Size and time of the last change of its file, as they were before it was read."""
    part: str
    """The part that holds its rows, such as ``"part-00003"``."""
    is_removed: bool = False
    """Whether it was no input of the last run, or had no file. Its rows stay."""

    def to_record(self) -> dict[str, Any]:
        values = {name: getattr(self.status, name) for name in _STATUS}
        return {**values, "size": self.size, "modified": self.modified, "part": self.part, "removed": self.is_removed}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Entry:
        known = {"same_as": "", "removed": False, **record}  # journals of before have none
        status = Status(**{name: known[name] for name in _STATUS})
        texts = (status.address, status.id, status.reason, status.error, status.same_as)
        if status.state not in STATES or not all(isinstance(each, str) for each in texts):
            raise ValueError("a document's state is none, or what should be a text is not")
        if not all(type(each) is int for each in (status.pages, status.tokens, known["size"], known["modified"])):
            raise ValueError("a document's size is no number")
        if not PART.fullmatch(known["part"]) or not isinstance(known["removed"], bool):
            raise ValueError("a part has another name than it should")
        return cls(status, known["size"], known["modified"], intern(known["part"]), known["removed"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Which documents a run has to read."""

    to_read: tuple[Input, ...]
    """In the order of the inputs: the new ones, those that have changed, the failed ones that are tried again, and
    those whose rows leave with another document that had the same content."""
    n_done: int
    """How many inputs are skipped, since they were read before and have not changed."""
    changed: tuple[str, ...]
    """The addresses of those of ``to_read`` that were read before, but have changed since."""
    removed: tuple[str, ...]
    """Addresses that were read before, and are no inputs now or have no file any more. Their rows stay."""
    dropped: tuple[str, ...] = ()
    """Those whose rows have left the tables, since they are no inputs now."""


class Ledger:
    """The content of a journal."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        """Address → the document that is done."""
        self.tables: dict[str, tuple[str, ...]] = {}
        """Part → the tables that it has files of."""
        self.next_part = 0
        self.n_inputs = 0
        """The documents of the last run, those that were done before it included."""
        self.n_left = 0
        """Those that it has still to read."""
        self.has_ended = False
        self.retried: set[str] | None = None
        """What was read since a run began to retry failed documents, if that has not ended: not to be tried again."""
        self._members: dict[str, list[str]] = {}

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Adds the lines of a commit, with the line that closes it."""
        *documents, closing = records
        for number, record in enumerate(documents):
            entry = Entry.of(record)
            self.entries[entry.status.address] = entry
            self._members.setdefault(entry.part, []).append(entry.status.address)
            if self.retried is not None and number < closing["read"]:
                self.retried.add(entry.status.address)
        for address in closing.get("left", ()):
            del self.entries[address]
        for part, tables in closing.get("commit", {}).items():
            if not PART.fullmatch(part) or not all(table.isidentifier() for table in tables):
                raise ValueError("a part or a table has another name than it should")
            self.tables[part] = tuple(tables)
            self.next_part = max(self.next_part, int(part.rpartition("-")[2]) + 1)
        self.n_left -= closing.get("read", 0)
        if "begin" in closing:
            self.n_inputs, self.n_left, self.has_ended = closing["inputs"], closing["to_read"], False
            if closing["retry_failed"] and self.retried is None:
                self.retried = set()
        elif "end" in closing:
            self.has_ended, self.retried = True, None

    def members(self, part: str) -> list[Entry]:
        """The documents whose rows a part holds."""
        found = (self.entries.get(address) for address in dict.fromkeys(self._members.get(part, ())))
        return [entry for entry in found if entry is not None and entry.part == part]

    def owners(self, to_read: Collection[str]) -> dict[str, str]:
        """Id → the address of the document that has the rows of this content; not those that are to be read."""
        statuses = (entry.status for entry in self.entries.values())
        return {each.id: each.address for each in statuses if each.is_owner and each.address not in to_read}

    def without_rows(self, to_read: Collection[str]) -> set[str]:
        """The documents that are the same as another one, which has their rows no more, or is to be read."""
        owners = self.owners(to_read)
        return {
            address
            for address, entry in self.entries.items()
            if entry.status.same_as and owners.get(entry.status.id) != entry.status.same_as
        }


def lines(records: Sequence[Mapping[str, Any]]) -> bytes:
    """The lines of a commit."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def read_ledger(path: Path) -> tuple[Ledger, int]:
    """Reads a journal.

    Returns:
        Its content, and the number of bytes up to the end of the last commit.

    Raises:
        BatchError: a line in its midst is damaged.
    """
    ledger, end = Ledger(), 0
    for records, offset in _commits(path):
        try:
            ledger.add(records)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BatchError(_damaged(path, f"before byte {offset}")) from error
        end = offset
    return ledger, end


def _commits(path: Path) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """The records of each commit, and the number of bytes up to its end."""
    if not path.exists():
        return
    records: list[dict[str, Any]] = []
    damaged, offset = 0, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            offset += len(line)
            record = _parsed(line)
            if record is None:
                damaged = damaged or number
                continue
            records.append(record)
            if "address" not in record:
                if damaged:
                    raise BatchError(_damaged(path, f"line {damaged}"))
                yield records, offset
                records = []


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None if it is not whole."""
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _damaged(path: Path, where: str) -> str:
    return f"{path}, {where}: the journal is damaged; restore it from a copy, or start over with --overwrite"
