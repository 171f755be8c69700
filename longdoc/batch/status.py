"""What became of a document of a batch, and the names of the files that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

State = Literal["ok", "partial", "failed", "timed out", "out of memory", "crashed"]
STATES: tuple[State, ...] = get_args(State)
"""All states, the best first."""

MANIFEST = "run.json"
"""In the folder that a batch writes: its model and settings."""
JOURNAL = "journal.jsonl"
"""In that folder: the documents that are done."""


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

    @property
    def is_read(self) -> bool:
        """Whether there are findings of it, perhaps with gaps."""
        return self.state in ("ok", "partial")
