"""The back ends under one name: how one attention module of a model attends."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from longdoc.attention.blocked import Part, blocked_attention
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
    """How one attention module attends; kept on the module as ``module.sparse``."""

    pattern: SparsePattern
    layer: int
    backend: Backend = "auto"
    own: bool = False
    """The pattern is the architecture's (a local layer of ModernBERT): no token is global here."""

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, rows: Rows, *, part: Part = "all", **options: Any
    ) -> Tensor:
        """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``.

        ``part`` is ``"all"``, or ``"local"`` or ``"global"``: the queries of one kind, zero for the others.
        """
        backend: str = self.backend
        if backend == "auto":
            backend = "flex" if _flex_takes(query) and not options.get("dropout") else "blocked"
        if backend == "blocked" or (backend == "flex" and part == "global"):  # a few queries need no tiles
            options["part"] = part
            backend = "blocked"
        out = BACKENDS[backend](query, key, value, rows, self.pattern, layer=self.layer, **options)
        if part == "all" or backend == "blocked":
            return out
        wanted = self.pattern.globals_of(rows) == (part == "global")
        return out * wanted[:, :, None, None]


def _flex_takes(query: Tensor) -> bool:
    """Whether FlexAttention compiles for these queries: on CUDA, with Triton, for heads at least 16 wide."""
    on_gpu = query.device.type == "cuda" and query.dtype != torch.float64 and query.shape[-1] >= 16
    return on_gpu and importlib.util.find_spec("triton") is not None
