"""The engine for one machine: documents are loaded in several processes, and extracted in one that has the model.

    inputs ──Workers(Loader)──▶ documents, some ahead ──Workers(Extractor)──▶ rows

A document that kills its loader costs only itself. If a group of documents kills the process with the model, each of
them is tried by itself in a new one, so that one document is lost and the others are not.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from longdoc.batch.doing import Watch
from longdoc.batch.inputs import Input
from longdoc.batch.stages import Extracted, Extractor, Job, Loaded, Loader, groups_of, prepare_loading, status_of
from longdoc.batch.status import State
from longdoc.batch.writers import Writer
from longdoc.errors import ConfigError, MissingDependencyError
from longdoc.summary import shown
from longdoc.workers import Limits, Lost, Outcome, Raised, Workers

logger = logging.getLogger(__name__)

_AHEAD = 24
"""Documents that are loaded before the model needs them."""
_LIMITS_OF_THE_MODEL = Limits(attempts=1, recycle=1_000_000, start_seconds=None)
_CHARACTERS = 25_000
"""What the model may take as long for as loading a document may take: about ten pages."""
_AT_LEAST = 60.0
"""Seconds that it may take beside: the first group of a process takes longer, and a limit on loading may be short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngine:
    """Extracts on this machine."""

    workers: int
    """How many processes load documents."""
    limits: Limits
    """What loading a document may cost; and its seconds are what the model may take for 25,000 characters."""

    def extract(self, job: Job, writer: Writer, inputs: Sequence[Input], watch: Watch) -> Generator[Extracted]:
        """Extracts from documents, in groups and in order.

        Raises:
            ConfigError: the model cannot be loaded, or cannot do what was requested.
            WorkerError: processes cannot start.
        """
        groups = list(groups_of(inputs))
        loader, extractor = Loader(job), Extractor(job, writer)
        loaders = Workers(loader, self.workers, self.limits, initializer=prepare_loading, ahead=_AHEAD)
        models = process_with_model(extractor, self.limits.seconds, ahead=1)
        with loaders, models:
            loaded = watch.loaded(map(loaded_of, loaders.run(watch.starting(inputs), ordered=True)))
            as_groups = (tuple(islice(loaded, len(group))) for group in groups)
            for outcome in _with_model(models, as_groups):
                yield from extracted_of(outcome, extractor, job, writer, self.limits.seconds)


def check(job: Job, writer: Writer) -> None:
    """Loads the model, to see whether it can do the job.

    Raises: as `process_with_model`.
    """
    with process_with_model(Extractor(job, writer), None) as models:
        list(models.run([()]))


def process_with_model(
    extractor: Extractor,
    seconds: float | None,
    *,
    ahead: int = 0,
    folder: Path | None = None,
) -> Workers[Sequence[Loaded], Extracted]:
    """The process that has the model, which may take any time to load it when it starts, as it may be downloaded.

    A run raises a ``ConfigError`` if the model cannot be loaded, and a ``WorkerError`` if the process ends while it
    loads it, three times in a row, for which no document is to blame.

    Args:
        extractor: with the model.
        seconds: what each 25,000 characters of a group may take; None for no limit.
        ahead: as of `Workers`.
        folder: as of `Extractor.load`.
    """
    return Workers(
        extractor,
        1,
        _LIMITS_OF_THE_MODEL,
        initializer=partial(extractor.load, folder),
        ahead=ahead,
        seconds_of=partial(seconds_of, seconds),
        name="processes with the model",
    )


def seconds_of(seconds: float | None, group: Sequence[Loaded]) -> float | None:
    """What the model may take for a group, in seconds: a minute, and ``seconds`` for each 25,000 characters."""
    if seconds is None or not group:
        return None
    return _AT_LEAST + seconds * max(math.ceil(sum(each.characters for each in group) / _CHARACTERS), 1)


def _with_model(
    models: Workers[Sequence[Loaded], Extracted], groups: Iterable[Sequence[Loaded]]
) -> Iterator[Outcome[Sequence[Loaded], Extracted]]:
    """What becomes of groups of documents, after an empty one: the model is loaded while the first one is, too.

    Raises: as `process_with_model`.
    """
    outcomes = models.run(chain([()], groups), ordered=True)
    next(outcomes)
    yield from outcomes


def loaded_of(outcome: Outcome[Input, Loaded]) -> Loaded:
    """What became of loading a document, whichever way it ended."""
    result = outcome.result
    cost: dict[str, Any] = {"attempts": outcome.attempts, "seconds": round(outcome.seconds, 3)}
    if isinstance(result, Loaded):
        return replace(result, status=replace(result.status, **cost))
    if isinstance(result, Lost):
        reason = _ended(result)
        return Loaded(outcome.input, status_of(outcome.input, result.state, "", reason, **cost))
    if isinstance(result.error, (ConfigError, MissingDependencyError)):
        raise result.error
    logger.error("%s:\n%s", shown(outcome.input.address), result.traceback)
    error = result.error
    reason = f"a fault of longdoc, please report it: {type(error).__name__}: {error}"
    return Loaded(outcome.input, status_of(outcome.input, "failed", type(error).__name__, reason, **cost))


def _ended(lost: Lost) -> str:
    return {
        "timed out": f"loading it {lost.reason}; allow more with --timeout",
        "out of memory": f"loading it {lost.reason}; allow more with --memory",
        "crashed": f"loading it ended the process ({lost.reason})",
    }[lost.state]


def extracted_of(
    outcome: Outcome[Sequence[Loaded], Extracted],
    extractor: Extractor,
    job: Job,
    writer: Writer,
    seconds: float | None,
) -> Iterator[Extracted]:
    """What became of a group of documents, each tried by itself if it cost the process with the model.

    ``seconds``: as of `process_with_model`.
    """
    result, group = outcome.result, outcome.input
    if isinstance(result, Extracted):
        yield result
    elif isinstance(result, Raised) and isinstance(result.error, (ConfigError, MissingDependencyError)):
        raise result.error
    elif len(group) < 2:
        yield _lost(group, result, job, writer)
    else:
        logger.warning("%s; %d documents are tried one by one", _fault(result)[2], len(group))
        with process_with_model(extractor, seconds) as models:
            found = [
                own
                for one in _with_model(models, ((each,) for each in group))
                for own in extracted_of(one, extractor, job, writer, seconds)
            ]
        yield Extracted(tuple(done for own in found for done in own.done), writer.join([own.rows for own in found]))


def _lost(group: Sequence[Loaded], cause: Lost | Raised, job: Job, writer: Writer) -> Extracted:
    """A document that ended the process with the model, or with which longdoc failed."""
    state, error, reason = _fault(cause)
    if isinstance(cause, Raised):
        logger.error("%s:\n%s", ", ".join(shown(each.input.address) for each in group), cause.traceback)
    done = [(each.input, replace(each.status, state=state, error=error, reason=shown(reason))) for each in group]
    rows = writer.rows([(status, None) for _, status in done], model=job.model)
    return Extracted(tuple(done), rows)


def _fault(cause: Lost | Raised) -> tuple[State, str, str]:
    """The state, the class of the error, and the reason of documents that the process with the model failed at."""
    if isinstance(cause, Lost) and cause.state == "timed out":
        return cause.state, "", f"reading it with the model {cause.reason}; allow more with --timeout"
    if isinstance(cause, Lost):
        return cause.state, "", f"the process with the model ended: {cause.reason}"
    name = type(cause.error).__name__
    return "failed", name, f"a fault of longdoc, please report it: {name}: {cause.error}"
