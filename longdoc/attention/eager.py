"""The reference back end: the whole matrix of scores, in ``T²`` time and memory. For tests and short texts."""

from __future__ import annotations

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
    scores = query.float() @ key.float().transpose(-1, -2) * scale + counts.log()
    probabilities = scores.masked_fill((counts == 0).all(-1, keepdim=True), 0).softmax(-1) * (counts > 0)
    probabilities = F.dropout(probabilities, dropout)
    return (probabilities @ value.float()).to(query.dtype).transpose(1, 2).contiguous()
