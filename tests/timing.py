"""Whether time grows no faster than the input."""

import gc
import time
from collections.abc import Callable


def assert_linear(run: Callable[[int], object], length: int) -> None:
    """An input of ``length`` takes less than eight times as long as one of a quarter.

    Processor time without garbage collection, which other work on the machine hardly changes; a pair of runs that it
    did change is repeated, twice at most.
    """
    run(100)
    for _ in range(3):
        quarter, whole = _seconds(run, length // 4), _seconds(run, length)
        if whole < 8 * max(quarter, 0.01):
            return
    raise AssertionError(f"{quarter:.3f} s for {length // 4}, {whole:.3f} s for {length}")


def _seconds(run: Callable[[int], object], length: int) -> float:
    gc.collect()
    gc.disable()
    try:
        started_at = time.process_time()
        run(length)
        return time.process_time() - started_at
    finally:
        gc.enable()
