"""Documents in, predictions out: lazily, in order, with windows of several documents in one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from threading import Lock
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, get_args

from tqdm import tqdm

from longdoc.arguments import check_choice, check_count, check_flags, check_score, names_in
from longdoc.decode import Overlap, without_overlap
from longdoc.document import Document
from longdoc.document_type import document_type
from longdoc.engine import Engine, Findings
from longdoc.errors import ConcurrencyError, ConfigError, DocumentError
from longdoc.findings import place
from longdoc.heads import DecodeOptions, kind_of
from longdoc.labels import Entity
from longdoc.loaders import DocumentLike, as_document
from longdoc.loaders.isolated import death_of, import_loaders
from longdoc.loaders.limits import MEMORY, SECONDS
from longdoc.prediction import Failure, Prediction
from longdoc.reader import Reading
from longdoc.rules import RULES, Rules
from longdoc.workers import Limits, Lost, Raised, Workers

T = TypeVar("T")
OnError: TypeAlias = Literal["raise", "yield"]

BATCHES_AHEAD = 16
"""Batches that are filled from documents before the first of them is encoded."""
LOADED_AHEAD = 24
"""Documents that workers load before they are needed."""
PROGRESS_DELAY = 2.0
"""Seconds before a progress bar is shown."""


def progress_bar(shown: bool | None) -> tqdm[Any]:
    """A bar that counts tokens; by default it is shown only on a terminal, and after a while."""
    disable = None if shown is None else not shown
    return tqdm(unit="token", unit_scale=True, delay=PROGRESS_DELAY, leave=False, disable=disable)


class StreamOptions(TypedDict, total=False):
    """The arguments of :meth:`longdoc.pipeline.Pipeline.pipe` that do not change the type of what it yields."""

    tasks: Sequence[str] | None
    batch_size: int | None
    overlap: Overlap
    min_score: float | None
    workers: int


class AskOptions(TypedDict, total=False):
    """The arguments of :meth:`longdoc.pipeline.Pipeline.ask` that do not change the type of what it returns."""

    top_k: int
    min_score: float | None
    head: str | None
    windows: int | None


@dataclass(frozen=True, slots=True)
class _Item:
    """A document in progress, its readings, and the object that came with it."""

    document: Document | Failure
    readings: list[Reading]
    companion: Any
    tasks: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How documents are read; the fields are described at :meth:`longdoc.pipeline.Pipeline.pipe`."""

    engine: Engine
    rules: Rules | None
    tasks: tuple[str, ...]
    batch_size: int | None
    overlap: Overlap
    on_error: OnError
    min_score: float | None = None
    workers: int = 0
    by_kind: bool = False
    """Whether the kind of a document decides which of the tasks it is read with."""

    def __post_init__(self) -> None:
        check_count("batch_size", self.batch_size, 1, optional=True)
        check_count("workers", self.workers, 0)
        check_choice("overlap", self.overlap, get_args(Overlap))
        check_choice("on_error", self.on_error, get_args(OnError))
        check_score("min_score", self.min_score)

    def outcomes(
        self, pairs: Iterable[tuple[DocumentLike, Any]], progress: Callable[[], tqdm[Any]]
    ) -> Generator[tuple[Prediction | Failure, Any]]:
        """The outcome of each document, in order, with the object that came with it."""
        options = DecodeOptions(min_score=self.min_score)
        with progress() as bar:
            for group in self._groups(pairs):
                readings = [reading for item in group for reading in item.readings]
                found = iter(self.engine.find(readings, bar, [options] * len(readings)))
                for item in group:
                    if isinstance(item.document, Failure):
                        yield item.document, item.companion
                    else:
                        own = [next(found) for _ in item.readings]
                        yield self._prediction(item.document, item, own), item.companion

    def _groups(self, pairs: Iterable[tuple[DocumentLike, Any]]) -> Iterator[list[_Item]]:
        """Documents that are encoded together."""
        group: list[_Item] = []
        n_tokens = 0
        enough = BATCHES_AHEAD * max((reader.batch_tokens for reader in self.engine.readers), default=1)
        try:
            for document, companion in self._loaded_by_workers(pairs) if self.workers else self._loaded_here(pairs):
                group.append(self._item(document, companion))
                n_tokens += sum(len(reading.tokens) for reading in group[-1].readings)
                full = n_tokens >= enough or not n_tokens  # nothing waits for the encoder
                if len(group) == self.batch_size or (self.batch_size is None and full):
                    yield group
                    group, n_tokens = [], 0
        except Exception:
            if group:  # the documents before the one that failed were read
                yield group
            raise
        if group:
            yield group

    def _item(self, document: Document | Failure, companion: Any) -> _Item:
        if isinstance(document, Failure):
            return _Item(document, [], companion)
        kind = document_type(document).kind if self.by_kind else None
        tasks = self.engine.heads_for(kind, tasks=self.tasks) if kind else self.tasks
        try:
            readings = self.engine.read(document, tasks)
        except DocumentError as error:
            return _Item(self._failure(document.source.name, error), [], companion)
        return _Item(document, readings, companion, tasks, kind or "")

    def _loaded_here(self, pairs: Iterable[tuple[DocumentLike, Any]]) -> Iterator[tuple[Document | Failure, Any]]:
        for source, companion in pairs:
            try:
                yield as_document(source), companion
            except DocumentError as error:
                yield self._failure(source, error), companion

    def _loaded_by_workers(self, pairs: Iterable[tuple[DocumentLike, Any]]) -> Iterator[tuple[Document | Failure, Any]]:
        companions: deque[Any] = deque()

        def sources() -> Iterator[DocumentLike]:
            for source, companion in pairs:
                companions.append(companion)
                yield source

        limits = Limits(seconds=SECONDS, memory=MEMORY)
        with Workers(as_document, self.workers, limits, initializer=import_loaders, ahead=LOADED_AHEAD) as workers:
            for outcome in workers.run(sources(), ordered=True):
                result, source = outcome.result, outcome.input
                if isinstance(result, Lost):
                    yield self._failure(source, death_of(_name_of(source), result)), companions.popleft()
                elif isinstance(result, Raised):
                    yield self._failure(source, result.error), companions.popleft()
                else:
                    yield result, companions.popleft()

    def _failure(self, source: DocumentLike, error: BaseException) -> Failure:
        """What stands for a document that cannot be read; or its error is raised, as other errors always are."""
        if self.on_error == "raise" or not isinstance(error, DocumentError):
            raise error
        return Failure(_name_of(source), error)

    def _prediction(self, document: Document, item: _Item, found: Sequence[Findings]) -> Prediction:
        """The findings of all heads and rules in one document."""
        by_field: dict[str, list[Any]] = {"entities": [], "spans": [], "labels": []}
        for by_head in found:
            for name, findings in by_head.items():
                by_field[kind_of(self.engine.heads[name]).finds or ""] += findings
        if RULES in self.tasks and self.rules is not None:
            by_field["entities"] += _rule_entities(document, self.rules)
        entities = sorted(by_field["entities"], key=lambda e: (e.start, e.end, e.label))
        return Prediction(
            document=document,
            entities=tuple(without_overlap(entities, self.overlap)),
            spans=tuple(by_field["spans"]),
            labels=tuple(by_field["labels"]),
            gaps=self.engine.gaps(document, item.tasks, item.readings),
            tasks=item.tasks,
            kind=item.kind,
        )


class OneThread(Generic[T]):
    """An iterator that says so if two threads use it at a time."""

    def __init__(self, outcomes: Generator[T]) -> None:
        self._outcomes, self._lock = outcomes, Lock()

    def __iter__(self) -> OneThread[T]:
        return self

    def __next__(self) -> T:
        with self._alone():
            return next(self._outcomes)

    def close(self) -> None:
        """Ends it early, and the processes that load for it."""
        with self._alone():
            self._outcomes.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise ConcurrencyError(
                "two threads take documents from one call of pipe at a time; call pipe in each of them, with documents "
                "of its own, or take them in one thread"
            )
        try:
            yield
        finally:
            self._lock.release()


def pairs_of(documents: Iterable[Any], *, as_tuples: bool) -> Iterator[tuple[DocumentLike, Any]]:
    """Each document with the object that comes with it, or with None.

    Raises:
        ConfigError: they are one document, or none; with ``as_tuples``, when it is reached, one that is no pair.
    """
    if isinstance(documents, (str, bytes, PathLike, Document)) or not isinstance(documents, Iterable):
        raise ConfigError(f"pipe reads many documents; give it a list, such as [{documents!r:.80}]")
    check_flags(as_tuples=as_tuples)
    return map(_pair, documents) if as_tuples else ((document, None) for document in documents)


def _pair(given: Any) -> tuple[DocumentLike, Any]:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ConfigError(f"with as_tuples=True, documents are pairs (document, any object); got {given!r:.80}")
    return given[0], given[1]


def checked_tasks(tasks: Sequence[str] | None, available: Sequence[str]) -> tuple[str, ...]:
    """The tasks to do: the given ones, or by default all available ones except the rules.

    Raises:
        ConfigError: a task is not available, or there is nothing to do.
    """
    tasks = None if tasks is None else names_in("tasks", tasks, f"names, of {', '.join(available)}", str)
    if tasks is not None and not tasks:
        raise ConfigError(f"tasks is empty; name some of {', '.join(available)}, or leave it out for all of them")
    if unknown := set(tasks or ()) - set(available):
        raise ConfigError(f"the model has no task {', '.join(sorted(unknown))}; it has {', '.join(available)}")
    chosen = tuple(name for name in available if name != RULES) if tasks is None else tuple(tasks)
    if not chosen:
        rules = f", or tasks=[{RULES!r}]" if RULES in available else ""
        raise ConfigError(f"no head here works without a question; use ask, infer, embed or fill{rules}")
    return chosen


def _name_of(source: DocumentLike) -> str:
    if isinstance(source, (str, PathLike)):
        return str(source)
    return "bytes" if isinstance(source, bytes) else str(getattr(source, "name", "file object"))


def _rule_entities(document: Document, rules: Rules) -> list[Entity]:
    found = rules.find(document.text)
    return [Entity(label=s.label, score=1.0, source=RULES, **place(document, s.start, s.end)) for s in found]
