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

from longdoc.workers.worker import kill_group, read_message, write_message

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
        path = [entry for entry in sys.path if isinstance(entry, str)]
        code = (
            f"import sys; sys.path[:] = {path!a}; from longdoc.workers.worker import main; main({[*lifeline, None][0]})"
        )
        try:
            self._process = Popen(
                [sys.executable, "-c", code],
                stdin=PIPE,
                stdout=PIPE,
                start_new_session=True,
                pass_fds=lifeline[:1],
                # By default glibc keeps memory for each thread, which grows for hours.
                env={"MALLOC_ARENA_MAX": "1", **os.environ},
            )
        except BaseException:
            for end in lifeline:
                os.close(end)
            raise
        for end in lifeline[:1]:
            os.close(end)
        self._lifeline = lifeline[1:]
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
            return read_message(self._process.stdout)  # type: ignore[arg-type]
        except OSError:  # it ended while the message was written
            return None
        finally:
            timer.cancel()

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
        return Lost("crashed", reason + ", as the system does if memory runs out" * (code == -9))

    def kill(self) -> None:
        """Kills the worker and what it has started, from any thread; does not wait."""
        if self.is_alive:
            kill_group(self._process.pid)

    def end(self) -> None:
        """Kills the worker and frees what the parent holds of it; called by the thread that asks, and once."""
        self.kill()
        self._reaper.join(_SECONDS_TO_END)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # of a message that was not read
                stream.close()  # type: ignore[union-attr]
        for end in self._lifeline:
            os.close(end)

    def _expire(self) -> None:
        self._expired = True
        self.kill()

    def _reap(self) -> None:
        """Waits for the worker to end, and kills what it has started, which might keep its pipe open."""
        self._process.wait()
        if sys.platform != "win32":
            kill_group(self._process.pid)
