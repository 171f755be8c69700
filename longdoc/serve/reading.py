"""Loaded documents → what is found in them, in the process that has the model.

Several documents of which the same is wanted are read together: their windows share batches.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from longdoc.batch.request import Request
from longdoc.batch.stages import give_back_memory, outcomes
from longdoc.document import Document
from longdoc.errors import LongdocError, MissingDependencyError, RecordError, RemoteError
from longdoc.outputs import FORMATS, Outcome
from longdoc.outputs.asked import answers_json

if TYPE_CHECKING:
    from longdoc.pipeline import Pipeline

_PROTOCOL = 5
_CHARACTERS = 4
"""Characters of a token, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Questions about a document; the fields are those of ``Pipeline.ask``."""

    questions: tuple[str, ...]
    top_k: int = 1
    min_score: float | None = None
    head: str | None = None
    all_windows: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Pickled documents of which the same is wanted."""

    documents: tuple[bytes, ...]
    request: Request
    asking: Asking | None = None


class Reader:
    """Group → for each document its pickled prediction, the JSON of its answers, or the error that prevented them."""

    def __init__(self, request: Request) -> None:
        """``request``: names the model; what is wanted of documents comes with them."""
        self._request = request
        self._pipeline: Pipeline | None = None

    def load(self) -> None:
        """Loads the model, and reads a few words, since the first batch takes longer than others.

        Raises:
            ConfigError: there is no such model.
            MissingDependencyError: a library that it needs is not installed.
        """
        try:
            self._pipeline = self._request.load_pipeline()
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library in ("", "longdoc"):
                raise
            raise MissingDependencyError(f"longdoc serve needs {library}: pip install 'longdoc[model]'") from error
        document = pickle.dumps(Document.from_text("This agreement is made by Ada Ltd.", name="warm-up"), _PROTOCOL)
        self(Group((document,), self._request))

    def __call__(self, group: Group | None) -> list[bytes | LongdocError] | int:
        """Reads the documents of a group; without one, tells how many characters a group should have."""
        assert self._pipeline is not None, "load() comes first"
        if group is None:
            return group_characters(self._pipeline)
        documents = [pickle.loads(each) for each in group.documents]
        try:
            if group.asking is not None:
                return [self._answers(self._pipeline, document, group.asking) for document in documents]
            found = outcomes(group.request, self._pipeline, documents)
            return [_sendable(each, group.request) for each in found]
        except LongdocError as error:  # of what is wanted, which is the same for all
            return [error] * len(documents)
        finally:
            del documents
            give_back_memory()

    def _answers(self, pipeline: Pipeline, document: Document, asking: Asking) -> bytes:
        options: dict[str, Any] = {"top_k": asking.top_k, "min_score": asking.min_score, "head": asking.head}
        options |= {"windows": None} if asking.all_windows else {}
        answers = pipeline.ask(document, list(asking.questions), **options)
        return answers_json(document, list(zip(asking.questions, answers, strict=True))).encode()


def group_characters(pipeline: Pipeline) -> int:
    """How long the documents of a group should be together: until each thread of a CPU, or a GPU, has a full batch.

    In more, the first document would wait for the last, though the threads are busy already.
    """
    sizes = [
        each.batch_tokens * (1 if each.device.type == "cuda" else os.cpu_count() or 1) for each in pipeline.readers
    ]
    return _CHARACTERS * max(sizes, default=0)


def _sendable(outcome: Any, request: Request) -> bytes | LongdocError:
    """What becomes of a document, for the server."""
    if isinstance(outcome, LongdocError):
        return outcome
    if isinstance(outcome, Exception):
        return RemoteError(type(outcome).__name__, str(outcome))
    prediction, no_record = outcome
    return RecordError(no_record) if no_record else pickle.dumps(prediction, _PROTOCOL)


def rendered(prediction: bytes, source: str, format: str) -> str:
    """A pickled prediction in an output format of text, as the command line writes it.

    Args:
        prediction: what a :class:`Reader` gave.
        source: the name of the document, as its sender gave it.
        format: a key of ``longdoc.outputs.FORMATS``.
    """
    stream = StringIO()
    outcomes: Sequence[Outcome] = [Outcome(source, pickle.loads(prediction))]
    FORMATS[format].write(outcomes, stream)
    return stream.getvalue()
