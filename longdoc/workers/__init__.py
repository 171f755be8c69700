"""A function run on many inputs in supervised worker processes: an input that kills its worker costs only itself.

Each worker is a new Python process, so that nothing of the parent's threads, locks and memory is in it, and is served
by one thread of the parent, which waits for its answer. A worker that dies, or is killed for taking too long, is
replaced. Workers end with their parent, however it ends.

Workers do not run the script that started them again: it needs no ``if __name__ == "__main__"``, but the function must
come from a module. What a worker prints goes to stderr; what it logs and warns of is logged and warned of in its
parent, by the parent's levels and filters, when it has answered. Limits on memory need Linux. Windows has no process
groups: there, programs that a worker has started outlive it.
"""

from __future__ import annotations

import itertools
import logging
import math
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Any, Generic, TypeVar

from longdoc.errors import ConfigError, RemoteError, WorkerError
from longdoc.workers.process import Lost, WorkerProcess
from longdoc.workers.told import levels
from longdoc.workers.worker import PROTOCOL

__all__ = ["Limits", "Lost", "Outcome", "Raised", "Workers"]

T = TypeVar("T")
R = TypeVar("R")

_FAILED_STARTS = 3
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an input may cost."""

    seconds: float | None = None
    """Time for one attempt."""
    memory: int | None = None
    """Bytes beyond what a worker uses when it has started; only on Linux. Files that are mapped do not count."""
    attempts: int = 2
    """How often an input is tried that kills its worker. One that takes too long, or makes a new worker abort or need
    more memory than it may have, is not tried again."""
    recycle: int = 200
    """Inputs after which a worker is replaced, against leaks."""
    start_seconds: float = 300.0
    """Time in which a worker must have started."""

    def __post_init__(self) -> None:
        for name in ("attempts", "recycle", "memory"):
            value = getattr(self, name)
            if not (isinstance(value, int) and value > 0) and not (name == "memory" and value is None):
                raise ConfigError(f"{name} must be an integer, at least 1; got {value!r}")
        for name in ("seconds", "start_seconds"):
            value = getattr(self, name)
            if not (name == "seconds" and value is None) and not 0 < value < math.inf:
                raise ConfigError(f"{name} must be a number above 0; got {value!r}")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised an error, or its input or result cannot be sent between processes."""

    error: BaseException
    """A :class:`~longdoc.errors.RemoteError` stands in for an error that cannot be sent."""
    traceback: str
    """As Python prints it, with the lines of the worker."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T, R]):
    """What became of an input."""

    input: T
    result: R | Raised | Lost
    attempts: int
    seconds: float
    """Of all attempts together, without the start of workers."""


class Workers(Generic[T, R]):
    """Runs a function in worker processes; see the module's description.

    >>> with Workers(len, 2) as workers:
    ...     [outcome.result for outcome in workers.run(["lease", "deed", 7], ordered=True)]
    [5, 4, Raised(error=TypeError("object of type 'int' has no len()"), traceback='Traceback ...')]
    """

    def __init__(
        self,
        function: Callable[[T], R],
        count: int,
        limits: Limits = DEFAULT_LIMITS,
        *,
        initializer: Callable[[], object] | None = None,
        ahead: int | None = None,
        seconds_of: Callable[[T], float | None] | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            function: can be pickled, as can its inputs and results.
            count: how many workers; they start when there is an input for them.
            limits: what an input may cost.
            initializer: called once in each worker, before the limit on memory is set.
            ahead: how many inputs, beyond one for each worker, may be in progress or wait as results while the caller
                works on an earlier result; as many as there are workers if None.
            seconds_of: the time for one attempt at an input, if that is not ``limits.seconds`` for all.

        Raises:
            ConfigError: a number is out of range, or the function cannot be pickled.
        """
        ahead = count if ahead is None else ahead
        if count < 1 or ahead < 0:
            raise ConfigError(f"count must be at least 1 and ahead at least 0; got {count!r} and {ahead!r}")
        try:
            self._setup = pickle.dumps((function, initializer), PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ConfigError(f"workers need functions that stand in a module: {error}") from error
        if limits.memory is not None and sys.platform != "linux":
            _LOG.warning("limits on memory need Linux; workers run without one")
        self._count, self._most, self._limits = count, count + ahead, limits
        self._seconds_of = seconds_of or (lambda _: limits.seconds)
        self._crew: _Crew | None = None
        self._calls = _Calls(self._setup, count, limits, self._seconds_of)

    def __enter__(self) -> Workers[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kills all workers. A run or a call that goes on after it is an error."""
        if self._crew is not None:
            self._crew.stop()
        self._calls.stop()

    def call(self, item: T, limits: Limits | None = None) -> Outcome[T, R]:
        """The outcome of one input. Its worker waits for the next call, until this process ends or `close`.

        It may be called from several threads; as many calls run at a time as there are workers, and the others wait.

        Args:
            item: the input.
            limits: what it may cost, if not what the workers' other inputs may.

        Raises:
            WorkerError: as for `run`.
            RuntimeError: the workers were closed meanwhile.
        """
        return self._calls.outcome(item, limits)

    def run(self, inputs: Iterable[T], *, ordered: bool = False) -> Iterator[Outcome[T, R]]:
        """The outcome of each input, as they finish, or in order.

        Inputs are taken when there is room for them. The workers end with the iterator, also if it is left early.

        Raises:
            WorkerError: workers end before they are ready, three times in a row.
            RuntimeError: another run of these workers has not ended, or they were closed.
        """
        if self._crew is not None:
            raise RuntimeError("these workers are in another run; exhaust or close its iterator first")
        crew = self._crew = _Crew(self._setup, self._count, self._limits, self._seconds_of)
        n_taken = n_given = 0
        try:
            for item in inputs:
                crew.add(n_taken, item)
                n_taken += 1
                full = n_taken - n_given >= self._most
                while found := crew.outcome(n_given if ordered else None, wait=full):
                    n_given += 1
                    full = False
                    yield found
            while found := crew.outcome(n_given if ordered else None, wait=n_given < n_taken):
                n_given += 1
                yield found
        finally:
            crew.stop()
            self._crew = None


class _Calls:
    """The workers that wait for calls, and their number."""

    def __init__(self, setup: bytes, count: int, limits: Limits, seconds_of: Callable[[Any], float | None]) -> None:
        self._arguments = setup, count, limits, seconds_of
        self._room = Semaphore(count)
        self._lock = Lock()
        self._crew = _Crew(*self._arguments)
        self._idle: list[_Server] = []

    def outcome(self, item: Any, limits: Limits | None) -> Outcome[Any, Any]:
        with self._room:
            with self._lock:
                server = self._idle.pop() if self._idle else _Server(self._crew)
            try:
                outcome = server.outcome(item, limits)
            except _Stopped:
                server.dismiss()
                raise RuntimeError("these workers were closed") from None
            except BaseException:  # such as Ctrl-C: the worker's answer would be taken for that to the next input
                server.dismiss()
                raise
            with self._lock:
                was_closed = server.crew is not self._crew
                if not was_closed:
                    self._idle.append(server)
            if was_closed:
                server.dismiss()
            return outcome

    def stop(self) -> None:
        with self._lock:
            idle, crew, self._idle, self._crew = self._idle, self._crew, [], _Crew(*self._arguments)
        crew.stop()
        for server in idle:
            server.dismiss()


class _Stopped(Exception):
    """The run has ended, and its threads follow."""


class _Crew:
    """The workers of one run, and the threads that serve them."""

    def __init__(self, setup: bytes, count: int, limits: Limits, seconds_of: Callable[[Any], float | None]) -> None:
        self.setup = setup
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
            self._threads.append(Thread(target=_Server(self).run, daemon=True))
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
                raise _Stopped
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
                raise WorkerError(
                    f"worker processes end before they are ready, {_FAILED_STARTS} times in a row: {failure}. "
                    "The function and its initializer must come from a module that a new Python process can "
                    "import, not from the script or notebook that starts the run"
                )

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
        self.arrived.put(RuntimeError("these workers were closed"))


class _Server:
    """Serves one worker at a time, in a thread: gives it inputs, judges its answers, and replaces it."""

    def __init__(self, crew: _Crew) -> None:
        self.crew = crew
        self._worker: WorkerProcess | None = None

    def run(self) -> None:
        try:
            while (task := self.crew.tasks.get()) is not None:
                number, item = task
                self.crew.arrived.put((number, self.outcome(item)))
        except _Stopped:
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
                raise _Stopped
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
            failure = worker.lost(seconds).reason if answer is None else "".join(pickle.loads(answer)[1:])
            if failure:
                self.dismiss()
            if self.crew.stopped:
                raise _Stopped
            self.crew.count_start(failure)
        return self._worker

    def dismiss(self) -> None:
        if self._worker is not None:
            self.crew.end_worker(self._worker)
            self._worker = None


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.3g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.3g} MB"
