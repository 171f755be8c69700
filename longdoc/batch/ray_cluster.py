"""The cluster of Ray that a run uses: one that is there, or one on this machine that starts and ends with the run."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from longdoc.errors import ConfigError

_SECONDS_TO_ANSWER = 10.0


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """Connects to a cluster, or starts one, and yields the module ``ray``; ends what it has begun.

    Args:
        address: of a running cluster; None for that of ``RAY_ADDRESS``, or a new one on this machine.

    Raises:
        ConfigError: no such cluster can be reached, or this process uses another one.
    """
    import ray
    import ray.data

    with _quiet_data(ray):
        if ray.is_initialized():
            _check_same(ray, address)
            yield ray
            return
        address = address or os.environ.get("RAY_ADDRESS") or "local"
        with _same_signals():
            try:
                _start(ray) if address == "local" else connect(ray, address)
                yield ray
            finally:
                ray.shutdown()


def _start(ray: Any) -> None:
    """Starts a cluster on this machine, whose processes import what this one can, and sends no statistics of use."""
    path = os.pathsep.join(entry for entry in sys.path if isinstance(entry, str))
    with _environment(RAY_USAGE_STATS_ENABLED="0", PYTHONPATH=path):
        ray.init("local", include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    with _silent():
        # Once in a process Ray warns of actors that are made the way Ray Data makes all of its actors.
        ray.kill(ray.remote(num_cpus=0, max_restarts=1)(_Nothing).remote(ray.put(None)))


def connect(ray: Any, address: str) -> None:
    """Connects to a running cluster.

    Raises:
        ConfigError: it cannot be reached.
    """
    try:
        host, colon, port = address.rpartition(":")
        if colon and port.isdecimal() and "://" not in address:
            socket.create_connection((host, int(port)), _SECONDS_TO_ANSWER).close()  # Ray would try for minutes
        ray.init(address, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ConfigError(
            f"the Ray cluster at {address!r} cannot be used from here ({error}); give the address that `ray start "
            "--head` printed, or none for a cluster on this machine"
        ) from error


def _check_same(ray: Any, address: str | None) -> None:
    used = ray.get_runtime_context().gcs_address
    if address not in (None, "auto", used):
        raise ConfigError(
            f"this process uses the Ray cluster at {used!r} already; leave out the address {address!r}, or call "
            "ray.shutdown() first"
        )


class _Nothing:
    def __init__(self, _: object) -> None:
        pass


@contextmanager
def _quiet_data(ray: Any) -> Iterator[None]:
    """Keeps Ray Data from remarks on each step, and from progress bars."""
    logger, context = logging.getLogger("ray.data"), ray.data.DataContext.get_current()
    level, has_bars = logger.level, context.enable_progress_bars
    logger.setLevel(logging.ERROR)
    context.enable_progress_bars = False
    try:
        yield
    finally:
        context.enable_progress_bars = has_bars
        logger.setLevel(level)


@contextmanager
def _same_signals() -> Iterator[None]:
    """Puts back how this process ends when it is told to, which Ray changes."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Sets variables of the environment, which processes that start now inherit."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _silent() -> Iterator[None]:
    """Drops what is written to stderr, by libraries in C++ as well."""
    with suppress(OSError, ValueError):  # of a stderr that is closed
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nothing)
        os.close(kept)
