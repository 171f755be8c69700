"""The routes: what a client may ask for, and what it is answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from longdoc.errors import LongdocError, did_you_mean
from longdoc.outputs.viewer.page import policy
from longdoc.serve.described import BEARER, HealthBody, JobBody, header, openapi, refusals
from longdoc.serve.forms import AskForm, ExtractForm
from longdoc.serve.guard import Guard, expected_bytes, refusal
from longdoc.serve.jobs import Job, view_of
from longdoc.serve.metrics import CONTENT_TYPE_LATEST
from longdoc.serve.problems import (
    BodyTypeError,
    CharsetError,
    MalformedRequestError,
    NotReadyError,
    QueueFullError,
    StoppingError,
    TimeExceededError,
    problem_of,
)
from longdoc.serve.reading import rendered
from longdoc.serve.service import Service
from longdoc.version import __version__

logger = logging.getLogger(__name__)

_MULTIPART = Form(media_type="multipart/form-data")
_PAGE_HEADERS = {
    "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_LOOKS_FOR_CLIENT = 1.0  # seconds
_FORM = "send a form (multipart/form-data) with the field file, as curl -F file=@lease.pdf does"
_FIELDS = 120
"""Fields of a request at most: all the questions that may be asked, and the others."""


class Accepting(APIRoute):
    """A route that takes a document, for which there must be a place before it is received."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, within a place for the document."""
        handle = super().get_route_handler()

        async def accept(request: Request) -> Response:
            service = _service(request)
            n_bytes = expected_bytes(request.headers, service.settings.max_bytes)
            job = request.state.job = service.admit(n_bytes, waits=self.path != "/jobs")
            try:
                await _receive_form(request)
                return await handle(request)
            finally:
                service.leave(job)

        return accept


_BEARER = [Depends(BEARER)]
_SENT = (404, 408, 415, 422, 429, 503)
"""Statuses of routes that take a document."""
_WAITED = (404, 413, 415, 422, 503, 504)
"""Statuses of a document that cannot be read."""
_LINK = header("Link", "the address of a page that shows what was found")

accepting = APIRouter(route_class=Accepting, dependencies=_BEARER)
others = APIRouter()


def create_app(service: Service) -> FastAPI:
    """The application of a service, as an ASGI server runs it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="longdoc",
        version=__version__,
        description="Finds entities and answers in long documents, with the page of each. See docs/serve.md.",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(accepting)
    app.include_router(others)
    app.add_middleware(Guard, settings=service.settings, metrics=service.metrics)
    for kind in (LongdocError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _refused)
    app.openapi = partial(openapi, app)  # type: ignore[method-assign]
    return app


@accepting.post(
    "/jobs",
    status_code=202,
    response_model=JobBody,
    response_model_exclude_unset=True,
    responses={202: header("Location", "the address of the job"), **refusals(*_SENT)},
    summary="Have a document read; returns at once",
)
async def create_job(form: Annotated[ExtractForm, _MULTIPART], request: Request, response: Response) -> dict[str, Any]:
    """Accepts a document. Its state is at ``/jobs/ID``, what is found at ``/jobs/ID/result``, later."""
    service, job = _service(request), request.state.job
    service.begin(job, await form.wanted(service.settings, service.request))
    response.headers["Location"] = f"/jobs/{job.id}"
    return _view(service, job)


@accepting.post(
    "/extract",
    responses={200: _LINK, **refusals(*_SENT, *_WAITED)},
    summary="Read a document, and wait for what is found in it",
)
async def extract(form: Annotated[ExtractForm, _MULTIPART], request: Request) -> Response:
    """What ``longdoc extract --format jsonl`` writes of a document. The header Link names a page that shows it."""
    return await _answered(request, form)


@accepting.post("/ask", responses=refusals(*_SENT, *_WAITED), summary="Ask questions about a document")
async def ask(form: Annotated[AskForm, _MULTIPART], request: Request) -> Response:
    """What ``longdoc ask --format json`` writes."""
    return await _answered(request, form)


@others.get(
    "/jobs/{id}",
    dependencies=_BEARER,
    response_model=JobBody,
    response_model_exclude_unset=True,
    responses=refusals(404),
    summary="How far a job is",
)
async def get_job(id: str, request: Request) -> dict[str, Any]:
    """The state of a job; of one that failed, the error, too."""
    service = _service(request)
    job = service.job(id)
    job.was_fetched |= job.state == "failed"
    return _view(service, job)


@others.get(
    "/jobs/{id}/result",
    dependencies=_BEARER,
    responses={200: _LINK, **refusals(409, *_WAITED)},
    summary="What was found",
)
async def get_result(id: str, request: Request) -> Response:
    """What ``longdoc extract --format jsonl`` writes of the document, or why it could not be read."""
    service = _service(request)
    job = service.job(id)
    if not job.has_ended.is_set():
        raise NotReadyError(f"the job is {job.state}; ask again later")
    return await _result(service, job)


@others.delete(
    "/jobs/{id}",
    status_code=204,
    dependencies=_BEARER,
    responses=refusals(404),
    summary="Forget a job and its result",
)
async def delete_job(id: str, request: Request) -> None:
    """Forgets a job. One that waits is not begun; one that a process is at work on ends first."""
    service = _service(request)
    service.forget(service.job(id))


@others.get(
    "/pages/{page}",
    response_class=HTMLResponse,
    responses=refusals(404, needs_token=False),
    summary="A page with what was found",
)
async def get_page(page: str, request: Request) -> HTMLResponse:
    """The text with what was found, and lists of it. It needs no token, but its name, which only the job tells."""
    service = _service(request)
    job = service.job_of_page(page)
    job.was_fetched = True
    return HTMLResponse(await _rendered(service, job, "html"), headers=_PAGE_HEADERS)


@others.head("/health", include_in_schema=False)
@others.get(
    "/health",
    response_model=HealthBody,
    responses={**refusals(needs_token=False), 503: {"model": HealthBody, "description": "they are not"}},
    summary="Whether documents are accepted",
)
async def health(request: Request, response: Response) -> dict[str, str]:
    """``ok``; ``stopping`` or ``failing``, with status 503."""
    service = _service(request)
    status = "stopping" if service.is_stopping else "failing" if service.fault else "ok"
    response.status_code = 200 if status == "ok" else 503
    return {"status": status, "version": __version__}


@others.get(
    "/metrics",
    dependencies=_BEARER,
    response_class=PlainTextResponse,
    responses=refusals(),
    summary="Metrics for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Documents, requests, seconds, and what waits."""
    return Response(_service(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _receive_form(request: Request) -> None:
    """Receives the fields of a request, which its handler is then given."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind not in (b"", b"multipart/form-data", b"application/x-www-form-urlencoded"):
        raise BodyTypeError(f"the body is declared as {kind.decode('latin-1'):.80}; {_FORM}")
    charset = options.get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in ("utf-8", "utf8"):  # fields are decoded in the event loop, and some codecs are slow
        raise CharsetError(f"the fields are declared to be in {charset:.40}; send them in utf-8")
    try:
        form = await request.form(max_files=1, max_fields=_FIELDS)
    except ClientDisconnect:
        raise MalformedRequestError("the upload was broken off; send it again") from None
    for name, n_times in Counter(name for name, _ in form.multi_items()).items():
        if n_times > 1 and name != "question":
            raise MalformedRequestError(f"the field {name:.80} is given several times; give it once")


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _answered(request: Request, form: ExtractForm | AskForm) -> Response:
    """The result of a document, for which the client waits."""
    service, job = _service(request), request.state.job
    service.begin(job, await form.wanted(service.settings, service.request))
    ends_by = job.began + service.settings.timeout
    while not job.has_ended.is_set():
        try:
            left = max(ends_by - time.monotonic(), 0)
            await asyncio.wait_for(job.has_ended.wait(), min(left, _LOOKS_FOR_CLIENT))
        except asyncio.TimeoutError:
            late = TimeExceededError(
                f"{job.name}: the result was not there after {service.settings.timeout:g} s; send it to /jobs, which "
                "does not wait, or start the server with another --timeout"
            )
            if time.monotonic() >= ends_by or await request.is_disconnected():
                service.give_up(job, late)
                raise late from None
    return await _result(service, job)


async def _result(service: Service, job: Job) -> Response:
    """What was found, or why the document could not be read."""
    job.was_fetched = True
    if job.found is None:
        return refusal(job.error or AssertionError("a job that has ended has a result"), job.name)
    if not job.is_kept:
        return Response(job.found, media_type="application/json")
    link = {"Link": f'</pages/{job.page}>; rel="alternate"; type="text/html"'}
    return Response(await _rendered(service, job, "jsonl"), media_type="application/json", headers=link)


async def _rendered(service: Service, job: Job, format: str) -> str:
    """What was found, in an output format."""
    assert job.found is not None
    return await run_sync(rendered, job.found, job.name, format, limiter=service.rendering)


def _view(service: Service, job: Job) -> dict[str, Any]:
    error = {"error": problem_of(job.error, job.name).body} if job.error else {}
    return {**view_of(job, service.position(job), service.seconds_left(job)), **error}


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """The response to a request that could not be answered."""
    if isinstance(error, RequestValidationError):
        return refusal(_field_error(error))
    if isinstance(error, HTTPException):
        remedy = _FORM if error.status_code == 400 else "see /openapi.json"
        said = f"{request.method} {request.url.path:.200}: {error.detail.rstrip('.')}; {remedy}"
        response = refusal(MalformedRequestError(said), headers=dict(error.headers or {}))
        response.status_code = error.status_code
        return response
    if not isinstance(error, (QueueFullError, StoppingError)):
        return refusal(error)
    # A connection that is kept may be closed at the very moment when its client comes again.
    return refusal(error, headers={"Retry-After": str(_service(request).retry_after), "Connection": "close"})


def _field_error(error: RequestValidationError) -> MalformedRequestError:
    """What is wrong with the first field that is."""
    first = error.errors()[0]
    name = ".".join(str(each) for each in first["loc"][1:])
    if first["type"] == "extra_forbidden":
        allowed = [field.alias or key for key, field in {**ExtractForm.model_fields, **AskForm.model_fields}.items()]
        hint = did_you_mean(name, allowed) or f"; allowed: {', '.join(allowed)}"
        return MalformedRequestError(f"there is no field {name:.80}{hint}")
    wrong = {
        "missing": "is missing; give it",
        "value_error": "must be an uploaded file, not text; with curl, file=@lease.pdf sends a file",
        "string_type": "must be text, not an uploaded file; send a file as the field file",
    }.get(first["type"], f"is {first['input']!r:.80}: {first['msg']}; see /openapi.json")
    return MalformedRequestError(f"the field {name:.80} {wrong}")
