"""Document → Prediction: the file to read first.

    document ──tokenize, split──▶ windows ──encoder, heads──▶ scores ──merge, decode──▶ findings ──▶ prediction

:class:`~longdoc.engine.Engine` does everything up to the findings, of each document once and whole;
:class:`~longdoc.stream.Stream` turns them into predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

import numpy as np

from longdoc.arguments import check_type
from longdoc.asking import WINDOWS, Choice, answers_to
from longdoc.decode import Overlap
from longdoc.document import Document
from longdoc.document_type import Kind
from longdoc.engine import Engine, Readable, tasks_of
from longdoc.errors import ConfigError
from longdoc.fields import CANDIDATES_FOR_VALUE, MAX_ANSWERS, Sources, extract
from longdoc.findings import Embeddings, Searched, Unit
from longdoc.heads import DecodeOptions
from longdoc.inputs import EncoderKind, Precision, check_encoder
from longdoc.labels import Entity, Inference, Label
from longdoc.loaders import DocumentLike, as_document
from longdoc.prediction import Answers, Failure, Prediction
from longdoc.reader import Reader, Word
from longdoc.records import record_kind, with_record
from longdoc.rules import Rules
from longdoc.schema import Field, Schema, load_schema
from longdoc.similarity import Text, cosines
from longdoc.sources import load_models
from longdoc.stream import AskOptions, OnError, OneThread, Stream, StreamOptions, checked_tasks, pairs_of, progress_bar
from longdoc.usable import Usable

if TYPE_CHECKING:
    import torch
    from typing_extensions import Unpack

    from longdoc.model import Model

ItemT = TypeVar("ItemT")


class Pipeline:
    """Reads documents with the heads of one model, or of several.

    Build it from a name with :meth:`from_pretrained` or from models in memory; call it with a document.
    """

    def __init__(
        self,
        *models: Readable,
        device: str | torch.device = "auto",
        precision: Precision = "auto",
        encoder: EncoderKind = "windows",
        rules: Rules | None = None,
        batch_tokens: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """A pipeline of models in memory; the arguments are those of :meth:`from_pretrained`."""
        self.engine = Engine(models, device=device, precision=precision, encoder=encoder, batch_tokens=batch_tokens)
        check_type("rules", rules, "a Rules, such as Rules.load('default'), or None", Rules, None)
        check_type("progress", progress, "True, False, or None for a terminal alone", bool, None)
        self.rules, self._progress = rules, partial(progress_bar, progress)

    def __repr__(self) -> str:
        return f"<Pipeline: {self.engine}{'; rules' * bool(self.rules)}>"

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
            model: ``"default"`` (shipped with longdoc; by default, unless there are ``heads``), or a folder or hub id
                of ``Model.save``, ``longdoc export`` (ONNX needs no torch), transformers or sentence-transformers.
            encoder: ``"windows"`` reads overlapping slices of the length the model was trained on; ``"sparse"`` reads
                the text whole, with attention to each token's neighbours and a few global tokens.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda:1"`` …; GPUs of ``"cuda:0,1"`` take turns.
            precision: ``"float32"``, ``"bfloat16"``, ``"auto"`` (the latter where native) or ``"int8"`` (BERT on CPUs).
            rules: rule files for the task ``"rules"``: ``"default"``, names of shipped files, or paths of other files.
            batch_tokens: maximum tokens in a batch, by default 65,536 on a GPU and 2,048 on a CPU. BERT computes no
                padding, but its heads do: up to as much again.
            revision: branch, tag or commit of a hub id.
            cache_dir: folder for downloads from the hub; by default the hub's own.
            progress: show a progress bar; by default only on a terminal, and after two seconds.
            heads: kind of a head (``ner``, ``qa``, ``classify``, ``nli``, ``embed``, ``fill``): a model as above, of
                which only the heads of that kind are loaded.

        Raises:
            ConfigError: invalid argument, no model with such a head, or an architecture that cannot be made sparse.
        """
        check_encoder(encoder)
        options = {"only_windows": encoder == "windows", "revision": revision, "cache_dir": cache_dir}
        models = load_models(model, heads, device=device, precision=precision, **options)
        return cls(
            *models,
            device=device,
            precision=precision,
            encoder=encoder,
            rules=Rules.of(rules),
            batch_tokens=batch_tokens,
            progress=progress,
        )

    @property
    def model(self) -> Model:
        """The model of a pipeline that has one; ``ConfigError`` if it has several, none, or an export."""
        if len(self.readers) != 1:
            raise ConfigError(f"this pipeline has {len(self.readers)} models; see pipeline.readers")
        return cast("Model", cast(Any, self.readers[0].scorer).model)

    @property
    def readers(self) -> tuple[Reader, ...]:
        """The readers of all models."""
        return self.engine.readers

    @property
    def heads(self) -> Mapping[str, Any]:
        """Configurations of all heads, by name."""
        return self.engine.heads

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that a call can run: the heads that need no question, and ``rules``."""
        return tasks_of(self.heads, self.rules)

    def __call__(
        self,
        document: DocumentLike,
        tasks: Sequence[str] | None = None,
        *,
        overlap: Overlap = "all",
        min_score: float | None = None,
    ) -> Prediction:
        """Reads one document.

        Args:
            document: a document, or the path, bytes or open binary file of one.
            tasks: names of the heads to read with, and ``rules``; by default those that the model names for the kind
                of document (a contract, a paper, a note, other), or all that need no question.
            overlap: whether entities may overlap: ``"all"`` keeps the entities of every family of labels,
                ``"longest"`` and ``"best"`` (by score) choose one of two that overlap.
            min_score: threshold of the scores of entities and spans, 0..1; by default that of each head.
        """
        return next(self.pipe([document], tasks=tasks, overlap=overlap, min_score=min_score))

    def entities(self, document: DocumentLike) -> tuple[Entity, ...]:
        """The entities of a document, in the order of the text."""
        return self(document, tasks=self.engine.names_of("ner")).entities

    def classify(self, document: DocumentLike) -> tuple[Label, ...]:
        """The classes of a document, and of its sections if a head classifies sections."""
        return self(document, tasks=self.engine.names_of("classify")).labels

    @overload
    def pipe(
        self, documents: Iterable[DocumentLike], *, on_error: Literal["raise"] = ..., **options: Unpack[StreamOptions]
    ) -> Iterator[Prediction]: ...
    @overload
    def pipe(
        self, documents: Iterable[DocumentLike], *, on_error: Literal["yield"], **options: Unpack[StreamOptions]
    ) -> Iterator[Prediction | Failure]: ...
    @overload
    def pipe(
        self,
        documents: Iterable[tuple[DocumentLike, ItemT]],
        *,
        on_error: Literal["raise"] = ...,
        as_tuples: Literal[True],
        **options: Unpack[StreamOptions],
    ) -> Iterator[tuple[Prediction, ItemT]]: ...
    @overload
    def pipe(
        self,
        documents: Iterable[tuple[DocumentLike, ItemT]],
        *,
        on_error: Literal["yield"],
        as_tuples: Literal[True],
        **options: Unpack[StreamOptions],
    ) -> Iterator[tuple[Prediction | Failure, ItemT]]: ...
    def pipe(  # noqa: PLR0913 (each is a separate choice of the caller)
        self,
        documents: Iterable[Any],
        *,
        tasks: Sequence[str] | None = None,
        batch_size: int | None = None,
        overlap: Overlap = "all",
        min_score: float | None = None,
        workers: int = 0,
        on_error: OnError = "raise",
        as_tuples: bool = False,
    ) -> Iterator[Any]:
        """Reads many documents, lazily and in order; their windows share batches.

        Args:
            documents: documents, paths, bytes or files; with ``as_tuples``, pairs of one of these and any object.
            tasks: as in a call.
            batch_size: number of documents encoded together; by default as many as fill 16 batches.
            overlap: as in a call.
            min_score: as in a call.
            workers: how many processes load paths and bytes, while this one reads; 0 loads them here.
            on_error: what to do with a document that cannot be read: ``"raise"`` its error, or ``"yield"`` a
                :class:`~longdoc.prediction.Failure` in its place and continue.
            as_tuples: yield pairs of prediction and object.

        Raises:
            ConfigError: invalid argument, at the call.
            DocumentError: a document cannot be read, when it is reached.
        """
        pairs = pairs_of(documents, as_tuples=as_tuples)
        stream = Stream(
            engine=self.engine,
            rules=self.rules,
            tasks=checked_tasks(tasks, self.tasks),
            batch_size=batch_size,
            overlap=overlap,
            on_error=on_error,
            min_score=min_score,
            workers=workers,
            by_kind=tasks is None,
        )
        outcomes = stream.outcomes(pairs, self._progress)
        return OneThread(outcomes if as_tuples else (outcome for outcome, _ in outcomes))

    @overload
    def ask(  # type: ignore[overload-overlap]  # a str is a sequence of str
        self, document: DocumentLike, question: str, **options: Unpack[AskOptions]
    ) -> Answers: ...
    @overload
    def ask(self, document: DocumentLike, question: Sequence[str], **options: Unpack[AskOptions]) -> list[Answers]: ...
    def ask(
        self,
        document: DocumentLike,
        question: str | Sequence[str],
        *,
        top_k: int = 1,
        min_score: float | None = None,
        head: str | None = None,
        windows: int | None = WINDOWS,
    ) -> Any:
        """Answers from the document, word for word, best first; a doubtful one has a low score, and is to be checked.

        Args:
            document: as in a call.
            question: one question, or a list of them, for which the document is tokenised once.
            top_k: maximum number of answers to a question.
            min_score: threshold of an answer's score, 0..1; by default those of the head.
            head: name of a head, for its answers alone; by default those of the document's structure come first.
            windows: how many windows to read for a question: those that share most of its words; None reads all.

        Returns:
            Answers to the question, a list with ``gaps``, ``coverage`` (the share of the text that was searched) and
            ``rejected`` (the best candidate if there is no answer); a list of these for a list of questions.

        Raises:
            ConfigError: no head answers questions or several do, or a question is empty or leaves no room in a window.
        """
        if not isinstance(question, Iterable):
            raise ConfigError(f"a question is {type(question).__name__}; ask in words, with a str or a list of them")
        questions = [question] if isinstance(question, str) else list(question)
        name, options = self.engine.name_of("qa", head), DecodeOptions(top_k=top_k, min_score=min_score)
        choice = Choice(options, windows, head_only=head is not None)
        with self._progress() as bar:
            found = answers_to(self.engine, as_document(document), name, questions, choice, bar)
        return found[0] if isinstance(question, str) else found

    def extract(
        self,
        document: DocumentLike,
        schema: str | PathLike[str] | Mapping[str, Any] | Schema,
        *,
        tasks: Sequence[str] | None = None,
        min_score: float | None = None,
        head: str | None = None,
        windows: int | None = WINDOWS,
    ) -> Prediction:
        """Fills the fields of a schema: ``prediction.answers``, with the field as ``label`` and its ``value``.

        Args:
            document: as in a call.
            schema: ``"contract"``, ``"paper"``, ``"clinical"``, a YAML file, a mapping or a ``Schema``.
            tasks: heads that fields may use, and ``rules``; all by default. ``prediction.notices`` tells the omitted.
            min_score: threshold of the scores of answers, 0..1; by default that of each head.
            head: name of the head, if several answer questions.
            windows: as for :meth:`ask`; fields with several answers read all. ``prediction.searched`` says how much.

        Raises:
            ConfigError: as for :meth:`ask`, or the schema has an unknown key or type.
        """
        available = [*self.tasks, *(name for name, config in self.heads.items() if config.kind == "qa")]
        allowed = available if tasks is None else checked_tasks(tasks, available)
        read, wide = as_document(document), {True: MAX_ANSWERS + 1, False: CANDIDATES_FOR_VALUE}

        def ask(fields: Mapping[str, Field]) -> list[Searched]:
            name = self.engine.name_of("qa", head, allowed)
            options = [DecodeOptions(top_k=wide[f.many], min_score=0.0) for f in fields.values()]
            with self._progress() as bar:
                most = [None if f.many else windows for f in fields.values()]
                return self.engine.ask(read, name, [*fields], bar, options, most)

        see = partial(self, read, min_score=0.0)
        recording = partial(self.engine.heads_for, tasks=self.tasks)
        sources = Sources(Usable.of(self.heads, self.rules, min_score, allowed), recording, see, ask)
        return extract(read, load_schema(schema), sources)

    def record(self, document: DocumentLike, kind: Kind | None = None) -> Prediction:
        """Makes one record of a document, ``prediction.record``: a ``Contract``, a ``Paper`` or a ``Note``.

        ``kind`` is ``"contract"``, ``"paper"`` or ``"note"``; by default what the document looks like. ``RecordError``
        if it is of another kind, ``ConfigError`` if there are no records of this kind.
        """
        wanted = record_kind(read := as_document(document), kind)
        tasks = self.engine.heads_for(wanted, tasks=self.tasks)
        return with_record(self(read, tasks) if tasks else Prediction(document=read), wanted)

    def infer(
        self,
        document: DocumentLike,
        hypotheses: Iterable[str],
        *,
        min_score: float | None = None,
        head: str | None = None,
    ) -> list[Inference]:
        """Whether the document entails or contradicts each hypothesis ("The licence is exclusive."), with evidence.

        Args:
            document: as in a call.
            hypotheses: a list of statements.
            min_score: minimum share of the attention, 0..1, of a sentence reported as evidence; 0.05 by default.
            head: name of the head, if several judge hypotheses.

        Returns one inference per hypothesis, also for a document without text (``label`` is then ``NOT_READ``);
        ``ConfigError`` if no head judges hypotheses or several do, or one is empty or leaves no room in a window.
        """
        if isinstance(hypotheses, str) or not isinstance(hypotheses, Iterable):
            raise ConfigError(f"hypotheses must be a list, such as [{hypotheses!r}]")
        options = [DecodeOptions(min_score=min_score)] * len(statements := list(hypotheses))
        read, name = as_document(document), self.engine.name_of("nli", head)
        with self._progress() as bar:
            found = self.engine.ask(read, name, statements, bar, options)
        return [replace(inference, coverage=own.coverage) for own in found for inference in own.findings]

    @overload
    def embed(
        self, document: DocumentLike, unit: Literal["document"] = ..., *, head: str | None = ...
    ) -> np.ndarray: ...
    @overload
    def embed(
        self, document: DocumentLike, unit: Literal["section", "sentence"], *, head: str | None = ...
    ) -> Embeddings: ...
    def embed(self, document: DocumentLike, unit: Unit = "document", *, head: str | None = None) -> Any:
        """A vector for a document, float32 ``(D,)``, or one for each section or sentence, float32 ``(N, D)``.

        Each part is encoded by itself, as sentence-transformers encodes its text; the vectors of its windows are
        averaged by length.
        """
        with self._progress() as progress:
            found = self.engine.embed(as_document(document), self.engine.name_of("embed", head), unit, progress)
        none = np.zeros(found.vectors.shape[1], dtype=np.float32)
        return found if unit != "document" else found.vectors[0] if len(found.vectors) else none

    def similarity(
        self, a: Text | Iterable[Text], b: Text | Iterable[Text], *, pairwise: bool = False, head: str | None = None
    ) -> Any:
        """How alike texts (strings or documents) are in meaning: the cosine of their vectors, for two texts a float.

        Lists give those of all pairs, float32 ``(N, M)``, or with ``pairwise`` of texts in the same place, ``(N,)``.
        ``ConfigError`` if no head embeds or several do, or a text is empty.
        """
        with self._progress() as bar:
            return cosines(self.engine, self.engine.name_of("embed", head), a, b, pairwise, bar)

    def fill(self, text: str | Document, *, top_k: int = 5, head: str | None = None) -> list[list[Word]]:
        """The likeliest words for each masked one of a text of any length, such as "This [MASK] is governed by …".

        ``ConfigError`` if no head fills masks or several do, or the text has no mask.
        """
        reader = self.engine.reader_of(name := self.engine.name_of("fill", head))
        return reader.fill(text if isinstance(text, Document) else Document.from_text(text, name="text"), name, top_k)
