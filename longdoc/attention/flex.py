"""Sparse attention on a GPU: torch's FlexAttention, with a block mask that is built without a ``T²`` matrix.

Dimensions: ``B`` rows, ``H`` heads, ``T`` tokens, ``D`` width of a head, ``Q`` query tiles, ``K`` key tiles.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.errors import ConfigError

TILE = 128
"""Side of the tiles that FlexAttention computes or skips, in tokens."""


def flex_sparse_attention(  # noqa: PLR0913 -- the signature of all back ends
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Rows,
    pattern: SparsePattern,
    *,
    layer: int = 0,
    scale: float,
    dropout: float = 0.0,
    compiled: bool = True,
) -> Tensor:
    """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``.

    The arguments are those of ``blocked_attention``, without ``part``; ``compiled=False`` runs FlexAttention without
    ``torch.compile``, for tests on a CPU.

    Raises:
        ConfigError: FlexAttention does not support dropout, or gradients on a CPU.
    """
    if dropout:
        raise ConfigError(
            f"FlexAttention has no dropout, but this model has an attention dropout of {dropout:g}; set "
            "config.attention_probs_dropout_prob to 0 before building the model, or sparsify(..., backend='blocked')"
        )
    if query.device.type == "cpu" and torch.is_grad_enabled() and query.requires_grad:
        raise ConfigError("FlexAttention has no backward pass on a CPU; use sparsify(..., backend='blocked')")
    n_tokens = query.shape[2]
    tables = Tables(pattern, rows, layer, compiled_length(n_tokens))
    query, key, value = (F.pad(part, (0, 0, 0, tables.n_tokens - n_tokens)) for part in (query, key, value))
    attend: Any = _compiled() if compiled else flex_attention
    score = tables.score if pattern.as_transformers and not pattern.is_dense(n_tokens) else None
    with torch._dynamo.config.patch(recompile_limit=256, accumulated_recompile_limit=1024):
        out: Tensor = attend(query, key, value, score_mod=score, block_mask=tables.block_mask(), scale=scale)
    return out[:, :, :n_tokens].transpose(1, 2).contiguous()


@functools.lru_cache(maxsize=1)
def _compiled() -> Callable[..., Any]:
    # fullgraph raises where torch would otherwise fall back, after too many graphs, to the whole matrix of scores.
    compiled: Callable[..., Any] = torch.compile(flex_attention, dynamic=False, fullgraph=True)
    return compiled


def compiled_length(n_tokens: int) -> int:
    """Length that rows are padded to: four lengths per doubling, since torch compiles a graph for each."""
    step = max(TILE, 1 << max((n_tokens - 1).bit_length() - 3, 0))
    return -(-n_tokens // step) * step


class Tables:
    """What FlexAttention needs: the pattern as a function of positions, and the tiles with visible pairs."""

    def __init__(self, pattern: SparsePattern, rows: Rows, layer: int, padded: int | None = None) -> None:
        n_tokens = rows.seen.shape[1]
        self.pattern = pattern
        self.n_tokens = padded or n_tokens
        self.step = pattern.block if pattern.block_aligned else 1
        self.reach = n_tokens if pattern.is_dense(n_tokens) else pattern.window_at(layer) // self.step
        missing = self.n_tokens - n_tokens
        self.seen, self.documents = F.pad(rows.seen, (0, missing)), F.pad(rows.documents, (0, missing))
        self.is_global = F.pad(pattern.globals_of(rows), (0, missing))
        self.drawn = pattern.random_tables(rows, layer)
        if self.drawn is not None:
            blocks = -(-self.n_tokens // pattern.block) - self.drawn.shape[1]
            self.drawn = F.pad(self.drawn, (0, 0, 0, blocks), value=-1)
        self.first_block_bonus = math.log(1 + pattern.random_blocks)

    def visible(self, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Whether query ``i`` of row ``b`` sees key ``j``: FlexAttention's ``mask_mod``, of int scalars."""
        near = (i // self.step - j // self.step).abs() <= self.reach
        near = near | self.is_global[b, i] | self.is_global[b, j]
        if self.drawn is not None:
            for column in range(self.drawn.shape[2]):
                near = near | (self.drawn[b, i // self.pattern.block, column] == j // self.pattern.block)
        return near & self.seen[b, i] & self.seen[b, j] & (self.documents[b, i] == self.documents[b, j])

    def score(self, score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """FlexAttention's ``score_mod``, a scalar: higher for keys of the first block, which count several times."""
        return torch.where((j < self.pattern.block) & ~self.is_global[b, i], score + self.first_block_bonus, score)

    def block_mask(self) -> BlockMask:
        """The partly and the fully visible tiles, for the forward and the backward pass."""
        touched, full = self.tiles()
        partial = touched & ~full
        return BlockMask.from_kv_blocks(
            *_as_lists(partial),
            *_as_lists(full),
            BLOCK_SIZE=TILE,
            mask_mod=self.visible,
            seq_lengths=(self.n_tokens, self.n_tokens),
        )

    def tiles(self) -> tuple[Tensor, Tensor]:
        """Tiles to compute, and those of them that need no mask, bool ``(B, Q, K)`` each.

        The first include every tile with a visible pair; the second have visible pairs only.
        """
        n_tiles = -(-self.n_tokens // TILE)
        tile = torch.arange(n_tiles, device=self.seen.device)
        first, last = tile * TILE, (tile * TILE + TILE).clamp(max=self.n_tokens) - 1
        # The distance of the nearest and the farthest pair of two tiles, in steps (tokens or blocks).
        low, high = first // self.step, last // self.step
        nearest = torch.maximum(low[:, None] - high, low - high[:, None]).clamp(min=0)
        farthest = torch.maximum(high[:, None] - low, high - low[:, None])
        any_global, seen = self._per_tile(self.is_global), self._per_tile(self.seen)
        touched = (nearest <= self.reach) | any_global.any(-1)[:, :, None] | any_global.any(-1)[:, None, :]
        if self.drawn is not None:
            touched = touched | self._drawn_tiles(n_tiles)
        limits = torch.iinfo(torch.int64)
        oldest = self._per_tile(self.documents, fill=limits.max).amin(-1)
        newest = self._per_tile(self.documents, fill=limits.min).amax(-1)
        touched = touched & (oldest[:, :, None] <= newest[:, None, :]) & (oldest[:, None, :] <= newest[:, :, None])
        whole = seen.all(-1) & (oldest == newest)
        same = whole[:, :, None] & whole[:, None, :] & (newest[:, :, None] == newest[:, None, :])
        return touched, (farthest <= self.reach) & same

    def _per_tile(self, tokens: Tensor, fill: int = 0) -> Tensor:
        """``(B, T)`` padded and reshaped to ``(B, Q, TILE)``."""
        missing = -tokens.shape[1] % TILE
        padded = F.pad(tokens, (0, missing), value=fill)
        return padded.view(len(tokens), -1, TILE)

    def _drawn_tiles(self, n_tiles: int) -> Tensor:
        """The tiles that random blocks overlap, bool ``(B, Q, K)``."""
        assert self.drawn is not None
        block = self.pattern.block
        tiles = torch.zeros(len(self.drawn), n_tiles, n_tiles, dtype=torch.bool)
        drawn = self.drawn.cpu()
        for b, query, column in (drawn >= 0).nonzero().tolist():
            tiles[b, _tiles_of(query, block), _tiles_of(int(drawn[b, query, column]), block)] = True
        return tiles.to(self.drawn.device)


def _tiles_of(number: int, block: int) -> slice:
    """The tiles that a block overlaps."""
    return slice(number * block // TILE, ((number + 1) * block - 1) // TILE + 1)


def _as_lists(tiles: Tensor) -> tuple[Tensor, Tensor]:
    """The number of key tiles of each query tile, int32 ``(B, 1, Q)``, and their indices, int32 ``(B, 1, Q, K)``."""
    order = tiles.int().argsort(dim=-1, descending=True, stable=True)
    return tiles.sum(-1, dtype=torch.int32)[:, None], order.int()[:, None]
