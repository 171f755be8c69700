"""What became of a document of a batch, and the names of the files that say so."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

State = Literal["ok", "partial", "failed", "timed out", "out of memory", "crashed"]
STATES: tuple[State, ...] = get_args(State)
"""All states, the best first."""

MANIFEST = "run.json"
"""In the folder that a batch writes: its model and settings."""
JOURNAL = "journal.jsonl"
"""In that folder: the documents that are done."""

DUPLICATES = "dedup.json"
"""In the folder that a search for duplicates writes: its settings and counts."""
PAIRS = "pairs.parquet"
"""In that folder: the pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What became of a document."""

    address: str
    """Where it was read from; of a local file the absolute path."""
    id: str
    """The SHA-256 digest of its content in hexadecimal digits; empty if it could not be read."""
    state: State
    reason: str = ""
    """Why it was not read, or not wholly, and what to do."""
    error: str = ""
    """The name of the error's class, such as ``"CorruptDocumentError"``."""
    attempts: int = 1
    seconds: float = 0.0
    pages: int = 0
    tokens: int = 0
    same_as: str = ""
    """The address of the document with the same content, whose rows are those of this one, too."""

    @property
    def is_read(self) -> bool:
        """Whether there are findings of it, perhaps with gaps."""
        return self.state in ("ok", "partial")

    @property
    def is_owner(self) -> bool:
        """Whether the findings of its content are written as its rows."""
        return self.is_read and bool(self.id) and not self.same_as


def with_same_as(statuses: Iterable[Status], owners: MutableMapping[str, str]) -> list[Status]:
    """The statuses in their order, with ``same_as`` where an earlier document has the same content.

    Args:
        statuses: of documents that are not among ``owners``.
        owners: id → address of the document that has its rows; those of ``statuses`` are added.
    """
    made = []
    for status in statuses:
        own = replace(status, same_as="")
        if own.is_owner:
            owner = owners.setdefault(own.id, own.address)
            own = replace(own, same_as=owner) if owner != own.address else own
        made.append(own)
    return made
