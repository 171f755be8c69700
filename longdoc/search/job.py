"""What is made of each document of an index: its passages, their vectors, and what searches are limited by."""

from __future__ import annotations

import datetime
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from longdoc.arguments import check_strings, check_type
from longdoc.batch.request import Request, fingerprint
from longdoc.batch.status import Status
from longdoc.batch.tables import Rows, built, document_row, write_table
from longdoc.batch.writers import TablesWriter, copy_parquet
from longdoc.document import Document
from longdoc.document_type import document_type
from longdoc.engine import names_of
from longdoc.errors import RecordError
from longdoc.model_config import known_heads
from longdoc.model_files import is_folder
from longdoc.pipeline import Pipeline
from longdoc.plain import plain
from longdoc.prediction import Gap, Prediction
from longdoc.reader import Reader
from longdoc.record_types import DATE_COLUMNS, Contract
from longdoc.records import with_record
from longdoc.search.columns import index_schemas
from longdoc.search.embedder import Embedder
from longdoc.search.passages import Passage, passages
from longdoc.summary import on_one_line

if TYPE_CHECKING:
    from typing_extensions import Unpack

FORMAT = 1
"""Of the tables and the passages: an index of another one is made anew."""
ROWS = 64
"""Rows of a table that are read together, for the passages that a search finds."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document in an index. Dimensions: ``N`` passages, ``D`` width."""

    prediction: Prediction
    """With its record, if there is one, and what the heads have found."""
    passages: tuple[Passage, ...]
    vectors: np.ndarray
    """Of length 1, float16 ``(N, D)``."""
    unseen: tuple[Gap, ...]
    """What of the text no vector tells of."""
    content: bytes
    """The document as compressed JSON."""

    @property
    def document(self) -> Document:
        return self.prediction.document

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What of the text some model did not see."""
        return tuple(dict.fromkeys([*self.unseen, *self.prediction.gaps]))

    @property
    def kind(self) -> str:
        return self.prediction.kind


@dataclass(frozen=True, slots=True)
class Models:
    """The models of an index, which may be one."""

    embedder: Embedder
    recorder: Pipeline | None

    @property
    def readers(self) -> tuple[Reader, ...]:
        """The reader that counts tokens."""
        return (self.embedder.reader,)


class JobOptions(TypedDict, total=False):
    """The fields of an :class:`IndexJob` but for its model, as a caller gives them."""

    records: str | os.PathLike[str] | None
    device: str
    precision: str
    password: str | None
    ocr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexJob:
    """How an index is made: a :class:`longdoc.batch.stages.Job`."""

    model: str = "default"
    """The model whose embedding head makes the vectors."""
    records: str | None = "default"
    """The model whose other heads make the records; None: they are made without, which is faster, and say less."""
    device: str = "auto"
    precision: str = "auto"
    password: str | None = field(default=None, repr=False)
    ocr: str = "auto"

    @classmethod
    def of(cls, model: str | os.PathLike[str], **options: Unpack[JobOptions]) -> IndexJob:
        """A job from what a caller gives.

        Raises:
            ConfigError: an option is of another type.
        """
        records = options.pop("records", "default")
        given: dict[str, Any] = {"model": model_name("model", model), **options}
        given["records"] = None if records is None else _absolute(model_name("records", records))
        return cls(**given)

    def __post_init__(self) -> None:
        for name in ("model", "device", "precision", "ocr"):
            check_type(name, getattr(self, name), "a str", str)
        check_strings(records=self.records, password=self.password)

    def settings(self) -> dict[str, Any]:
        """What the tables depend on, beside the model."""
        records = None if self.records is None else fingerprint(self.records)
        return {"index": FORMAT, "records": records, "precision": self.precision, "ocr": self.ocr}

    def check(self) -> None:
        """Refuses a model without an embedding head, as far as its settings tell.

        Raises:
            ConfigError: it has none.
        """
        if (heads := known_heads(self.model)) is not None:
            names_of(heads, "embed")

    def load_pipeline(self) -> Models:
        """Loads the models.

        Raises:
            ConfigError: there is no such model, or it has no embedding head.
        """
        options: dict[str, Any] = {"device": self.device, "precision": self.precision}
        if self.records is None:
            return Models(Embedder.load(self.model, **options), None)
        recorder = Pipeline.from_pretrained(self.records, rules=["default"], progress=False, **options)
        return Models(Embedder(recorder) if self._is_one else Embedder.load(self.model, **options), recorder)

    @property
    def _is_one(self) -> bool:
        return os.path.realpath(self.model) == os.path.realpath(self.records or "")

    def read(self, models: Models, documents: Iterable[Document]) -> Iterator[tuple[Indexed, str]]:
        """What is made of each document, in order, and why there is no record of one that should have one.

        Raises:
            ConfigError: the models cannot do it.
        """
        embedder, recorded = models.embedder, self._recorded(models, documents)
        read = [prediction.document for prediction, _ in recorded]
        made = [passages(each, embedder.tokenize(each), size=embedder.size) for each in read]
        texts = [embedded_text(each, own) for each, found in zip(read, made, strict=True) for own in found]
        vectors = embedder.vectors(texts).astype(np.float16)
        start = 0
        for (prediction, no_record), found in zip(recorded, made, strict=True):
            own = vectors[start : start + len(found)]
            content = zlib.compress(prediction.document.to_json().encode())
            yield Indexed(prediction, found, own, embedder.gaps(prediction.document), content), no_record
            start += len(found)

    def _recorded(self, models: Models, documents: Iterable[Document]) -> list[tuple[Prediction, str]]:
        if models.recorder is None:
            return [_recorded_without_model(each) for each in documents]
        found = Request(model=self.records or "", record="auto").read(models.recorder, documents)
        return [(own, "" if own.kind == "other" else why) for own, why in found]


def model_name(argument: str, given: str | os.PathLike[str]) -> str:
    """The name of a model, which may be given as a path.

    Raises:
        ConfigError: it is neither.
    """
    check_type(argument, given, "'default', a folder or a hub id", str, os.PathLike)
    return os.fspath(given)


def _absolute(model: str) -> str:
    """The name of a model; the path of a folder as one that holds in processes of another working folder, too."""
    return os.path.abspath(model) if model != "default" and is_folder(Path(model)) else model  # noqa: PTH100 (keeps links)


def _recorded_without_model(document: Document) -> tuple[Prediction, str]:
    """The record that the structure of a document gives, and why there is none."""
    kind = document_type(document).kind
    bare = Prediction(document=document, kind=kind)
    if kind == "other":
        return bare, ""
    try:
        return with_record(bare, kind), ""
    except RecordError as error:
        return bare, str(error)


def embedded_text(document: Document, passage: Passage) -> str:
    """What the model reads for a passage: its headings, also one that it begins with, and its words."""
    text = document.text[passage.start : passage.end]
    return f"{passage.heading}\n{text}" if passage.heading else text


# ---------------------------------------------------------------------------------------------------------------- rows


def index_tables(outcomes: Sequence[tuple[Status, Indexed | None]], *, model: str = "") -> dict[str, Any]:
    """The tables of some documents, as Arrow tables; see `longdoc.batch.tables.tables_of`.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    return built([_rows(status, made, model) for status, made in outcomes], index_schemas())


WRITER = TablesWriter(
    ".parquet", partial(write_table, rows=ROWS), partial(copy_parquet, rows=ROWS), _tables=index_tables
)


def _rows(status: Status, made: Indexed | None, model: str) -> Rows:
    row = document_row(status, made.prediction if made else None, model)
    id = status.id or None
    own = {**_metadata(made), "content": made.content} if made else {}
    found = list(_passage_rows(made)) if made else []
    return {
        "documents": [{"document_id": id, **row, **own}],
        "passages": [{"document_id": id, **each} for each in found],
    }


def _passage_rows(made: Indexed) -> Iterator[dict[str, Any]]:
    document = made.document
    for index, (passage, vector) in enumerate(zip(made.passages, made.vectors, strict=True)):
        yield {
            "index": index,
            **asdict(passage),
            "page": document.page_at(passage.start).number,
            "boxes": plain(document.locate(passage.start, passage.end)),
            "text": document.text[passage.start : passage.end],
            "vector": vector.astype("<f2").tobytes(),
        }


def _metadata(made: Indexed) -> dict[str, Any]:
    prediction = made.prediction
    labels = {each.name for each in prediction.labels}
    labels |= {each.label for each in (*prediction.entities, *prediction.spans)}
    found: dict[str, Any] = {"labels": sorted(labels), "parties": []}
    if isinstance(record := prediction.record, Contract):
        dates = {name: _date(getattr(record, name)) for name in DATE_COLUMNS}
        names = [each for party in record.parties for each in (party.name, *party.aliases)]
        law = record.governing_law
        found |= {**dates, "governing_law": None if law is None else str(law.value or on_one_line(law.text))}
        found["parties"] = list(dict.fromkeys(on_one_line(each.text) for each in names))
    return found


def _date(cell: Any) -> datetime.date | None:
    return cell.value if cell is not None and isinstance(cell.value, datetime.date) else None
