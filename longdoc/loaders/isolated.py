"""A call in a worker process, which stays for the next call: its death is an error, and not that of this process."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FuturesTimeoutError
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import Any, TypeVar

from longdoc.errors import LoaderDiedError, LoaderMemoryError, LoaderTimeoutError, LongdocError, RemoteError
from longdoc.loaders.detect import FORMATS
from longdoc.workers import Limits, Lost, Raised, Workers

R = TypeVar("R")


def isolated(
    function: Callable[..., R],
    *arguments: Any,
    name: str,
    timeout: float | None,
    memory: int | None,
    draws: bool = False,
) -> R:
    """Calls a function on a document in a worker process; from several threads, in as many as there are processors.

    Args:
        function: stands in a module; its arguments and its result can be pickled.
        arguments: its arguments.
        name: the name of the document, for errors.
        timeout: seconds that it may take; None for as long as it likes.
        memory: bytes that it may use beyond those of a new worker, on Linux; None for all that there is.
        draws: whether it draws pages, in workers that load no documents: pdfium measures letters of fonts that are not
            embedded otherwise, by up to 0.2 points, once it has drawn them.

    Raises:
        LoaderDiedError: the worker died, or was killed: ``LoaderTimeoutError``, ``LoaderMemoryError``.
        WorkerError: processes cannot start, or were ended meanwhile.
        Exception: what the function raises.
    """
    limits = Limits(seconds=timeout, memory=memory)
    result = (_drawers if draws else _workers).call((function, arguments), limits).result
    if isinstance(result, Lost):
        raise death_of(name, result)
    if isinstance(result, Raised):
        if isinstance(result.error, LongdocError):
            raise result.error
        raise result.error from RemoteError(type(result.error).__name__, f"\n{result.traceback}")
    return result  # type: ignore[no-any-return]


def in_time(function: Callable[..., R], *arguments: Any, name: str, timeout: float | None) -> R:
    """Calls a function in a thread, which is left behind if it takes too long: a pipe or a network can block for ever.

    Args:
        function: opens and reads a file.
        arguments: its arguments.
        name: the name of the file, for errors.
        timeout: seconds that it may take; None for as long as it likes.

    Raises:
        LoaderTimeoutError: it has not ended in time.
        Exception: what the function raises.
    """
    found: Future[R] = Future()

    def call() -> None:
        try:
            found.set_result(function(*arguments))
        except BaseException as error:
            found.set_exception(error)

    Thread(target=call, daemon=True).start()
    try:
        return found.result(timeout)
    except FuturesTimeoutError:
        if found.done():  # meanwhile, or it has raised such an error itself
            return found.result()
        raise LoaderTimeoutError(
            f"{name}: the file did not end within {timeout:g} s, as a pipe or a slow network may not; wait for what "
            "writes it, or allow more: load(..., timeout=...)"
        ) from None


def death_of(name: str, lost: Lost) -> LoaderDiedError:
    """The error that says how the process ended that worked on a document.

    >>> death_of("lease.pdf", Lost("timed out", "took longer than 300 s"))
    LoaderTimeoutError('lease.pdf: reading it took longer than 300 s; allow more: load(..., timeout=...)')
    """
    kind, remedy = {
        "timed out": (LoaderTimeoutError, "; allow more: load(..., timeout=...)"),
        "out of memory": (LoaderMemoryError, "; allow more: load(..., memory=...)"),
        "crashed": (LoaderDiedError, ""),
    }[lost.state]
    reason = f"reading it {lost.reason}" if remedy else f"reading it ended the process ({lost.reason})"
    return kind(f"{name}: {reason}{remedy}")


def import_loaders() -> None:
    """Imports the loaders of all formats: for a worker process, whose first document should not pay for it."""
    for module in sorted({each.module for each in FORMATS.values()}):
        with suppress(ImportError):  # of a library that is not installed, which the document that needs it is told
            import_module(f"longdoc.loaders.{module}")
    import_module("longdoc.loaders").load(b"x")


def _call(task: tuple[Callable[..., Any], tuple[Any, ...]]) -> Any:
    function, arguments = task
    return function(*arguments)


def _new_workers() -> None:
    """Makes the workers of this process, which are not those of the process that it was forked from."""
    global _workers, _drawers
    _workers, _drawers = (Workers(_call, os.cpu_count() or 1, initializer=import_loaders) for _ in range(2))


def end_workers() -> None:
    """Kills the workers; calls that wait for them fail with a ``WorkerError``."""
    _workers.close()
    _drawers.close()


_workers: Workers[tuple[Callable[..., Any], tuple[Any, ...]], Any]
_drawers: Workers[tuple[Callable[..., Any], tuple[Any, ...]], Any]
_new_workers()
atexit.register(end_workers)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_new_workers)
