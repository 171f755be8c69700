"""What can be wrong with a request, and how its sender is told: a status, and JSON with error, message and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from longdoc.errors import (
    ConfigError,
    DocumentError,
    DocumentNotFoundError,
    LimitExceededError,
    LoaderMemoryError,
    LoaderTimeoutError,
    LongdocError,
    RemoteError,
    UnsupportedFormatError,
    WorkerError,
)
from longdoc.loaders.remedies import for_command_line
from longdoc.summary import shown


class RequestError(LongdocError):
    """A request is refused, or given up."""


class MalformedRequestError(RequestError):
    """It is no request that this server knows."""


class CharsetError(RequestError):
    """Its fields are declared to be in another encoding than UTF-8."""


class BodyTypeError(RequestError):
    """Its body is no form."""


class UnauthorizedError(RequestError):
    """It bears no token, or another one."""


class PathError(RequestError):
    """It names a file that is not below the root, or the server has no root."""


class CrossSiteError(RequestError):
    """A web page of another site sent it, and the server has no token."""


class UnknownJobError(RequestError):
    """There is no such job, or it was forgotten."""


class SlowUploadError(RequestError):
    """Its body did not arrive in time."""


class NotReadyError(RequestError):
    """The result is not there yet."""


class TooLargeError(RequestError):
    """Its document is larger than allowed."""


class QueueFullError(RequestError):
    """As many documents as may wait do so already."""


class ModelDiedError(RequestError):
    """The process with the model ended while it read the document."""


class StoppingError(RequestError):
    """The server is stopping, and begins nothing new."""


class TimeExceededError(RequestError):
    """The model took too long, or the result was not there in time."""


_STATUS: dict[type[LongdocError], int] = {
    UnauthorizedError: 401,
    PathError: 403,
    CrossSiteError: 403,
    UnknownJobError: 404,
    DocumentNotFoundError: 404,
    SlowUploadError: 408,
    NotReadyError: 409,
    TooLargeError: 413,
    LimitExceededError: 413,
    LoaderMemoryError: 413,
    UnsupportedFormatError: 415,
    BodyTypeError: 415,
    CharsetError: 415,
    DocumentError: 422,
    ConfigError: 422,
    QueueFullError: 429,
    ModelDiedError: 500,
    StoppingError: 503,
    WorkerError: 503,
    TimeExceededError: 504,
    LoaderTimeoutError: 504,
    RequestError: 400,
    LongdocError: 500,
}
"""By the nearest base class of an error."""
_OPTIONS = {
    "password": "the field password",
    "ocr": "the field ocr",
    "timeout": "--timeout of the server",
    "memory": "--memory of the server",
}
"""Argument of ``load`` → what gives it here."""
_ELSE = {
    413: "send a smaller document",
    415: "send a document of a format that longdoc reads",
    422: "correct the document, or the fields of the request",
    503: "try again later",
}
"""The remedy by status, for messages that name none."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, as the sender of a request is told it."""

    status: int
    error: str
    """The name of its class."""
    message: str
    remedy: str

    @property
    def body(self) -> dict[str, str]:
        """The JSON object that tells it."""
        return {"error": self.error, "message": self.message, "remedy": self.remedy}


def is_fault(error: BaseException) -> bool:
    """Whether longdoc does not raise an error deliberately, and so it tells of no document."""
    return not isinstance(error, LongdocError) or isinstance(error, RemoteError)


def problem_of(error: BaseException, document: str = "") -> Problem:
    """How an error is told; of one that longdoc does not raise deliberately, nothing but that there was one.

    >>> problem_of(UnsupportedFormatError("a.xls: an Excel file; save it as PDF"), "a.xls").body
    {'error': 'UnsupportedFormatError', 'message': 'a.xls: an Excel file', 'remedy': 'save it as PDF'}

    Args:
        error: the error.
        document: the name of the document that it is about, with which its message may start.
    """
    if is_fault(error):
        return Problem(500, "InternalError", "a fault of longdoc", "report it, with what the server's log says")
    status = next(_STATUS[each] for each in type(error).__mro__ if each in _STATUS)
    said = shown(for_command_line(str(error), _OPTIONS), lines=True)
    names = (f"{shown(each)}: " for each in (document, PurePath(document).name))
    name = next((each for each in names if said.startswith(each)), "")
    message, _, remedy = said.removeprefix(name).partition("; ")
    return Problem(status, type(error).__name__, name + message, remedy or _ELSE.get(status, "change the request"))
