"""Sparse attention in linear time on any device: one chunk of queries at a time, against the keys it can see.

    keys      |  window of the chunk  | global tokens | random blocks |
    queries   s … e ─ scores ─ softmax ─ × values ─▶ out[s … e]

A chunk's scores fit the cache of a CPU; nothing of size ``T × window`` is ever stored. The backward pass computes them
again from queries, keys and values, which are all that is kept. Both are custom operators, so that ``torch.compile``
and ``torch.export`` take them whole. Letters of shapes: ``B`` rows, ``H`` heads, ``T`` tokens, ``D`` width of a head,
``C`` queries of a chunk, ``K`` its keys.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from longdoc.attention.eager import wide, widened
from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.config import from_dict, to_dict
from longdoc.errors import ConfigError

Part = Literal["all", "local", "global"]
QUERIES = 128
"""Queries of a chunk, where the pattern does not ask for its own blocks: 12 heads and a window of 256 make 4 MB."""
GLOBAL_SCORES = 2**21
"""Most scores of global queries computed at a time."""


def blocked_attention(  # noqa: PLR0913 -- the signature of all back ends
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Rows,
    pattern: SparsePattern,
    *,
    layer: int = 0,
    scale: float,
    dropout: float = 0.0,
    part: Part = "all",
) -> Tensor:
    """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``.

    Scores are float32 in lower precisions. ``part`` is ``"all"``, or ``"local"`` or ``"global"`` to answer the queries
    of one kind only; the others yield zero.
    """
    # Dropout must fall alike in the forward pass and when the backward pass repeats it.
    seed = torch.randint(2**62, ()) if dropout else None
    inputs = (query, key, value, rows.seen, rows.global_mask, rows.documents, seed)
    out: Tensor = _forward(*inputs, _dumps(pattern), layer, part, scale, dropout)
    return out


@torch.library.custom_op("longdoc::blocked_attention", mutates_args=())
def _forward(  # noqa: PLR0913 -- an operator takes tensors, numbers and strings only
    query: Tensor,
    key: Tensor,
    value: Tensor,
    seen: Tensor,
    global_mask: Tensor,
    documents: Tensor,
    seed: Tensor | None,
    pattern: str,
    layer: int,
    part: str,
    scale: float,
    dropout: float,
) -> Tensor:
    make = torch.empty_like if part == "all" else torch.zeros_like  # all but padding is written
    out = make(query.transpose(1, 2), memory_format=torch.contiguous_format)
    if part == "all" and not bool(seen.all()):
        out[~seen] = 0
    plans = _plans(Rows(seen, global_mask, documents), _loads(pattern), layer, part, query.shape[1])
    with torch.autocast(query.device.type, enabled=False):  # it would narrow the scores again
        for b, number, chunk in plans:
            scores = _probabilities(query[b], key[b], chunk, scale)
            if seed is not None:
                scores *= _kept(scores, seed, number, dropout)
            out[b, chunk.queries] = torch.bmm(scores, chunk.keys_of(value[b])).transpose(0, 1).to(out.dtype)
    return out


@_forward.register_fake
def _(query: Tensor, *_: object) -> Tensor:
    return torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format)


@torch.library.custom_op("longdoc::blocked_attention_backward", mutates_args=())
def _backward(  # noqa: PLR0913 -- an operator takes tensors, numbers and strings only
    gradient: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    seen: Tensor,
    global_mask: Tensor,
    documents: Tensor,
    seed: Tensor | None,
    pattern: str,
    layer: int,
    part: str,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor]:
    d_query, d_key, d_value = (torch.zeros_like(x, dtype=wide(x.dtype)) for x in (query, key, value))
    plans = _plans(Rows(seen, global_mask, documents), _loads(pattern), layer, part, query.shape[1])
    with torch.autocast(query.device.type, enabled=False):
        for b, number, chunk in plans:
            scores = _probabilities(query[b], key[b], chunk, scale)
            d_out = widened(gradient[b, chunk.queries].transpose(0, 1))
            d_scores = torch.bmm(d_out, chunk.keys_of(value[b]).transpose(1, 2))
            if seed is None:
                chunk.add(d_value[b], torch.bmm(scores.transpose(1, 2), d_out))
            else:
                kept = _kept(scores, seed, number, dropout)
                chunk.add(d_value[b], torch.bmm((scores * kept).transpose(1, 2), d_out))
                d_scores *= kept
            d_scores = torch.ops.aten._softmax_backward_data(d_scores, scores, -1, scores.dtype)
            d_query[b, :, chunk.queries] += torch.bmm(d_scores, chunk.keys_of(key[b])).mul_(scale)
            chunk.add(d_key[b], torch.bmm(d_scores.transpose(1, 2), widened(query[b][:, chunk.queries])).mul_(scale))
    return d_query.to(query.dtype), d_key.to(key.dtype), d_value.to(value.dtype)


@_backward.register_fake
def _(gradient: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: object) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _keep(ctx: torch.autograd.function.FunctionCtx, inputs: tuple[object, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:7])  # type: ignore[arg-type]
    ctx.settings = inputs[7:]  # type: ignore[attr-defined]


def _differentiate(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
    found = _backward(gradient, *ctx.saved_tensors, *ctx.settings)  # type: ignore[attr-defined]
    return (*found, *[None] * 9)


_forward.register_autograd(_differentiate, setup_context=_keep)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Queries that look at the same keys: a stretch of the row, and further tokens."""

    queries: slice | Tensor
    keys: slice
    further: Tensor | None = None
    hidden: Tensor | None = None
    """Keys that a query does not see, bool ``(C or 1, K)``."""
    others: Tensor | None = None
    """Queries that are not this chunk's to answer, bool ``(C, 1)``."""
    band: tuple[int, int] | None = None
    """Offset of the first key from the first query, and the window; none where all keys are in every query's window."""
    repeated: tuple[int, float] | None = None
    """How many of the further keys are counted more than once, and how often."""

    def keys_of(self, source: Tensor) -> Tensor:
        """The chunk's part ``(H, K, D)`` of keys or values ``(H, T, D)``, in the precision of scores."""
        part = source[:, self.keys]
        return widened(part if self.further is None else torch.cat([part, source[:, self.further]], dim=1))

    def add(self, target: Tensor, part: Tensor) -> None:
        """Adds to the chunk's part of ``target``: the transpose of :meth:`keys_of`."""
        n_keys = self.keys.stop - self.keys.start
        target[:, self.keys] += part[:, :n_keys]
        if self.further is not None:
            target.index_add_(1, self.further, part[:, n_keys:])


def _probabilities(query: Tensor, key: Tensor, chunk: _Chunk, scale: float) -> Tensor:
    """Softmax of a chunk's scores, ``(H, C, K)``."""
    q, k = widened(query[:, chunk.queries]), chunk.keys_of(key)
    scores = torch.baddbmm(q.new_empty(()), q, k.transpose(1, 2), beta=0, alpha=scale)
    n_queries, n_keys = scores.shape[1], chunk.keys.stop - chunk.keys.start
    if chunk.band is not None:
        first, window = chunk.band
        corners = _band(n_queries, window, scores.device)
        cut = first + window  # keys of the full band that are missing at its left
        left, right = max(n_queries - cut, 0), max(2 * window - cut, 0)
        scores[..., :n_keys][..., :left] += corners[:, cut:n_queries][:, :n_keys]
        scores[..., right:n_keys] += corners[:, right + cut :][:, : max(n_keys - right, 0)]
    if chunk.repeated is not None:
        count, times = chunk.repeated
        scores[..., n_keys : n_keys + count] += float(np.log(times))
    if chunk.hidden is not None:
        scores.masked_fill_(chunk.hidden, -torch.inf)
    torch.softmax(scores, dim=-1, out=scores)
    return scores if chunk.others is None else scores.masked_fill_(chunk.others, 0)


@functools.lru_cache(maxsize=32)
def _band(n_queries: int, window: int, device: torch.device) -> Tensor:
    """What is added to scores ``(C, C + 2 * window)``: minus infinity where query and key are too far apart."""
    distance = (
        torch.arange(n_queries + 2 * window, device=device) - window - torch.arange(n_queries, device=device)[:, None]
    )
    return torch.zeros(distance.shape, device=device).masked_fill_(distance.abs() > window, -torch.inf)


def _kept(scores: Tensor, seed: Tensor, number: int, dropout: float) -> Tensor:
    """The mask of dropout for one chunk, scaled."""
    generator = torch.Generator(scores.device).manual_seed((int(seed) + number) % 2**62)
    return torch.empty_like(scores).bernoulli_(1 - dropout, generator=generator).div_(1 - dropout or 1.0)


# ---------------------------------------------------------------------------------------------------------- the plan


def _plans(
    rows: Rows, pattern: SparsePattern, layer: int, part: str, n_heads: int
) -> Iterator[tuple[int, int, _Chunk]]:
    """Row, running number and chunk, for all chunks of a batch."""
    _check(rows)
    is_global = pattern.globals_of(rows).cpu().numpy()
    seen, documents = rows.seen.cpu().numpy(), rows.documents.cpu().numpy()
    number = 0
    for b in range(len(seen)):
        row = _Row.of(seen[b], is_global[b], documents[b], rows.seen.device)
        local = _local_chunks(row, pattern, layer) if part != "global" else ()
        everywhere = _global_chunks(row, n_heads) if part != "local" else ()
        for chunks in (local, everywhere):
            for chunk in chunks:
                yield b, number, chunk
                number += 1


def _check(rows: Rows) -> None:
    if bool((rows.documents[:, 1:] < rows.documents[:, :-1]).any()):
        raise ConfigError("document_ids must ascend along a row: documents packed into a row stand one after the other")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a batch on the side of the processor."""

    seen: np.ndarray
    is_global: np.ndarray
    documents: np.ndarray
    special: np.ndarray
    """Padding and global tokens, bool ``(T,)``: queries answered elsewhere, keys not taken from the window."""
    n_special: np.ndarray
    """How many of them stand before each position, ``(T + 1,)``."""
    globals: np.ndarray
    """Positions of the global tokens, ascending."""
    first: np.ndarray
    """Where the document of each token starts, and …"""
    stop: np.ndarray
    """… stops, ``(T,)``."""
    device: torch.device

    @classmethod
    def of(cls, seen: np.ndarray, is_global: np.ndarray, documents: np.ndarray, device: torch.device) -> _Row:
        special = ~seen | is_global
        n_special = np.concatenate([[0], np.cumsum(special)])
        first = np.searchsorted(documents, documents, side="left")
        stop = np.searchsorted(documents, documents, side="right")
        return cls(seen, is_global, documents, special, n_special, np.flatnonzero(is_global), first, stop, device)

    def tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _local_chunks(row: _Row, pattern: SparsePattern, layer: int) -> Iterator[_Chunk]:
    """The queries that are not global, in order."""
    n_tokens = len(row.seen)
    table = pattern.random_table(int(np.flatnonzero(row.seen).max(initial=-1)) + 1, layer)
    by_block = pattern.block_aligned or table is not None
    size = pattern.block if by_block else QUERIES
    for start in range(0, n_tokens, size):
        end = min(start + size, n_tokens)
        if row.n_special[end] - row.n_special[start] == end - start:
            continue
        first, stop = int(row.first[start]), int(row.stop[end - 1])
        low, high = (0, n_tokens) if pattern.is_dense(n_tokens) else pattern.reach(start, end, layer)
        low, high = max(low, first), min(high, stop)
        n_global, further = _further(row, pattern, _drawn_for(table, start // size), first, stop)
        banded = not pattern.block_aligned
        yield _Chunk(
            queries=slice(start, end),
            keys=slice(low, high),
            further=row.tensor(further) if len(further) else None,
            hidden=_hidden(row, slice(start, end), slice(low, high), further),
            others=row.tensor(row.special[start:end, None]) if row.n_special[end] > row.n_special[start] else None,
            band=(low - start, pattern.window_at(layer)) if banded else None,
            repeated=_repeated(row, pattern, further[:n_global]),
        )


def _drawn_for(table: Tensor | None, block: int) -> np.ndarray | None:
    """Random blocks of a query block; none beyond the row's last token."""
    return None if table is None or block >= len(table) else table[block].numpy()


def _further(
    row: _Row, pattern: SparsePattern, drawn: np.ndarray | None, first: int, stop: int
) -> tuple[int, np.ndarray]:
    """Tokens seen beyond the window: global ones, whose number comes first, then those of random blocks."""
    tokens = row.globals[np.searchsorted(row.globals, first) : np.searchsorted(row.globals, stop)]
    if drawn is None:
        return len(tokens), tokens
    inside = (drawn[drawn >= 0, None] * pattern.block + np.arange(pattern.block)).ravel()
    inside = inside[(inside >= first) & (inside < stop)]
    return len(tokens), np.concatenate([tokens, inside[~row.special[inside]]])


def _hidden(row: _Row, queries: slice, keys: slice, further: np.ndarray) -> Tensor | None:
    """Keys in reach that are padding, come again as global tokens, or belong to another document; none if none are."""
    mixed = row.documents[queries.start] != row.documents[queries.stop - 1]
    if not mixed and row.n_special[keys.stop] == row.n_special[keys.start]:
        return None
    hidden = np.concatenate([row.special[keys], np.zeros(len(further), dtype=bool)])[None]
    if mixed:
        documents = np.concatenate([row.documents[keys], row.documents[further]])
        hidden = hidden | (row.documents[queries, None] != documents)
    return row.tensor(hidden)


def _repeated(row: _Row, pattern: SparsePattern, tokens: np.ndarray) -> tuple[int, float] | None:
    if not pattern.as_transformers or pattern.is_dense(len(row.seen)):
        return None
    return int(np.searchsorted(tokens, pattern.block)), 1.0 + pattern.random_blocks


def _global_chunks(row: _Row, n_heads: int) -> Iterator[_Chunk]:
    """The global queries, some at a time, each against its whole document."""
    for first in np.unique(row.first[row.globals]):
        stop = int(row.stop[first])
        tokens = row.globals[np.searchsorted(row.globals, first) : np.searchsorted(row.globals, stop)]
        unseen = ~row.seen[first:stop][None]
        hidden = row.tensor(unseen) if unseen.any() else None
        step = max(GLOBAL_SCORES // (n_heads * (stop - int(first))), 1)
        for i in range(0, len(tokens), step):
            yield _Chunk(row.tensor(tokens[i : i + step]), slice(int(first), stop), hidden=hidden)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _dumps(pattern: SparsePattern) -> str:
    return _record(pattern)


@functools.lru_cache(maxsize=256)
def _record(pattern: SparsePattern) -> str:
    return json.dumps(to_dict(pattern))


@functools.lru_cache(maxsize=256)
def _loads(pattern: str) -> SparsePattern:
    return from_dict(SparsePattern, json.loads(pattern))
