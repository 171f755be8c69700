"""The errors that callers may want to catch. Each says what was given, what is allowed and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any


class LongdocError(Exception):
    """Base class of the errors that longdoc raises deliberately."""


class DocumentError(LongdocError):
    """A document cannot be read. Raised for a single document; in a batch, the status of that document."""


class DocumentNotFoundError(DocumentError, FileNotFoundError):
    """The path does not exist, is a folder, or is not readable."""


class UnsupportedFormatError(DocumentError):
    """The format of the content is not supported."""


class EncryptedDocumentError(DocumentError):
    """The document requires a password, or the given one is wrong."""


class CorruptDocumentError(DocumentError):
    """The content is malformed beyond repair."""


class NoTextLayerError(DocumentError):
    """No page of the document has text (scans, drawings)."""


class LimitExceededError(DocumentError):
    """The document exceeds a limit on size, pages, nesting, unpacked bytes or pixels."""


class LoaderDiedError(DocumentError):
    """The process that loaded the document crashed, or was killed."""


class LoaderTimeoutError(LoaderDiedError):
    """Loading the document took longer than it may; its process was killed."""


class LoaderMemoryError(LoaderDiedError):
    """Loading the document needed more memory than it may, or than there is."""


class RecordError(DocumentError):
    """A record was asked of a document that is of another kind; the message says what the document looks like."""


class ConfigError(LongdocError, ValueError):
    """A configuration, schema, rule file or model folder has an unknown key, a wrong type or a value out of range."""


class CheckpointWarning(UserWarning):
    """A checkpoint is read, but does not say what its user has to know; the message says what to do."""


class PrecisionWarning(UserWarning):
    """A model computes in another number format than was asked for; the message says in which, and why."""


class ComputeError(LongdocError, RuntimeError):
    """A model cannot compute: out of memory, or, for an exported graph, an operator that its runtime lacks."""


class OutputWarning(UserWarning):
    """A file is written, but lacks something that its reader may expect; the message says what, and why."""


class RedactionError(LongdocError):
    """A redacted file was not written, since what should be gone is still in it; the message says where."""


class ConcurrencyError(LongdocError, RuntimeError):
    """Two threads use at a time what one may use."""


class DataError(LongdocError, ValueError):
    """A training or evaluation record is malformed; the message names the file and the line."""


class MissingDependencyError(LongdocError, ImportError):
    """A required library is not installed; the message names the extra that installs it."""


class TrainingError(LongdocError):
    """Training stopped: the loss is not finite, or a checkpoint could not be written."""


class WorkerError(LongdocError, RuntimeError):
    """Worker processes cannot start, or were closed before they had an answer; the message says why."""


class RemoteError(LongdocError):
    """Stands in for an error of a worker process that cannot be sent to its parent."""

    def __init__(self, name: str, text: str) -> None:
        """Takes both as arguments of the exception, so that it can be pickled.

        Args:
            name: the name of the error's class.
            text: what the error says.
        """
        super().__init__(name, text)
        self.name = name
        self.text = text

    def __str__(self) -> str:
        return self.text


class SearchError(LongdocError):
    """An index cannot be searched: it is damaged, or the model at hand is not the one that made it."""


class BatchError(LongdocError):
    """A batch cannot go on: the disk is full, another run writes to its folder, or its journal is damaged."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its type if the message is empty."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def did_you_mean(given: object, allowed: Iterable[str]) -> str:
    """``"; did you mean 'windows'?"`` for the allowed name closest to what was given; empty if none is close.

    >>> did_you_mean("party", ["Parties", "PARTY"])
    "; did you mean 'PARTY'?"
    """
    names, wanted = list(allowed), str(given)
    same = [name for name in names if name.casefold() == wanted.casefold()]  # before those with other letters
    close = same or get_close_matches(wanted, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def require(module: str, *, extra: str, needed_by: str) -> Any:
    """Imports an optional dependency.

    Args:
        module: name of the module, such as ``"pandas"``.
        extra: the extra of longdoc that installs it.
        needed_by: the feature that needs it; the message starts with it.

    Raises:
        MissingDependencyError: the module is not installed; the message gives the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(f"{needed_by} needs {module}: pip install 'longdoc[{extra}]'") from error
