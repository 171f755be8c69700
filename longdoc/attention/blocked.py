"""Sparse attention in linear time on any device: one chunk of queries at a time, against the keys it can see.

    keys      |  window of the chunk  | global tokens | random blocks |
    queries   s … e ─ scores ─ softmax ─ × values ─▶ out[s … e]

The scores of a chunk fit into a CPU's cache; nothing of size ``T × window`` is ever stored. The backward pass
recomputes the scores from queries, keys and values, the only tensors kept. Both passes are custom operators, so that
``torch.compile`` and ``torch.export`` treat each as one node. ``chunks`` decides which queries and keys make a chunk.

Dimensions: ``B`` rows, ``H`` heads, ``T`` tokens, ``D`` width of a head, ``C`` queries of a chunk, ``K`` its
keys.
"""

from __future__ import annotations

import functools
import json
import math

import torch
from torch import Tensor

from longdoc.attention.chunks import Chunk, Part, chunks_of
from longdoc.attention.eager import score_dtype, to_score_dtype
from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.config import from_dict, to_dict


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
    """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``, in their dtype.

    Scores are computed in float32, or in float64 for float64 queries.

    Args:
        query: floating point ``(B, H, T, D)``.
        key: as ``query``.
        value: as ``query``.
        rows: padding, global tokens and packed documents of the batch.
        pattern: which query sees which key.
        layer: index of the layer, from 0.
        scale: factor of the scores.
        dropout: share of the probabilities that are set to zero.
        part: ``"local"`` or ``"global"`` computes only the queries that are not global, or only the global ones; the
            output is zero for the others.
    """
    # The backward pass must drop the same probabilities as the forward pass.
    seed = torch.randint(2**62, ()) if dropout else None
    inputs = (query, key, value, rows.seen, rows.global_mask, rows.documents, seed)
    out: Tensor = _forward(*inputs, encode_pattern(pattern), layer, part, scale, dropout)
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
    make = torch.empty_like if part == "all" else torch.zeros_like  # the loop writes everything but padding
    out = make(query.transpose(1, 2), memory_format=torch.contiguous_format)
    if part == "all" and not bool(seen.all()):
        out[~seen] = 0
    chunks = chunks_of(Rows(seen, global_mask, documents), decode_pattern(pattern), layer, part, query.shape[1])
    with torch.autocast(query.device.type, enabled=False):  # autocast would lower the precision of the scores
        for b, index, chunk in chunks:
            scores = _probabilities(query[b], key[b], chunk, scale)
            if seed is not None:
                scores *= _dropout_mask(scores, seed, index, dropout)
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
    d_query, d_key, d_value = (torch.zeros_like(x, dtype=score_dtype(x.dtype)) for x in (query, key, value))
    chunks = chunks_of(Rows(seen, global_mask, documents), decode_pattern(pattern), layer, part, query.shape[1])
    with torch.autocast(query.device.type, enabled=False):
        for b, index, chunk in chunks:
            scores = _probabilities(query[b], key[b], chunk, scale)
            d_out = to_score_dtype(gradient[b, chunk.queries].transpose(0, 1))
            d_scores = torch.bmm(d_out, chunk.keys_of(value[b]).transpose(1, 2))
            if seed is None:
                chunk.add(d_value[b], torch.bmm(scores.transpose(1, 2), d_out))
            else:
                mask = _dropout_mask(scores, seed, index, dropout)
                chunk.add(d_value[b], torch.bmm((scores * mask).transpose(1, 2), d_out))
                d_scores *= mask
            d_scores = torch.ops.aten._softmax_backward_data(d_scores, scores, -1, scores.dtype)
            d_query[b, :, chunk.queries] += torch.bmm(d_scores, chunk.keys_of(key[b])).mul_(scale)
            chunk.add(
                d_key[b], torch.bmm(d_scores.transpose(1, 2), to_score_dtype(query[b][:, chunk.queries])).mul_(scale)
            )
    return d_query.to(query.dtype), d_key.to(key.dtype), d_value.to(value.dtype)


@_backward.register_fake
def _(gradient: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: object) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _save(ctx: torch.autograd.function.FunctionCtx, inputs: tuple[object, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:7])  # type: ignore[arg-type]
    ctx.settings = inputs[7:]  # type: ignore[attr-defined]


def _differentiate(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
    found = _backward(gradient, *ctx.saved_tensors, *ctx.settings)  # type: ignore[attr-defined]
    return (*found, *[None] * 9)


_forward.register_autograd(_differentiate, setup_context=_save)


def _probabilities(query: Tensor, key: Tensor, chunk: Chunk, scale: float) -> Tensor:
    """Softmax of a chunk's scores, ``(H, C, K)``, from one row's queries and keys ``(H, T, D)``."""
    q, k = to_score_dtype(query[:, chunk.queries]), chunk.keys_of(key)
    scores = torch.baddbmm(q.new_empty(()), q, k.transpose(1, 2), beta=0, alpha=scale)
    n_queries, n_keys = scores.shape[1], chunk.keys.stop - chunk.keys.start
    if chunk.band is not None:
        first, window = chunk.band
        # Only the two triangles at the ends of the band contain keys outside a query's window.
        band = _band(n_queries, window, scores.device)
        n_missing = first + window  # columns of the full band that the row's start, or the document's, cuts off
        left, right = max(n_queries - n_missing, 0), max(2 * window - n_missing, 0)
        scores[..., :n_keys][..., :left] += band[:, n_missing:n_queries][:, :n_keys]
        scores[..., right:n_keys] += band[:, right + n_missing :][:, : max(n_keys - right, 0)]
    if chunk.repeated is not None:
        count, times = chunk.repeated
        scores[..., n_keys : n_keys + count] += math.log(times)
    if chunk.hidden is not None:
        scores.masked_fill_(chunk.hidden, -torch.inf)
    torch.softmax(scores, dim=-1, out=scores)
    return scores if chunk.skipped is None else scores.masked_fill_(chunk.skipped, 0)


@functools.lru_cache(maxsize=32)
def _band(n_queries: int, window: int, device: torch.device) -> Tensor:
    """Float32 ``(C, C + 2 * window)``, added to scores: minus infinity where query and key are too far apart."""
    distance = (
        torch.arange(n_queries + 2 * window, device=device) - window - torch.arange(n_queries, device=device)[:, None]
    )
    return torch.zeros(distance.shape, device=device).masked_fill_(distance.abs() > window, -torch.inf)


def _dropout_mask(scores: Tensor, seed: Tensor, index: int, dropout: float) -> Tensor:
    """The dropout mask ``(H, C, K)`` of one chunk: 0, or the factor that scales up what is kept."""
    generator = torch.Generator(scores.device).manual_seed((int(seed) + index) % 2**62)
    return torch.empty_like(scores).bernoulli_(1 - dropout, generator=generator).div_(1 - dropout or 1.0)


def encode_pattern(pattern: SparsePattern) -> str:
    """A pattern as JSON, since operators take no objects; to the compiler a constant, once ``sparsify`` was called."""
    return _to_json(pattern)


@functools.lru_cache(maxsize=256)
def _to_json(pattern: SparsePattern) -> str:
    return json.dumps(to_dict(pattern))


@functools.lru_cache(maxsize=256)
def decode_pattern(text: str) -> SparsePattern:
    """Inverse of :func:`encode_pattern`."""
    return from_dict(SparsePattern, json.loads(text))
