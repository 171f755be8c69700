"""The workers of one run, and the threads that serve them."""

from __future__ import annotations

import itertools
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from longdoc.errors import LongdocError, RemoteError, WorkerError
from longdoc.workers.limits import Limits, Outcome, Raised
from longdoc.workers.process import Lost, WorkerProcess
from longdoc.workers.told import levels
from longdoc.workers.worker import PROTOCOL

CLOSED = "these workers were closed before they had an answer; ask again, or do not close them meanwhile"
_FAILED_STARTS = 3


class Stopped(Exception):
    """The run has ended, and its threads follow."""


class Crew:
    """The workers of one run, and the threads that serve them."""

    def __init__(
        self, setup: bytes, count: int, limits: Limits, seconds_of: Callable[[Any], float | None], name: str
    ) -> None:
        self.setup = setup
        self.name = name
        self.limits = limits
        self.seconds_of = seconds_of
        self.tasks: SimpleQueue[tuple[int, Any] | None] = SimpleQueue()
        self.arrived: SimpleQueue[tuple[int, Outcome[Any, Any]] | BaseException] = SimpleQueue()
        self.stopped = False
        self._count = count
        self._lock = Lock()
        self._n_failed_starts = 0
        self._workers: set[WorkerProcess] = set()
        self._threads: list[Thread] = []
        self._waiting: dict[int, Outcome[Any, Any]] = {}

    def add(self, number: int, item: Any) -> None:
        self.tasks.put((number, item))
        if len(self._threads) < self._count:
            self._threads.append(Thread(target=Server(self).run, daemon=True))
            self._threads[-1].start()

    def outcome(self, number: int | None, *, wait: bool) -> Outcome[Any, Any] | None:
        """The outcome of an input, or of any if its number is None; None if there is none yet and none to wait for."""
        while True:
            key = next(iter(self._waiting), -1) if number is None else number
            if key in self._waiting:
                return self._waiting.pop(key)
            try:
                arrived = self.arrived.get(block=wait)
            except Empty:
                return None
            if isinstance(arrived, BaseException):
                raise arrived
            self._waiting[arrived[0]] = arrived[1]

    def start_worker(self) -> WorkerProcess:
        with self._lock:
            if self.stopped:
                raise Stopped
            try:
                worker = WorkerProcess()
            except OSError as error:
                remedy = "end other programs, or allow more processes and open files"
                raise WorkerError(f"a worker process cannot start ({error.strerror or error}); {remedy}") from error
            self._workers.add(worker)
            return worker

    def end_worker(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._workers.remove(worker)
        worker.end()

    def count_start(self, failure: str) -> None:
        """Notes whether a worker could start, in this thread or another; the failure is empty if it could."""
        with self._lock:
            self._n_failed_starts = self._n_failed_starts + 1 if failure else 0
            if self._n_failed_starts >= _FAILED_STARTS:
                raise WorkerError(f"{self.name} end before they are ready, {_FAILED_STARTS} times in a row: {failure}")

    def stop(self) -> None:
        """Kills the workers, and waits for the threads to end."""
        with self._lock:
            self.stopped = True
            for worker in self._workers:
                worker.kill()
        for _ in self._threads:
            self.tasks.put(None)
        for thread in self._threads:
            thread.join()
        self.arrived.put(WorkerError(CLOSED))


class Server:
    """Serves one worker at a time, in a thread: gives it inputs, judges its answers, and replaces it."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self._worker: WorkerProcess | None = None

    def run(self) -> None:
        try:
            while (task := self.crew.tasks.get()) is not None:
                number, item = task
                self.crew.arrived.put((number, self.outcome(item)))
        except Stopped:
            return
        except BaseException as error:  # raised where the outcomes are taken
            self.crew.arrived.put(error)
        finally:
            self.dismiss()

    def outcome(self, item: Any, limits: Limits | None = None) -> Outcome[Any, Any]:
        try:
            limits = limits or replace(self.crew.limits, seconds=self.crew.seconds_of(item))
            message = pickle.dumps((item, limits.memory, levels()), PROTOCOL)
        except Exception as error:  # pickling runs the code of any class, which may raise anything
            return Outcome(item, Raised(error, ""), 0, 0.0)
        seconds = 0.0
        for attempt in itertools.count(1):
            worker = self._ready_worker()
            started = time.monotonic()
            answer = worker.ask(message, limits.seconds)
            seconds += time.monotonic() - started
            result, again = self._judged(worker, answer, limits)
            if isinstance(result, Lost) or worker.n_asked > limits.recycle:  # the start is a question, too
                self.dismiss()
            if not again or attempt >= limits.attempts:
                break
        return Outcome(item, result, attempt, seconds)

    def _judged(self, worker: WorkerProcess, answer: bytes | None, limits: Limits) -> tuple[Any, bool]:
        """The result in an answer, and whether another attempt may give a better one."""
        is_new = worker.n_asked <= 2  # the start is a question, too; earlier inputs may have left too little memory
        if answer is None:
            lost = worker.lost(limits.seconds)
            if self.crew.stopped:
                raise Stopped
            return lost, lost.state == "crashed" and not (is_new and worker.was_aborted)
        try:
            kind, result, traceback, told = pickle.loads(answer)
            told.again()
        except Warning as error:  # which a filter makes an error
            return Raised(error, ""), False
        except Exception as error:  # unpickling runs the code of any class, which may raise anything
            name = type(error).__name__
            return Raised(RemoteError(name, f"the result cannot be unpickled: {name}: {error}"), ""), False
        if kind == "returned":
            return result, False
        if kind == "raised":
            return Raised(result, traceback), False
        memory = limits.memory
        reason = result if memory is None else f"needed more than {_size(memory)} of memory ({result})"
        return Lost("out of memory", reason), not is_new

    def _ready_worker(self) -> WorkerProcess:
        if self._worker is not None and not self._worker.is_alive:
            self.dismiss()  # it died after its last answer, which costs no input
        while self._worker is None:
            self._worker = worker = self.crew.start_worker()
            seconds = self.crew.limits.start_seconds
            answer = worker.ask(self.crew.setup, seconds)
            kind, told = ("broken", worker.lost(seconds).reason) if answer is None else _started(answer)
            if kind != "ready":
                self.dismiss()
            if self.crew.stopped:
                raise Stopped
            if isinstance(told, LongdocError):
                raise told
            self.crew.count_start(told)
        return self._worker

    def dismiss(self) -> None:
        if self._worker is not None:
            self.crew.end_worker(self._worker)
            self._worker = None


def _started(answer: bytes) -> tuple[str, LongdocError | str]:
    """Whether a worker is ready, and if not, what it raised or says of it."""
    kind, told = pickle.loads(answer)
    return kind, told


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.3g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.3g} MB"
