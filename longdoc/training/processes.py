"""The processes of a run: how they end, alone, with their launcher or with an error, and what they say of libraries."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from torch import distributed

_PR_SET_PDEATHSIG = 1
_LIBRARIES = r"(accelerate|deepspeed|torch|transformers)(\.|$)"


@contextmanager
def processes_of_a_run() -> Iterator[None]:
    """Around a whole run: its processes leave nothing behind, however they end.

    A process that ``torchrun`` has started is killed with it (on Linux). The process group that the run joins is closed
    when the process ends, since libraries abort if threads of it are left then; it cannot be closed before, as it could
    not be joined again for another run in the same processes. After an error it waits for no other process.
    """
    end_with_launcher()
    is_own = not _in_group()
    try:
        with quiet_libraries():
            yield
    except BaseException:
        if is_own and _in_group() and distributed.get_world_size() > 1:
            world = distributed.group.WORLD
            assert world is not None
            world.abort()
        raise
    finally:
        if is_own and _in_group():
            atexit.register(close_group)


def _in_group() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def close_group() -> None:
    """Closes the process group, if there is one."""
    if _in_group():
        distributed.destroy_process_group()


def end_with_launcher() -> None:
    """Has the kernel kill this process when ``torchrun``, which started it, ends; on Linux only.

    A launcher that is killed cannot end its processes, which would train on.
    """
    if sys.platform == "linux" and "TORCHELASTIC_RUN_ID" in os.environ:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Without warnings of changes to come, which are for those who write the libraries, unless Python's ``-W`` is set.

    DeepSpeed causes hundreds of them at each step.
    """
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.filterwarnings("ignore", category=FutureWarning, module=_LIBRARIES)
        yield
