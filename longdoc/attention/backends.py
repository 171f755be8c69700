"""The choice of a back end, and the attention of one module of a model."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from longdoc.attention.blocked import blocked_attention
from longdoc.attention.chunks import Part
from longdoc.attention.eager import eager_attention
from longdoc.attention.flex import flex_sparse_attention
from longdoc.attention.pattern import Rows, SparsePattern

Backend = Literal["auto", "eager", "blocked", "flex"]
BACKENDS: dict[str, Callable[..., Tensor]] = {
    "eager": eager_attention,
    "blocked": blocked_attention,
    "flex": flex_sparse_attention,
}


@dataclass(frozen=True, slots=True)
class Sparse:
    """How one attention module computes its attention; stored as ``module.sparse``."""

    pattern: SparsePattern
    layer: int
    """Index of the layer, from 0."""
    backend: Backend = "auto"
    own: bool = False
    """Whether the pattern is fixed by the architecture, as in ModernBERT's local layers; global masks are ignored."""

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, rows: Rows, *, part: Part = "all", **options: Any
    ) -> Tensor:
        """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``.

        Args:
            query: floating point ``(B, H, T, D)``.
            key: as ``query``.
            value: as ``query``.
            rows: padding, global tokens and packed documents of the batch.
            part: ``"local"`` or ``"global"`` computes only the queries that are not global, or only the global ones;
                the output is zero for the others.
            options: ``scale`` and ``dropout``, as in :func:`~longdoc.attention.blocked.blocked_attention`.
        """
        backend: str = self.backend
        if backend == "auto":
            backend = "flex" if _flex_supports(query) and not options.get("dropout") else "blocked"
        if backend == "blocked" or (backend == "flex" and part == "global"):  # a few queries need no tiles
            options["part"] = part
            backend = "blocked"
        out = BACKENDS[backend](query, key, value, rows, self.pattern, layer=self.layer, **options)
        if part == "all" or backend == "blocked":
            return out
        wanted = self.pattern.globals_of(rows) == (part == "global")
        return out * wanted[:, :, None, None]


def _flex_supports(query: Tensor) -> bool:
    """Whether FlexAttention supports queries ``(B, H, T, D)``: on CUDA, with Triton, for heads at least 16 wide."""
    on_gpu = query.device.type == "cuda" and query.dtype != torch.float64 and query.shape[-1] >= 16
    return on_gpu and importlib.util.find_spec("triton") is not None
