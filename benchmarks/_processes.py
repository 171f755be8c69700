"""Processes with what they have started: paused, killed, and their memory."""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil


class Contender:
    """A process of ``_contenders.py``, with a clock that stands while it is paused."""

    def __init__(self, name: str, cores: Sequence[int], **options: Any) -> None:
        self.seconds = 0.0
        self.marks: list[tuple[int, float]] = []
        """Documents that were done, and the time when they were."""
        script = Path(__file__).with_name("_contenders.py")
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._errors = open(os.devnull, "w") if name == "peer" else None  # noqa: SIM115, PTH123 (it warns of each text)
        self.process = subprocess.Popen(
            [sys.executable, str(script), name, json.dumps(options), json.dumps(cores)],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
            env=environment,
        )

        atexit.register(self.send, signal.SIGKILL)

    @property
    def n_done(self) -> int:
        return self.marks[-1][0] if self.marks else 0

    def tree(self) -> list[psutil.Process]:
        """The process and those that it has started."""
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        return []

    def send(self, number: int) -> None:
        for each in self.tree():
            with suppress(psutil.NoSuchProcess):
                each.send_signal(number)

    def advance(self, n_documents: float = float("inf")) -> bool:
        """Lets it go on until so many documents are done; returns whether it has not ended."""
        self.send(signal.SIGCONT)
        started, before = time.perf_counter(), self.seconds
        assert self.process.stdout
        line = "0"
        while (self.n_done < n_documents or not self.marks) and (line := self.process.stdout.readline()):
            self.marks.append((int(line), before + time.perf_counter() - started))
        if not line and self.process.wait():
            raise SystemExit(f"{self.process.args}: failed")
        self.seconds = before + time.perf_counter() - started
        self.send(signal.SIGSTOP)
        return bool(line)

    def pace(self) -> float:
        """Documents a minute after the start, which ends with the first documents."""
        first = next(mark for mark in self.marks if mark[0] or len(self.marks) == 1 or self.marks[1][0] == 1)
        n_documents, seconds = (last - start for last, start in zip(self.marks[-1], first, strict=True))
        return 60 * n_documents / seconds

    def seconds_between(self, first: int, last: int) -> float:
        """Time from the moment when ``first`` documents were done until ``last`` were."""
        at = dict(reversed(self.marks))
        return at[last] - at[first]


def in_turns(contenders: Sequence[Contender], total: int, step: int = 8) -> None:
    """Lets each do the same documents before the next one does, so that other load on the machine hits all alike."""
    for each in contenders:
        each.send(signal.SIGSTOP)
    for n_documents in [*range(step, total, step), total]:
        for each in contenders:
            each.advance(n_documents)
    for each in contenders:
        while each.advance():
            pass


class Memory:
    """The highest memory of a process and what it has started, in bytes, sampled until the process ends."""

    def __init__(self, contender: Contender, every: float = 0.2) -> None:
        self.pss = self.rss = 0
        self._contender, self._every, self._ended = contender, every, Event()
        self._thread = Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(self._every):
            pss = rss = 0
            for each in self._contender.tree():
                with suppress(psutil.Error, OSError):
                    rss += each.memory_info().rss
                    pss += pss_of(each.pid)
            self.pss, self.rss = max(self.pss, pss), max(self.rss, rss)


def pss_of(pid: int) -> int:
    """The memory of a process, with its share of what it shares, in bytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return 1024 * next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def seconds_until_gone(processes: Sequence[psutil.Process], patience: float = 30.0) -> float:
    """How long it takes until none of these processes runs; fails if it takes too long."""
    started = time.perf_counter()
    while left := [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]:
        if time.perf_counter() - started > patience:
            raise SystemExit(f"left behind: {left}")
        time.sleep(0.01)
    return time.perf_counter() - started
