"""A graph of near vectors (HNSW; Malkov and Yashunin, 2016), by usearch, for a million passages or more.

It is approximate: ``benchmarks/results/search.md`` says how much it misses. What it finds is compared exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from longdoc.errors import SearchError, require

AT_LEAST = 1_000_000
"""Passages from which on an index has a graph."""
CONNECTIVITY = 16
"""Neighbours of a vector in the graph; of all three, more is better and slower."""
EXPANSION_ADD = 128
"""Vectors that are considered where one is added, and …"""
EXPANSION_SEARCH = 256
"""… where one is sought."""
_BLOCK = 1 << 16


def open_graph(path: Path, count: int) -> Any:
    """The graph in a file, mapped into memory.

    Raises:
        SearchError: it is missing, damaged, or of another number of vectors.
        MissingDependencyError: usearch is not installed.
    """
    index = require("usearch.index", extra="search", needed_by="an index of so many passages")
    try:
        graph = index.Index.restore(str(path), view=True, expansion_search=EXPANSION_SEARCH)
    except (RuntimeError, ValueError, OSError) as error:
        raise _damaged(path, str(error)) from error
    if graph is None or len(graph) != count:
        raise _damaged(path, f"{0 if graph is None else len(graph):,} vectors, where {count:,} should be")
    return graph


def write_graph(path: Path, vectors: np.ndarray, *, former: Path | None) -> None:
    """Writes the graph of vectors, float16 ``(N, D)``.

    Args:
        path: the file to write.
        vectors: the vectors.
        former: a graph of the first of them, to which the others are added; if None, or if it cannot be read, all are.

    Raises:
        OSError: the file cannot be written.
    """
    index = require("usearch.index", extra="search", needed_by="an index of so many passages")
    graph = None
    if former is not None and former.exists():
        try:
            graph = index.Index.restore(str(former), view=False, expansion_add=EXPANSION_ADD)
        except (RuntimeError, ValueError):
            graph = None
    if graph is None or len(graph) > len(vectors):
        graph = index.Index(
            ndim=vectors.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
        )
    for start in range(len(graph), len(vectors), _BLOCK):
        block = np.ascontiguousarray(vectors[start : start + _BLOCK])
        graph.add(np.arange(start, start + len(block), dtype=np.uint64), block, copy=True)
    graph.save(str(path))


def near(graph: Any, query: np.ndarray, top_k: int) -> np.ndarray:
    """The rows of ``top_k`` vectors near to a query, float32 ``(D,)``: ascending, int64; some may be missed."""
    keys = graph.search(query.astype(np.float16), top_k).keys
    return np.unique(np.asarray(keys, dtype=np.int64))


def _damaged(path: Path, why: str) -> SearchError:
    return SearchError(
        f"{path}: is damaged ({why}); make it anew with `longdoc index`, by the command that made the index"
    )
