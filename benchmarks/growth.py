"""How the time of each part grows with its input, on inputs made to be slow: the exponent must stay near 1.

    python benchmarks/growth.py "html: " patterns

Each kind writes its row into ``results/growth.json``, from which the table is made, so that some can be run again.
"""

import argparse
import datetime
import gc
import json
import math
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from _growth_kinds import KINDS
from _patterns import patterns, superlinear
from _table import RESULTS, write_table

DATA = RESULTS / "growth.json"
T = TypeVar("T")
PATTERNS = "patterns"
"""The name of the regular expressions of the package."""

MOST = 1.2
"""The exponent above which the benchmark fails: 1 is linear, 2 quadratic."""
DOUBLINGS = 4
FITTED = 2
"""The last doublings, over which the exponent is fitted."""
CHEAP = 0.02
"""CPU seconds of the smallest of the four doublings, at least: less is noise and fixed costs."""
LARGE = 1 << 22
"""Length of the smallest of the four doublings, at most: some kinds take no time, however long they are."""
SLOW = 8.0
"""CPU seconds after which a run is given up."""


class TooSlow(Exception):
    """A run took too long."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"parts of the names of kinds, and {PATTERNS!r}; all by default")
    arguments = parser.parse_args()
    signal.signal(signal.SIGVTALRM, _give_up)
    failed = []
    for name, (make, run) in KINDS.items():
        if arguments.kinds and not any(part in name for part in arguments.kinds):
            continue
        sizes, times = in_own_process(measured, make, run)
        exponent = exponent_of(times)
        row = [name, f"{sizes[-1]:,}", f"{times[-1]:.2f}", f"{exponent:.2f}"]
        print(*row, sep="\t", file=sys.stderr, flush=True)
        _keep(name, [*row, str(datetime.date.today())])
        if exponent > MOST:
            failed.append(name)
    if not arguments.kinds or PATTERNS in arguments.kinds:
        slow: list[str] = []
        for pattern in (found := patterns()):
            with limited(20 * SLOW):
                slow += superlinear(pattern)
        failed += slow
        _keep(PATTERNS, [len(found), len(slow), str(datetime.date.today())])
    _write()
    if failed:
        sys.exit("grow faster than linear:\n" + "\n".join(failed))


def _keep(name: str, row: list[object]) -> None:
    """Stores the row of a kind, or the counts of the regular expressions."""
    found = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    found[name] = row
    DATA.write_text(json.dumps(found, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def _write() -> None:
    """Writes the table of all rows."""
    found = json.loads(DATA.read_text(encoding="utf-8"))
    notes = (
        "Time is CPU time of one process, the better of two; the exponent is that of the last two of four doublings."
    )
    if PATTERNS in found:
        n_patterns, n_slow, day = found[PATTERNS]
        notes += f" Of {n_patterns} regular expressions, on the worst strings derived from each, {n_slow} grow faster"
        notes += f" ({day})."
    rows = [found[kind] for kind in KINDS if kind in found]
    write_table("growth", "Growth of time with size", ["input", "largest n", "CPU s", "exponent", "day"], rows, notes)


def in_own_process(function: Callable[..., T], *arguments: object) -> T:
    """What a function returns, from a process whose memory ends with it."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(function(*arguments)))
    process.start()
    sender.close()  # so that a death is the end of the pipe
    try:
        found: T = receiver.recv()
    except EOFError:
        sys.exit("the process that measured it died")
    process.join()
    return found


def size_of(made: Any) -> int:
    """The length of a text, a file or the text of a document; 0 for other inputs."""
    text = getattr(getattr(made, "document", made), "text", made)
    return len(text) if isinstance(text, str | bytes) else 0


def measured(make: Callable[[int], object], run: Callable[..., object]) -> tuple[list[int], list[float]]:
    """The sizes and the CPU seconds of the doublings; the first size is the smallest that is not cheap."""
    n = 64
    run(make(16))
    while (taken := timed(run, made := make(n), 2)) < CHEAP and n < 1 << 20 and size_of(made) < LARGE:
        n *= 2 if taken > CHEAP / 4 else 4
    sizes, times = [], []
    for doubling in range(DOUBLINGS + 1):
        sizes.append(n << doubling)
        try:
            times.append(timed(run, make(sizes[-1]), 2 if doubling >= DOUBLINGS - FITTED else 1))
        except TooSlow:
            times.append(math.inf)
            break
    return sizes, times


def exponent_of(times: list[float]) -> float:
    """The exponent over the last doublings; that up to the last one that ended if one did not, and at least 2."""
    if math.isinf(times[-1]):
        ended = times[:-1]
        return max(2.0, math.log2(ended[-1] / ended[-2])) if len(ended) > 1 else math.inf
    return math.log2(max(times[-1], 1e-3) / max(times[-1 - FITTED], 1e-3)) / FITTED


def timed(run: Callable[..., object], argument: object, repeats: int) -> float:
    """The least CPU seconds of some runs."""
    best = math.inf
    for _ in range(repeats):
        gc.collect()
        with limited(SLOW):
            gc.disable()  # as timeit does
            started = time.process_time()
            try:
                run(argument)
            finally:
                gc.enable()
            best = min(best, time.process_time() - started)
        if best > 2:
            break
    return best


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Gives up after so many CPU seconds."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _give_up(number: int, frame: object) -> None:
    raise TooSlow


if __name__ == "__main__":
    main()
