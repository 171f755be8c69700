"""The lock on the folder of a batch: one run writes there at a time.

The kernel holds it (flock) and lets go of it when the process dies, however it dies. Windows has no such locks: there,
nothing prevents two runs from writing to one folder.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from longdoc.errors import BatchError

LOCK = ".lock"
_TRIES = 5
_SECONDS_BETWEEN = 0.05  # `longdoc status` holds the lock for less than that
_held: set[int] = set()
"""The open files of locks. A forked worker must not keep a lock alive that its parent held."""


def _close_in_fork() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_fork)


class Lock:
    """The lock on a folder, from the start until `release`."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock.

        Raises:
            BatchError: another process has it, or the file system has no locks.
            OSError: its file cannot be written.
        """
        self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        _held.add(self._descriptor)
        try:
            if not self._is_taken(folder):
                raise BatchError(
                    f"{folder}: another run{_said_holder(folder)} writes there; wait, or give another folder"
                )
            own = {"pid": os.getpid(), "host": socket.gethostname(), "started": now()}
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, json.dumps(own).encode())
        except BaseException:
            self.release()
            raise

    def _is_taken(self, folder: Path) -> bool:
        """Whether this process has the lock now; it tries a few times."""
        for _ in range(_TRIES):
            if _take(self._descriptor, folder, shared=False):
                return True
            time.sleep(_SECONDS_BETWEEN)
        return False

    def release(self) -> None:
        """Lets go of the lock, unless this is a fork of the process that has it."""
        if self._descriptor in _held:
            _held.remove(self._descriptor)
            os.close(self._descriptor)


def is_locked(folder: Path) -> bool:
    """Whether a run writes to a folder now."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _take(descriptor, folder, shared=True)
    finally:
        os.close(descriptor)


def now() -> str:
    """The time, in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _take(descriptor: int, folder: Path, *, shared: bool) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise BatchError(
            f"{folder}: its file system has no locks ({error.strerror}); give a folder on another disk"
        ) from error
    return True


def holder(folder: Path) -> dict[str, Any]:
    """Who has, or last had, the lock: ``pid``, ``host`` and ``started``; empty if that is not known (yet)."""
    try:
        found = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        return {name: found[name] for name in ("pid", "host", "started")}
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _said_holder(folder: Path) -> str:
    found = holder(folder)
    return f" (process {found['pid']} on {found['host']}, since {found['started']})" if found else ""
