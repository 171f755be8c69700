"""What an input may cost in a worker process, and what becomes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

from longdoc.arguments import check_count
from longdoc.errors import ConfigError
from longdoc.workers.process import Lost

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an input may cost."""

    seconds: float | None = None
    """Time for one attempt."""
    memory: int | None = None
    """Bytes beyond what a worker uses when it has started; only on Linux. Files that are mapped do not count."""
    attempts: int = 2
    """How often an input is tried that kills its worker. One that takes too long, or makes a new worker abort or need
    more memory than it may have, is not tried again."""
    recycle: int = 200
    """Inputs after which a worker is replaced, against leaks."""
    start_seconds: float | None = 300.0
    """Time in which a worker must have started."""

    def __post_init__(self) -> None:
        for name in ("attempts", "recycle", "memory"):
            check_count(name, getattr(self, name), 1, optional=name == "memory")
        for name in ("seconds", "start_seconds"):
            value = getattr(self, name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if value is not None and not (is_number and 0 < value < math.inf):
                raise ConfigError(f"{name} must be a number above 0; got {value!r}")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised an error, or its input or result cannot be sent between processes."""

    error: BaseException
    """A :class:`~longdoc.errors.RemoteError` stands in for an error that cannot be sent."""
    traceback: str
    """As Python prints it, with the lines of the worker."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T, R]):
    """What became of an input."""

    input: T
    result: R | Raised | Lost
    attempts: int
    seconds: float
    """Of all attempts together, without the start of workers."""
