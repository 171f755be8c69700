"""Document → Prediction: the file to read first.

    document ──tokenize, split──▶ windows ──encoder, heads──▶ scores ──merge, decode──▶ findings ──▶ prediction

:class:`~longdoc.reader.Reader` goes down to the scores, the kinds of heads in :mod:`longdoc.heads` come up with the
findings. Windows of several documents share batches; each document is decoded once, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, TypeVar, get_args, overload

import numpy as np
import torch
from tqdm import tqdm

from longdoc.decode import Overlap, without_overlap
from longdoc.document import Document
from longdoc.errors import ConfigError, DocumentError
from longdoc.findings import Embeddings, Unit, gaps_of, parts, place
from longdoc.heads import DecodeOptions, kind_of
from longdoc.labels import Entity, Inference, Label, Span
from longdoc.loaders import load
from longdoc.model import Model
from longdoc.prediction import Answers, Failure, Prediction
from longdoc.reader import EncoderKind, Precision, Reader, Reading, Word, check_encoder, device_of, dtype_of
from longdoc.rules import Rules
from longdoc.schema import Field, Schema, load_schema
from longdoc.sources import load_model
from longdoc.values import parse_value

DocumentLike: TypeAlias = Document | str | PathLike[str] | bytes | BinaryIO
"""A document, or the path, bytes or open binary file of one."""
OnError: TypeAlias = Literal["raise", "yield"]
ItemT = TypeVar("ItemT")

RULES = "rules"
"""Name of the task that applies the rules."""
MAX_ANSWERS = 20
"""Answers to a schema's field that takes several."""
PROGRESS_DELAY = 2.0
"""Seconds before a progress bar is shown."""
BATCHES_AHEAD = 16
"""Batches that are filled from documents before the first of them is encoded."""


class Pipeline:
    """Reads documents with the heads of one model, or of several.

    Build it from a name with :meth:`from_pretrained` or from models in memory; call it with a document. It can be
    pickled and sent to another process.
    """

    def __init__(
        self,
        *models: Model,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
        encoder: EncoderKind = "windows",
        rules: Rules | None = None,
        batch_tokens: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """A pipeline of models in memory; the arguments are those of :meth:`from_pretrained`."""
        check_encoder(encoder)
        if batch_tokens is not None and batch_tokens < 1:
            raise ConfigError(f"batch_tokens must be at least 1; got {batch_tokens}")
        where = device_of(device)
        dtype = dtype_of(precision, where)
        self.readers = tuple(
            Reader(model, device=where, dtype=dtype, encoder=encoder, batch_tokens=batch_tokens) for model in models
        )
        self.rules = rules
        self._show_progress = progress
        self._reader_of: dict[str, Reader] = {}
        for reader in self.readers:
            for name in reader.model.config.heads:
                if name in self._reader_of:
                    raise ConfigError(f"two of the models have a head {name!r}; load them into two pipelines")
                self._reader_of[name] = reader

    @classmethod
    def from_pretrained(  # noqa: PLR0913 (each is a separate choice of the caller)
        cls,
        model: str | PathLike[str] | None = None,
        *,
        encoder: EncoderKind = "windows",
        device: str | torch.device = "auto",
        precision: Precision = "auto",
        rules: str | PathLike[str] | Sequence[str | PathLike[str]] = "default",
        batch_tokens: int | None = None,
        revision: str | None = None,
        cache_dir: str | PathLike[str] | None = None,
        progress: bool | None = None,
        **heads: str | PathLike[str],
    ) -> Pipeline:
        """Loads a model, or several heads from several checkpoints.

        Args:
            model: ``"default"``, the model shipped with longdoc (no network); a folder written by ``Model.save``, by
                transformers or by sentence-transformers; or a hub id. ``"default"`` unless ``heads`` are given.
            encoder: ``"windows"`` reads overlapping slices of the length the model was trained on; ``"sparse"`` reads
                the text whole, with attention to each token's neighbours and a few global tokens.
            device: ``"auto"`` (a GPU if there is one) or a torch device such as ``"cpu"`` or ``"cuda:1"``.
            precision: ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 if the hardware supports it natively.
            rules: rule files for the task ``"rules"``: ``"default"``, names of shipped ones, paths of your own.
            batch_tokens: maximum positions in a batch; by default 65,536 on a GPU and 2,048 on a CPU.
            revision: branch, tag or commit of a hub id.
            cache_dir: folder for downloads from the hub; by default the hub's own.
            progress: show a progress bar; by default only on a terminal, and after two seconds.
            heads: kind of a head (``ner``, ``qa``, ``classify``, ``nli``, ``embed``, ``fill``): a model as above, of
                which only the heads of that kind are loaded.

        Raises:
            ConfigError: invalid argument, no model with such a head, or an architecture that cannot be made sparse.
        """
        check_encoder(encoder)
        device = device_of(device)
        dtype_of(precision, device)
        sources = [rules] if isinstance(rules, (str, PathLike)) else list(rules)
        hub: dict[str, Any] = {"revision": revision, "cache_dir": cache_dir}
        models = [load_model(model or "default", **hub)] if model is not None or not heads else []
        models += [load_model(name_or_path, kind, **hub) for kind, name_or_path in heads.items()]
        return cls(
            *models,
            device=device,
            precision=precision,
            encoder=encoder,
            rules=Rules.load(*map(_as_path, sources)),
            batch_tokens=batch_tokens,
            progress=progress,
        )

    @property
    def model(self) -> Model:
        """The model of a pipeline that has one.

        Raises:
            ConfigError: it has several, or none.
        """
        if len(self.readers) != 1:
            raise ConfigError(f"this pipeline has {len(self.readers)} models; see pipeline.readers")
        return self.readers[0].model

    @property
    def heads(self) -> Mapping[str, Any]:
        """Configurations of all heads, by name."""
        return {name: reader.model.config.heads[name] for name, reader in self._reader_of.items()}

    @property
    def tasks(self) -> tuple[str, ...]:
        """What a call can do: the heads that need no question, and ``rules``."""
        found = tuple(name for name, config in self.heads.items() if kind_of(config).finds)
        return (*found, RULES) if self.rules else found

    def __call__(
        self, document: DocumentLike, tasks: Sequence[str] | None = None, *, overlap: Overlap = "all"
    ) -> Prediction:
        """Reads one document.

        Args:
            document: a document, or the path, bytes or open binary file of one.
            tasks: names of the heads to read with, and ``rules``; by default all heads that need no question.
            overlap: whether entities may overlap: ``"all"`` keeps the entities of every family of labels,
                ``"longest"`` and ``"best"`` (by score) choose one of two that overlap.
        """
        return next(self.pipe([document], tasks=tasks, overlap=overlap))

    def entities(self, document: DocumentLike) -> tuple[Entity, ...]:
        """The entities of a document, in the order of the text."""
        return self(document, tasks=self._names_of("ner")).entities

    def classify(self, document: DocumentLike) -> tuple[Label, ...]:
        """The classes of a document, and of its sections if a head classifies sections."""
        return self(document, tasks=self._names_of("classify")).labels

    # ------------------------------------------------------------------------------------------------ many documents

    @overload
    def pipe(
        self,
        documents: Iterable[DocumentLike],
        *,
        tasks: Sequence[str] | None = ...,
        batch_size: int | None = ...,
        overlap: Overlap = ...,
        on_error: Literal["raise"] = ...,
    ) -> Iterator[Prediction]: ...
    @overload
    def pipe(
        self,
        documents: Iterable[DocumentLike],
        *,
        tasks: Sequence[str] | None = ...,
        batch_size: int | None = ...,
        overlap: Overlap = ...,
        on_error: Literal["yield"],
    ) -> Iterator[Prediction | Failure]: ...
    @overload
    def pipe(
        self,
        documents: Iterable[tuple[DocumentLike, Any]],
        *,
        tasks: Sequence[str] | None = ...,
        batch_size: int | None = ...,
        overlap: Overlap = ...,
        on_error: OnError = ...,
        as_tuples: Literal[True],
    ) -> Iterator[tuple[Any, Any]]: ...
    def pipe(
        self,
        documents: Iterable[Any],
        *,
        tasks: Sequence[str] | None = None,
        batch_size: int | None = None,
        overlap: Overlap = "all",
        on_error: OnError = "raise",
        as_tuples: bool = False,
    ) -> Iterator[Any]:
        """Reads many documents, lazily and in order; their windows share batches.

        Args:
            documents: documents, paths, bytes or files; with ``as_tuples``, pairs of one of these and any object.
            tasks: as in a call.
            batch_size: number of documents encoded together; by default as many as fill 16 batches.
            overlap: as in a call.
            on_error: what to do with a document that cannot be read: ``"raise"`` its error, or ``"yield"`` a
                :class:`~longdoc.prediction.Failure` in its place and go on.
            as_tuples: yield pairs of prediction and object.

        Raises:
            ConfigError: invalid argument, at the call.
            DocumentError: a document cannot be read, when it is reached.
        """
        if batch_size is not None and batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1; got {batch_size}")
        if isinstance(documents, (str, bytes, PathLike)):
            raise ConfigError(f"pipe reads many documents; give it a list, such as [{documents!r:.80}]")
        _check_choice("overlap", overlap, get_args(Overlap))
        _check_choice("on_error", on_error, get_args(OnError))
        pairs = documents if as_tuples else ((document, None) for document in documents)
        outcomes = self._outcomes(pairs, self._checked(tasks), batch_size, overlap, on_error)
        return outcomes if as_tuples else (outcome for outcome, _ in outcomes)

    def _checked(self, tasks: Sequence[str] | None) -> tuple[str, ...]:
        """The tasks to do: those asked for, or all heads that need no question."""
        if isinstance(tasks, str):
            raise ConfigError(f"tasks must be a list of names, such as [{tasks!r}]")
        if tasks is not None and not tasks:
            raise ConfigError(f"tasks is empty; name some of {', '.join(self.tasks)}, or leave it out for all of them")
        if unknown := set(tasks or ()) - set(self.tasks):
            raise ConfigError(f"the model has no task {', '.join(sorted(unknown))}; it has {', '.join(self.tasks)}")
        return tuple(name for name in self.tasks if name != RULES) if tasks is None else tuple(tasks)

    def _outcomes(
        self,
        pairs: Iterable[tuple[DocumentLike, Any]],
        tasks: tuple[str, ...],
        batch_size: int | None,
        overlap: Overlap,
        on_error: OnError,
    ) -> Iterator[tuple[Prediction | Failure, Any]]:
        with self._progress() as progress:
            for group in self._groups(_loaded(pairs, on_error), tasks, batch_size):
                found = iter(self._find([reading for _, readings, _ in group for reading in readings], progress))
                for document, readings, companion in group:
                    if isinstance(document, Failure):
                        yield document, companion
                        continue
                    own = [next(found) for _ in readings]
                    yield self._predict(document, readings, own, tasks, overlap), companion

    def _groups(
        self, pairs: Iterable[tuple[Document | Failure, Any]], tasks: tuple[str, ...], batch_size: int | None
    ) -> Iterator[list[tuple[Document | Failure, list[Reading], Any]]]:
        """Documents that are encoded together."""
        group: list[tuple[Document | Failure, list[Reading], Any]] = []
        n_tokens = 0
        for document, companion in pairs:
            readings = [] if isinstance(document, Failure) else self.read(document, tasks)
            group.append((document, readings, companion))
            n_tokens += sum(len(reading.tokens) for reading in readings)
            enough = BATCHES_AHEAD * max((reader.batch_tokens for reader in self.readers), default=1)
            if len(group) == batch_size or (batch_size is None and n_tokens >= enough):
                yield group
                group, n_tokens = [], 0
        if group:
            yield group

    def read(self, document: Document, tasks: Sequence[str]) -> list[Reading]:
        """First step: a document as tokens and windows, for each model and each part that is read by itself."""
        readings = []
        for reader in self.readers:
            own = {name: kind for name, kind in self.heads.items() if self._reader_of[name] is reader and name in tasks}
            tokens = reader.tokenize(document) if own else None
            by_section = [name for name, config in own.items() if getattr(config, "unit", "document") == "section"]
            whole = [name for name in own if name not in by_section]
            if tokens is not None and whole:
                readings.append(reader.read(document, tokens, whole))
            if tokens is not None and by_section:
                pieces = (tokens.part(*part) for part in parts(document, "section"))
                readings += [reader.read(document, piece, by_section) for piece in pieces if len(piece)]
        return readings

    def _find(
        self,
        readings: Sequence[Reading],
        progress: tqdm[Any],
        options: Sequence[DecodeOptions] | None = None,
    ) -> list[dict[str, list[Any]]]:
        """Second step: scores of all windows, decoded. For each reading, the findings by head."""
        found: list[dict[str, list[Any]]] = [{} for _ in readings]
        for reader in self.readers:
            own = [index for index, r in enumerate(readings) if self._reader_of[r.heads[0]] is reader]
            scored = reader.score([readings[index] for index in own], progress)
            for index, by_head in zip(own, scored, strict=True):
                chosen = options[index] if options else DecodeOptions()
                for name, scores in by_head.items():
                    config, module = reader.model.config.heads[name], reader.model.heads[name]
                    decode = kind_of(config).decode
                    assert decode is not None, f"{name} is a {config.kind} head, which has no findings"
                    found[index][name] = decode(scores, name, config, module, chosen)
        return found

    def _predict(
        self,
        document: Document,
        readings: Sequence[Reading],
        found: Sequence[dict[str, list[Any]]],
        tasks: Sequence[str],
        overlap: Overlap,
    ) -> Prediction:
        """Third step: the findings of all heads and rules in one prediction."""
        by_field: dict[str, list[Any]] = {"entities": [], "labels": []}
        for by_head in found:
            for name, findings in by_head.items():
                by_field[kind_of(self.heads[name]).finds or ""] += findings
        if RULES in tasks and self.rules is not None:
            by_field["entities"] += _rule_entities(document, self.rules.find(document.text))
        entities = sorted(by_field["entities"], key=lambda e: (e.start, e.end, e.label))
        return Prediction(
            document=document,
            entities=tuple(without_overlap(entities, overlap)),
            labels=tuple(by_field["labels"]),
            gaps=gaps_of(document, [reading.tokens for reading in readings]),
        )

    # ------------------------------------------------------------------------------------------------- with a question

    @overload
    def ask(
        self,
        document: DocumentLike,
        question: str,
        *,
        top_k: int = ...,
        min_score: float | None = ...,
        head: str | None = ...,
    ) -> Answers: ...
    @overload
    def ask(
        self,
        document: DocumentLike,
        question: list[str],
        *,
        top_k: int = ...,
        min_score: float | None = ...,
        head: str | None = ...,
    ) -> list[Answers]: ...
    def ask(
        self,
        document: DocumentLike,
        question: str | list[str],
        *,
        top_k: int = 1,
        min_score: float | None = None,
        head: str | None = None,
    ) -> Any:
        """Answers from the document, word for word, best first; an empty list if no answer reaches the threshold.

        Args:
            document: as in a call.
            question: one question, or a list of them, for which the document is tokenised once.
            top_k: maximum number of answers to a question.
            min_score: threshold of an answer's score, 0..1; by default that of the head.
            head: name of the head, if several answer questions.

        Returns:
            Answers to the question, a list with ``gaps`` and ``coverage`` (0 if the document has no text); a list of
            these for a list of questions.

        Raises:
            ConfigError: no head answers questions or several do, or a question is empty or leaves no room in a window.
        """
        if top_k < 1:
            raise ConfigError(f"top_k must be at least 1; got {top_k}")
        questions = [question] if isinstance(question, str) else list(question)
        options = [DecodeOptions(top_k=top_k, min_score=_checked_score(min_score))] * len(questions)
        read = _document(document)
        answers, prediction, coverage = self._ask(read, self._head("qa", head), questions, options)
        found = [Answers(own, gaps=prediction.gaps, coverage=coverage) for own in answers]
        return found[0] if isinstance(question, str) else found

    def extract(
        self,
        document: DocumentLike,
        schema: str | PathLike[str] | Mapping[str, Any] | Schema,
        *,
        head: str | None = None,
    ) -> Prediction:
        """Fills the fields of a schema: ``prediction.answers``, with the field as ``label`` and its ``value``.

        Args:
            document: as in a call.
            schema: ``"contract"``, ``"paper"``, ``"clinical"``, a YAML file, a mapping or a ``Schema``.
            head: name of the head, if several answer questions.

        Raises:
            ConfigError: as for :meth:`ask`, or the schema has an unknown key or type.
        """
        fields = (schema if isinstance(schema, Schema) else load_schema(_as_path(schema))).fields
        options = [
            DecodeOptions(top_k=MAX_ANSWERS if field.many else 1, value_of=_value_of(field))
            for field in fields.values()
        ]
        questions = [field.question for field in fields.values()]
        found, prediction, _ = self._ask(_document(document), self._head("qa", head), questions, options)
        pairs = zip(fields, found, strict=True)
        return replace(prediction, answers=tuple(replace(a, label=name) for name, own in pairs for a in own))

    def infer(
        self,
        document: DocumentLike,
        hypotheses: Sequence[str],
        *,
        min_score: float | None = None,
        head: str | None = None,
    ) -> list[Inference]:
        """Whether the document entails or contradicts each hypothesis, such as "The licence is exclusive.", and where.

        Args:
            document: as in a call.
            hypotheses: a list of statements.
            min_score: minimum share of the attention, 0..1, of a sentence reported as evidence; 0.05 by default.
            head: name of the head, if several judge hypotheses.

        Returns:
            One inference a hypothesis, also for a document without text (``label`` is then ``NOT_READ``).

        Raises:
            ConfigError: no head judges hypotheses or several do, or one is empty or leaves no room in a window.
        """
        if isinstance(hypotheses, str):
            raise ConfigError(f"hypotheses must be a list, such as [{hypotheses!r}]")
        options = [DecodeOptions(min_score=_checked_score(min_score))] * len(hypotheses)
        found, _, coverage = self._ask(_document(document), self._head("nli", head), hypotheses, options)
        return [replace(inference, coverage=coverage) for own in found for inference in own]

    def _ask(
        self, document: Document, head: str, questions: Sequence[str], options: Sequence[DecodeOptions]
    ) -> tuple[list[list[Any]], Prediction, float]:
        """Findings of a head for each question, a prediction with the gaps, and the coverage: 0 without any token."""
        reader = self._reader_of[head]
        tokens = reader.tokenize(document)
        readings = [reader.read(document, tokens, [head], question=question) for question in questions]
        with self._progress() as progress:
            found = self._find(readings, progress, options)
        prediction = Prediction(document=document, gaps=gaps_of(document, [tokens]))
        return [by_head[head] for by_head in found], prediction, prediction.coverage if len(tokens) else 0.0

    # ---------------------------------------------------------------------------------------------- vectors and words

    @overload
    def embed(self, document: DocumentLike, *, head: str | None = ...) -> np.ndarray: ...
    @overload
    def embed(
        self, document: DocumentLike, unit: Literal["section", "sentence"], *, head: str | None = ...
    ) -> Embeddings: ...
    def embed(self, document: DocumentLike, unit: Unit = "document", *, head: str | None = None) -> Any:
        """A vector for a document, float32 ``(D,)``, or one for each section or sentence, float32 ``(N, D)``.

        Each part is encoded by itself, as sentence-transformers encodes its text; the vectors of its windows are
        averaged by length.
        """
        name = self._head("embed", head)
        reader = self._reader_of[name]
        read = _document(document)
        tokens = reader.tokenize(read)
        pieces = [(part, tokens.part(*part)) for part in parts(read, unit)]
        kept = [(part, reader.read(read, piece, [name])) for part, piece in pieces if len(piece)]
        with self._progress() as progress:
            found = self._find([reading for _, reading in kept], progress)
        width: int = reader.model.encoder.backbone.config.hidden_size  # type: ignore[assignment, union-attr]
        vectors = [by_head[name][0] for by_head in found]
        stacked = np.stack(vectors) if vectors else np.zeros((0, width), dtype=np.float32)
        if unit != "document":
            return Embeddings(stacked, tuple(part for part, _ in kept))
        return stacked[0] if vectors else np.zeros(width, dtype=np.float32)

    def fill(self, text: str | Document, *, top_k: int = 5, head: str | None = None) -> list[list[Word]]:
        """The likeliest words for each masked one of a text of any length, such as "This [MASK] is governed by …".

        Raises:
            ConfigError: no head fills masks or several do, or the text has no mask.
        """
        name = self._head("fill", head)
        read = text if isinstance(text, Document) else Document.from_text(text, name="text")
        return self._reader_of[name].fill(read, name, top_k)

    # ----------------------------------------------------------------------------------------------------------- heads

    def _names_of(self, kind: str) -> list[str]:
        """Names of all heads of a kind, at least one."""
        if names := [name for name, config in self.heads.items() if config.kind == kind]:
            return names
        has = ", ".join(f"{name} ({config.kind})" for name, config in self.heads.items())
        raise ConfigError(
            f"no head of kind {kind!r} here, only {has or 'none'}; load one: "
            f"Pipeline.from_pretrained({kind}='a folder')"
        )

    def _head(self, kind: str, wanted: str | None) -> str:
        """Name of the head to use: the one wanted, or the only one of its kind."""
        names = self._names_of(kind)
        if wanted is not None and wanted not in names:
            raise ConfigError(f"head is {wanted!r}; the heads of kind {kind!r} are {', '.join(names)}")
        if wanted is None and len(names) > 1:
            raise ConfigError(f"several heads are of kind {kind!r}; name one with head=: {', '.join(names)}")
        return wanted or names[0]

    def _progress(self) -> tqdm[Any]:
        disable = None if self._show_progress is None else not self._show_progress
        return tqdm(unit="token", unit_scale=True, delay=PROGRESS_DELAY, leave=False, disable=disable)


def _loaded(pairs: Iterable[tuple[DocumentLike, Any]], on_error: OnError) -> Iterator[tuple[Document | Failure, Any]]:
    for source, companion in pairs:
        try:
            yield _document(source), companion
        except DocumentError as error:
            if on_error == "raise":
                raise
            yield Failure(_name_of(source), error), companion


def _document(source: DocumentLike) -> Document:
    return source if isinstance(source, Document) else load(source)


def _name_of(source: DocumentLike) -> str:
    if isinstance(source, (str, PathLike)):
        return str(source)
    return "bytes" if isinstance(source, bytes) else str(getattr(source, "name", "file object"))


def _rule_entities(document: Document, spans: Sequence[Span]) -> list[Entity]:
    return [Entity(label=s.label, score=1.0, source=RULES, **place(document, s.start, s.end)) for s in spans]


def _value_of(field: Field) -> Any:
    """Parser of a field's values, for the types that have values."""
    if field.type in ("date", "money", "percent", "duration", "number"):
        return lambda text: parse_value(text, field.type, near=field.near)
    return None


def _as_path(source: ItemT | PathLike[str]) -> ItemT | Path:
    """A path-like object as a ``Path``, anything else unchanged."""
    return Path(source) if isinstance(source, PathLike) else source


def _check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ConfigError(f"unknown {name} {value!r}; allowed: {', '.join(allowed)}")


def _checked_score(min_score: float | None) -> float | None:
    if min_score is not None and not 0 <= min_score <= 1:
        raise ConfigError(f"min_score must be from 0 to 1; got {min_score}")
    return min_score
