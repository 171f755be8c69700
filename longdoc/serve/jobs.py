"""A job: a document on its way through the server, from its upload to its result."""

from __future__ import annotations

import secrets
import time
from asyncio import Event
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from longdoc.batch.request import Request
from longdoc.serve.loading import Given, Loaded
from longdoc.serve.reading import Asking

State: TypeAlias = Literal["receiving", "waiting", "loading", "loaded", "reading", "done", "failed"]
"""It arrives; it waits to be loaded; it is loaded; it waits for the model; the model reads it; it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A document, and what is to be found in it."""

    given: Given
    request: Request
    asking: Asking | None = None


@dataclass(slots=True, eq=False)
class Job:
    """A document on its way. It changes in the event loop alone."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    page: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """The name of the page with what was found, which who knows it may see."""
    expected_bytes: int = 0
    """The size of its request."""
    state: State = "receiving"
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    wanted: Wanted | None = None
    """None until it has arrived, and when it has ended."""
    name: str = ""
    """The name of the document."""
    is_kept: bool = True
    """Whether its result may be fetched later; answers to questions are given at once, and not kept."""
    loaded: Loaded | None = None
    """None until it is loaded, and when it has ended."""
    pages: int | None = None
    found: bytes | None = field(default=None, repr=False)
    """The pickled prediction, or the JSON of answers."""
    error: BaseException | None = None
    has_ended: Event = field(default_factory=Event)
    was_fetched: bool = False
    """Whether its sender has seen how it ended."""

    @property
    def n_bytes(self) -> int:
        """What the server keeps of the document: of one that arrives, what it may become."""
        if self.loaded is not None:
            return len(self.loaded.document)
        if self.wanted is not None:
            return len(self.wanted.given.data)
        return self.expected_bytes if self.state == "receiving" else 0

    @property
    def in_work(self) -> bool:
        """Whether a process is at work on it."""
        return self.state in ("loading", "reading")

    @property
    def seconds(self) -> float:
        """How long it has taken, or took."""
        return (self.ended or time.monotonic()) - self.began


def view_of(job: Job, position: int, seconds_left: float | None) -> dict[str, Any]:
    """What is told of a job, apart from its error.

    Args:
        job: the job.
        position: how many documents were accepted before it and have not ended.
        seconds_left: an estimate; None if there is none.
    """
    links = {"result": f"/jobs/{job.id}/result", "page": f"/pages/{job.page}"} if job.state == "done" else {}
    return {
        "id": job.id,
        "state": job.state,
        "document": job.name,
        "before_it": position,
        "pages": job.pages,
        "seconds": round(job.seconds, 3),
        "seconds_left": None if seconds_left is None else round(seconds_left, 1),
        **links,
    }
