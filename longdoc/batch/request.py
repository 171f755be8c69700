"""What to find in each document of a batch, and with which model: all that its results depend on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from longdoc.arguments import check_flags, check_score, check_strings, check_type, names_in
from longdoc.config import to_dict
from longdoc.errors import ConfigError, RecordError
from longdoc.export_record import DATA_FILE, FILES
from longdoc.model_files import DEFAULT_MODEL, is_folder
from longdoc.schema import Schema, load_schema

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from longdoc.document import Document
    from longdoc.pipeline import Pipeline
    from longdoc.prediction import Prediction

_GRAPHS = (DATA_FILE, *(name for files in FILES.values() for name in files))
_MODEL_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", *_GRAPHS)
_BLOCK = 1 << 20


class RequestOptions(TypedDict, total=False):
    """The fields of a :class:`Request`, as a caller gives them."""

    model: str
    encoder: str
    device: str
    precision: str
    tasks: Sequence[str] | None
    rules: Sequence[str | os.PathLike[str]]
    schema: str | os.PathLike[str] | Mapping[str, Any] | Schema | None
    record: str | None
    min_score: float | None
    all_windows: bool
    password: str | None
    ocr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to find, and with which model. It can be pickled, and sent to where documents are read."""

    model: str = "default"
    """As for ``Pipeline.from_pretrained``, like ``encoder``, ``device`` and ``precision``."""
    encoder: str = "windows"
    device: str = "auto"
    precision: str = "auto"
    tasks: tuple[str, ...] | None = None
    """Names of the heads to read with; by default those for the kind of each document."""
    rules: tuple[str, ...] = ()
    """Files of rules, beside the shipped ones."""
    schema: Schema | None = None
    """Fields to fill instead, as for ``Pipeline.extract``."""
    record: str | None = None
    """The kind of record to make of each document, too, or ``"auto"`` for the kind that it looks like."""
    min_score: float | None = None
    """Threshold of scores, 0..1; by default those of the model."""
    all_windows: bool = False
    """Whether to read the whole text for each question of a schema."""
    password: str | None = field(default=None, repr=False)
    """Of encrypted PDFs."""
    ocr: str = "auto"
    """As for :func:`longdoc.load`."""

    @classmethod
    def of(cls, **options: Unpack[RequestOptions]) -> Request:
        """A request from what a caller gives.

        Raises:
            ConfigError: the options do not go together, or the schema is malformed.
            TypeError: there is no such option.
        """
        given: dict[str, Any] = dict(options)
        if given.get("tasks") is not None:
            given["tasks"] = names_in("tasks", given["tasks"], "names of heads", str)
        if given.get("schema") is not None:
            given["schema"] = load_schema(given["schema"])
        rules = names_in("rules", given.get("rules", ()), "paths of files", str, os.PathLike)
        given["rules"] = tuple(map(os.path.abspath, rules))  # which keeps links
        return cls(**given)

    def __post_init__(self) -> None:
        for name in ("model", "encoder", "device", "precision", "ocr"):
            check_type(name, getattr(self, name), "a str", str)
        check_strings(record=self.record, password=self.password)
        check_flags(all_windows=self.all_windows)
        check_score("min_score", self.min_score)
        if self.record and (self.schema or self.tasks is not None or self.rules or self.min_score is not None):
            raise ConfigError("record cannot be combined with schema, tasks, rules or min_score")
        if self.all_windows and not self.schema:
            raise ConfigError("all_windows is for the questions of a schema; give a schema, too")

    def check(self) -> None:
        """Refuses what the model does not have, as far as its settings tell without loading it.

        Raises:
            ConfigError: a file of rules cannot be read, there is no such task, or the schema cannot be filled.
        """
        from longdoc.engine import tasks_of
        from longdoc.model_config import known_heads  # not above: `longdoc --help` imports this module
        from longdoc.rules import Rules
        from longdoc.stream import checked_tasks
        from longdoc.usable import Usable

        rules, heads = Rules.of(["default", *self.rules]), known_heads(self.model)
        if heads is None:
            return
        tasks = tasks_of(heads, rules)
        if self.schema is not None:
            available = [*tasks, *(name for name, config in heads.items() if config.kind == "qa")]
            allowed = available if self.tasks is None else checked_tasks(self.tasks, available)
            Usable.of(heads, rules, self.min_score, allowed).tasks(self.schema)
        elif not self.record:
            checked_tasks(self.tasks, tasks)

    def settings(self) -> dict[str, Any]:
        """What the results depend on, beside the model, as in JSON; passwords are not among it."""
        settings: dict[str, Any] = {
            name: getattr(self, name) for name in ("encoder", "precision", "record", "min_score", "all_windows", "ocr")
        }
        settings["tasks"] = None if self.tasks is None else list(self.tasks)
        settings["schema"] = None if self.schema is None else to_dict(self.schema)
        settings["rules"] = [f"{Path(name).name}@{_digest([Path(name)])[:16]}" for name in self.rules]
        return settings

    def load_pipeline(self) -> Pipeline:
        """Loads the model.

        Raises:
            ConfigError: there is no such model.
        """
        from longdoc.pipeline import Pipeline

        options: dict[str, Any] = {"encoder": self.encoder, "device": self.device, "precision": self.precision}
        return Pipeline.from_pretrained(self.model, rules=["default", *self.rules], progress=False, **options)

    def read(self, pipeline: Pipeline, documents: Iterable[Document]) -> Iterator[tuple[Prediction, str]]:
        """The prediction for each document, in order, and why it has no record if one was requested.

        Raises:
            ConfigError: the model has no such task, or cannot fill the schema.
        """
        for prediction in self.predictions(pipeline, documents):
            yield self._with_record(prediction) if self.record else (prediction, "")

    def predictions(self, pipeline: Pipeline, documents: Iterable[Document]) -> Iterator[Prediction]:
        """The prediction for each document, in order, without its record.

        Raises:
            ConfigError: as for `read`.
        """
        tasks = self.tasks
        if self.schema is not None:
            windows: dict[str, Any] = {"windows": None} if self.all_windows else {}
            options = {"tasks": tasks, "min_score": self.min_score, **windows}
            return (pipeline.extract(document, self.schema, **options) for document in documents)
        if self.record not in (None, "auto"):
            tasks = pipeline.engine.heads_for(_kind(self.record), tasks=pipeline.tasks)
            if not tasks:  # the record is made of the document's structure alone, as by Pipeline.record
                from longdoc.prediction import Prediction

                return (Prediction(document=document) for document in documents)
        elif self.rules and tasks is None:
            tasks = pipeline.tasks
        return pipeline.pipe(documents, tasks=tasks, min_score=self.min_score)

    def _with_record(self, prediction: Prediction) -> tuple[Prediction, str]:
        from longdoc.records import record_kind, with_record

        try:
            wanted = None if self.record == "auto" else self.record
            return with_record(prediction, record_kind(prediction.document, wanted)), ""
        except RecordError as error:
            return prediction, str(error)


def _kind(record: str | None) -> Any:
    from longdoc.records import RECORDS

    if record not in RECORDS:
        raise ConfigError(f"no record {record!r}; records: {', '.join(RECORDS)}, auto")
    return record


def fingerprint(model: str) -> str:
    """A name of a model that tells it from all others, also from later ones in the same place; loads nothing.

    Raises:
        ConfigError: there is no such model, or the system does not tell.
    """
    folder = DEFAULT_MODEL if model == "default" else Path(model)
    if is_folder(folder):
        files = sorted({path for pattern in _MODEL_FILES for path in folder.glob(pattern) if path.is_file()})
        return f"{model if model == 'default' else folder.resolve().name}@{_digest(files)[:16]}"
    from longdoc.model_files.repository import RepositoryFiles  # loads huggingface_hub

    return f"{model}@{RepositoryFiles(model).config_file().parent.name[:16]}"


def _digest(files: Iterable[Path]) -> str:
    """The digest of the names and contents of files."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0")
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from error
    return digest.hexdigest()
