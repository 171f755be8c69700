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
from longdoc.batch.inputs import look
from longdoc.batch.journal import is_same
from longdoc.batch.ledger import read_ledger
from longdoc.batch.manifest import read_manifest
from longdoc.batch.progress import RunStatus, read_status
from longdoc.batch.request import fingerprint
from longdoc.batch.status import JOURNAL
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.parts import Box
from longdoc.search import caches
from longdoc.search.columns import METADATA, index_schemas
from longdoc.search.fusion import fused
from longdoc.search.graph import near
from longdoc.search.hits import Hit
from longdoc.search.parts import Part, Parts
from longdoc.search.vectors import nearest
from longdoc.search.where import Where, wanted_documents

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import Unpack

    from longdoc.search.build import IndexOptions
    from longdoc.search.embedder import Embedder
    from longdoc.search.rerank import Reranker

Mode: TypeAlias = Literal["hybrid", "words", "vectors"]

CANDIDATES = 50
"""Passages that are ordered anew by late interaction; more if more hits are wanted."""
DEPTH = 100
"""Passages of each list that are joined; more if more hits are wanted."""
_KNOWN = ("document_id", "address", "state", "reason", "format", "pages", "characters", "title", "kind", "same_as")
_READ = ("ok", "partial")
_SHOWN = ("document_id", "number", "title", "heading", "start", "end", "page", "boxes", "text")


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
        self._manifest = _manifest(self.path)
        check_type("model", model, "a folder, a hub id, or None", str, os.PathLike, None)
        self._given = None if model is None else os.fspath(model), {"device": device, "precision": precision}
        self._caches = caches.opened(self.path, self._manifest["started"])
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
                ``progress`` …); ``device``, ``precision``, ``password`` and ``ocr``; and ``records``: the model whose
                other heads make the records, by default the shipped one; None makes none, which halves the time.

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
        return [f"{part.name} {self._manifest['started']}" for part in self._parts.parts]

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
        entries = read_ledger(self.path / JOURNAL)[0].entries
        given = [address for address in addresses if address in entries]
        return [address for address in given if not is_same(look(address), entries[address])]

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
        among = None if where is None else wanted_documents(where, (row for _, row in self._documents))
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
            (vector,) = self._embedder.vectors([query])
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
    def _embedder(self) -> Embedder:
        """The model that makes the vector of a query.

        Raises:
            ConfigError: it is not the one that made the index, or is not where it was.
        """
        given, options = self._given
        name = given or caches.read_model(self.path) or "default"
        try:
            found = fingerprint(name)
        except ConfigError as error:
            raise ConfigError(
                f"{self.path}: was made with the model {self.model}, which is not at {name} any more ({error}); say "
                "where it is: Index(path, model='a folder')"
            ) from error
        if _digest(found) != _digest(self.model):
            raise ConfigError(
                f"{self.path}: was made with the model {self.model}, and {name} is another one, {found}; say where the "
                "first is: Index(path, model='a folder'), or make an index with this one"
            )
        from longdoc.search.embedder import Embedder  # imports the pipeline, which a search by words does without

        return Embedder.load(name, **options)

    def _hits(
        self,
        rows: list[int],
        scores: Mapping[int, float],
        word_ranks: Mapping[int, int],
        vector_ranks: Mapping[int, int],
    ) -> list[Hit]:
        found = self._parts.passages(rows, _SHOWN)
        return [
            Hit(
                document_id=own["document_id"],
                address=self._by_id[own["document_id"]][1]["address"],
                title=self._by_id[own["document_id"]][1]["title"] or "",
                section_number=own["number"],
                section_title=own["title"],
                boxes=tuple(Box(**box) for box in own["boxes"]),
                score=float(scores[row]),
                word_rank=word_ranks.get(row),
                vector_rank=vector_ranks.get(row),
                **{name: own[name] for name in ("heading", "start", "end", "text", "page")},
            )
            for row, own in zip(rows, found, strict=True)
        ]


def check_query(query: object) -> None:
    """Checks that a query is a text with words.

    Raises:
        ConfigError: it is not.
    """
    check_type("query", query, "a text", str)
    if not str(query).strip():
        raise ConfigError("the query is empty; give some words, such as 'assignment without consent'")


def _manifest(folder: Path) -> dict[str, Any]:
    """What an index was made with.

    Raises:
        ConfigError: the folder holds none.
    """
    try:
        found = read_manifest(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if found is None or "index" not in found["settings"]:
        what = "holds the tables of `longdoc extract`, and no index" if found else "holds no index"
        raise ConfigError(f"{folder}: {what}; make one: longdoc index FOLDER -o INDEX")
    return found


def _digest(model: str) -> str:
    return model.rpartition("@")[2]
