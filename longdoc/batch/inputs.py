"""The documents of a batch: files, folders, lists of them and addresses of other file systems, each document once.

A local file has its absolute path as address, so that a run that is started again in another folder knows it. Names
that are not UTF-8 stay usable (Python keeps such bytes as lone surrogates); :func:`shown` escapes them for people.

A file that is missing, or that may not be looked at, is still an input, with the ``problem``: in a batch it is one
failed document. So is a folder that cannot be listed, however many documents it hides.
"""

from __future__ import annotations

import fnmatch
import hashlib
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, Any

from dateutil.parser import isoparse

from longdoc.batch.status import DUPLICATES, JOURNAL, MANIFEST, PAIRS
from longdoc.errors import ConfigError, DocumentNotFoundError, MissingDependencyError, require
from longdoc.summary import count, shown

logger = logging.getLogger(__name__)

_REMOTE = re.compile(r"(?:[\w+.-]+::)*[\w+.-]{2,}://")
_LOCAL = re.compile(r"(?:file|local)://")
_SUFFIX = re.compile(r"\.(\w*[^\W\d]\w*)$")
_TIMES = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""What file systems call the time of the last change."""


@dataclass(frozen=True, slots=True)
class Input:
    """A document to read."""

    address: str
    size: int
    """Bytes; 0 if unknown."""
    modified: int
    """The time of the last change in nanoseconds since 1970; 0 if unknown."""
    problem: str = ""
    """Why it cannot be read, if that is known before: ``"contracts.txt, line 3: ... No such file or directory"``."""


def find_inputs(
    paths: Iterable[str], *, glob: str | None = None, files_from: str | None = None, leave_out: str | None = None
) -> tuple[Input, ...]:
    """The documents to read, in the order of their addresses, each file once however many paths and links lead to it.

    Args:
        paths: files, folders and addresses such as ``s3://bucket/leases``.
        glob: which files of folders to read, such as ``*.pdf`` (in folders within folders, too) or ``2024/**/*.pdf``;
            by default those whose suffix a loader reads, and those without a suffix.
        files_from: a text file with such a path on each line; ``-`` is standard input.
        leave_out: a file or folder that the batch writes, which is no document.

    Raises:
        DocumentNotFoundError: a folder has no such file, or no input exists.
        ConfigError: nothing was given, the list cannot be read, or an address is malformed.
        MissingDependencyError: an address needs a library that is not installed.
    """
    found: dict[Hashable, Input] = {}
    for path, origin in _given(paths, files_from):
        for key, each in _inputs_at(path, origin, glob, leave_out):
            # Of several names the one that is no link is kept, whatever the order in which they are given.
            if key not in found or _preference(key, each) < _preference(key, found[key]):
                found[key] = each
    inputs = sorted(found.values(), key=lambda each: each.address)
    if not inputs:
        raise ConfigError("no documents: give files, folders, or a list of them that is not empty")
    if all(each.problem for each in inputs):
        more = f"; and {len(inputs) - 3} more" if len(inputs) > 3 else ""
        raise DocumentNotFoundError("; ".join(each.problem for each in inputs[:3]) + more)
    return tuple(inputs)


def files_of(path: str, *, glob: str | None = None, leave_out: str | None = None) -> list[str]:
    """The path, or the files of a folder and of the folders in it, in the order of their names; see `find_inputs`.

    A folder that cannot be listed is among them; to load it is an error.

    Raises:
        DocumentNotFoundError: the folder has no such file.
    """
    if not _is_folder(path):
        return [path]
    unlisted: list[Input] = []
    files = [file for file, _ in _chosen(path, _walk(path, leave_out, unlisted), glob, unlisted)]
    return sorted([*files, *(each.address for each in unlisted)])


def look(address: str) -> Input:
    """How a document's file is now; compare it with an earlier look to learn whether it has changed since."""
    return _look_at(address, "")[1]


def open_input(address: str) -> IO[bytes]:
    """Opens a document's file.

    Raises:
        DocumentNotFoundError: it is missing or cannot be read.
    """
    try:
        if not _is_remote(address):
            return Path(address).open("rb")
        system, path = _system(address)
        stream: IO[bytes] = system.open(path, "rb")
        return stream
    except (ConfigError, MissingDependencyError):
        raise
    except Exception as error:  # each remote file system has errors of its own
        raise DocumentNotFoundError(_problem(address, error)) from error


def sha256_of(address: str) -> str:
    """The digest of a document's content, as in ``Status.id``.

    Raises:
        DocumentNotFoundError: it is missing or cannot be read.
    """
    digest = hashlib.sha256()
    with open_input(address) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _given(paths: Iterable[str], files_from: str | None) -> Iterator[tuple[str, str]]:
    """The paths, and for messages where each stands: ``"contracts.txt, line 3: "``, or nothing."""
    for path in paths:
        if not path:
            raise ConfigError("an empty path was given; give a file or a folder")
        yield path, ""
    if files_from is None:
        return
    try:
        data = sys.stdin.buffer.read() if files_from == "-" else Path(files_from).read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{_problem(files_from, error)}; give a text file with a path on each line") from error
    name = "standard input" if files_from == "-" else shown(files_from)
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            yield os.fsdecode(line.removesuffix(b"\r")), f"{name}, line {number}: "


def _inputs_at(given: str, origin: str, glob: str | None, leave_out: str | None) -> Iterator[tuple[Hashable, Input]]:
    """The input at a path, or those in a folder, each with what is the same for all names of a file."""
    path = _LOCAL.sub("", given, count=1)
    if _is_remote(path):
        yield from _remote_inputs(path, origin, glob)
    elif _is_folder(path):
        unlisted: list[Input] = []
        for file, real in _chosen(path, _walk(path, leave_out, unlisted), glob, unlisted):
            yield real, _look_at(file, "")[1]
        for each in unlisted:
            address = os.path.abspath(each.address)  # noqa: PTH100 (as above)
            yield address, replace(each, address=address, problem=f"{origin}{each.problem}")
    else:
        yield _look_at(path, origin)


def _look_at(path: str, origin: str) -> tuple[Hashable, Input]:
    if _is_remote(path):
        return next(iter(_remote_inputs(path, origin, None, is_file=True)))
    address = os.path.abspath(path)  # noqa: PTH100 (it keeps links, and takes away "..")
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError) as error:
        return address, Input(address, 0, 0, f"{origin}{_problem(path, error)}")
    if S_ISDIR(status.st_mode):
        return address, Input(address, 0, 0, f"{origin}{shown(path)}: is a folder; give its files")
    if not S_ISREG(status.st_mode):  # reading it might never end
        problem = f"{origin}{shown(path)}: is no regular file, but a pipe, a socket or a device; give a file"
        return address, Input(address, 0, 0, problem)
    return os.path.realpath(path), Input(address, status.st_size, status.st_mtime_ns)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 (Path.is_dir raises an error if a folder above may not be entered)


def _preference(key: Hashable, each: Input) -> tuple[bool, str]:
    return each.address != key, each.address


def _problem(path: str, error: Exception) -> str:
    is_missing = isinstance(error, FileNotFoundError)
    reason = getattr(error, "strerror", None) or (is_missing and "no such file") or error or type(error).__name__
    return f"{shown(path)}: cannot be read ({reason})"


# -------------------------------------------------------------------------------------------------------------- folders


def _walk(folder: str, leave_out: str | None, unlisted: list[Input]) -> Iterator[tuple[str, str]]:
    """All files of a folder as path and real path; not the hidden ones, nor what a batch has written.

    Folders that cannot be listed are added to ``unlisted``, with their paths as addresses. Folders that are links are
    looked at last, and only if the files in them have not been met: a loop ends.
    """
    root = os.path.realpath(folder)
    seen = {str(parent) for parent in Path(root).parents}
    written = os.path.realpath(leave_out) if leave_out is not None else None
    waiting = [folder]
    while waiting:
        links: list[str] = []
        for start in waiting:
            yield from _tree(start, seen, written, links, unlisted)
        waiting = sorted(links)


def _tree(
    start: str, seen: set[str], written: str | None, links: list[str], unlisted: list[Input]
) -> Iterator[tuple[str, str]]:
    """The files of a folder; adds the folders to ``seen``, and those that are links to ``links``."""
    stack = [(start, os.path.realpath(start))]
    while stack:
        here, real_here = stack.pop()
        if real_here in seen or real_here == written:
            continue
        seen.add(real_here)
        entries = _entries(here, unlisted)
        names = {entry.name for entry in entries}
        if {MANIFEST, JOURNAL} <= names or {DUPLICATES, PAIRS} <= names:  # the output of some batch
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_link = entry.is_symlink()
            real = os.path.realpath(entry.path) if is_link else os.path.join(real_here, entry.name)  # noqa: PTH118
            # A link that leads nowhere is passed on, so that it is named.
            is_file = entry.is_file() if not is_link else not os.path.exists(real) or os.path.isfile(real)  # noqa: PTH110, PTH113
            if is_file and real != written:
                yield entry.path, real
            elif is_file or not entry.is_dir():  # also pipes and devices, which are no documents
                continue
            elif is_link:
                links.append(entry.path)
            else:
                stack.append((entry.path, real))


def _entries(folder: str, unlisted: list[Input]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        problem = f"{shown(folder)}: the folder cannot be listed ({error.strerror or error})"
        unlisted.append(Input(folder, 0, 0, f"{problem}; change its permissions, or leave it out"))
        return []


def _chosen(
    folder: str, files: Iterable[tuple[str, Any]], glob: str | None, unlisted: Sequence[Input] = ()
) -> Iterator[tuple[str, Any]]:
    """Those of the files of a folder that are to be read; what is left out is logged.

    Raises:
        DocumentNotFoundError: none is left, and all folders could be listed.
    """
    is_wanted = _matcher(glob)
    n_chosen, left_out = 0, Counter[str]()
    for path, rest in files:
        relative = path[len(folder) :].replace(os.sep, "/").lstrip("/")
        if is_wanted(relative):
            n_chosen += 1
            yield path, rest
        else:
            left_out[f".{_suffix(relative)}" if _suffix(relative) else "without a suffix"] += 1
    told = ", ".join(f"{n} {suffix}" for suffix, n in left_out.most_common(5))
    if not n_chosen and not left_out and not unlisted:
        raise DocumentNotFoundError(f"{shown(folder)}: is a folder without files; give a folder of documents")
    files_left_out = count(left_out.total(), "file")
    if not n_chosen and not unlisted:
        why = f"do not match {glob!r}" if glob else "are of a suffix that longdoc does not read"
        raise DocumentNotFoundError(
            f"{shown(folder)}: none of its {files_left_out} is read: they {why} ({told}); "
            "choose them with --glob, such as --glob '*'"
        )
    if left_out:
        why = f"not matching {glob!r}" if glob else "of a suffix that longdoc does not read"
        level = logging.INFO if glob else logging.WARNING
        logger.log(level, "%s: %s left out, %s (%s)", shown(folder), files_left_out, why, told)


def _matcher(glob: str | None) -> Callable[[str], bool]:
    """Whether to read the file at a path relative to its folder."""
    if glob is None:
        from longdoc.loaders.detect import SUFFIXES

        return lambda path: not (suffix := _suffix(path)) or suffix in SUFFIXES
    if "/" not in glob:
        return lambda path: fnmatch.fnmatchcase(path.rpartition("/")[2], glob)
    parts = glob.strip("/").split("/")
    return lambda path: _matches(path.split("/"), parts)


def _suffix(path: str) -> str:
    """The suffix in lower case without its dot; empty if there is none, as in "Lease No. 5"."""
    found = _SUFFIX.search(path)
    return found[1].lower() if found else ""


def _matches(names: list[str], parts: list[str]) -> bool:
    """Whether the names of a path match those of a pattern; ``**`` stands for any number of folders."""
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_matches(names[start:], parts[1:] or ["*"]) for start in range(len(names)))
    return bool(names) and fnmatch.fnmatchcase(names[0], parts[0]) and _matches(names[1:], parts[1:])


# ------------------------------------------------------------------------------------------------- other file systems


def _is_remote(path: str) -> bool:
    return _REMOTE.match(path) is not None


def _system(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it."""
    fsspec = require("fsspec", extra="remote", needed_by=shown(address))
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise MissingDependencyError(f"{shown(address)}: {error}") from error
    except ValueError as error:
        raise ConfigError(f"{shown(address)}: {error}; give a path or an address such as s3://bucket/folder") from error
    return system, str(path)


def _remote_inputs(
    address: str, origin: str, glob: str | None, *, is_file: bool = False
) -> Iterator[tuple[Hashable, Input]]:
    system, path = _system(address)
    try:
        info = system.info(path)
        is_folder = info["type"] == "directory" and not is_file
        files = system.find(path, detail=True) if is_folder else {}
    except Exception as error:  # each remote file system has errors of its own
        yield (system, path), Input(address, 0, 0, f"{origin}{_problem(address, error)}")
        return
    if not is_folder:
        yield (system, path), _described(address, info)
        return
    root = path.rstrip("/")
    visible = ((name, each) for name, each in sorted(files.items()) if "/." not in name[len(root) :])
    for name, each in _chosen(root, visible, glob):
        yield (system, name), _described(f"{address.rstrip('/')}/{name[len(root) :].lstrip('/')}", each)


def _described(address: str, info: dict[str, Any]) -> Input:
    modified = next((info[name] for name in _TIMES if info.get(name)), 0)
    if isinstance(modified, str):
        modified = isoparse(modified)
    seconds = modified.timestamp() if isinstance(modified, datetime) else float(modified)
    return Input(address, int(info.get("size") or 0), round(seconds * 1e9))
