"""An index of documents: built from folders, opened, searched. The file of this package to read first.

    documents ──batch──▶ tables of documents and passages ──▶ vectors, words
    query ──▶ the nearest vectors, the words it shares ──▶ one list, by reciprocal ranks ──▶ hits

Passages are ranked twice, by the cosine of their vectors with that of the query, and by BM25 of the words that they
share with it; the two lists are joined by reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009).
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from longdoc.arguments import check_choice, check_count, check_type
from longdoc.batch.progress import RunStatus, read_status
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.search import caches
from longdoc.search.columns import METADATA, index_schemas
from longdoc.search.graph import near
from longdoc.search.hits import PASSAGE_COLUMNS, Hit
from longdoc.search.origin import index_manifest, model_of, outdated
from longdoc.search.parts import Part, Parts
from longdoc.search.ranks import check_query, fused
from longdoc.search.vectors import nearest
from longdoc.search.where import Where, check_labels, wanted_documents

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import Unpack

    from longdoc.pipeline import Pipeline
    from longdoc.search.answers import FoundAnswers
    from longdoc.search.build import IndexOptions
    from longdoc.search.embedder import Embedder
    from longdoc.search.rerank import Reranker

Mode: TypeAlias = Literal["hybrid", "words", "vectors"]

CANDIDATES = 50
"""Passages that are ordered anew by late interaction; more if more hits are wanted."""
DEPTH = 100
"""Passages of each list that are joined; more if more hits are wanted."""
PASSAGES = 32
"""Passages that are read for a question."""
_KNOWN = ("document_id", "address", "state", "reason", "format", "pages", "characters", "title", "kind", "same_as")
_READ = ("ok", "partial")


class Index:
    """An index on disk. Searches may come from several threads, and from several processes, while a build goes on."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        model: str | os.PathLike[str] | None = None,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        """Opens an index; one that a build has left half done is brought up to date.

        Args:
            path: its folder.
            model: where the model is that made it, if it has moved; a folder or hub id. It is loaded when a search
                first needs it.
            device: where it computes, as for ``Pipeline.from_pretrained``.
            precision: in which number format.

        Raises:
            ConfigError: there is no index.
            SearchError: it is damaged.
            BatchError: it is being built for the first time, or its journal is damaged.
            MissingDependencyError: a library is not installed (the extra ``search``).
        """
        check_type("path", path, "the path of a folder", str, os.PathLike)
        self.path = Path(path)
        self._manifest = index_manifest(self.path)
        check_type("model", model, "a folder, a hub id, or None", str, os.PathLike, None)
        options: dict[str, Any] = {"device": device, "precision": precision}
        self._given = None if model is None else os.fspath(model), options
        self._caches = caches.opened(self.path, self._manifest["id"])
        self._parts = Parts(self.path, self._caches.stamp.parts)
        self._lock = threading.Lock()
        self._rerankers: dict[str, Reranker] = {}

    @classmethod
    def build(
        cls,
        paths: Iterable[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        *,
        model: str | os.PathLike[str] = "default",
        **options: Unpack[IndexOptions],
    ) -> Index:
        """Makes an index of documents, or adds to one; then opens it.

        Documents that are in it and have not changed are not read again, and a build that was interrupted, by whatever,
        goes on if it is called again. A document that cannot be read costs only itself: see ``documents``.

        Args:
            paths: files, folders, and addresses of other file systems such as ``"s3://bucket/contracts"``.
            out: a new or empty folder, or that of an index of the same model and settings.
            model: whose embedding head makes the vectors: ``"default"``, a folder or a hub id, such as a checkpoint of
                sentence-transformers.
            options: how documents are read, as for :func:`longdoc.extract_many` (``workers``, ``glob``, ``resume``,
                ``progress`` …); ``drop_gone``: take documents out that are no inputs any more; ``device``,
                ``precision``, ``password`` and ``ocr``; and ``records``: the model whose other heads make the records,
                by default the shipped one; None makes them without, in half the time.

        Raises:
            ConfigError: an argument is invalid, the model has no embedding head, or ``out`` is no folder, or holds an
                index of another model or settings.
            DocumentNotFoundError: there is no document.
            BatchError: the build stopped, as when the disk is full; call again to go on.
            MissingDependencyError: a library is not installed (the extra ``search``).
        """
        from longdoc.search.build import build  # imports what reads documents, for which a search need not wait

        job = build(paths, out, model=model, **options)
        return cls(out, model=job.model, device=job.device, precision=job.precision)

    def __repr__(self) -> str:
        return f"<Index: {self.path}, {len(self._parts):,} passages of {len(self._documents):,} documents>"

    @property
    def passages(self) -> int:
        """The number of passages."""
        return len(self._parts)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What is known of each document, in the order in which they were read: the columns of ``documents``."""
        return [dict(row) for _, row in self._documents]

    @property
    def status(self) -> RunStatus:
        """How the last build ended: the documents that could not be read, and those that were none of its inputs."""
        return read_status(self.path)

    @property
    def model(self) -> str:
        """The model that made the vectors: its name, and a digest of its files."""
        return str(self._manifest["model"])

    def document(self, document_id: str) -> Document:
        """A document as it was read, with its pages and boxes.

        Raises:
            ConfigError: the index has no such document.
            SearchError: a file is missing or damaged.
        """
        check_type("document_id", document_id, "the id of a document, as of a hit", str)
        if document_id not in self._by_id:
            raise ConfigError(f"{self.path}: has no document {document_id!r:.80}; give the document_id of a hit")
        part, _ = self._by_id[document_id]
        return Document.from_json(zlib.decompress(self._parts.content(part, document_id)).decode())

    @property
    def width(self) -> int:
        """Length of the vectors; 0 if there are none."""
        return self._caches.stamp.width

    @property
    def part_names(self) -> list[str]:
        """The parts of the passages. A part never changes: a build that changes anything makes new ones."""
        return [f"{part.name} {self._manifest['id']}" for part in self._parts.parts]

    @property
    def part_schema(self) -> pyarrow.Schema:
        """The columns of `part`."""
        import pyarrow

        own = [column for column in index_schemas()["passages"] if column.name != "vector"]
        more = [pyarrow.field(name, pyarrow.string()) for name in ("part", "address", "document_title")]
        vector = pyarrow.field("vector", pyarrow.list_(pyarrow.float16(), self.width))
        return pyarrow.schema([*more, *(column.remove_metadata() for column in own), vector])

    def part(self, name: str) -> pyarrow.Table:
        """The passages of a part, for other databases: their columns, with the address and title of their document.

        ``vector`` is a list of float16.

        Raises:
            ConfigError: there is no such part.
            SearchError: a file is missing or damaged.
        """
        if name not in self.part_names:
            raise ConfigError(f"{self.path}: has no part {name!r:.80}; part_names has them all")
        part = self._parts.parts[self.part_names.index(name)]
        rows = self._parts.all_passages(part)
        for row in rows:
            _, known = self._by_id[row["document_id"]]
            row |= {"part": name, "address": known["address"], "document_title": known["title"]}
            row["vector"] = np.frombuffer(row["vector"], "<f2")
        import pyarrow

        return pyarrow.Table.from_pylist(rows, schema=self.part_schema)

    def outdated(self, addresses: Collection[str]) -> list[str]:
        """Which of some documents have changed since they were read, or are gone.

        A file of the same size and time has not changed; if only the time differs, its content decides.

        Raises:
            BatchError: the journal is damaged.
        """
        return outdated(self.path, addresses)

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        mode: Mode = "hybrid",
        where: Where | None = None,
        rerank: str | os.PathLike[str] | None = None,
    ) -> list[Hit]:
        """The passages that a query means, the best first.

        Args:
            query: words, or a question; nothing in it is an operator.
            top_k: how many at most.
            mode: rank by ``"words"``, by ``"vectors"``, or by both.
            where: which documents to search, such as ``{"type": "contract", "effective_date": "2019..2021"}``; see
                :func:`longdoc.search.where.conditions`.
            rerank: a multi-vector encoder of sentence-transformers, a folder or hub id, that orders the best 50 anew,
                by late interaction; slow.

        Raises:
            ConfigError: an argument is invalid, or the model is not the one that made the index.
            SearchError: a file is missing or damaged.
        """
        check_query(query)
        check_count("top_k", top_k, 1)
        check_choice("mode", mode, get_args(Mode))
        check_type("rerank", rerank, "a folder, a hub id, or None", str, os.PathLike, None)
        wanted = top_k if rerank is None else max(top_k, CANDIDATES)
        among = self._among(where)
        if among is not None and not among:
            return []
        depth = max(wanted, DEPTH) if mode == "hybrid" else wanted
        by_words = self._by_words(query, depth, among) if mode != "vectors" else {}
        by_vectors = self._by_vectors(query, depth, among) if mode != "words" else {}
        scores = fused(list(by_words), list(by_vectors)) if mode == "hybrid" else by_words or by_vectors
        best = sorted(scores, key=lambda row: (-scores[row], row))[:wanted]
        ranks = [{row: rank for rank, row in enumerate(found, 1)} for found in (by_words, by_vectors)]
        hits = self._hits(best, scores, *ranks)
        return hits if rerank is None else self._reranked(query, hits, os.fspath(rerank))[:top_k]

    def _reranked(self, query: str, hits: list[Hit], model: str) -> list[Hit]:
        """The hits in the order of their late interaction with the query, which is their score then."""
        from longdoc.search.rerank import Reranker

        with self._lock:
            if model not in self._rerankers:
                self._rerankers[model] = Reranker(model, device=self._given[1]["device"])
            scores = [*self._rerankers[model].scores(query, [hit.text for hit in hits])] if hits else []
        scored = [replace(hit, score=float(score)) for hit, score in zip(hits, scores, strict=True)]
        return sorted(scored, key=lambda hit: -hit.score)

    def ask(
        self,
        question: str,
        *,
        top_k: int = 5,
        passages: int | None = PASSAGES,
        where: Where | None = None,
        pipeline: Pipeline | None = None,
        min_score: float | None = None,
        head: str | None = None,
    ) -> FoundAnswers:
        """Answers from the documents, word for word: the best one of each document, best first.

        A head that answers questions reads the passages that a search finds for the question.

        Args:
            question: the question; one that names the parties or the title of a document is asked of that one.
            top_k: maximum number of answers.
            passages: how many passages are read; None reads every document whole.
            where: which documents to ask, as for :meth:`search`.
            pipeline: what reads them; by default the model shipped with longdoc, loaded at the first question.
            min_score: threshold of an answer's score, 0..1; by default those of the head.
            head: name of a head, for its answers alone; by default those of a document's structure come first.

        Returns a list that also says how much was read: :class:`longdoc.search.answers.FoundAnswers`.

        Raises:
            ConfigError: an argument is invalid, no head answers questions or several do, or the model is not the one
                that made the index.
            SearchError: a file is missing or damaged.
        """
        check_query(question)
        check_count("passages", passages, 1, optional=True)
        from longdoc.search.answers import Asking, answers_of  # imports the pipeline

        among = self._among(where)
        known = [row for _, row in self._by_id.values() if among is None or row["document_id"] in among]
        hits = None if passages is None else self.search(question, top_k=passages, where=where)
        with self._lock:
            asking = Asking.of(pipeline or self._pipeline, top_k, min_score, head)
        found = answers_of(question, known, hits, self.document, asking)
        rows = self._rows_of(among)
        found.passages = self.passages if rows is None else len(rows)
        found.passages_read = found.passages if hits is None else len(hits)
        return found

    def _among(self, where: Where | None) -> set[str] | None:
        """The ids of the documents that are wanted; None for all."""
        if where is None:
            return None
        check_labels(where, self.path, self._manifest["settings"])
        return wanted_documents(where, (row for _, row in self._documents))

    def _by_words(self, query: str, depth: int, among: set[str] | None) -> dict[int, float]:
        """Row → BM25 score, the best first; of passages that are in the tables."""
        found = self._caches.words.search(query, depth, among)
        rows = ((self._parts.row(part, row), score) for part, row, score in found)
        known = [(row, score) for row, score in rows if row is not None]
        return dict(sorted(known, key=lambda each: (-each[1], each[0])))

    def _by_vectors(self, query: str, depth: int, among: set[str] | None) -> dict[int, float]:
        """Row → cosine, the best first."""
        if not self.passages:
            return {}
        with self._lock:
            vector = self._embedder.query(query)
        graph = self._caches.graph if among is None else None
        candidates = self._rows_of(among) if graph is None else near(graph, vector, depth)
        rows, scores = nearest(self._caches.vectors, vector, depth, candidates)
        return dict(zip(rows.tolist(), scores.tolist(), strict=True))

    def _rows_of(self, among: set[str] | None) -> np.ndarray | None:
        """The rows of the passages of some documents, ascending, int64; None for all."""
        if among is None:
            return None
        ids, codes = self._owners
        return np.flatnonzero(np.isin(codes, [code for code, id in enumerate(ids) if id in among]))

    @cached_property
    def _owners(self) -> tuple[list[str], np.ndarray]:
        """The ids of the documents, and which of them each passage is of, int32 ``(N,)``."""
        numbers: dict[str, int] = {}
        codes = [
            numbers.setdefault(id, len(numbers))
            for part in self._parts.parts
            for id in self._parts.column(part, "document_id").to_pylist()
        ]
        return list(numbers), np.array(codes, dtype=np.int32)

    @cached_property
    def _documents(self) -> list[tuple[Part, dict[str, Any]]]:
        return list(self._parts.documents([*_KNOWN, *(column.name for column in METADATA)]))

    @cached_property
    def _by_id(self) -> Mapping[str, tuple[Part, Mapping[str, Any]]]:
        """The documents by id: of several with the same content the one whose passages are in the tables."""
        own = ((part, row) for part, row in self._documents if row["state"] in _READ and not row["same_as"])
        return {row["document_id"]: (part, row) for part, row in own}

    @cached_property
    def _pipeline(self) -> Pipeline:
        """What answers questions, unless the caller has something else."""
        from longdoc.pipeline import Pipeline

        return Pipeline.from_pretrained(**self._given[1])

    @cached_property
    def _embedder(self) -> Embedder:
        """The model that makes the vector of a query.

        Raises:
            ConfigError: it is not the one that made the index, or is not where it was.
        """
        given, options = self._given
        name = model_of(self.path, self.model, given)
        from longdoc.search.embedder import Embedder  # imports the pipeline, which a search by words does without

        return Embedder.load(name, **options)

    def _hits(
        self,
        rows: list[int],
        scores: Mapping[int, float],
        word_ranks: Mapping[int, int],
        vector_ranks: Mapping[int, int],
    ) -> list[Hit]:
        found = self._parts.passages(rows, PASSAGE_COLUMNS)
        known = [self._by_id[own["document_id"]][1] for own in found]
        ranks = [(scores[row], word_ranks.get(row), vector_ranks.get(row)) for row in rows]
        return [Hit.of(*each) for each in zip(found, known, ranks, strict=True)]
