"""What is logged and warned of in a worker process, and logged and warned of again in its parent."""

from __future__ import annotations

import logging
import pickle
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Any

_MOST = 1000
"""Lines of a log, and warnings, that are kept of a call; the rest are counted: a hostile file can cause millions."""
_PLAIN = (str, int, float, bool, type(None))
_LOG = logging.getLogger(__name__)
_SHOWN: dict[Any, Any] = {}
"""The warnings that were shown, as each module keeps those of its own."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was logged and warned of during one call."""

    records: tuple[tuple[logging.LogRecord, bool], ...]
    """Each with whether its logger had a handler: such as a ``NullHandler``, so that it is not shown by default."""
    warnings: tuple[tuple[str, type[Warning], str, int, str | None], ...]
    """Text, category, file, line and module."""
    n_left_out: int

    def again(self) -> None:
        """Logs and warns in this process, by its own levels and filters.

        Raises:
            Warning: a filter makes an error of it.
        """
        for record, had_handler in self.records:
            logger = logging.getLogger(record.name)
            if logger.isEnabledFor(record.levelno) and (logger.hasHandlers() or not had_handler):
                logger.handle(record)
        if self.n_left_out:
            _LOG.warning("%d more messages of a worker process are left out", self.n_left_out)
        for text, category, file, line, module in self.warnings:
            warnings.warn_explicit(text, category, file, line, module, _SHOWN)


def levels() -> dict[str, int]:
    """The level of each logger of this process that has one of its own."""
    root = logging.getLogger()
    loggers = root.manager.loggerDict.copy()
    own = {name: each.level for name, each in loggers.items() if isinstance(each, logging.Logger) and each.level}
    return {root.name: root.level, **own}


class Recorder(QueueHandler):
    """Records what is logged and warned of in a worker process, for its parent alone."""

    def __init__(self) -> None:
        super().__init__(SimpleQueue())  # which `enqueue` does not use
        self._records: list[tuple[logging.LogRecord, bool]] = []
        self._warnings: dict[tuple[str, type[Warning], str, int, str | None], None] = {}
        self._n_left_out = 0
        self._levels: Mapping[str, int] = {}
        logging.getLogger().addHandler(self)
        warnings.simplefilter("always")
        warnings.showwarning = self._warned  # type: ignore[assignment]

    def set_levels(self, levels: Mapping[str, int]) -> None:
        """Sets the levels of loggers, as they are in the parent."""
        for name in {**self._levels, **levels}:
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
        self._levels = levels

    def told(self) -> Told:
        """What was recorded, since the last call of `forget`."""
        return Told(tuple(self._records), tuple(self._warnings), self._n_left_out)

    def forget(self) -> None:
        """Forgets what was recorded."""
        self._records.clear()
        self._warnings.clear()
        self._n_left_out = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Keeps a record, which can be pickled; if it cannot, what is plain in it, with the formatted message."""
        if len(self._records) < _MOST:
            names = record.name.split(".")
            loggers = [logging.getLogger(".".join(names[: n + 1])) for n in range(len(names))]
            self._records.append((_sendable(record), any(logger.handlers for logger in loggers)))
        else:
            self._n_left_out += 1

    def _warned(self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        modules = (name for name, module in sys.modules.copy().items() if getattr(module, "__file__", None) == filename)
        home = sys.modules.get(category.__module__)
        known = category if getattr(home, category.__qualname__, None) is category else UserWarning  # can be pickled
        key = (str(message), known, filename, lineno, next(modules, None))
        if len(self._warnings) < _MOST or key in self._warnings:
            self._warnings[key] = None
        else:
            self._n_left_out += 1


def _sendable(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of a record that survives pickling: without what a caller has attached to it and does not."""
    try:
        copy = pickle.loads(pickle.dumps(record, pickle.HIGHEST_PROTOCOL))
    except Exception:  # pickling runs the code of any class, which may raise anything
        copy = None
    if type(copy) is not type(record):
        copy = logging.LogRecord("", 0, "", 0, "", None, None)
        vars(copy).update({name: value for name, value in vars(record).items() if type(value) in _PLAIN})
    return copy
