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

import logging
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from threading import Lock, Semaphore
from typing import Any, Generic, TypeVar

from longdoc.errors import ConfigError, WorkerError
from longdoc.workers.crew import CLOSED, Crew, Server, Stopped
from longdoc.workers.limits import DEFAULT_LIMITS, Limits, Outcome, Raised
from longdoc.workers.process import Lost
from longdoc.workers.told import levels
from longdoc.workers.worker import PROTOCOL

__all__ = ["Limits", "Lost", "Outcome", "Raised", "Workers"]

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger(__name__)


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
        name: str = "worker processes",
    ) -> None:
        """Starts nothing yet.

        Args:
            function: can be pickled, as can its inputs and results.
            count: how many workers; they start when there is an input for them.
            limits: what an input may cost.
            initializer: called once in each worker, before the limit on memory is set. It may be a method of
                ``function``, which then gets its inputs on the same object.
            ahead: how many inputs, beyond one for each worker, may be in progress or wait as results while the caller
                works on an earlier result; as many as there are workers if None.
            seconds_of: the time for one attempt at an input, if that is not ``limits.seconds`` for all.
            name: what to call the workers in an error.

        Raises:
            ConfigError: a number is out of range, or the function cannot be pickled.
        """
        ahead = count if ahead is None else ahead
        if count < 1 or ahead < 0:
            raise ConfigError(f"count must be at least 1 and ahead at least 0; got {count!r} and {ahead!r}")
        try:
            self._setup = pickle.dumps((function, initializer, levels()), PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ConfigError(f"workers need functions that stand in a module: {error}") from error
        if limits.memory is not None and sys.platform != "linux":
            _LOG.warning("limits on memory need Linux; workers run without one")
        self._count, self._most, self._limits = count, count + ahead, limits
        self._seconds_of = seconds_of or (lambda _: limits.seconds)
        self._name = name
        self._crew: Crew | None = None
        self._calls = _Calls(self._setup, count, limits, self._seconds_of, name)

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
        """
        return self._calls.outcome(item, limits)

    def run(self, inputs: Iterable[T], *, ordered: bool = False) -> Iterator[Outcome[T, R]]:
        """The outcome of each input, as they finish, or in order.

        Inputs are taken when there is room for them. The workers end with the iterator, also if it is left early.

        Raises:
            LongdocError: the initializer raised it.
            WorkerError: workers end before they are ready, three times in a row, or were closed meanwhile.
            RuntimeError: another run of these workers has not ended.
        """
        if self._crew is not None:
            raise RuntimeError("these workers are in another run; exhaust or close its iterator first")
        crew = self._crew = Crew(self._setup, self._count, self._limits, self._seconds_of, self._name)
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

    def __init__(
        self, setup: bytes, count: int, limits: Limits, seconds_of: Callable[[Any], float | None], name: str
    ) -> None:
        self._arguments = setup, count, limits, seconds_of, name
        self._room = Semaphore(count)
        self._lock = Lock()
        self._crew = Crew(*self._arguments)
        self._idle: list[Server] = []

    def outcome(self, item: Any, limits: Limits | None) -> Outcome[Any, Any]:
        crew = self._crew
        with self._room:
            with self._lock:
                if crew is not self._crew:  # closed while this call waited for room
                    raise WorkerError(CLOSED)
                server = self._idle.pop() if self._idle else Server(crew)
            try:
                outcome = server.outcome(item, limits)
            except Stopped:
                server.dismiss()
                raise WorkerError(CLOSED) from None
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
            idle, crew, self._idle, self._crew = self._idle, self._crew, [], Crew(*self._arguments)
        crew.stop()
        for server in idle:
            server.dismiss()
