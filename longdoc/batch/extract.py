"""Extraction from many documents into a folder: inputs → engine → journal. The file of this package to read first."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, get_args

from longdoc.arguments import check_choice, check_count, check_flags, check_strings, check_type, names_in
from longdoc.batch.doing import Watch
from longdoc.batch.inputs import Input, find_inputs
from longdoc.batch.journal import Run
from longdoc.batch.ledger import Pending
from longdoc.batch.local import LocalEngine, check
from longdoc.batch.lock import now
from longdoc.batch.progress import RunStatus, read_status
from longdoc.batch.request import Request, RequestOptions, fingerprint
from longdoc.batch.stages import Extracted, Job, give_back_memory
from longdoc.batch.status import MANIFEST, with_same_as
from longdoc.batch.writers import WRITERS, Writer
from longdoc.errors import ConfigError, require
from longdoc.export_record import export_folder
from longdoc.loaders.limits import MEMORY, SECONDS
from longdoc.summary import count, shown
from longdoc.workers import Limits

if TYPE_CHECKING:
    from typing_extensions import Unpack

logger = logging.getLogger(__name__)

EngineName: TypeAlias = Literal["local", "ray"]
GROUPS_IN_PART = 4
"""Groups of documents whose rows are written together; a kill costs at most their reading."""


class Engine(Protocol):
    """Runs the stages."""

    def extract(self, job: Job, writer: Writer, inputs: Sequence[Input], watch: Watch, /) -> Generator[Extracted]:
        """Does a job, in the groups of ``stages.groups_of`` and in order; tells ``watch`` what it can."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; its counts are those of this run, without the documents that were done before it."""

    documents: int
    of: int
    skipped: int
    """Documents that were done before this run and have not changed."""
    failed: int
    partial: int
    pages: int
    tokens: int
    seconds: float
    """Since the run began."""

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before the first documents."""
        return self.seconds / self.documents * (self.of - self.documents) if self.documents else None


class BatchOptions(TypedDict, total=False):
    """The arguments of `extract_many` that say which documents are read, and how; any job takes them."""

    glob: str | None
    files_from: str | None
    engine: EngineName
    ray_address: str | None
    ray_gpus: float | None
    workers: int | None
    timeout: float | None
    memory: int | None
    resume: bool
    retry_failed: bool
    progress: Callable[[Progress], object] | None


def extract_many(  # noqa: PLR0913 (each is a separate choice of the caller)
    paths: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    format: str = "parquet",
    glob: str | None = None,
    files_from: str | None = None,
    engine: EngineName = "local",
    ray_address: str | None = None,
    ray_gpus: float | None = None,
    workers: int | None = None,
    timeout: float | None = SECONDS,
    memory: int | None = MEMORY,
    resume: bool = True,
    retry_failed: bool = False,
    progress: Callable[[Progress], object] | None = None,
    **what: Unpack[RequestOptions],
) -> RunStatus:
    """Reads many documents, and writes what it finds into a folder, as tables for analysis.

    A run that was interrupted, by whatever, goes on if it is called again: documents that are done and have not changed
    are not read again, and the result is that of an undisturbed run. A document that cannot be read costs only itself.

    Args:
        paths: files, folders, and addresses of other file systems such as ``"s3://bucket/contracts"``.
        out: a new or empty folder, or that of an earlier run of the same model and settings.
        format: of the results: ``"parquet"``, ``"csv"`` or ``"jsonl"``; ``docs/tables.md`` describes the tables.
        glob: which files of folders to read, such as ``"*.pdf"``; by default those of the formats that are read.
        files_from: a text file with a path on each line.
        engine: ``"local"``, or ``"ray"`` for a cluster of Ray (the extra ``ray``).
        ray_address: of a running cluster, see ``longdoc/batch/on_ray.py``; by default one is started on this machine.
        ray_gpus: of a cluster with GPUs, what each process with a model takes, by default 1; with 0.5 two share a GPU.
        workers: how many processes load documents; by default as many as processors, at most 8 (of a cluster: for each
            process with a model).
        timeout: seconds for loading one document, and for reading 25,000 characters with the model; None: no limit.
        memory: bytes of memory that loading one document may take, on Linux; None for no limit.
        resume: go on with the run in ``out``; if False, its results are removed first.
        retry_failed: read the documents again that an earlier run could not read.
        progress: called after each group of documents.
        what: what to find, and with which model: the fields of :class:`~longdoc.batch.request.Request`.

    Returns:
        How the run ended: the number of documents in each state, and those that failed.

    Raises:
        ConfigError: an argument is invalid, or ``out`` is no folder, or holds a run of another model or settings.
        DocumentNotFoundError: there is no document.
        BatchError: the run stopped, as when the disk is full; call again to go on.
        MissingDependencyError: a library is not installed, such as pyarrow (the extra ``parquet``).
    """
    check_choice("format", format, tuple(WRITERS))
    if format != "jsonl":
        require("pyarrow", extra="parquet", needed_by=f"the format {format}")
    run_job(
        _checked_request(what), WRITERS[format], paths, out, settings={"format": format}, glob=glob,
        files_from=files_from, engine=engine, ray_address=ray_address, ray_gpus=ray_gpus, workers=workers,
        timeout=timeout, memory=memory, resume=resume, retry_failed=retry_failed, progress=progress,
    )  # fmt: skip
    return read_status(out)


def run_job(  # noqa: D417, PLR0913 (as of `extract_many`, which describes them)
    job: Job,
    writer: Writer,
    paths: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any],
    glob: str | None = None,
    files_from: str | None = None,
    engine: EngineName = "local",
    ray_address: str | None = None,
    ray_gpus: float | None = None,
    workers: int | None = None,
    timeout: float | None = SECONDS,
    memory: int | None = MEMORY,
    resume: bool = True,
    retry_failed: bool = False,
    drop_gone: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> None:
    """Does a job with many documents, and writes its tables into a folder; goes on with a run that is there.

    Args:
        job: what is done.
        writer: writes its tables.
        paths: as for `extract_many`, like all that is not named here.
        out: the folder.
        settings: what the tables depend on, beside the settings of the job; values as in JSON.
        drop_gone: take documents out of the tables that are no inputs any more; by default they stay.

    Raises: as `extract_many`.
    """
    _check(engine, workers, progress, resume=resume, retry_failed=retry_failed, drop_gone=drop_gone)
    chosen = _engine(engine, ray_address, ray_gpus, workers, Limits(seconds=timeout, memory=memory))
    inputs = _inputs(paths, out, glob, files_from)
    job.check()
    model, all_settings = fingerprint(job.model), {**job.settings(), **settings}
    if not resume and Path(out, MANIFEST).exists():
        check(job, writer)  # before results are removed
    with Run.open(out, model=model, settings=all_settings, writer=writer, overwrite=not resume) as run:
        is_new = run.is_empty
        pending = run.pending(inputs, retry_failed=retry_failed, drop_gone=drop_gone)
        _run(run, chosen, job, writer, pending, is_new=is_new, report=progress or (lambda _: None))


def _inputs(
    paths: Iterable[str | os.PathLike[str]], out: str | os.PathLike[str], glob: str | None, files_from: str | None
) -> tuple[Input, ...]:
    given = names_in("paths", paths, "files, folders or addresses", str, os.PathLike)
    _check_out(out)
    check_strings(glob=glob, files_from=files_from)
    if any(os.path.realpath(path) == os.path.realpath(out) for path in given):
        raise ConfigError(f"{out}: is given as documents and for the results; name another folder for one")
    return find_inputs(map(os.fspath, given), glob=glob, files_from=files_from, leave_out=os.fspath(out))


def _check_out(out: str | os.PathLike[str]) -> None:
    check_type("out", out, "the path of a folder", str, os.PathLike)
    with suppress(OSError):  # there is no such folder yet
        try:
            os.lstat(out)
        except ValueError as error:
            raise ConfigError(f"out={out!r:.80} is no name that a folder can have: {error}") from error


def _check(engine: str, workers: int | None, progress: object, **flags: bool) -> None:
    if progress is not None and not callable(progress):
        raise ConfigError(f"progress must be a function that takes a Progress, or None; got {progress!r:.80}")
    check_flags(**flags)
    check_choice("engine", engine, get_args(EngineName))
    check_count("workers", workers, 1, optional=True)


def _checked_request(what: RequestOptions) -> Request:
    """What to find, if the libraries of the model are installed."""
    request = Request.of(**what)
    check_libraries(request.model, needed_by="extraction")
    return request


def check_libraries(model: str, *, needed_by: str) -> None:
    """Checks that the libraries of a model are installed; an export says what it needs when it is loaded.

    Raises:
        MissingDependencyError: one is not.
    """
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing and export_folder(model) is None:  # they would be imported in a process of its own
        require(missing[0], extra="model", needed_by=needed_by)


def _engine(
    name: EngineName, ray_address: str | None, ray_gpus: float | None, workers: int | None, limits: Limits
) -> Engine:
    check_strings(ray_address=ray_address)
    if name == "local":
        if ray_address is not None or ray_gpus is not None:
            raise ConfigError("a Ray address, or a share of a GPU, needs the engine ray")
        return LocalEngine(workers=workers or min(n_processors(), 8), limits=limits)
    from longdoc.batch.on_ray import RayEngine

    return RayEngine(address=ray_address, workers=workers, limits=limits, gpus=1.0 if ray_gpus is None else ray_gpus)


def n_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(
    run: Run,
    engine: Engine,
    job: Job,
    writer: Writer,
    pending: Pending,
    *,
    is_new: bool,
    report: Callable[[Progress], object],
) -> None:
    """Reads what is still to read, and commits it part by part."""
    _tell(pending)
    progress = Progress(0, len(pending.to_read), pending.n_done, 0, 0, 0, 0, 0.0)
    report(progress)
    if not pending.to_read:
        return
    owners = run.owners()
    with (
        closing(Watch(run.folder, begun=now(), of=len(pending.to_read))) as watch,
        closing(engine.extract(job, writer, pending.to_read, watch)) as extracted,
        _nothing_left(run, is_new),
    ):
        reported = _reported(extracted, progress, report, watch)
        while part := list(islice(reported, GROUPS_IN_PART)):
            done, rows = [], []
            for group in part:
                statuses = with_same_as([status for _, status in group.done], owners)
                done += [(each, status) for (each, _), status in zip(group.done, statuses, strict=True)]
                rows.append(writer.without_content(group.rows, statuses))
            run.commit(done, writer.join(rows))
            give_back_memory()


@contextmanager
def _nothing_left(run: Run, is_new: bool) -> Iterator[None]:
    """If what is requested cannot be done, leaves no trace of a new run, which would stand in the way of another."""
    try:
        yield
    except ConfigError:
        if is_new and run.is_empty:
            run.discard()
        raise


def _reported(
    extracted: Iterable[Extracted], progress: Progress, report: Callable[[Progress], object], watch: Watch
) -> Iterator[Extracted]:
    """Passes groups on, logs the documents that were not read, or not wholly, and reports how far the run is."""
    started = time.monotonic()
    for group in extracted:
        statuses = [status for _, status in group.done]
        for each in statuses:
            if each.state != "ok":
                logger.warning("%s: %s: %s", shown(each.address), each.state, each.reason)
        progress = replace(
            progress,
            documents=progress.documents + len(statuses),
            failed=progress.failed + sum(not each.is_read for each in statuses),
            partial=progress.partial + sum(each.state == "partial" for each in statuses),
            pages=progress.pages + sum(each.pages for each in statuses),
            tokens=progress.tokens + sum(each.tokens for each in statuses),
            seconds=time.monotonic() - started,
        )
        report(progress)
        watch.read(len(statuses))
        yield group


def _tell(pending: Pending) -> None:
    """Logs how the inputs differ from those of the runs before."""
    if pending.n_done:
        logger.info("%s skipped: done before, and not changed since", count(pending.n_done, "document"))
    for what, addresses in (
        ("read again, since changed", pending.changed),
        ("no inputs any more, or without a file; their rows stay", pending.removed),
        ("taken out, being no inputs any more", pending.dropped),
    ):
        if addresses:
            named = ", ".join(map(shown, addresses[:3])) + (" …" if len(addresses) > 3 else "")
            logger.warning("%s %s: %s", count(len(addresses), "document"), what, named)
