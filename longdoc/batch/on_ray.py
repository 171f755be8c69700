"""The engine for a cluster: the stages of a batch in actors of Ray Data, on one machine or on many.

    groups of inputs ──LoadGroups──▶ groups of documents ──ExtractGroups──▶ rows, in order

A row of Ray is a group of documents, so that the results, and the files that are made of them, are those of the local
engine. What a document may break is not an actor but a process that the actor has started: Ray tries what kills an
actor again and again, and what raises in one ends the run, or with it the other documents of a block. So stages never
raise: an error that ends the run, such as that of a model that does not exist, is passed on as a row, and raised here.

The nodes of a cluster need longdoc with the extra ``ray``, and must find documents, rules and the model at the paths
that this machine has them at, such as those of a shared file system, or by addresses such as ``s3://bucket/leases``.
"""

from __future__ import annotations

import math
import os
import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from longdoc.batch.doing import Watch
from longdoc.batch.inputs import Input
from longdoc.batch.local import extracted_of, loaded_of, process_with_model
from longdoc.batch.ray_cluster import cluster
from longdoc.batch.stages import Extracted, Extractor, Job, Loaded, Loader, groups_of, prepare_loading
from longdoc.batch.writers import Writer
from longdoc.errors import BatchError, ConfigError, first_line, require
from longdoc.model_files import is_folder
from longdoc.workers import Limits, Outcome, Workers

if TYPE_CHECKING:
    import pyarrow

T = TypeVar("T")
R = TypeVar("R")

_LOADERS = 8
"""Processes that load documents for each one with a model, if there are so many processors."""
_AHEAD = 2**28
"""Bytes of documents and rows that wait, for each process with a model."""
_MOST_CPUS = 0.5
"""What an actor asks for. It is a matter of places alone: loaders use what the model leaves of the processors."""
_PROTOCOL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RayEngine:
    """Extracts on a cluster of Ray, or on this machine with one that is started for it.

    Raises:
        MissingDependencyError: Ray is not installed.
    """

    address: str | None
    """Of a running cluster, ``"auto"`` for the one of this machine; if None, ``RAY_ADDRESS`` or a new one. If this
    process uses Ray already, its cluster is used, and left running."""
    workers: int | None
    """How many processes load documents; by default eight for each one with a model, at most one a processor."""
    limits: Limits
    """What loading a document may cost, and the model may take; as of the local engine."""
    gpus: float = 1.0
    """Of each process with a model; with 0.5 two processes share a GPU."""

    def __post_init__(self) -> None:
        require("ray", extra="ray", needed_by="--engine ray")
        if not 0 < self.gpus <= 1:
            raise ConfigError(f"gpus must be above 0 and at most 1; got {self.gpus!r}")

    def extract(self, job: Job, writer: Writer, inputs: Sequence[Input], _: Watch) -> Generator[Extracted]:
        """Extracts from documents, in groups and in order.

        Raises:
            ConfigError: there is no such cluster, the model cannot be loaded, or cannot do what was requested.
            WorkerError: processes cannot start.
            BatchError: the cluster stopped.
        """
        if job.device.startswith("cuda:"):
            raise ConfigError(
                f"device is {job.device!r}, but Ray deals the GPUs out to processes; use 'cuda' for all that the "
                "cluster has, and start the cluster with fewer if it is to use fewer"
            )
        groups = [pickle.dumps(group, _PROTOCOL) for group in groups_of(inputs)]
        with cluster(self.address) as ray:
            try:
                with closing(self._rows(ray, job, writer, groups)) as rows:
                    for row in rows:
                        found = pickle.loads(row)
                        if isinstance(found, Exception):
                            raise found
                        yield found
            except ray.exceptions.RayError as error:
                raise BatchError(f"the Ray cluster stopped; call again to go on: {first_line(error)}") from error

    def _rows(self, ray: Any, job: Job, writer: Writer, groups: Sequence[bytes]) -> Generator[bytes]:
        """The results of all groups in their order, pickled."""
        crew = self._crew(ray, job.device, len(groups))
        folder = Path.cwd() if job.model != "default" and is_folder(Path(job.model)) else None
        extractor = (
            Extractor(job, writer),
            job,
            writer,
            self.limits.seconds,
            os.environ.get("OMP_NUM_THREADS"),
            folder,
        )
        items = [{"number": number, "group": group} for number, group in enumerate(groups)]
        rows = ray.data.from_items(items, override_num_blocks=len(items))
        rows = _mapped(ray, rows, LoadGroups, (Loader(job), self.limits), crew.loaders, num_cpus=crew.cpus)
        rows = _mapped(
            ray, rows, ExtractGroups, extractor, crew.extractors, num_cpus=crew.cpus, num_gpus=crew.gpus or None
        )
        _set_up(ray, rows.context, crew.extractors)
        batches = rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
        with closing(iter(batches)) as tables:
            for number, found in enumerate(tables):
                if found["number"].to_pylist() != [number]:
                    raise BatchError(f"Ray lost group {number} of documents, or its place; call again to go on")
                yield found["group"][0].as_py()

    def _crew(self, ray: Any, device: str, n_groups: int) -> _Crew:
        """How many actors there are.

        Raises:
            ConfigError: there are no GPUs, and one is requested.
        """
        has = ray.cluster_resources()
        n_gpus, n_cpus = has.get("GPU", 0.0), max(has.get("CPU", 0.0), 1.0)
        on_gpus = device == "cuda" or (device == "auto" and n_gpus >= self.gpus)  # Ray shows each process its own
        if on_gpus and n_gpus < self.gpus:
            raise ConfigError(f"device {device!r}: the Ray cluster has {n_gpus:g} GPUs; use another device, or 'auto'")
        nodes = sum(bool(node["Alive"] and node["Resources"].get("CPU")) for node in ray.nodes())
        extractors = min(math.floor(n_gpus / self.gpus) if on_gpus else max(nodes, 1), n_groups)
        loaders = min(self.workers or min(_LOADERS * extractors, math.floor(n_cpus)), n_groups)
        # All actors together take half of the processors at most, so that each finds a place at once.
        cpus = min(_MOST_CPUS, n_cpus / 2 / (loaders + extractors))
        return _Crew(loaders, extractors, math.floor(cpus * 1e4) / 1e4, self.gpus if on_gpus else 0.0)


@dataclass(frozen=True, slots=True)
class _Crew:
    """How many actors there are, and what each asks for."""

    loaders: int
    extractors: int
    cpus: float
    gpus: float


def _set_up(ray: Any, context: Any, extractors: int) -> None:
    """Has Ray Data keep the order, and take few documents ahead."""
    context.execution_options.preserve_order = True
    context.execution_options.resource_limits = ray.data.ExecutionResources(object_store_memory=_AHEAD * extractors)


def _mapped(ray: Any, rows: Any, actor: type, arguments: tuple[Any, ...], count: int, **resources: Any) -> Any:
    """The rows that actors make of rows, a block at a time."""
    return rows.map_batches(
        actor,
        fn_constructor_args=arguments,
        batch_size=1,  # as a block has; with GPUs, Ray wants it said
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(size=count, max_tasks_in_flight_per_actor=2),
        **resources,
    )


# -------------------------------------------------------------------------------------------------------------- actors


class LoadGroups:
    """An actor that loads the documents of groups."""

    def __init__(self, loader: Loader, limits: Limits) -> None:
        self._process = _Process(Workers(loader, 1, limits, initializer=prepare_loading, ahead=0))

    def __call__(self, rows: pyarrow.Table) -> pyarrow.Table:
        """Loads groups of documents."""
        return _with_answers(rows, self._load)

    def _load(self, group: Sequence[Input]) -> tuple[Loaded, ...]:
        return tuple(loaded_of(self._process.ask(each)) for each in group)


class ExtractGroups:
    """An actor with a model, in a process of its own that starts while the first documents are loaded."""

    def __init__(
        self,
        extractor: Extractor,
        job: Job,
        writer: Writer,
        seconds: float | None,
        threads: str | None,
        folder: Path | None,
    ) -> None:
        """Loads the model.

        Args:
            extractor: of the job.
            job: what is done with the documents.
            writer: of the rows.
            seconds: as of `process_with_model`.
            threads: ``OMP_NUM_THREADS`` of the process that started the run. Ray sets it to what the actor asks for,
                which is much less than the processors that the model may use.
            folder: what the path of the model is relative to, if it is.
        """
        os.environ.pop("OMP_NUM_THREADS", None)
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
        self._process = _Process(process_with_model(extractor, seconds, folder=folder))
        self._rest = extractor, job, writer, seconds
        self._error: Exception | None = None
        try:
            self._process.ask(())
        except Exception as error:  # told with the first group, since what an actor raises when it starts ends the run
            self._error = error

    def __call__(self, rows: pyarrow.Table) -> pyarrow.Table:
        """Extracts from groups of documents."""
        return _with_answers(rows, self._extract)

    def _extract(self, group: Sequence[Loaded]) -> Extracted:
        if self._error is not None:
            raise self._error
        (found,) = extracted_of(self._process.ask(group), *self._rest)
        return found


class _Process(Generic[T, R]):
    """A worker process that stays from one input to the next."""

    def __init__(self, workers: Workers[T, R]) -> None:
        self._inputs: deque[T] = deque()
        self._outcomes = workers.run(self._given(), ordered=True)

    def ask(self, given: T) -> Outcome[T, R]:
        self._inputs.append(given)
        return next(self._outcomes)

    def _given(self) -> Iterator[T]:
        while True:  # one worker and none ahead: an input is taken only when the outcome of the last one was
            yield self._inputs.popleft()


def _with_answers(rows: pyarrow.Table, stage: Callable[[Any], object]) -> pyarrow.Table:
    """Rows with what a stage makes of their groups."""
    import pyarrow

    answers = [_answer(stage, message.as_py()) for message in rows["group"]]
    return rows.set_column(1, "group", pyarrow.array(answers, pyarrow.large_binary()))


def _answer(stage: Callable[[Any], object], message: bytes) -> bytes:
    """What a stage makes of a message: its result or its error, or the error of the stage before it."""
    given = pickle.loads(message)
    if isinstance(given, Exception):
        return message
    try:
        answer = stage(given)
    except Exception as error:  # raised again where the run was started
        answer = error
    return pickle.dumps(answer, _PROTOCOL)
