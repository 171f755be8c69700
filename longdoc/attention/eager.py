"""The reference back end: the whole matrix of scores, in ``T²`` time and memory. For tests and short texts."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from longdoc.attention.pattern import Rows, SparsePattern


def eager_attention(  # noqa: PLR0913 -- the signature of all back ends
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Rows,
    pattern: SparsePattern,
    *,
    layer: int = 0,
    scale: float,
    dropout: float = 0.0,
) -> Tensor:
    """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``; zero where a query sees nothing."""
    counts = pattern.counts(rows, layer)[:, None]
    with torch.autocast(query.device.type, enabled=False):  # it would narrow the scores again
        scores = widened(query) @ widened(key).transpose(-1, -2) * scale + counts.log()
        probabilities = scores.masked_fill((counts == 0).all(-1, keepdim=True), 0).softmax(-1) * (counts > 0)
        probabilities = F.dropout(probabilities, dropout)
        return (probabilities @ widened(value)).to(query.dtype).transpose(1, 2).contiguous()


def wide(dtype: torch.dtype) -> torch.dtype:
    """The precision of scores: float32, or float64 where queries are."""
    return torch.promote_types(dtype, torch.float32)


def widened(states: Tensor) -> Tensor:
    """States in the precision of scores."""
    return states.to(wide(states.dtype))
