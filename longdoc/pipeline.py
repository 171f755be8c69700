"""Document → Prediction: the file to read first.

    document ──tokenize, split──▶ windows ──encoder, heads──▶ scores ──stitch──▶ a row a token ──decode──▶ findings

``reader`` does the first half, ``findings`` the second. Windows of several documents share batches; each document is
stitched and decoded once, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, get_args, overload

import numpy as np
import torch
from tqdm import tqdm

from longdoc import findings
from longdoc.decode import Overlap, without_overlap
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.findings import Embeddings
from longdoc.heads import ClassifyConfig, EmbedConfig, FillConfig, HeadConfig, NerConfig, NliConfig, QaConfig
from longdoc.labels import Answer, Entity, Inference, Label
from longdoc.loaders import load
from longdoc.model import Model
from longdoc.prediction import Prediction
from longdoc.reader import EncoderKind, Precision, Reader, Reading, Word, check_encoder, device_of, dtype_of
from longdoc.rules import Rules
from longdoc.schema import Field, Schema, load_schema
from longdoc.sources import load_model
from longdoc.values import parse_value

Source: TypeAlias = Document | str | PathLike[str]
SourceT = TypeVar("SourceT")

RULES = "rules"
"""The task of the rules, which stand beside the heads."""
MANY = 20
"""Most answers to a schema's field that takes several."""


class Pipeline:
    """Reads documents with the heads of one model, or of several.

    Build it with :meth:`from_pretrained`; call it with a document.
    """

    def __init__(
        self,
        *models: Model,
        device: torch.device,
        dtype: torch.dtype,
        encoder: EncoderKind = "windows",
        rules: Rules | None = None,
    ) -> None:
        check_encoder(encoder)
        self.readers = [Reader(model, device=device, dtype=dtype, encoder=encoder) for model in models]
        self.rules = rules
        self.heads: dict[str, tuple[Reader, HeadConfig]] = {}
        for reader in self.readers:
            for name, config in reader.model.config.heads.items():
                if name in self.heads:
                    raise ConfigError(f"two of the models have a head {name!r}; load them into two pipelines")
                self.heads[name] = reader, config

    @classmethod
    def from_pretrained(
        cls,
        model: str | PathLike[str] | None = None,
        *,
        encoder: EncoderKind = "windows",
        device: str = "auto",
        precision: Precision = "auto",
        rules: str | PathLike[str] | Sequence[str | PathLike[str]] = "default",
        **heads: str | PathLike[str],
    ) -> Pipeline:
        """Loads a model, or several heads from several checkpoints.

        Args:
            model: ``"default"``, the model shipped with longdoc (no network); a folder written by ``Model.save``, by
                transformers or by sentence-transformers; or a hub id. The default one, unless ``heads`` name others.
            encoder: how the text reaches the model: ``"windows"`` reads overlapping slices of the length it was trained
                on; ``"sparse"`` reads it whole, with attention to each token's neighbours and a few global tokens.
            device: ``"auto"`` (a GPU where there is one) or a torch device such as ``"cpu"`` or ``"cuda:1"``.
            precision: ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 on hardware that computes in it.
            rules: rule files for the task ``"rules"``: ``"default"``, names of shipped ones, paths of your own.
            heads: kind of a head (``ner``, ``qa``, ``classify``, ``nli``, ``embed``, ``fill``): a model as above, of
                which the heads of that kind are taken.

        Raises:
            ConfigError: an argument is none of these, a folder holds no model with such a head, or its architecture
                cannot be made sparse.
        """
        check_encoder(encoder)
        where = device_of(device)
        dtype = dtype_of(precision, where)
        sources = [rules] if isinstance(rules, (str, PathLike)) else list(rules)
        models = [load_model(model or "default")] if model is not None or not heads else []
        models += [load_model(source, kind) for kind, source in heads.items()]
        return cls(*models, device=where, dtype=dtype, encoder=encoder, rules=Rules.load(*map(_given, sources)))

    @property
    def model(self) -> Model:
        """The model, of a pipeline that has one."""
        if len(self.readers) != 1:
            raise ConfigError(f"this pipeline has {len(self.readers)} models; see pipeline.readers")
        return self.readers[0].model

    @property
    def tasks(self) -> tuple[str, ...]:
        """What a call can do: the heads that need no question, and ``rules``."""
        found = [name for name, (_, config) in self.heads.items() if isinstance(config, (NerConfig, ClassifyConfig))]
        return (*found, RULES) if self.rules else tuple(found)

    def __call__(self, document: Source, tasks: Sequence[str] | None = None, *, overlap: Overlap = "all") -> Prediction:
        """Reads one document, or the file at a path.

        Args:
            document: what to read.
            tasks: names of the heads to read with, and ``rules``; by default all heads that need no question.
            overlap: whether entities may share characters: ``"all"`` keeps the families of labels side by side,
                ``"longest"`` and ``"best"`` (by score) choose one.
        """
        return next(self.pipe([document], tasks=tasks, overlap=overlap))

    def entities(self, document: Source) -> tuple[Entity, ...]:
        """The entities of a document, in the order of the text."""
        names = [name for name, (_, config) in self.heads.items() if isinstance(config, NerConfig)]
        self._of_kind(NerConfig)
        return self(document, tasks=names).entities

    def classify(self, document: Source) -> tuple[Label, ...]:
        """The classes of a document, and of its sections where a head says so."""
        names = [name for name, (_, config) in self.heads.items() if isinstance(config, ClassifyConfig)]
        self._of_kind(ClassifyConfig)
        return self(document, tasks=names).labels

    @overload
    def pipe(
        self,
        documents: Iterable[Source],
        *,
        tasks: Sequence[str] | None = ...,
        batch_size: int | None = ...,
        overlap: Overlap = ...,
    ) -> Iterator[Prediction]: ...
    @overload
    def pipe(
        self,
        documents: Iterable[tuple[Source, Any]],
        *,
        tasks: Sequence[str] | None = ...,
        batch_size: int | None = ...,
        overlap: Overlap = ...,
        as_tuples: Literal[True],
    ) -> Iterator[tuple[Prediction, Any]]: ...
    def pipe(
        self,
        documents: Iterable[Any],
        *,
        tasks: Sequence[str] | None = None,
        batch_size: int | None = None,
        overlap: Overlap = "all",
        as_tuples: bool = False,
    ) -> Iterator[Any]:
        """Reads many documents, lazily and in order; their windows share batches.

        Args:
            documents: documents or paths; with ``as_tuples``, pairs of one of these and anything that belongs to it.
            tasks: as in a call.
            batch_size: how many documents are read ahead and encoded together; by default as many as fill 16 batches.
            overlap: as in a call.
            as_tuples: yield pairs of prediction and companion.
        """
        if batch_size is not None and batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1; got {batch_size}")
        if isinstance(documents, (str, PathLike)):
            raise ConfigError(f"pipe reads many documents; give it a list, such as [{str(documents)!r}]")
        if overlap not in get_args(Overlap):
            raise ConfigError(f"unknown overlap {overlap!r}; allowed: {', '.join(get_args(Overlap))}")
        names = self._names(tasks)
        pairs = documents if as_tuples else ((document, None) for document in documents)
        with _progress() as progress:
            for group in self._groups(pairs, names, batch_size):
                self._score([reading for readings, _, _ in group for reading in readings], progress)
                for readings, document, companion in group:
                    prediction = self._predict(document, readings, names, overlap)
                    yield (prediction, companion) if as_tuples else prediction

    def _names(self, tasks: Sequence[str] | None) -> tuple[str, ...]:
        if isinstance(tasks, str):
            raise ConfigError(f"tasks must be a list of names, such as [{tasks!r}]")
        if tasks is not None and not tasks:
            raise ConfigError(f"tasks is empty; name some of {', '.join(self.tasks)}, or leave it out for all of them")
        if unknown := set(tasks or ()) - set(self.tasks):
            raise ConfigError(f"the model has no task {', '.join(sorted(unknown))}; it has {', '.join(self.tasks)}")
        return tuple(name for name in self.tasks if name != RULES) if tasks is None else tuple(tasks)

    def _groups(
        self, pairs: Iterable[tuple[Source, Any]], names: Sequence[str], batch_size: int | None
    ) -> Iterator[list[tuple[list[Reading], Document, Any]]]:
        group: list[tuple[list[Reading], Document, Any]] = []
        n_tokens = 0
        for source, companion in pairs:
            document = _document(source)
            readings = self.read(document, names)
            group.append((readings, document, companion))
            n_tokens += sum(len(reading.tokens) for reading in readings)
            full = batch_size is None and n_tokens >= 16 * max(reader.batch_tokens for reader in self.readers)
            if len(group) == batch_size or full:
                yield group
                group, n_tokens = [], 0
        if group:
            yield group

    def read(self, document: Document, names: Sequence[str]) -> list[Reading]:
        """First step: a document as tokens and windows, for each model and each of its parts that is read by itself."""
        readings = []
        for reader in self.readers:
            own = {name: config for name, (owner, config) in self.heads.items() if owner is reader and name in names}
            tokens = reader.tokenize(document) if own else None
            by_section = [n for n, c in own.items() if isinstance(c, ClassifyConfig) and c.unit == "section"]
            whole = [name for name in own if name not in by_section]
            if tokens is not None and whole:
                readings.append(reader.read(document, tokens, whole))
            if tokens is not None and by_section:
                pieces = (findings.part_of(tokens, *part) for part in findings.parts(document, "section"))
                readings += [reader.read(document, piece, by_section) for piece in pieces if len(piece)]
        return readings

    def _score(self, readings: Sequence[Reading], progress: tqdm[Any] | None = None) -> None:
        """Second step: the scores of all windows of all readings."""
        for reader in self.readers:
            mine = [reading for reading in readings if self.heads[next(iter(reading.scores))][0] is reader]
            reader.score(mine, progress)

    def _predict(
        self, document: Document, readings: Sequence[Reading], names: Sequence[str], overlap: Overlap
    ) -> Prediction:
        """Third step: scores merged over the windows and decoded, once, on the document."""
        entities: list[Entity] = []
        labels: list[Label] = []
        for reading in readings:
            for name in reading.scores:
                found_entities, found_labels = findings.decode(reading, name, self.heads[name][0].model)
                entities += found_entities
                labels += found_labels
        if RULES in names and self.rules is not None:
            entities += findings.rule_entities(document, self.rules.find(document.text))
        entities = without_overlap(sorted(entities, key=lambda e: (e.start, e.end, e.label)), overlap)
        gaps = findings.gaps_of(document, [reading.tokens for reading in readings])
        return Prediction(document=document, entities=tuple(entities), labels=tuple(labels), gaps=gaps)

    # ------------------------------------------------------------------------------------------------- with a question

    @overload
    def ask(self, document: Source, question: str, *, top_k: int = ...) -> list[Answer]: ...
    @overload
    def ask(self, document: Source, question: list[str], *, top_k: int = ...) -> list[list[Answer]]: ...
    def ask(self, document: Source, question: str | list[str], *, top_k: int = 1) -> Any:
        """Answers from the document, word for word, best first; an empty list where it does not answer.

        Args:
            document: a document or a path.
            question: one, or a list of them, which share the reading of the document: a list of lists comes back.
            top_k: at most so many answers to a question.

        Raises:
            ConfigError: no head answers questions, or a question is empty or leaves no room in a window.
        """
        if top_k < 1:
            raise ConfigError(f"top_k must be at least 1; got {top_k}")
        questions = [question] if isinstance(question, str) else list(question)
        fields = [Field(question=text) for text in questions]
        found = self._answers(_document(document), fields, [top_k] * len(questions))
        return found[0] if isinstance(question, str) else found

    def extract(self, document: Source, schema: str | PathLike[str] | Mapping[str, Any] | Schema) -> Prediction:
        """Fills a schema's fields: ``prediction.answers``, whose ``label`` is the field and ``value`` what it says.

        Args:
            document: a document or a path.
            schema: ``"contract"``, ``"paper"``, ``"clinical"``, a YAML file, a mapping or a ``Schema``.

        Raises:
            ConfigError: as for :meth:`ask`, or the schema has an unknown key or type.
        """
        fields = (schema if isinstance(schema, Schema) else load_schema(_given(schema))).fields
        read = _document(document)
        found = self._answers(read, list(fields.values()), [MANY if f.many else 1 for f in fields.values()])
        answers = [replace(a, label=name) for name, own in zip(fields, found, strict=True) for a in own]
        _, (reader, _) = self._of_kind(QaConfig)
        return Prediction(document=read, answers=tuple(answers), gaps=findings.gaps_of(read, [reader.tokenize(read)]))

    def _answers(self, document: Document, fields: Sequence[Field], top_k: Sequence[int]) -> list[list[Answer]]:
        name, (reader, config) = self._of_kind(QaConfig)
        assert isinstance(config, QaConfig)
        readings = reader.ask(document, name, [field.question for field in fields])
        with _progress() as progress:
            self._score(readings, progress)
        return [
            findings.answers_of(reading, name, config, field.question, top_k=k, value_of=_value_of(field))
            for reading, field, k in zip(readings, fields, top_k, strict=True)
        ]

    def infer(self, document: Source, hypotheses: Sequence[str]) -> list[Inference]:
        """What the document makes of each hypothesis, such as "The licence is exclusive.", and where.

        Raises:
            ConfigError: no head infers, or a hypothesis is empty or leaves no room in a window.
        """
        if isinstance(hypotheses, str):
            raise ConfigError(f"hypotheses must be a list, such as [{hypotheses!r}]")
        name, (reader, config) = self._of_kind(NliConfig)
        assert isinstance(config, NliConfig)
        readings = reader.ask(_document(document), name, hypotheses)
        with _progress() as progress:
            self._score(readings, progress)
        if not all(reading.windows for reading in readings):
            return []
        head = reader.model.head(name)
        pairs = zip(readings, hypotheses, strict=True)
        return [findings.inference_of(reading, name, head, config, hypothesis) for reading, hypothesis in pairs]

    # ---------------------------------------------------------------------------------------------- vectors and words

    @overload
    def embed(self, document: Source) -> np.ndarray: ...
    @overload
    def embed(self, document: Source, unit: Literal["section", "sentence"]) -> Embeddings: ...
    def embed(self, document: Source, unit: Literal["document", "section", "sentence"] = "document") -> Any:
        """A vector for a document, float32 ``(D,)``, or one for each section or sentence.

        A part is encoded by itself, as sentence-transformers encodes its text; the windows of a long one are averaged
        by length.
        """
        name, (reader, config) = self._of_kind(EmbedConfig)
        assert isinstance(config, EmbedConfig)
        read = _document(document)
        tokens = reader.tokenize(read)
        pieces = [(part, findings.part_of(tokens, *part)) for part in findings.parts(read, unit)]
        kept = [(part, reader.read(read, piece, [name])) for part, piece in pieces if len(piece)]
        with _progress() as progress:
            self._score([reading for _, reading in kept], progress)
        vectors = [findings.vector_of([reading], name, config) for _, reading in kept]
        width: int = reader.model.encoder.backbone.config.hidden_size  # type: ignore[assignment, union-attr]
        stacked = np.stack(vectors) if vectors else np.zeros((0, width), dtype=np.float32)
        if unit != "document":
            return Embeddings(stacked, tuple(part for part, _ in kept))
        return stacked[0] if vectors else np.zeros(width, dtype=np.float32)

    def fill(self, text: str | Document, *, top_k: int = 5) -> list[list[Word]]:
        """The likeliest words for each masked one of a text of any length, such as "This [MASK] is governed by …".

        Raises:
            ConfigError: no head fills masks, or the text has none.
        """
        name, (reader, _) = self._of_kind(FillConfig)
        read = text if isinstance(text, Document) else Document.from_text(text, name="text")
        return reader.fill(reader.tokenize(read), name, top_k, read.text)

    def _of_kind(self, kind: type[Any]) -> tuple[str, tuple[Reader, HeadConfig]]:
        """The first head of a kind."""
        for name, (reader, config) in self.heads.items():
            if isinstance(config, kind):
                return name, (reader, config)
        wanted = kind.__dataclass_fields__["kind"].default
        has = ", ".join(f"{name} ({config.kind})" for name, (_, config) in self.heads.items())
        raise ConfigError(
            f"no head of kind {wanted!r} here, only {has}; load one: Pipeline.from_pretrained({wanted}='a folder')"
        )


def _progress() -> tqdm[Any]:
    return tqdm(unit="token", unit_scale=True, delay=2, leave=False, disable=None)


def _document(source: Source) -> Document:
    return source if isinstance(source, Document) else load(source)


def _value_of(field: Field) -> Any:
    """What reads a field's values, for the types that have some."""
    if field.type in ("date", "money", "percent", "duration", "number"):
        return lambda text: parse_value(text, field.type, near=field.near)
    return None


def _given(source: SourceT | PathLike[str]) -> SourceT | Path:
    """A path object as a ``Path``, and anything else as it is."""
    return Path(source) if isinstance(source, PathLike) else source
