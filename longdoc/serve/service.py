"""Accepts documents, has them loaded and read, and keeps what was found for a while.

    upload ──Workers(Loader)──▶ Loaded ──┐
    upload ──Workers(Loader)──▶ Loaded ──┴─Workers(Reader): one group at a time──▶ found

All is decided in one event loop; documents are parsed and read in worker processes, for each of which a thread waits.
While the model reads, documents that are loaded gather, and those of which the same is wanted are its next group.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from anyio import CapacityLimiter

from longdoc.batch.request import Request
from longdoc.errors import LongdocError, WorkerError
from longdoc.loaders.isolated import death_of, import_loaders
from longdoc.serve.jobs import Job, Wanted
from longdoc.serve.loading import Loader
from longdoc.serve.metrics import Metrics
from longdoc.serve.pace import Pace
from longdoc.serve.problems import (
    ModelDiedError,
    QueueFullError,
    StoppingError,
    TimeExceededError,
    UnknownJobError,
    is_fault,
)
from longdoc.serve.reading import Group, Reader
from longdoc.serve.settings import Settings
from longdoc.workers import Limits, Lost, Outcome, Raised, Workers

logger = logging.getLogger(__name__)

R = TypeVar("R")

LINGER = 10.0
"""Seconds for which a server that stops waits until the results of its last documents are fetched."""
_SURELY = 0.5
"""The share of the time of a request in which its result is expected, if it is accepted: the pace may get worse."""
_AT_A_TIME = 2
_MOST_WAIT = 600
"""Seconds after which, at most, a refused request is told to come again."""


class Processes(Protocol):
    """Worker processes; :class:`longdoc.workers.Workers`."""

    def call(self, item: Any, limits: Limits | None = None) -> Outcome[Any, Any]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Crews:
    """The processes that load documents, their number, and the one that has the model."""

    loaders: Processes
    n_loaders: int
    models: Processes

    @classmethod
    def of(cls, settings: Settings, request: Request) -> Crews:
        """Those of a server; they start with their first input."""
        n_loaders, reader = os.cpu_count() or 1, Reader(request)
        to_load = Limits(seconds=settings.timeout, memory=settings.memory)
        to_read = Limits(seconds=settings.timeout, attempts=1, recycle=1_000_000, start_seconds=None)
        name = "processes with the model"
        return cls(
            Workers(Loader(settings.max_bytes), n_loaders, to_load, initializer=import_loaders),
            n_loaders,
            Workers(reader, 1, to_read, initializer=reader.load, name=name),
        )


class Service:
    """The documents of a server, from their acceptance until they are forgotten."""

    def __init__(self, settings: Settings, request: Request, crews: Crews | None = None) -> None:
        """Starts nothing.

        Args:
            settings: limits.
            request: names the model; each document says itself what is wanted of it.
            crews: the processes; by default those of the settings.
        """
        self.settings, self.request = settings, request
        self.crews = crews or Crews.of(settings, request)
        self.metrics = Metrics()
        self.group_characters = 0
        """How long the documents of a group may be together; one that is longer is read by itself."""
        self.rendering = CapacityLimiter(_AT_A_TIME)
        """Bounds the results that are written at a time, each of which takes memory."""
        self.stopped_at = math.inf
        self.fault = ""
        """Why documents cannot be read at present, whatever they are."""
        self._unfinished: dict[str, Job] = {}
        self._kept: dict[str, Job] = {}
        self._loaded: list[Job] = []
        self._wake = asyncio.Event()
        self._has_room = asyncio.Event()
        self._to_load = asyncio.Semaphore(self.crews.n_loaders)
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(self.crews.n_loaders + 1, "longdoc-serve")
        self._pace = Pace()
        self._reading_since = 0.0
        for name, text, value in (
            ("longdoc_queue_documents", "Documents that wait or are worked on.", lambda: len(self._unfinished)),
            ("longdoc_queue_limit_documents", "Documents that may wait or be worked on.", lambda: settings.queue),
            ("longdoc_queue_bytes", "Bytes of these documents.", self._queue_bytes),
            ("longdoc_results", "Results that are kept.", lambda: len(self._kept)),
        ):
            self.metrics.watch(name, text, value)

    def load_model(self) -> None:
        """Starts the process with the model, and waits until it is ready.

        Raises:
            LongdocError: the model cannot be loaded.
        """
        outcome = self.crews.models.call(None)
        if not isinstance(outcome.result, int):
            raise WorkerError(f"the process with the model does not start: {outcome.result}")
        self.group_characters = outcome.result

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Documents are read within this context."""
        reading = asyncio.create_task(self._read_all())
        try:
            yield
        finally:
            for task in (reading, *self._tasks):
                task.cancel()

    def close(self) -> None:
        """Ends the processes."""
        self.crews.models.close()
        self.crews.loaders.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------------------------------------------------ acceptance

    def admit(self, n_bytes: int = 0, *, waits: bool = False) -> Job:
        """A place for a document that is about to arrive.

        Args:
            n_bytes: how large it may be.
            waits: whether its sender waits for the result, which then must be there in time.

        Raises:
            StoppingError: the server is stopping.
            QueueFullError: there is no place, or too many documents are before it.
        """
        if self.is_stopping:
            raise StoppingError("the server is stopping; send the request to another one, or again later")
        n_before, again = len(self._unfinished), f"send the request again in {self.retry_after} s"
        if n_before >= self.settings.queue:
            raise QueueFullError(f"{n_before} documents wait or are worked on, which is the limit; {again}")
        if waits and n_before and self._pace.seconds_each * (n_before + 1) > _SURELY * self.settings.timeout:
            raise QueueFullError(
                f"{n_before} documents wait or are worked on, too many for one within {self.settings.timeout:g} s; "
                f"send it to /jobs, which does not wait, or {again}"
            )
        n_held, most = self._queue_bytes(), self.settings.queue_bytes
        if n_before and n_held + n_bytes > most:
            raise QueueFullError(
                f"the {n_before} documents that wait or are worked on take {n_held:,} bytes of {most:,}, which leaves "
                f"no room for another of {n_bytes:,}; {again}"
            )
        job = Job(expected_bytes=n_bytes)
        self._unfinished[job.id] = job
        return job

    def _queue_bytes(self) -> int:
        return sum(job.n_bytes for job in self._unfinished.values())

    @property
    def retry_after(self) -> int:
        """Seconds until what has been accepted will be done, estimated."""
        return min(max(1, math.ceil(self._pace.seconds_each * len(self._unfinished))), _MOST_WAIT)

    def begin(self, job: Job, wanted: Wanted) -> None:
        """Has the document of a job loaded, and read."""
        job.wanted, job.state = wanted, "waiting"
        job.name, job.is_kept = wanted.given.name, wanted.asking is None
        task = asyncio.create_task(self._load(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def leave(self, job: Job) -> None:
        """Gives the place of a job free whose document did not arrive."""
        if job.state == "receiving":
            del self._unfinished[job.id]

    def give_up(self, job: Job, error: LongdocError) -> None:
        """Ends a job whose result nobody waits for any more, unless a process is at work on it."""
        if job.id in self._unfinished and not job.in_work:
            self._end(job, error=error)

    # --------------------------------------------------------------------------------------------------------- results

    def job(self, id: str) -> Job:
        """A job by its id.

        Raises:
            UnknownJobError: there is none.
        """
        job = self._unfinished.get(id) or self._kept.get(id)
        if job is None or not job.is_kept:
            raise self._unknown("job")
        return job

    def job_of_page(self, page: str) -> Job:
        """A job by the name of its page.

        Raises:
            UnknownJobError: there is none that found something.
        """
        job = next((each for each in self._kept.values() if each.page == page), None)
        if job is None or job.found is None:
            raise self._unknown("page")
        return job

    def _unknown(self, what: str) -> UnknownJobError:
        return UnknownJobError(
            f"there is no such {what}, or it was forgotten: {self.settings.keep} results are kept, of "
            f"{self.settings.keep_bytes:,} bytes at most, for {self.settings.keep_seconds:g} s; send the document again"
        )

    def forget(self, job: Job) -> None:
        """Forgets a job, with its result; if a process is at work on it, when that has ended."""
        job.is_kept = False
        self.give_up(job, UnknownJobError("the job was deleted; send the document again"))
        self._kept.pop(job.id, None)

    def position(self, job: Job) -> int:
        """How many documents were accepted before a job and have not ended."""
        return [*self._unfinished].index(job.id) if job.id in self._unfinished else 0

    def seconds_left(self, job: Job) -> float | None:
        """How long the model will need for a job and those before it, from its pace so far; None if unknown."""
        if job.loaded is None or not self._pace.seconds_per_character:
            return None
        in_work = [each for each in self._unfinished.values() if each.state == "reading"]
        waiting = self._loaded[: self._loaded.index(job) + 1] if job in self._loaded else []
        n_characters = sum(each.loaded.characters for each in (*in_work, *waiting) if each.loaded)
        passed = time.monotonic() - self._reading_since if in_work else 0.0
        return max(self._pace.seconds_per_character * n_characters - passed, 0.0)

    def stop(self) -> None:
        """Refuses new documents from now on."""
        self.stopped_at = time.monotonic()

    @property
    def is_stopping(self) -> bool:
        """Whether new documents are refused."""
        return self.stopped_at < math.inf

    def has_drained(self) -> bool:
        """Whether no document is left, and those that ended since the stop were fetched, or had ten seconds for it."""
        late = [job.ended for job in self._kept.values() if job.ended >= self.stopped_at and not job.was_fetched]
        return not self._unfinished and (not late or time.monotonic() - max(late) > LINGER)

    # --------------------------------------------------------------------------------------------------------- working

    async def _load(self, job: Job) -> None:
        """Has a document loaded, and puts it among those that wait for the model."""
        async with self._to_load:
            while self._loaded_bytes() >= self.settings.queue_bytes:
                self._has_room.clear()
                await self._has_room.wait()
            if job.wanted is None:  # it was given up
                return
            job.state = "loading"
            result = await self._call(partial(self.crews.loaders.call, job.wanted.given))
        if isinstance(result, BaseException):
            self._end(job, error=result)
        elif isinstance(result, Lost):
            self._end(job, error=death_of(job.name, result))
        else:
            job.loaded, job.pages, job.state = result, result.pages, "loaded"
            job.wanted = replace(job.wanted, given=replace(job.wanted.given, data=b""))  # which is not needed any more
            self._loaded.append(job)
            self._wake.set()

    def _loaded_bytes(self) -> int:
        return sum(job.n_bytes for job in self._unfinished.values() if job.loaded)

    async def _read_all(self) -> None:
        """Has the documents read that are loaded, group by group."""
        while True:
            await self._wake.wait()
            if group := self._next_group():
                await self._read(group)
            else:
                self._wake.clear()

    def _next_group(self) -> list[Job]:
        """The document that has waited longest, and others of which the same is wanted."""
        group: list[Job] = []
        n_characters = 0
        for job in self._loaded:
            assert job.wanted is not None and job.loaded is not None
            first = (group[0].wanted if group else None) or job.wanted
            alike = job.wanted.request == first.request and not (first.asking or job.wanted.asking)
            n_characters += job.loaded.characters if alike else 0
            if not group or (alike and n_characters <= self.group_characters):
                group.append(job)
        self._loaded = [job for job in self._loaded if job not in group]
        return group

    async def _read(self, group: list[Job]) -> None:
        """Has a group of documents read; if it costs the process with the model, or raises, each by itself."""
        first = group[0].wanted
        assert first is not None
        documents = tuple(job.loaded.document for job in group if job.loaded)
        for job in group:
            job.state = "reading"
        began = self._reading_since = time.monotonic()
        result = await self._call(partial(self.crews.models.call, Group(documents, first.request, first.asking)))
        if isinstance(result, Lost):
            self.metrics.restarts.inc()
            logger.warning("the process with the model ended: %s", result.reason)
        elif not isinstance(result, BaseException):
            n_characters = sum(job.loaded.characters for job in group if job.loaded)
            self._pace.note(len(group), n_characters, time.monotonic() - began)
            self.metrics.group_size.observe(len(group))
        failed = isinstance(result, Lost) or (isinstance(result, BaseException) and is_fault(result) and not self.fault)
        if failed and len(group) > 1:
            for job in group:
                await self._read([job])
            return
        if isinstance(result, Lost):
            result = _death(group[0].name, result)
        for number, job in enumerate(group):
            self._end(job, result if isinstance(result, BaseException) else result[number])

    async def _call(self, call: Callable[[], Outcome[Any, R]]) -> R | Lost | BaseException:
        """What comes of a call to worker processes, which takes a thread; other errors are told in the log, too."""
        try:
            outcome = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except Exception as error:  # of the server, such as that processes cannot start, and not of the document
            self.fault = str(error)
            logger.exception("no document can be read")
            return error
        self.fault = ""
        if not isinstance(outcome.result, Raised):
            return outcome.result
        if is_fault(outcome.result.error):
            logger.error("%s", outcome.result.traceback)
        return outcome.result.error

    def _end(self, job: Job, found: bytes | BaseException | None = None, error: BaseException | None = None) -> None:
        """Notes how a job ended, and keeps its result for a while."""
        job.error = found if isinstance(found, BaseException) else error
        job.found = None if isinstance(found, BaseException) else found
        job.state, job.ended = "failed" if job.error else "done", time.monotonic()
        job.wanted = job.loaded = None
        self._loaded = [each for each in self._loaded if each is not job]
        del self._unfinished[job.id]
        self._has_room.set()
        if job.is_kept:
            self._keep(job)
        name = type(job.error).__name__ if job.error else ""
        self.metrics.documents.labels(name).inc()
        self.metrics.pages.inc(job.pages if job.found and job.pages else 0)
        self.metrics.seconds.observe(job.seconds)
        logger.info("%s %s%s in %.2f s", job.id, job.state, f" ({name})" if name else "", job.seconds)
        job.has_ended.set()

    def _keep(self, job: Job) -> None:
        self._kept[job.id] = job
        n_bytes = sum(len(each.found or b"") for each in self._kept.values())
        while len(self._kept) > self.settings.keep or (n_bytes > self.settings.keep_bytes and len(self._kept) > 1):
            n_bytes -= len(self._kept.pop(next(iter(self._kept))).found or b"")
        asyncio.get_running_loop().call_later(self.settings.keep_seconds, self._kept.pop, job.id, None)


def _death(name: str, lost: Lost) -> LongdocError:
    """The error of a document that cost the process with the model."""
    if lost.state == "timed out":
        return TimeExceededError(f"{name}: the model {lost.reason}; send a part of it, or allow more: --timeout")
    return ModelDiedError(f"{name}: the process with the model ended ({lost.reason}); send a part of it, or report it")
