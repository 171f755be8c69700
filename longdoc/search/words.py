"""The words of all passages in an index of tantivy, ranked by BM25. English words are compared by their stems.

With each passage stand the names of its document, in a field of their own, so that "the term of the lease between Ada
and Bea" is sought in that lease. Words that say nothing of a subject, such as "which", are left out. A passage is known
by the number of its part and its row there, so that a part that has left the tables is taken out.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from longdoc.errors import SearchError, require
from longdoc.lexical import STOP_WORDS

_ANALYZER = "longdoc"
_HEAP = 64_000_000
"""Bytes that are written at a time."""
_LONGEST = 40
"""Characters of the longest word."""


class PassageWords(NamedTuple):
    """What is known of a passage by its words."""

    document: str
    """The id of its document."""
    names: str
    """See :func:`names_of`."""
    text: str
    """Its headings and its text."""


class Words:
    """The words of an index: opened, or made anew if there are none."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Opens the folder.

        Raises:
            SearchError: what is there cannot be read.
            MissingDependencyError: tantivy is not installed.
        """
        tantivy = self._tantivy = require("tantivy", extra="search", needed_by="a search by words")
        try:
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                self._index = tantivy.Index(_schema(tantivy), path=str(folder))
            else:
                self._index = tantivy.Index.open(str(folder))
        except (ValueError, OSError) as error:
            raise _damaged(folder, error) from error
        self._folder, self._schema = folder, self._index.schema
        self._analyzer = _analyzer(tantivy)
        self._index.register_tokenizer(_ANALYZER, self._analyzer)
        self._searcher = self._index.searcher()  # of what is committed now, whatever other processes do

    def __len__(self) -> int:
        """The number of passages."""
        return int(self._searcher.num_docs)

    def replace(self, leaving: Collection[int], coming: Iterable[tuple[int, Iterable[PassageWords]]]) -> None:
        """Takes the passages of parts out, and adds those of others, at once: a kill leaves the index as it was.

        Args:
            leaving: numbers of parts.
            coming: numbers of parts, with the words of each passage.
        """
        writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        for part in leaving:
            writer.delete_documents_by_term("part", part)
        for part, passages in coming:
            writer.delete_documents_by_term("part", part)  # what a kill has left
            for row, words in enumerate(passages):
                values = {"part": part, "row": row, **words._asdict()}
                writer.add_document(self._tantivy.Document.from_dict(values, self._schema))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, query: str, top_k: int, documents: Collection[str] | None = None) -> list[tuple[int, int, float]]:
        """Part, row and BM25 score of the passages that share words with a query, the best first.

        Args:
            query: any text; nothing in it is an operator.
            top_k: how many at most.
            documents: ids of the documents to search; all by default.

        Raises:
            SearchError: the index cannot be read.
        """
        tantivy, must = self._tantivy, self._tantivy.Occur.Must
        terms = dict.fromkeys(self._analyzer.analyze(query))
        if not terms:
            return []
        should = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, field, term, "freq"))
            for term in terms
            for field in ("text", "names")
        ]
        wanted = tantivy.Query.boolean_query(should)
        if documents is not None:
            among = tantivy.Query.term_set_query(self._schema, "document", sorted(documents))
            wanted = tantivy.Query.boolean_query([(must, wanted), (must, tantivy.Query.const_score_query(among, 0.0))])
        try:
            searcher = self._searcher
            limit = min(top_k, max(int(searcher.num_docs), 1))  # tantivy allocates that many, and ends the process
            hits = searcher.search(wanted, limit=limit, count=False).hits
            places = [address for _, address in hits]
            parts, rows = (searcher.fast_field_values(name, places) for name in ("part", "row"))
        except (ValueError, OSError) as error:
            raise _damaged(self._folder, error) from error
        return [(part, row, score) for part, row, (score, _) in zip(parts, rows, hits, strict=True)]


def names_of(document: Mapping[str, Any]) -> str:
    """The words by which a document is named, of its row in ``documents``: its file, its title and its parties."""
    file = PurePosixPath(document["address"].replace("\\", "/")).stem
    return "\n".join([re.sub(r"[-_]+", " ", file), document["title"] or "", *(document["parties"] or ())])


def remove_words(folder: Path) -> None:
    """Removes an index of words, if there is one."""
    shutil.rmtree(folder, ignore_errors=True)


def _schema(tantivy: Any) -> Any:
    schema = tantivy.SchemaBuilder()
    schema.add_unsigned_field("part", indexed=True, fast=True)
    schema.add_unsigned_field("row", fast=True)
    schema.add_text_field("document", tokenizer_name="raw", index_option="basic")
    for name in ("names", "text"):
        schema.add_text_field(name, tokenizer_name=_ANALYZER, index_option="freq")
    return schema.build()


def _analyzer(tantivy: Any) -> Any:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for each in (
        tantivy.Filter.remove_long(_LONGEST),
        tantivy.Filter.lowercase(),
        tantivy.Filter.custom_stopword(sorted(STOP_WORDS)),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(each)
    return builder.build()


def _damaged(folder: Path, error: Exception) -> SearchError:
    return SearchError(
        f"{folder}: is damaged ({error}); make it anew with `longdoc index`, by the command that made the index"
    )
