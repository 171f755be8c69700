"""What is checked of every request before its body is read: the token, the host and the size; and what is counted."""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from longdoc.serve.metrics import Metrics
from longdoc.serve.problems import (
    CrossSiteError,
    MalformedRequestError,
    RequestError,
    SlowUploadError,
    TooLargeError,
    UnauthorizedError,
    problem_of,
)
from longdoc.serve.settings import Settings, is_local

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES = 1 << 20
"""What the body of a request may have beside the document."""
_OPEN = ("/health", "/pages/")
"""Paths that need no token. The name of a page is a secret of its own, so that a browser can show it."""
_DISCARDED = 1 << 20
"""Bytes of a refused body that are read, so that its sender reads why: some look for no answer while they send."""
_SECONDS_TO_DISCARD = 5.0
_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
"""Of every response: what was found is neither taken for something else nor kept by a browser or a proxy."""


class Guard:
    """Middleware that refuses requests without a token, from elsewhere, or with too large or too slow a body."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        body = Body(receive, self._settings)

        has_begun = False

        async def counted(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(scope["method"], route, message["status"]).inc()
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
                await body.discard()
            await send(message)

        try:
            self._check(scope["path"], Headers(scope=scope))
            await self._app(scope, body.receive, counted)
        except Exception as error:
            if not has_begun:
                await refusal(error)(scope, receive, counted)
            if not isinstance(error, RequestError):  # for the log
                raise

    def _check(self, path: str, headers: Headers) -> None:
        token = self._settings.token
        if token is None and not _is_local_name(headers.get("host", "")):
            raise MalformedRequestError(  # a page of that name might have been made to lead here
                "this server answers requests to localhost alone; give it a token, and it answers others"
            )
        if token is None and not path.startswith(_OPEN) and _is_from_elsewhere(headers):
            raise CrossSiteError(  # browsers send the forms of any page to localhost
                "a web page of another site sent this request; give the server a token, or send it without a browser"
            )
        if token is not None and not path.startswith(_OPEN):
            scheme, _, given = headers.get("authorization", "").partition(" ")
            is_right = hmac.compare_digest(given.strip().encode(), token.encode())
            if scheme.lower() != "bearer" or not is_right:
                raise UnauthorizedError("no valid token; send the header Authorization: Bearer TOKEN")
        if expected_bytes(headers, 0) > self._settings.max_bytes + FORM_BYTES:
            raise _too_large(self._settings)


class Body:
    """The body of a request, which is received within limits."""

    def __init__(self, receive: Receive, settings: Settings) -> None:
        self._receive, self._settings = receive, settings
        self._ends_by = time.monotonic() + settings.timeout
        self._n_bytes = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part.

        Raises:
            SlowUploadError: it does not come in time.
            TooLargeError: it is too large.
        """
        if self._is_whole:  # what comes now is the end of the connection
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(self._ends_by - time.monotonic(), 0))
        except asyncio.TimeoutError:
            raise SlowUploadError(
                f"the body of the request did not arrive within {self._settings.timeout:g} s; send it faster, or start "
                "the server with another --timeout"
            ) from None
        self._is_whole = not message.get("more_body", False)
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > self._settings.max_bytes + FORM_BYTES:
            raise _too_large(self._settings)
        return message

    async def discard(self) -> None:
        """Reads some of what has not been received, and forgets it."""
        self._ends_by = min(self._ends_by, time.monotonic() + _SECONDS_TO_DISCARD)
        try:
            while not self._is_whole and self._n_bytes < _DISCARDED:
                await self.receive()
        except RequestError:  # it has been refused already
            return


def expected_bytes(headers: Headers, otherwise: int) -> int:
    """The size of a body in bytes; ``otherwise`` if its sender does not say it."""
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else otherwise


def refusal(error: BaseException, document: str = "", headers: dict[str, str] | None = None) -> JSONResponse:
    """The response to a request that is refused, or whose document could not be read."""
    problem = problem_of(error, document)
    scheme = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    return JSONResponse(problem.body, problem.status, {**scheme, **(headers or {})})


def _too_large(settings: Settings) -> TooLargeError:
    return TooLargeError(
        f"the document has more than {settings.max_bytes:,} bytes; send a smaller one, or start the server with "
        "another --max-bytes"
    )


def _is_from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that a page of another site sent a request."""
    origin = headers.get("origin")
    is_local_origin = origin is None or _is_local_name(origin.partition("://")[2])
    return not is_local_origin or headers.get("sec-fetch-site") == "cross-site"


def _is_local_name(host: str) -> bool:
    """Whether the header Host names this machine in a way that no other can."""
    try:
        return is_local(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
