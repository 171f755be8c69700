"""Files → near-duplicates → a folder of tables and a page. Documents are loaded in worker processes."""

from __future__ import annotations

import json
import logging
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from longdoc.arguments import check_count, check_flags, check_type, names_in
from longdoc.batch.extract import n_processors
from longdoc.batch.inputs import Input, find_inputs
from longdoc.batch.local import loaded_of
from longdoc.batch.lock import LOCK, Lock
from longdoc.batch.request import Request
from longdoc.batch.stages import Loaded, Loader, prepare_loading
from longdoc.batch.status import DUPLICATES, PAIRS, Status, with_same_as
from longdoc.dedup.duplicates import (
    Duplicates,
    Meaning,
    Settings,
    check_libraries,
    duplicates_among,
)
from longdoc.dedup.parts import Part, Parts, Unit, parts_of
from longdoc.dedup.tables import DocumentRow, write_tables
from longdoc.dedup.view import page
from longdoc.durable import NEW_FILES, replacing_files
from longdoc.errors import ConfigError, require
from longdoc.loaders.limits import MEMORY, SECONDS
from longdoc.summary import count, shown
from longdoc.version import __version__
from longdoc.workers import Limits, Outcome, Workers

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from longdoc.pipeline import Pipeline

logger = logging.getLogger(__name__)

PAGE = "clusters.html"
_OWN = (DUPLICATES, PAGE, PAIRS, "clusters.parquet", "documents.parquet")
"""The files that are written."""
_BESIDE = (LOCK, NEW_FILES, f"{NEW_FILES}.part")
"""What else may be in the folder of a run."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was found, and what became of each document."""

    folder: Path
    found: Duplicates
    documents: tuple[Status, ...]

    @property
    def n_failed(self) -> int:
        """How many documents could not be read."""
        return sum(not each.is_read for each in self.documents)


class SettingsOptions(TypedDict, total=False):
    """The fields of `Settings`, as a caller gives them."""

    unit: Unit
    min_similarity: float
    min_words: int
    min_cosine: float


def dedup_many(  # noqa: PLR0913 (each is a separate choice of the caller)
    paths: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    pipeline: Pipeline | None = None,
    head: str | None = None,
    glob: str | None = None,
    files_from: str | None = None,
    password: str | None = None,
    workers: int | None = None,
    timeout: float | None = SECONDS,
    memory: int | None = MEMORY,
    overwrite: bool = False,
    progress: Callable[[int, int], object] | None = None,
    **what: Unpack[SettingsOptions],
) -> Run:
    """Finds near-duplicates among files, and writes ``pairs``, ``clusters`` and ``documents`` as Parquet, and a page.

    All is written at the end, at once: a run that is interrupted leaves what was there before, and starts over. Files
    with the same content are one, unless whole documents are compared. ``docs/dedup.md`` describes the files.

    Args:
        paths: as for :func:`longdoc.extract_many`.
        out: a new or empty folder, or with ``overwrite`` that of an earlier run.
        pipeline: as for :func:`longdoc.find_duplicates`.
        head: as there.
        glob: which files of folders to read.
        files_from: a text file with a path on each line.
        password: of encrypted PDFs.
        workers: how many processes load documents.
        timeout: seconds for loading one document.
        memory: bytes that loading one may take, on Linux.
        overwrite: replace the results of an earlier run.
        progress: called after each document with how many are loaded, of how many.
        what: ``unit``, ``min_similarity``, ``min_words`` and ``min_cosine``, as for :func:`longdoc.find_duplicates`.

    Raises:
        ConfigError: an argument is invalid, ``out`` has other files or, without ``overwrite``, results.
        DocumentNotFoundError: there is no document.
        BatchError: another run writes to ``out``.
        MissingDependencyError: a library is not installed (the extra ``dedup``).
    """
    settings = Settings(**what)
    check_flags(overwrite=overwrite)
    check_count("workers", workers, 1, optional=True)
    check_libraries()
    require("pyarrow", extra="dedup", needed_by="the tables of duplicates")
    meaning = None if pipeline is None else Meaning(pipeline, head)
    loader = PartsLoader(Request(password=password), settings)
    limits, count = Limits(seconds=timeout, memory=memory), workers or min(n_processors(), 8)
    given = names_in("paths", paths, "files, folders or addresses", str, os.PathLike)
    check_type("out", out, "the path of a folder", str, os.PathLike)
    with _taken(Path(out), overwrite=overwrite) as folder:
        inputs = find_inputs(map(os.fspath, given), glob=glob, files_from=files_from, leave_out=os.fspath(out))
        loaded = list(_reported(_loaded(loader, inputs, count, limits), len(inputs), progress))
        return _searched(folder, loaded, settings, meaning)


def _reported(
    loaded: Iterable[_LoadedParts], n: int, progress: Callable[[int, int], object] | None
) -> Iterator[_LoadedParts]:
    for done, each in enumerate(loaded, 1):
        yield each
        if progress is not None:
            progress(done, n)


def _searched(folder: Path, loaded: Sequence[_LoadedParts], settings: Settings, meaning: Meaning | None) -> Run:
    """What is found among the parts, written into the folder."""
    is_whole = settings.unit == "document"
    statuses, parts, rows = _numbered(loaded, settings.unit)
    names = [status.address for status in statuses if status.is_read and (is_whole or not status.same_as)]
    n_short = sum(row.n_short for row in rows)
    found = duplicates_among(parts, settings, names=names, n_short=n_short, meaning=meaning)
    _write(folder, found, rows, settings)
    return Run(folder, found, tuple(statuses))


@dataclass(frozen=True, slots=True)
class _LoadedParts:
    loaded: Loaded
    """Without the document."""
    parts: Parts
    warnings: tuple[str, ...]


class PartsLoader:
    """Input → the parts of its document, which itself stays in the worker."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self._load, self._settings = Loader(request), settings

    def __call__(self, each: Input) -> _LoadedParts:
        """Loads a document."""
        loaded = self._load(each)
        if loaded.document is None:
            return _LoadedParts(loaded, Parts((), 0), ())
        document = pickle.loads(loaded.document)
        unit, least = self._settings.unit, self._settings.min_words
        parts = parts_of(document, unit, number=0, address=each.address, min_words=least)
        return _LoadedParts(replace(loaded, document=None), parts, document.warnings)


def _loaded(loader: PartsLoader, inputs: Sequence[Input], count: int, limits: Limits) -> Iterator[_LoadedParts]:
    with Workers(loader, count, limits, initializer=prepare_loading) as workers:
        for outcome in workers.run(inputs, ordered=True):
            yield _with_status(outcome)


def _with_status(outcome: Outcome[Input, _LoadedParts]) -> _LoadedParts:
    """What became of a document, whichever way its loading ended."""
    own = outcome.result
    ended = own.loaded if isinstance(own, _LoadedParts) else own
    loaded = loaded_of(Outcome(outcome.input, ended, outcome.attempts, outcome.seconds))
    return replace(own, loaded=loaded) if isinstance(own, _LoadedParts) else _LoadedParts(loaded, Parts((), 0), ())


def _numbered(loaded: Sequence[_LoadedParts], unit: Unit) -> tuple[list[Status], list[Part], list[DocumentRow]]:
    """The statuses, the parts with the numbers of their documents, and a row of each document."""
    statuses = with_same_as([each.loaded.status for each in loaded], {})
    parts: list[Part] = []
    rows = []
    number = 0
    for each, status in zip(loaded, statuses, strict=True):
        if not status.is_read:
            logger.warning("%s: %s: %s", shown(status.address), status.state, status.reason)
        is_compared = status.is_read and (unit == "document" or not status.same_as)
        own = each.parts if is_compared else Parts((), 0)
        parts += [replace(part, document=number) for part in own.compared]
        number += is_compared
        rows.append(DocumentRow(status, len(own.compared), own.n_short, each.warnings))
    n_same = sum(bool(status.same_as) for status in statuses)
    if n_same and unit != "document":
        logger.info("%s with the content of another: compared once", count(n_same, "document"))
    return statuses, parts, rows


@contextmanager
def _taken(out: Path, *, overwrite: bool) -> Iterator[Path]:
    """The folder, made if need be, while no other run writes there; if nothing is written, it is left as it was.

    Raises:
        ConfigError: it cannot be written, has other files, or an earlier result that is not to be replaced.
        BatchError: another run writes there.
    """
    try:
        is_new = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        left = {path.name for path in out.iterdir()}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{shown(str(out))}: cannot be made a folder of results ({reason}); name another") from error
    if other := sorted(left - {*_OWN, *_BESIDE}):
        raise ConfigError(f"{shown(str(out))}: has other files, such as {shown(other[0])}; give a new or empty folder")
    if left & {*_OWN} and not overwrite:
        raise ConfigError(f"{shown(str(out))}: has the results of an earlier run; give another folder, or --overwrite")
    lock = Lock(out)
    try:
        if left & {*_BESIDE} and DUPLICATES not in left:
            logger.info("%s: an earlier run did not end; it starts over", shown(str(out)))
        yield out
    finally:
        if is_new and {path.name for path in out.iterdir()} == {LOCK}:
            (out / LOCK).unlink()
            out.rmdir()
        lock.release()


def _write(folder: Path, found: Duplicates, rows: Sequence[DocumentRow], settings: Settings) -> None:
    counts = {
        "documents": len(rows),
        "failed": sum(not row.status.is_read for row in rows),
        "parts": found.n_parts,
        "too_short": found.n_short,
        "clusters": len(found.clusters),
        "pairs": len(found.pairs),
        "comparisons_left_out": found.n_left_out,
    }
    record = {"longdoc": __version__, "settings": asdict(settings), "counts": counts}
    with replacing_files(folder, last=DUPLICATES) as new:
        write_tables(new, found, rows)
        (new / PAGE).write_text(page(found), encoding="utf-8")
        (new / DUPLICATES).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
