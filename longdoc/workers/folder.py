"""The temporary folder of a worker process: what the worker leaves in it goes with it, however it ends."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX = "longdoc-worker-"
_UNLOCKED = "longdoc-new-"


class TemporaryFolder:
    """A folder for the temporary files of a worker and of the programs that it starts.

    While its parent lives it is locked. A parent that is killed cannot remove it; the next worker of any process of the
    same user does.
    """

    def __init__(self) -> None:
        self._lock: int | None = None
        self.path: Path | None = None

    def make(self) -> None:
        """Makes the folder, and removes those of parents that were killed."""
        with suppress(OSError):  # a full or read-only disk: what then needs a temporary file says so itself
            self.path = Path(tempfile.mkdtemp(prefix=_UNLOCKED))
            self._lock = _locked(self.path)
            if self._lock is not None:
                self.path = self.path.rename(self.path.with_name(_PREFIX + self.path.name.removeprefix(_UNLOCKED)))
            _remove_abandoned(self.path.parent)

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the worker: its temporary folder, and where torch keeps compiled code, which should stay."""
        if self.path is None:
            return {}
        compiled = Path(tempfile.gettempdir(), f"torchinductor_{_user()}")
        return {"TORCHINDUCTOR_CACHE_DIR": str(compiled), **os.environ, "TMPDIR": str(self.path)}

    def remove(self) -> None:
        """Removes it, with all that is in it."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)
        self.let_go()

    def let_go(self) -> None:
        """Leaves it to the parent, in a process that was forked."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = self.path = None


def _remove_abandoned(folder: Path) -> None:
    """Removes the folders of workers whose parents ended without doing so."""
    for abandoned in folder.glob(f"{_PREFIX}*"):
        if (lock := _locked(abandoned)) is not None:
            shutil.rmtree(abandoned, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """An open file that locks a folder of this user, until it is closed; None if another has locked it."""
    if sys.platform == "win32":
        return None
    with suppress(OSError):  # it is gone, of another user, or no folder
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(file).st_uid == os.geteuid():
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
        except OSError:
            os.close(file)
            raise
        os.close(file)
    return None


def _user() -> str:
    """The name of this user, as torch determines it."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # a container's user without a name, or Windows
        return f"uid_{os.getuid()}" if hasattr(os, "getuid") else "unknown_user"
