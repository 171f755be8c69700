"""What is derived from the tables of an index: vectors in one file, words, and perhaps a graph; brought up to date.

    INDEX/search/
        model.json          where the model is that made the vectors
        stamp.json          the parts whose passages the caches hold, in their order
        vectors-0.f16       of all their passages: see `vectors`
        words/              the same passages: see `words`
        graph-0.usearch     of a million passages or more: see `graph`

Parts never change: those that have come are added, those that have left are taken out. A kill leaves the former stamp,
and what it names, so that the next update does again what was not finished.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from longdoc.batch.ledger import read_ledger
from longdoc.batch.lock import Lock, is_locked
from longdoc.batch.status import JOURNAL
from longdoc.durable import flush, write_atomically
from longdoc.errors import BatchError, SearchError, require
from longdoc.search.graph import AT_LEAST, open_graph, write_graph
from longdoc.search.parts import Part, Parts
from longdoc.search.vectors import map_vectors
from longdoc.search.words import PassageWords, Words, names_of, remove_words
from longdoc.stored import Reader, parse
from longdoc.summary import count

logger = logging.getLogger(__name__)

FOLDER = "search"
_STAMP = "stamp.json"
_MODEL = "model.json"
_WORDS = "words"
_FORMAT = 2
_BLOCK = 1 << 24
"""Bytes that are copied at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What the caches of an index hold."""

    parts: tuple[Part, ...] = ()
    width: int = 0
    """Of the vectors; 0 without any."""
    vectors: str = "vectors-0.f16"
    """The name of their file."""
    graph: str = ""
    """The name of the file with the graph; empty without one."""
    run: str = ""
    """The id of the run that made the parts."""
    format: int = _FORMAT

    @property
    def rows(self) -> int:
        """The number of passages."""
        return sum(part.rows for part in self.parts)


class Caches:
    """The caches of an index, as a stamp says."""

    def __init__(self, folder: Path, stamp: Stamp) -> None:
        """Opens them.

        Raises:
            SearchError: one is damaged.
        """
        self.stamp, home = stamp, folder / FOLDER
        self.vectors = map_vectors(home / stamp.vectors, stamp.rows, stamp.width)
        self.words = Words(home / _WORDS)
        self.graph = open_graph(home / stamp.graph, stamp.rows) if stamp.graph else None
        if len(self.words) != stamp.rows and not is_locked(folder):
            raise SearchError(
                f"{home / _WORDS}: is damaged: {count(len(self.words), 'passage')}, where {stamp.rows:,} should be; "
                "make it anew with `longdoc index`, by the command that made the index"
            )


def opened(folder: Path, run: str) -> Caches:
    """The caches of an index, brought up to date if no build is going on; else as the last one left them.

    Raises:
        SearchError: one is damaged, or lags behind the tables and cannot be written.
        BatchError: the first build is going on.
    """
    stamp, now = _read_stamp(folder), _committed(folder)
    if stamp is None or stamp.run != run or [part.name for part in stamp.parts] != now:
        if not is_locked(folder):
            update(folder, run)
            stamp = _read_stamp(folder)
        elif stamp is not None and stamp.run == run:
            logger.warning("%s: is being built; %s of before are searched", folder, count(stamp.rows, "passage"))
    if stamp is None or stamp.run != run:
        raise BatchError(f"{folder}: is being built for the first time; wait until that has ended")
    return Caches(folder, stamp)


def update(folder: Path, run: str) -> None:
    """Brings the caches up to date, and repairs what is damaged.

    Args:
        folder: of the index.
        run: the id of the run that has made the parts.

    Raises:
        BatchError: another process writes there.
        SearchError: the files cannot be written, or a part is damaged.
    """
    try:
        lock = Lock(folder)
        try:
            _update(folder, run)
        finally:
            lock.release()
    except OSError as error:
        raise SearchError(
            f"{folder}: lags behind what was read, and cannot be brought up to date ({error.strerror or error}); mend "
            "that, and open it again"
        ) from error


def _update(folder: Path, run: str) -> None:
    home = folder / FOLDER
    home.mkdir(exist_ok=True)
    old = _read_stamp(folder)
    if old is None or old.run != run:
        old = Stamp(run=run)
        for each in (*home.glob("vectors-*"), *home.glob("graph-*")):
            each.unlink()
        remove_words(home / _WORDS)
    names = _committed(folder)
    known = {part.name: part for part in old.parts}
    parts = Parts(folder, [known.get(name) or Part(name, _n_rows(folder, name)) for name in names])
    new = _with_graph(home, old, _with_vectors(home, old, parts))
    _update_words(home / _WORDS, old, parts)
    if new != old or not (home / _STAMP).exists():
        write_atomically(home / _STAMP, json.dumps(asdict(new), indent=1) + "\n")
    for each in (*home.glob("vectors-*"), *home.glob("graph-*")):
        if each.name not in (new.vectors, new.graph):
            each.unlink()  # a process that searches it keeps it


def write_model(folder: Path, model: str) -> None:
    """Writes where the model is that the vectors of queries are made with."""
    if read_model(folder) != model:
        write_atomically(folder / FOLDER / _MODEL, json.dumps({"model": model}) + "\n")


def read_model(folder: Path) -> str | None:
    """Where the model is, or was; None if that is not known."""
    try:
        found = json.loads((folder / FOLDER / _MODEL).read_text(encoding="utf-8"))["model"]
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _committed(folder: Path) -> list[str]:
    """The names of the parts that the journal says are done, in their order."""
    ledger, _ = read_ledger(folder / JOURNAL)
    return sorted({entry.part for entry in ledger.entries.values()}, key=lambda name: int(name.rpartition("-")[2]))


def _n_rows(folder: Path, name: str) -> int:
    parquet = require("pyarrow.parquet", extra="search", needed_by="an index")
    with parquet.ParquetFile(folder / "passages" / f"{name}.parquet") as file:
        return int(file.metadata.num_rows)


def _read_stamp(folder: Path) -> Stamp | None:
    """The stamp; None if there is none that this version of longdoc has written."""
    try:
        found: Stamp = Reader().read(Stamp, parse((folder / FOLDER / _STAMP).read_text(encoding="utf-8")), "stamp")
    except (FileNotFoundError, ValueError):
        return None
    is_plain = all(Path(name).name == name for name in (found.vectors, found.graph))
    return found if found.format == _FORMAT and is_plain else None


# -------------------------------------------------------------------------------------------------------------- vectors


def _with_vectors(home: Path, old: Stamp, parts: Parts) -> Stamp:
    """Writes the vectors of the parts; returns the stamp that says so."""
    path = home / old.vectors
    is_whole = path.exists() and path.stat().st_size >= old.rows * old.width * 2
    if is_whole and parts.parts == old.parts:
        return old
    n_kept = _n_common(old.parts, parts.parts) if is_whole else 0
    kept = sum(part.rows for part in old.parts[:n_kept])
    size = kept * old.width * 2
    new = path
    if is_whole and n_kept < len(old.parts):  # another process may have mapped the file, and its midst would change
        number = int(path.stem.rpartition("-")[2]) + 1
        new = home / f"vectors-{number}.f16"
    width = old.width
    with new.open("r+b" if new == path and path.exists() else "wb") as file:
        if new == path:
            file.truncate(size)
            file.seek(size)
        elif size:
            _copy(path, file, size)
        for part in parts.parts[n_kept:]:
            data = b"".join(parts.column(part, "vector").to_pylist())
            width = len(data) // 2 // part.rows if part.rows else width
            file.write(data)
    flush(new)
    return replace(old, parts=parts.parts, width=width, vectors=new.name)


def _copy(source: Path, target: IO[bytes], size: int) -> None:
    with source.open("rb") as file:
        while size:
            block = file.read(min(size, _BLOCK))
            target.write(block)
            size -= len(block)


def _n_common(old: Sequence[Part], new: Sequence[Part]) -> int:
    """How many parts both begin with."""
    return next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _with_graph(home: Path, old: Stamp, new: Stamp) -> Stamp:
    """Writes the graph of the vectors, if there are so many; returns the stamp that says so."""
    if new.rows < AT_LEAST:
        return replace(new, graph="")
    is_added_to = new.vectors == old.vectors and _n_common(old.parts, new.parts) == len(old.parts)
    if old.graph and is_added_to and new.parts == old.parts:
        try:
            open_graph(home / old.graph, new.rows)
            return replace(new, graph=old.graph)
        except SearchError:
            is_added_to = False
    number = int(Path(old.graph).stem.rpartition("-")[2]) + 1 if old.graph else 0
    path = home / f"graph-{number}.usearch"
    vectors = map_vectors(home / new.vectors, new.rows, new.width)
    write_graph(path, vectors, former=home / old.graph if old.graph and is_added_to else None)
    flush(path)
    return replace(new, graph=path.name)


# ---------------------------------------------------------------------------------------------------------------- words


def _update_words(folder: Path, old: Stamp, parts: Parts) -> None:
    """Adds the parts that have come and takes out those that have left; makes all anew if that is not the result."""
    before, after = ({part.number: part for part in own} for own in (old.parts, parts.parts))
    coming = [part for number, part in after.items() if number not in before]
    leaving = [number for number in before if number not in after]
    try:
        words = Words(folder)
        if coming or leaving:
            words.replace(leaving, ((part.number, _texts(parts, part)) for part in coming))
        is_right = len(words) == len(parts)
    except SearchError:
        is_right = False
    if not is_right:
        remove_words(folder)
        Words(folder, create=True).replace([], ((part.number, _texts(parts, part)) for part in parts.parts))


def _texts(parts: Parts, part: Part) -> Iterator[PassageWords]:
    """The words of each passage of a part."""
    rows = parts.documents_of(part, ["document_id", "address", "title", "parties", "same_as"])
    names = {row["document_id"]: names_of(row) for row in rows if not row["same_as"]}
    columns = (parts.column(part, name).to_pylist() for name in ("document_id", "heading", "text"))
    for id, heading, text in zip(*columns, strict=True):
        yield PassageWords(id, names[id], f"{heading}\n{text}")
