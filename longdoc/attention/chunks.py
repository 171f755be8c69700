"""Which queries the blocked back end computes together, and against which keys.

Queries that are not global are taken in order, ``CHUNK_QUERIES`` (or a block of the pattern) at a time, against the
keys that any of their windows reaches, the global tokens and their random blocks. Global queries have chunks of their
own, against their whole document. Each query that is not padding belongs to exactly one chunk.

Dimensions: ``H`` heads, ``T`` tokens, ``D`` width of a head, ``C`` queries of a chunk, ``K`` its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from longdoc.attention.eager import to_score_dtype
from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.errors import ConfigError

Part = Literal["all", "local", "global"]
CHUNK_QUERIES = 128
"""Queries in a chunk, unless the pattern has blocks: the scores of 12 heads and a window of 256 take 4 MB."""
MAX_GLOBAL_SCORES = 2**21
"""Maximum number of scores in a chunk of several global queries."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Queries that share their keys: a range of the row, and additional single tokens."""

    queries: slice | Tensor
    """A range, or positions int64 ``(C,)``."""
    keys: slice
    further: Tensor | None = None
    """Positions of the additional keys, int64."""
    hidden: Tensor | None = None
    """True for keys that a query does not see, bool ``(C or 1, K)``."""
    skipped: Tensor | None = None
    """True for queries that other chunks compute, or that are padding, bool ``(C, 1)``."""
    band: tuple[int, int] | None = None
    """Offset of the first key from the first query, and the window; ``None`` if every query sees all the keys."""
    repeated: tuple[int, float] | None = None
    """How many of the additional keys, the first ones, are counted several times, and how many times."""

    def keys_of(self, source: Tensor) -> Tensor:
        """The chunk's part ``(H, K, D)`` of a row's keys or values ``(H, T, D)``, in the dtype of scores."""
        part = source[:, self.keys]
        return to_score_dtype(part if self.further is None else torch.cat([part, source[:, self.further]], dim=1))

    def add(self, target: Tensor, part: Tensor) -> None:
        """Adds ``part`` ``(H, K, D)`` to the keys in ``target`` ``(H, T, D)``: the transpose of :meth:`keys_of`."""
        n_keys = self.keys.stop - self.keys.start
        target[:, self.keys] += part[:, :n_keys]
        if self.further is not None:
            target.index_add_(1, self.further, part[:, n_keys:])


def chunks_of(
    rows: Rows, pattern: SparsePattern, layer: int, part: str, n_heads: int
) -> Iterator[tuple[int, int, Chunk]]:
    """All chunks of a batch, each with the index of its row and its own index in the batch.

    Args:
        rows: padding, global tokens and documents of the batch.
        pattern: which query sees which key.
        layer: index of the layer, from 0.
        part: ``"all"``, or the ``"local"`` or ``"global"`` queries alone.
        n_heads: number of heads, which limits how many global queries make a chunk.

    Raises:
        ConfigError: the documents of a row are not in ascending order.
    """
    _check_order(rows)
    is_global = pattern.globals_of(rows).cpu().numpy()
    seen, documents = rows.seen.cpu().numpy(), rows.documents.cpu().numpy()
    index = 0
    for b in range(len(seen)):
        row = _Row.of(seen[b], is_global[b], documents[b], rows.seen.device)
        local = _local_chunks(row, pattern, layer) if part != "global" else ()
        with_global = _global_chunks(row, n_heads) if part != "local" else ()
        for chunks in (local, with_global):
            for chunk in chunks:
                yield b, index, chunk
                index += 1


def _check_order(rows: Rows) -> None:
    if bool((rows.documents[:, 1:] < rows.documents[:, :-1]).any()):
        raise ConfigError("document_ids must ascend along a row: the tokens of a packed document must be contiguous")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a batch, as numpy arrays."""

    seen: np.ndarray
    """False at padding, bool ``(T,)``."""
    documents: np.ndarray
    """Index of each token's document, int64 ``(T,)``, ascending."""
    excluded: np.ndarray
    """Padding and global tokens, bool ``(T,)``: not computed by local chunks, not taken as keys from the window."""
    n_excluded: np.ndarray
    """The number of excluded tokens before each position, int64 ``(T + 1,)``."""
    globals: np.ndarray
    """Positions of the global tokens, int64, ascending."""
    first: np.ndarray
    """Position of the first token of each token's document, int64 ``(T,)``."""
    stop: np.ndarray
    """Position after the last token of each token's document, int64 ``(T,)``."""
    device: torch.device
    """Where the chunks' tensors go."""

    @classmethod
    def of(cls, seen: np.ndarray, is_global: np.ndarray, documents: np.ndarray, device: torch.device) -> _Row:
        excluded = ~seen | is_global
        n_excluded = np.concatenate([[0], np.cumsum(excluded)])
        first = np.searchsorted(documents, documents, side="left")
        stop = np.searchsorted(documents, documents, side="right")
        return cls(seen, documents, excluded, n_excluded, np.flatnonzero(is_global), first, stop, device)

    def tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _local_chunks(row: _Row, pattern: SparsePattern, layer: int) -> Iterator[Chunk]:
    """Chunks of the queries that are not global, in order."""
    n_tokens = len(row.seen)
    table = pattern.random_table(int(np.flatnonzero(row.seen).max(initial=-1)) + 1, layer)
    by_block = pattern.block_aligned or table is not None
    size = pattern.block if by_block else CHUNK_QUERIES
    for start in range(0, n_tokens, size):
        end = min(start + size, n_tokens)
        if row.n_excluded[end] - row.n_excluded[start] == end - start:
            continue
        first, stop = int(row.first[start]), int(row.stop[end - 1])
        low, high = (0, n_tokens) if pattern.is_dense(n_tokens) else pattern.reach(start, end, layer)
        low, high = max(low, first), min(high, stop)
        n_global, further = _further(row, pattern, _drawn_for(table, start // size), first, stop)
        yield Chunk(
            queries=slice(start, end),
            keys=slice(low, high),
            further=row.tensor(further) if len(further) else None,
            hidden=_hidden(row, slice(start, end), slice(low, high), further),
            skipped=row.tensor(row.excluded[start:end, None]) if row.n_excluded[end] > row.n_excluded[start] else None,
            band=(low - start, pattern.window_at(layer)) if not pattern.block_aligned else None,
            repeated=_repeated(row, pattern, further[:n_global]),
        )


def _drawn_for(table: Tensor | None, block: int) -> np.ndarray | None:
    """Random key blocks of a query block, int64 ``(random_blocks,)``; ``None`` beyond the row's last token."""
    return None if table is None or block >= len(table) else table[block].numpy()


def _further(
    row: _Row, pattern: SparsePattern, drawn: np.ndarray | None, first: int, stop: int
) -> tuple[int, np.ndarray]:
    """Positions of the keys outside the window, global tokens before random blocks, and the number of global tokens."""
    tokens = row.globals[np.searchsorted(row.globals, first) : np.searchsorted(row.globals, stop)]
    if drawn is None:
        return len(tokens), tokens
    inside = (drawn[drawn >= 0, None] * pattern.block + np.arange(pattern.block)).ravel()
    inside = inside[(inside >= first) & (inside < stop)]
    return len(tokens), np.concatenate([tokens, inside[~row.excluded[inside]]])


def _hidden(row: _Row, queries: slice, keys: slice, further: np.ndarray) -> Tensor | None:
    """True for keys that are padding, repeated among the global tokens, or of another document, bool ``(C or 1, K)``.

    ``None`` if every query sees every key.
    """
    several_documents = row.documents[queries.start] != row.documents[queries.stop - 1]
    if not several_documents and row.n_excluded[keys.stop] == row.n_excluded[keys.start]:
        return None
    hidden = np.concatenate([row.excluded[keys], np.zeros(len(further), dtype=bool)])[None]
    if several_documents:
        documents = np.concatenate([row.documents[keys], row.documents[further]])
        hidden = hidden | (row.documents[queries, None] != documents)
    return row.tensor(hidden)


def _repeated(row: _Row, pattern: SparsePattern, tokens: np.ndarray) -> tuple[int, float] | None:
    """How many of the global ``tokens`` transformers' BigBird counts several times, and how many times."""
    if not pattern.as_transformers or pattern.is_dense(len(row.seen)):
        return None
    return int(np.searchsorted(tokens, pattern.block)), 1.0 + pattern.random_blocks


def _global_chunks(row: _Row, n_heads: int) -> Iterator[Chunk]:
    """Chunks of the global queries, each against its whole document."""
    for first in np.unique(row.first[row.globals]):
        stop = int(row.stop[first])
        tokens = row.globals[np.searchsorted(row.globals, first) : np.searchsorted(row.globals, stop)]
        unseen = ~row.seen[first:stop][None]
        hidden = row.tensor(unseen) if unseen.any() else None
        step = max(MAX_GLOBAL_SCORES // (n_heads * (stop - int(first))), 1)
        for i in range(0, len(tokens), step):
            yield Chunk(row.tensor(tokens[i : i + step]), slice(int(first), stop), hidden=hidden)
