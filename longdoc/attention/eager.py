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
    """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``; zero where a query sees no key.

    The arguments are those of ``blocked_attention``, without ``part``.
    """
    counts = pattern.counts(rows, layer)[:, None]
    with torch.autocast(query.device.type, enabled=False):  # autocast would lower the precision of the scores
        scores = to_score_dtype(query) @ to_score_dtype(key).transpose(-1, -2) * scale + counts.log()
        probabilities = scores.masked_fill((counts == 0).all(-1, keepdim=True), 0).softmax(-1) * (counts > 0)
        probabilities = F.dropout(probabilities, dropout)
        return (probabilities @ to_score_dtype(value)).to(query.dtype).transpose(1, 2).contiguous()


def score_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype of scores for queries of ``dtype``: float64 for float64, else float32."""
    return torch.promote_types(dtype, torch.float32)


def to_score_dtype(states: Tensor) -> Tensor:
    """States ``(…, T, D)`` converted to the dtype of scores."""
    return states.to(score_dtype(states.dtype))
