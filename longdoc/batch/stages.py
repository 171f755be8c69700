"""The two stages of a batch: load → extract. Plain functions on records, which the engines run where they like.

    Input ──Loader──▶ Loaded ──┐
    Input ──Loader──▶ Loaded ──┴─Extractor──▶ Extracted: statuses and rows

Documents are extracted in groups, whose windows share batches. Which documents form a group depends on the inputs
alone, so that a run that is interrupted and goes on computes what an undisturbed one does, to the last digit.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from longdoc.batch.inputs import Input, look, open_input, sha256_of
from longdoc.batch.status import State, Status
from longdoc.batch.writers import Writer
from longdoc.document import Document
from longdoc.document_type import document_type
from longdoc.errors import ConfigError, DocumentError, DocumentNotFoundError, first_line
from longdoc.loaders import load
from longdoc.loaders.isolated import import_loaders
from longdoc.loaders.remedies import for_command_line
from longdoc.summary import count, shown

if TYPE_CHECKING:
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Gap

logger = logging.getLogger(__name__)

_LARGE = 64 * 1024
"""Bytes from which a file counts as one of eight in a group."""
_IN_GROUP = 8
_PROTOCOL = 5
_ATTEMPTS_TO_READ = 3
_SHAPES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}
"""How many shapes of batches oneDNN and torch keep code for, about 0.1 MB each. Their own limits of 1,024 are reached
only after hundreds of documents, so that memory grows all the while."""
_REMEDIES = {"password": "--password, with --retry-failed"}
"""Argument of ``load`` → the option of a batch that gives it."""


class Found(Protocol):
    """What a job makes of a document, such as a prediction."""

    @property
    def document(self) -> Document: ...
    @property
    def gaps(self) -> Sequence[Gap]:
        """What of the text the model did not see."""

    @property
    def kind(self) -> str:
        """The kind of the document, if that has chosen what was done."""


class Job(Protocol):
    """What a batch does with documents: all that its rows depend on. It can be pickled; see `batch.request.Request`."""

    @property
    def model(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def password(self) -> str | None: ...
    @property
    def ocr(self) -> str: ...
    def settings(self) -> Mapping[str, Any]:
        """What the rows depend on, beside the model, as in JSON."""

    def check(self) -> None:
        """Refuses with a ``ConfigError`` what the model cannot do, as far as its settings tell; nothing is loaded."""

    def load_pipeline(self) -> Any:
        """Loads the model; what it returns has ``readers``. ``ConfigError`` if there is no such model."""

    def read(self, pipeline: Any, documents: Iterable[Document], /) -> Iterator[tuple[Found, str]]:
        """What is found in each document, in order, and why it has no record if one was requested.

        Raises:
            ConfigError: the model cannot do it.
        """


Outcome: TypeAlias = tuple[Found, str] | Exception
"""What became of a document: what was found, and why it has no record if one was requested; or why there is nothing."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document that was loaded, or the status that says why not."""

    input: Input
    status: Status
    document: bytes | None = None
    """The pickled document: it passes through processes that need not know what is in it."""
    characters: int = 0
    """The length of its text."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """Documents that were read together: what became of each, and their rows by table."""

    done: tuple[tuple[Input, Status], ...]
    rows: dict[str, Any]


def groups_of(inputs: Iterable[Input]) -> Iterator[tuple[Input, ...]]:
    """Consecutive inputs, to be extracted together: eight, or more if their files are small."""
    group: list[Input] = []
    n_bytes = 0
    for each in inputs:
        group.append(each)
        n_bytes += min(max(each.size, 1024), _LARGE)
        if n_bytes >= _IN_GROUP * _LARGE:
            yield tuple(group)
            group, n_bytes = [], 0
    if group:
        yield tuple(group)


def status_of(each: Input, state: State, error: str, reason: str, **rest: Any) -> Status:
    """The status of a document of which there is no prediction."""
    return Status(address=each.address, id="", state=state, error=error, reason=_without_name(reason, each), **rest)


def _without_name(reason: str, each: Input) -> str:
    """A reason without the name of the document, which its status has."""
    for name in (each.address, os.path.basename(each.address)):  # noqa: PTH119 (addresses of other file systems)
        reason = shown(reason).removeprefix(f"{shown(name)}: ")
    return for_command_line(reason, _REMEDIES)


# --------------------------------------------------------------------------------------------------------------- load


class Loader:
    """Input → Loaded. A document that cannot be loaded has its status; other errors are faults of longdoc."""

    def __init__(self, job: Job) -> None:
        self._options: dict[str, Any] = {"password": job.password, "ocr": job.ocr}

    def __call__(self, each: Input) -> Loaded:
        """Loads a document."""
        if each.problem:
            return Loaded(each, status_of(each, "failed", DocumentNotFoundError.__name__, each.problem))
        try:
            for _ in range(_ATTEMPTS_TO_READ):
                before = look(each.address)
                document = self._load(each.address)
                if look(each.address) == before:
                    break
            else:
                reason = "changes while it is read; run the same command again when it is complete"
                return Loaded(each, status_of(each, "failed", DocumentError.__name__, reason))
        except DocumentError as error:
            status = status_of(each, "failed", type(error).__name__, str(error))
            return Loaded(each, replace(status, id=_id_of(each.address)))
        document_type(document)  # kept with the document, so that the model need not wait for it
        status = Status(address=each.address, id=document.source.sha256, state="ok", pages=len(document.pages))
        return Loaded(each, status, pickle.dumps(document, _PROTOCOL), len(document.text))

    def _load(self, address: str) -> Document:
        if os.path.isabs(address):  # noqa: PTH117 (addresses of other file systems are no paths)
            return load(address, **self._options)
        with open_input(address) as stream:
            content = BytesIO(stream.read())
        content.name = address.rpartition("/")[2]
        return load(content, **self._options)


def _id_of(address: str) -> str:
    """The digest of a document that cannot be loaded; empty if its file cannot be read either."""
    try:
        return sha256_of(address)
    except DocumentNotFoundError:
        return ""


def prepare_loading() -> None:
    """Imports what loads documents, so that the first one is not charged for it, in a process that yields to the model.

    The model then never waits for a process that loads ahead.
    """
    import_loaders()
    if sys.platform != "win32":
        os.nice(10)
    with suppress(OSError):  # of a kernel without groups of sessions, which share a processor before their processes do
        Path("/proc/self/autogroup").write_text("10", encoding="ascii")


# ------------------------------------------------------------------------------------------------------------- extract


class Extractor:
    """Loaded documents → Extracted. The model is loaded by `load`, or else with the first group."""

    def __init__(self, job: Job, writer: Writer) -> None:
        self._job, self._writer = job, writer
        self._pipeline: Pipeline | None = None

    def load(self, folder: Path | None = None) -> Pipeline:
        """Loads the model; in another working directory, which stays, if its path is relative to that.

        Raises:
            ConfigError: there is no such model, or it cannot do what was requested.
        """
        for name, limit in _SHAPES.items():  # read with the first batch
            os.environ.setdefault(name, limit)
        if folder is not None:
            os.chdir(folder)
        pipeline: Pipeline = self._job.load_pipeline()
        self._pipeline = pipeline
        list(self._job.read(pipeline, []))  # refuses tasks that the model has not
        return pipeline

    def __call__(self, group: Sequence[Loaded]) -> Extracted:
        """Extracts from documents what was requested.

        Raises:
            ConfigError: as for `load`.
        """
        pipeline = self._pipeline or self.load()
        started = time.monotonic()
        documents = {i: pickle.loads(each.document) for i, each in enumerate(group) if each.document is not None}
        found = dict(zip(documents, outcomes(self._job, pipeline, [*documents.values()]), strict=True))
        n_tokens = {i: _n_tokens(pipeline, document) for i, document in documents.items()}
        pace = (time.monotonic() - started) / max(sum(n_tokens.values()), 1)
        statuses = [
            _status(each, found[i], n_tokens[i], n_tokens[i] * pace) if i in found else each.status
            for i, each in enumerate(group)
        ]
        made = [_made(found.get(i)) for i in range(len(group))]
        rows = self._writer.rows(list(zip(statuses, made, strict=True)), model=self._job.model)
        del documents, found, made
        give_back_memory()
        return Extracted(tuple((each.input, status) for each, status in zip(group, statuses, strict=True)), rows)


def outcomes(job: Job, pipeline: Pipeline, documents: Sequence[Document]) -> list[Outcome]:
    """What becomes of each document; if one of several makes the model fail, each is read by itself.

    Raises:
        ConfigError: as for `Job.read`.
    """
    try:
        return list(job.read(pipeline, documents))
    except ConfigError:
        raise
    except Exception as error:  # whatever it is, it costs the document that caused it, and no other
        if len(documents) > 1:
            return [found for document in documents for found in outcomes(job, pipeline, [document])]
        if not isinstance(error, DocumentError):
            logger.error("%s:\n%s", documents[0].source.name, "".join(format_exception(error)))
        return [error]


def give_back_memory() -> None:
    """Returns free memory to the system, which glibc keeps where it is scattered between what is in use."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _n_tokens(pipeline: Pipeline, document: Document) -> int:
    return len(pipeline.readers[0].tokenize(document)) if pipeline.readers else 0


def _made(outcome: Outcome | None) -> Any:
    return None if outcome is None or isinstance(outcome, Exception) else outcome[0]


def _status(loaded: Loaded, outcome: Outcome, n_tokens: int, seconds: float) -> Status:
    """The status of a document that was loaded, after the model."""
    before = loaded.status
    status = replace(before, tokens=n_tokens, seconds=round(before.seconds + seconds, 3))
    if isinstance(outcome, Exception):
        state: State = "out of memory" if _is_out_of_memory(outcome) else "failed"
        reason = _without_name(first_line(outcome), loaded.input)
        return replace(status, state=state, error=type(outcome).__name__, reason=reason)
    made, no_record = outcome
    lacks = [*_lacks(made)]
    reasons = [f"no record: {_without_name(no_record, loaded.input)}"] * bool(no_record) + lacks
    is_whole = not lacks and (not no_record or made.kind == "other")
    return replace(status, state="ok" if is_whole else "partial", reason="; ".join(reasons))


def _lacks(made: Found) -> Iterator[str]:
    """What of a document was not read."""
    if made.gaps:
        reasons = ", ".join(dict.fromkeys(gap.reason for gap in made.gaps))
        unseen = count(sum(gap.end - gap.start for gap in made.gaps), "character")
        yield f"the model did not see {unseen} of {len(made.document.text):,} ({reasons})"
    for verdict in ("scanned", "garbled"):
        pages = [page for page in made.document.pages if page.verdict == verdict and page.confidence is None]
        if pages:
            numbers = ", ".join(str(page.number) for page in pages[:10]) + (" …" if len(pages) > 10 else "")
            yield f"{verdict} {'page' if len(pages) == 1 else 'pages'} without text: {numbers}"


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, of the processor or of a GPU, whose error is no ``MemoryError``."""
    told = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in told or "can't allocate memory" in told
