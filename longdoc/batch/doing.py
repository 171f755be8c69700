"""What a run is doing now: the documents that are in its hands, of which the journal does not know yet.

The run writes it to ``.doing.json`` in its folder; nothing depends on it but `longdoc status`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_NAME = ".doing.json"


@dataclass(slots=True, kw_only=True)
class Doing:
    """How many documents a run has in hand; those that an earlier run has read are not counted."""

    begun: str
    """When the run began, in UTC."""
    of: int
    """The documents that it has to read."""
    started: int = 0
    """Those that it has begun to load; on a cluster, which does not tell, those that were read."""
    loaded: int = 0
    read: int = 0
    """Those that the model has read, too; their rows are written some groups at a time."""


class Watch:
    """Counts the documents of a run as they go by, and writes the counts to its folder."""

    def __init__(self, folder: Path, *, begun: str, of: int) -> None:
        self._path = folder / _NAME
        self._doing = Doing(begun=begun, of=of)
        self._tell()

    def starting(self, inputs: Iterable[T]) -> Iterator[T]:
        """Passes documents on that are loaded next."""
        for each in inputs:
            self._doing.started += 1
            self._tell()
            yield each

    def loaded(self, documents: Iterable[T]) -> Iterator[T]:
        """Passes documents on that were loaded."""
        for each in documents:
            self._doing.loaded += 1
            self._tell()
            yield each

    def read(self, n: int) -> None:
        """Notes that the model has read some documents."""
        doing = self._doing
        doing.read += n
        doing.started, doing.loaded = max(doing.started, doing.read), max(doing.loaded, doing.read)
        self._tell()

    def close(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)

    def _tell(self) -> None:
        part = self._path.with_name(f"{_NAME}.part")
        with suppress(OSError):  # of a full disk, which ends the run when it writes rows
            part.write_text(json.dumps({"pid": os.getpid(), **asdict(self._doing)}), encoding="ascii")
            part.replace(self._path)


def read_doing(folder: Path, pid: int | None) -> Doing | None:
    """What the run of a process is doing now; None if that is not known."""
    try:
        record = json.loads((folder / _NAME).read_bytes())
        return Doing(**record) if record.pop("pid") == pid else None  # else a killed run has left it
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):  # as a power cut leaves it
        return None
