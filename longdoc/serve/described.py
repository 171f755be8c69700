"""What the OpenAPI document says of each route, beyond its fields: its statuses, and the JSON of jobs and errors."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from longdoc.serve.jobs import State

BEARER = HTTPBearer(auto_error=False, description="needed where the server has a token")
"""Declares the token; :class:`longdoc.serve.guard.Guard` checks it."""
_WHY = {
    400: "no document or two, an unknown field or a value out of range; or a host that is not this machine",
    401: "no valid token",
    403: "a path that is not below the root; without a token, a request of another site's web page",
    404: "no such file, job or page, or it was forgotten",
    408: "the document did not arrive in time",
    409: "the result is not there yet",
    413: "the document is too large, or loading it takes too much memory",
    415: "of no format that longdoc reads, or not what it is declared to be; no form, or fields not in UTF-8",
    422: "the document cannot be read, or fields do not go together",
    429: "as many documents as may wait do so; Retry-After says when to come again",
    500: "a fault of longdoc; or the document ended the process with the model",
    503: "the server is stopping, or cannot start processes",
    504: "it took too long",
}
_EVERYWHERE = (400, 413, 500)
_WITH_TOKEN = (401, 403)
_COMES_AGAIN = (429, 503)
"""Statuses with the header Retry-After."""


class ProblemBody(BaseModel):
    """An error."""

    error: str = Field(description="its class, such as UnsupportedFormatError")
    message: str = Field(description="what is wrong")
    remedy: str = Field(description="what to do")


class JobBody(BaseModel):
    """A job."""

    id: str
    state: State
    document: str = Field(description="the name of the document, or its path")
    before_it: int = Field(description="documents that were accepted before it and have not ended")
    pages: int | None = Field(description="null until the document is loaded")
    seconds: float = Field(description="how long it has taken, or took")
    seconds_left: float | None = Field(description="an estimate; null if there is none")
    result: str | None = Field(None, description="when it is done: the address of what was found")
    page: str | None = Field(None, description="when it is done: the address of a page that shows it")
    error: ProblemBody | None = Field(None, description="when it has failed: why")


class HealthBody(BaseModel):
    """Whether documents are accepted."""

    status: str = Field(description="ok; stopping or failing, with status 503")
    version: str


def refusals(*statuses: int, needs_token: bool = True) -> dict[int | str, dict[str, Any]]:
    """The errors of a route.

    Args:
        statuses: those that not every route has.
        needs_token: whether the route needs a token.
    """
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*_EVERYWHERE, *(_WITH_TOKEN if needs_token else ()), *statuses}):
        body = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
        described[status] = {"description": _WHY[status], "content": {"application/json": body}}
        if status in _COMES_AGAIN:
            described[status] |= header("Retry-After", "seconds after which to send the request again")
    return described


def header(name: str, description: str) -> dict[str, Any]:
    """The description of a header, for a response."""
    return {"headers": {name: {"description": description, "schema": {"type": "string"}}}}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        schemas["ProblemBody"] = ProblemBody.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):  # what FastAPI answers to wrong fields by default
            schemas.pop(name, None)
        for operation in (each for methods in document["paths"].values() for each in methods.values()):
            for status, response in list(operation["responses"].items()):
                if "HTTPValidationError" in str(response):
                    del operation["responses"][status]
    assert app.openapi_schema is not None
    return app.openapi_schema
