"""A worker process, as its parent sees it: asked, and killed when time is up."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from subprocess import PIPE, Popen
from threading import Thread, Timer
from typing import Literal
from weakref import WeakSet

from longdoc.workers.folder import TemporaryFolder
from longdoc.workers.worker import kill_group, read_message, write_message

_BOUNDED = {"MALLOC_ARENA_MAX": "1", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "128"}
"""By default glibc keeps memory for each thread, and oneDNN and torch's layer over it (``LRU_…``) keep code and buffers
for 1,024 shapes of matrices, of half a megabyte each; all grow for hours."""
_SECONDS_TO_END = 10.0  # of a process that was killed, or that has closed its pipe


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no result: the worker died, or was killed."""

    state: Literal["timed out", "out of memory", "crashed"]
    reason: str


class WorkerProcess:
    """A worker process, as its parent sees it."""

    def __init__(self) -> None:
        self.n_asked = 0
        self._expired = False
        lifeline = os.pipe() if sys.platform == "linux" else ()  # see longdoc.workers.worker.main
        self._folder = TemporaryFolder()
        path = [entry for entry in sys.path if isinstance(entry, str)]
        code = (
            f"import sys; sys.path[:] = {path!a}; from longdoc.workers.worker import main; main({[*lifeline, None][0]})"
        )
        try:
            self._folder.make()
            self._process = Popen(
                [sys.executable, "-c", code],
                stdin=PIPE,
                stdout=PIPE,
                start_new_session=True,
                pass_fds=lifeline[:1],
                env={**_BOUNDED, **os.environ, **self._folder.environment},
            )
        except BaseException:
            for end in lifeline:
                os.close(end)
            self._folder.remove()
            raise
        for end in lifeline[:1]:
            os.close(end)
        self._lifeline = lifeline[1:]
        _STARTED.add(self)
        self._reaper = Thread(target=self._reap, daemon=True)
        self._reaper.start()

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    def ask(self, message: bytes, seconds: float | None) -> bytes | None:
        """Sends a message and waits for the answer; None if the worker ended, or was killed because time was up."""
        self.n_asked += 1
        assert self._process.stdin and self._process.stdout
        timer = Timer(seconds or 0.0, self._expire)
        timer.daemon = True
        if seconds is not None:
            timer.start()
        try:
            write_message(self._process.stdin, message)  # type: ignore[arg-type]
            answer = read_message(self._process.stdout)  # type: ignore[arg-type]
        except OSError:  # it ended while the message was written
            answer = None
        finally:
            timer.cancel()
        if timer.is_alive():
            timer.join()  # else it might kill the worker while the next input is worked on
        return None if self._expired else answer

    def lost(self, seconds: float | None) -> Lost:
        """Why there was no answer."""
        if self._expired:
            return Lost("timed out", f"took longer than {seconds:g} s")
        self._reaper.join(_SECONDS_TO_END)
        code = self._process.returncode
        if code is None:
            return Lost("crashed", "closed its pipe")
        if code >= 0:
            return Lost("crashed", f"exited with code {code}")
        names = {each.value: f" ({each.name})" for each in signal.Signals}
        reason = f"killed by signal {-code}{names.get(-code, '')}"
        causes = {-9: ", as the system does if memory runs out", -6: ", as by a parser that gets no more memory"}
        return Lost("crashed", reason + causes.get(code, ""))

    @property
    def was_aborted(self) -> bool:
        """Whether the worker ended itself, as libraries in C++ do without memory; known after `lost`."""
        return sys.platform != "win32" and self._process.returncode == -signal.SIGABRT

    def kill(self) -> None:
        """Kills the worker and what it has started, from any thread; does not wait."""
        if self.is_alive:
            kill_group(self._process.pid)

    def end(self) -> None:
        """Kills the worker and frees what the parent holds of it; called by the thread that asks, and once."""
        _STARTED.discard(self)
        self.kill()
        self._reaper.join(_SECONDS_TO_END)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # of a message that was not read
                stream.close()  # type: ignore[union-attr]
        for end in self._lifeline:
            os.close(end)

    def let_go(self) -> None:
        """Leaves the worker to the parent, in a process that was forked: its pipes must close when the parent ends."""
        self._process.returncode = 0  # it is not a child of this process
        nothing = os.open(os.devnull, os.O_RDWR)
        for held in (self._process.stdin, self._process.stdout, *self._lifeline):
            with suppress(ValueError):  # closed
                os.dup2(nothing, held if isinstance(held, int) else held.fileno(), inheritable=False)
        os.close(nothing)
        self._folder.let_go()

    def _expire(self) -> None:
        self._expired = True
        self.kill()

    def _reap(self) -> None:
        """Waits for the worker to end, kills what it has started, which might keep its pipe open, and clears up."""
        self._process.wait()
        if sys.platform != "win32":
            kill_group(self._process.pid)
        self._folder.remove()


_STARTED: WeakSet[WorkerProcess] = WeakSet()


def _let_go() -> None:
    for worker in _STARTED:
        worker.let_go()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_let_go)
