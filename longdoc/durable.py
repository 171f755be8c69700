"""Files that a crash or a kill leaves whole or absent: written, flushed to the disk, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEW_FILES = ".longdoc-new"
"""The folder, in the one that is written, whose files are whole and on disk and still to be moved to their places."""
_CANNOT_FLUSH_FOLDERS = (errno.EINVAL, errno.ENOTSUP)


def write_atomically(path: Path, content: str | bytes, *, temporary: Path | None = None) -> None:
    """Writes a file that is either there with all of its content, on disk, or not there at all.

    Args:
        path: the file.
        content: its text, or its bytes.
        temporary: where to write it first; by default a name of this process's own.
    """
    temporary = temporary or path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_through(temporary, content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


@contextmanager
def replacing_files(folder: Path, last: str) -> Iterator[Path]:
    """Replaces files of a folder, and leaves the others: gives an empty folder in it, to write the new ones into.

    Whatever ends the process, the folder has its former files, or the new ones, or none that is called ``last``: that
    file is removed before the first one is replaced, and moved to its place after the others. The new ones that are
    still to be moved are then in ``folder / NEW_FILES``.

    Raises:
        OSError: a file cannot be written or moved, as for a kill.
    """
    part, whole = folder / f"{NEW_FILES}.part", folder / NEW_FILES
    for left in (part, whole):
        if left.exists():
            shutil.rmtree(left)
    part.mkdir(parents=True)
    try:
        yield part
        names = sorted((path.name for path in part.iterdir()), key=lambda name: (name == last, name))
        for path in (*(part / name for name in names), part):
            flush(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.replace(whole)
    (folder / last).unlink(missing_ok=True)
    flush(folder)
    for name in names:
        if name == last:
            flush(folder)
        (whole / name).replace(folder / name)
    flush(folder)
    whole.rmdir()


def write_through(path: Path, data: bytes) -> None:
    """Writes a file and waits until its content is on disk; its name is only after ``flush(path.parent)``."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def append(descriptor: int, data: bytes) -> None:
    """Writes to the end of an open file and waits until it is on disk; if that fails, none of it is left."""
    before = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, before)
        raise


def flush(path: Path) -> None:
    """Waits until the content of a file, or the names in a folder, are on disk."""
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not is_folder or error.errno not in _CANNOT_FLUSH_FOLDERS:  # some network file systems
            raise
    finally:
        os.close(descriptor)
