"""What runs in a worker process: reads inputs from its parent, and writes what a function makes of each."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from traceback import format_exception, format_exception_only
from typing import Any, BinaryIO

from longdoc.errors import LongdocError, RemoteError
from longdoc.workers.told import Recorder

PROTOCOL = 5
_MODULES = (
    "The function and its initializer must come from a module that a new Python process can import, not from the "
    "script or notebook that starts the run"
)
_LENGTH = 8  # bytes that say how long a message is


def write_message(stream: BinaryIO, message: bytes) -> None:
    """Writes a message that :func:`read_message` reads."""
    stream.write(len(message).to_bytes(_LENGTH, "big"))
    stream.write(message)
    stream.flush()


def read_message(stream: BinaryIO) -> bytes | None:
    """The next message; None if the other side has gone, even in the middle of one."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    length = int.from_bytes(head, "big")
    message = stream.read(length)
    return message if len(message) == length else None


def kill_group(leader: int) -> None:
    """Ends a worker and the processes that it has started, where there are process groups; does not wait."""
    with suppress(ProcessLookupError, PermissionError):  # nothing is left of it, or only what waits to be reaped
        if sys.platform == "win32":
            os.kill(leader, signal.SIGTERM)
        else:
            os.killpg(leader, signal.SIGKILL)


def main(lifeline: int | None) -> None:
    """Works until the parent ends.

    The first message is the function, an initializer or None, and the levels of the parent's loggers. The others are an
    input, the memory that it may use, and those levels.

    Args:
        lifeline: a pipe that closes when the parent ends. On Linux the kernel then kills this process and those that it
            has started, even while code that never lets another thread run is at work, such as a regular expression.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    inputs, answers = _streams()
    messages: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_receive, args=(inputs, messages), daemon=True).start()
    if lifeline is not None:
        _die_with(lifeline)
    try:
        recorder = Recorder()
        try:
            function, initializer, levels = pickle.loads(messages.get())
        except BaseException as error:
            raise ImportError(f"{_told(error)}. {_MODULES}") from error
        recorder.set_levels(levels)
        if initializer is not None:
            initializer()
        memory = _Memory()
    except LongdocError as error:  # raised by the parent: another start would not help
        write_message(answers, pickle.dumps(("refused", _sendable(error)), PROTOCOL))
        return
    except BaseException as error:  # told to the parent, who gives up after a few such starts
        write_message(answers, pickle.dumps(("broken", _told(error)), PROTOCOL))
        return
    write_message(answers, pickle.dumps(("ready", ""), PROTOCOL))
    process = os.getpid()
    while True:
        answer = _answer(function, messages.get(), memory, recorder)
        if os.getpid() != process:
            os._exit(1)  # the function forked, and its child must not answer, too
        write_message(answers, answer)
        recorder.forget()


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes from and to the parent, out of reach of what the function reads, prints or starts."""
    inputs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return inputs, answers


def _receive(inputs: BinaryIO, messages: SimpleQueue[bytes]) -> None:
    """Passes messages on, in a thread of its own, which notices the end of the parent while an input is worked on."""
    while (message := read_message(inputs)) is not None:
        messages.put(message)
        del message  # an input may be large
    kill_group(os.getpid())


def _die_with(lifeline: int) -> None:
    """Has the kernel kill the process group of this process when a pipe closes."""
    import fcntl  # not on Windows

    os.set_inheritable(lifeline, False)
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


class _Memory:
    """The memory that this process may use, beyond what it uses when this is made."""

    def __init__(self) -> None:
        if sys.platform != "win32":
            import resource

            # No core dumps, which would fill the disk.
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
            if sys.platform == "linux":
                self._before = resource.getrlimit(resource.RLIMIT_DATA)
                pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
                self._in_use = pages * resource.getpagesize()

    def limit(self, memory: int | None) -> None:
        """Allows so many bytes more, or as many as the system does."""
        if sys.platform == "linux":
            import resource

            # Not RLIMIT_AS: it counts files that are only mapped, and 64 MB that each thread reserves and never uses.
            wanted = [] if memory is None else [self._in_use + memory]
            allowed = [*wanted, *(limit for limit in self._before if limit != resource.RLIM_INFINITY)]
            resource.setrlimit(resource.RLIMIT_DATA, (min(allowed, default=resource.RLIM_INFINITY), self._before[1]))


def _answer(function: Callable[[Any], Any], message: bytes, memory: _Memory, recorder: Recorder) -> bytes:
    """The pickled answer to an input: what the function returned or raised, and what was logged and warned of."""
    try:
        item, allowed, levels = pickle.loads(message)
        recorder.set_levels(levels)
        memory.limit(allowed)
        return pickle.dumps(("returned", function(item), "", recorder.told()), PROTOCOL)
    except BaseException as error:  # also of sys.exit, and the panics of libraries in Rust
        if _is_out_of_memory(error):
            memory.limit(None)  # the answer needs some; this process is replaced after it
            return pickle.dumps(("out of memory", _told(error), "", recorder.told()), PROTOCOL)
        traceback = "".join(format_exception(error))
        return pickle.dumps(("raised", _sendable(error), traceback, recorder.told()), PROTOCOL)


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out; the error of a library may stand in front of the one that says so."""
    seen: list[BaseException] = []
    while error is not None and not any(error is each for each in seen):
        seen.append(error)
        error = error.__cause__ or error.__context__
    return any(isinstance(each, MemoryError) for each in seen)


def _sendable(error: BaseException) -> BaseException:
    """An error, or what stands in for it if it does not survive pickling."""
    try:
        copy = pickle.loads(pickle.dumps(error, PROTOCOL))
    except Exception:  # pickling runs the code of any class, which may raise anything
        copy = None
    return error if type(copy) is type(error) else RemoteError(type(error).__name__, _told(error))


def _told(error: BaseException) -> str:
    """The type and the message of an error, as at the end of a traceback."""
    return "".join(format_exception_only(error)).strip()
