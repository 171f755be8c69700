"""The errors a caller may want to catch. Each says what was given, what is allowed and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any


class LongdocError(Exception):
    """Root of every error longdoc raises on purpose."""


class DocumentError(LongdocError):
    """A document could not be read. In a batch it becomes that document's status; alone it is raised."""


class DocumentNotFoundError(DocumentError, FileNotFoundError):
    """The path does not exist, is a folder, or may not be read."""


class UnsupportedFormatError(DocumentError):
    """The content is of a kind no loader reads."""


class EncryptedDocumentError(DocumentError):
    """The document needs a password, or another one than was given."""


class CorruptDocumentError(DocumentError):
    """The content claims a format and breaks its rules beyond repair."""


class NoTextLayerError(DocumentError):
    """The document has pages and none of them carries text (scanned pages, drawings)."""


class LimitExceededError(DocumentError):
    """The document asks more of the machine than the limits allow: size, pages, nesting, unpacked bytes, pixels."""


class TruncationError(LongdocError):
    """The model could not see the whole document, and the caller did not allow that."""


class ConfigError(LongdocError, ValueError):
    """A configuration, schema or model folder has an unknown key, a wrong type or a value out of range."""


class DataError(LongdocError, ValueError):
    """A training or evaluation record is malformed; the message names the file and the line."""


class MissingDependencyError(LongdocError, ImportError):
    """A library that is not installed is needed; the message names the extra that brings it."""


class TrainingError(LongdocError):
    """Training stopped: the loss is no number, or a checkpoint could not be written."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its type if the message is empty."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def did_you_mean(given: object, allowed: Iterable[str]) -> str:
    """``"; did you mean 'windows'?"`` for the allowed name closest to what was given; empty if none is close."""
    close = get_close_matches(str(given), list(allowed), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def require(module: str, *, extra: str, needed_by: str) -> Any:
    """Imports an optional dependency.

    Args:
        module: its name, such as ``"pandas"``.
        extra: the extra of longdoc that installs it.
        needed_by: what needs it, as the first words of the message.

    Raises:
        MissingDependencyError: it is not installed; the message says which command installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(f"{needed_by} needs {module}: pip install 'longdoc[{extra}]'") from error
