"""The fields of requests, and what they ask for."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from longdoc.batch.request import Request
from longdoc.errors import ConfigError, did_you_mean
from longdoc.schema import Schema, load_schema, schema_names
from longdoc.serve.jobs import Wanted
from longdoc.serve.loading import Given, check_size, file_below
from longdoc.serve.problems import MalformedRequestError
from longdoc.serve.reading import Asking
from longdoc.serve.settings import Settings
from longdoc.stored import parse

_LONGEST_NAME = 255
Score = Annotated[float, Field(ge=0, le=1)]


class DocumentForm(BaseModel):
    """A document: uploaded, or a file below the root."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile | None = Field(None, description="the document")
    path: str | None = Field(None, description="or the path of one, relative to the root of the server")
    password: str | None = Field(None, description="password of an encrypted PDF")
    ocr: str = Field("auto", description="auto, never, or the languages of scanned pages, such as fra+eng")
    min_score: Score | None = Field(None, description="leave out what has a lower score")
    all_windows: bool = Field(False, description="read the whole text for each question")

    async def given(self, settings: Settings) -> Given:
        """The document.

        Raises:
            MalformedRequestError: there is none, or there are two.
            PathError: the path does not lead to a file below the root.
            DocumentNotFoundError: there is no such file.
            TooLargeError: it is too large.
        """
        if (self.file is None) == (self.path is None):
            raise MalformedRequestError("one document is needed; give either the field file or the field path")
        options: dict[str, Any] = {"password": self.password, "ocr": self.ocr}
        if self.file is None:
            path = self.path or ""
            found = await run_in_threadpool(file_below, settings.root, path, settings.max_bytes)
            return Given(name=path, path=found, **options)
        name = name_of(self.file.filename)
        check_size(name, self.file.size or 0, settings.max_bytes)
        return Given(name=name, data=await self.file.read(), media_type=self.file.content_type or "", **options)


class ExtractForm(DocumentForm):
    """What ``longdoc extract`` takes: by default, entities and clauses are found."""

    tasks: str | None = Field(None, description="names of the model's heads, separated by commas")
    record: Literal["contract", "paper", "note", "auto"] | None = Field(None, description="make a record instead")
    schema_: str | None = Field(
        None, alias="schema", description="fill the fields of a schema instead: its name, or a JSON object"
    )
    fields: str | None = Field(None, description="only these fields of the schema, separated by commas")

    async def wanted(self, settings: Settings, request: Request) -> Wanted:
        """The document, and what is to be found in it; ``request`` names the model.

        Raises:
            RequestError: as for :meth:`given`.
            ConfigError: fields do not go together, or there is no such schema.
        """
        if self.fields is not None and self.schema_ is None:
            raise ConfigError("fields names fields of a schema; give the field schema, too, such as schema=contract")
        schema = None if self.schema_ is None else schema_of(self.schema_)
        if schema is not None and self.fields is not None:
            schema = schema.select(self.fields.split(","))
        chosen = replace(
            request,
            tasks=None if self.tasks is None else tuple(self.tasks.split(",")),
            schema=schema,
            record=self.record,
            min_score=self.min_score,
            all_windows=self.all_windows,
        )
        return Wanted(given=await self.given(settings), request=chosen)


class AskForm(DocumentForm):
    """What ``longdoc ask`` takes."""

    question: list[str] = Field(min_length=1, max_length=100, description="a question; it may be given several times")
    top_k: int = Field(1, ge=1, le=100, description="maximum number of answers to each question")
    head: str | None = Field(None, description="answer with this head of the model alone, such as qa")

    async def wanted(self, settings: Settings, request: Request) -> Wanted:
        """The document, and the questions about it.

        Raises:
            RequestError: as for :meth:`given`.
        """
        asking = Asking(
            questions=tuple(self.question),
            top_k=self.top_k,
            min_score=self.min_score,
            head=self.head,
            all_windows=self.all_windows,
        )
        return Wanted(given=await self.given(settings), request=request, asking=asking)


def schema_of(given: str) -> Schema:
    """A schema by its name, or from a JSON object; never from a file of the server.

    Raises:
        ConfigError: there is no such schema, or it is malformed.
    """
    if given.lstrip().startswith("{"):
        try:
            return load_schema(parse(given))
        except ValueError as error:  # a ConfigError, too
            raise ConfigError(f"schema: {error}") from error
    if given not in schema_names():
        hint = did_you_mean(given, schema_names()) or "; give one of them"
        raise ConfigError(f"schema is {given!r:.80}; allowed: {', '.join(schema_names())}, or a JSON object{hint}")
    return _shipped(given)


@lru_cache
def _shipped(name: str) -> Schema:
    return load_schema(name)


def name_of(filename: str | None) -> str:
    r"""The name of an uploaded file, without folders of the machine that it comes from.

    >>> name_of(r"C:\leases\lease.pdf"), name_of("../../lease.pdf"), name_of("")
    ('lease.pdf', 'lease.pdf', 'upload')
    """
    name = PurePosixPath(PureWindowsPath(filename or "").name).name
    return name[-_LONGEST_NAME:].replace("\0", "") or "upload"
