"""Which query sees which key: one definition, from which every back end derives its masks.

    query i sees key j   if   |i - j| <= window, or i or j is global, or block(j) was drawn for block(i)
                       and    both are tokens (no padding) of the same document

The pattern is a union: a key is counted once, even if a query sees it for several reasons. Dimensions: ``B``
rows, ``T`` tokens, ``Q`` query blocks. Only functions that compute import torch: a pattern is also a setting of models
that are read without it.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longdoc.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class SparsePattern:
    """A window, global tokens and random blocks (Longformer, arXiv:2004.05150; BigBird, arXiv:2007.14062).

    Raises:
        ConfigError: a value is out of range, or the window is not a multiple of the block.
    """

    window: int | tuple[int, ...] = 256
    """Tokens seen to each side, inclusive: half of Longformer's ``attention_window``. A list: one per layer."""
    global_tokens: tuple[int, ...] = (0,)
    """Positions, counted from each document's first token, that see all tokens and that all tokens see."""
    global_blocks: tuple[int, ...] = ()
    """Blocks whose tokens are all global; -1 is a document's last block."""
    random_blocks: int = 0
    """Number of key blocks drawn for each query block among those that its window does not touch."""
    block: int = 64
    """Tokens in a block."""
    block_aligned: bool = False
    """Whether windows consist of whole blocks: a token sees the blocks within ``window // block`` of its own."""
    seed: int = 0
    """Random blocks depend only on this, the layer, and the number of blocks up to the last token."""
    as_transformers: bool = False
    """Reproduce BigBird at inference in transformers 5: instead of random blocks, all tokens that are not global count
    the first block ``1 + random_blocks`` times; rows of at most ``5 + 2 * random_blocks`` blocks are dense; the last
    block is that of the padded row."""

    def __post_init__(self) -> None:
        for name in ("window", "global_tokens", "global_blocks"):
            value = getattr(self, name)
            value = tuple(value) if isinstance(value, (list, tuple)) else value
            object.__setattr__(self, name, value)
            numbers = value if isinstance(value, tuple) else (value,)
            if any(type(number) is not int for number in numbers) or (name != "window" and numbers is not value):
                raise ConfigError(
                    f"{name} is {value!r}; give {'an integer or ' * (name == 'window')}a tuple of integers"
                )
        windows = self.window if isinstance(self.window, tuple) else (self.window,)
        if not windows or min(windows) < 1:
            raise ConfigError(f"window is {self.window}; a token must see at least 1 token to each side")
        if self.block < 1 or self.random_blocks < 0:
            raise ConfigError(
                f"block is {self.block} and random_blocks is {self.random_blocks}; they must be at least 1 and 0"
            )
        if self.block_aligned and any(window % self.block for window in windows):
            raise ConfigError(
                f"window is {self.window}; with block_aligned it must be a multiple of block, {self.block}"
            )
        if any(position < 0 for position in self.global_tokens):
            raise ConfigError(
                f"global_tokens is {self.global_tokens}; positions must not be negative; use "
                "global_blocks for a document's end"
            )
        if any(block < -1 for block in self.global_blocks):
            raise ConfigError(
                f"global_blocks is {self.global_blocks}; allowed: indices from 0, or -1 for the last block"
            )
        if self.as_transformers and not (self.block_aligned and self.global_blocks == (0, -1)):
            raise ConfigError(
                "as_transformers is for BigBird: it requires block_aligned=True and global_blocks=(0, -1)"
            )

    def window_at(self, layer: int) -> int:
        """The window of a layer, in tokens to each side; layers are counted from 0.

        Raises:
            ConfigError: ``window`` has no number for this layer.
        """
        if not isinstance(self.window, tuple):
            return self.window
        if layer >= len(self.window):
            raise ConfigError(
                f"window has {len(self.window)} numbers, but there is a layer {layer}; give one number per layer"
            )
        return self.window[layer]

    def reach(self, start: int, end: int, layer: int) -> tuple[int, int]:
        """Half-open range of the positions in the windows of queries ``start:end``; it may extend beyond the row."""
        window = self.window_at(layer)
        if self.block_aligned:
            return start // self.block * self.block - window, -(-end // self.block) * self.block + window
        return start - window, end + window

    def is_dense(self, n_tokens: int) -> bool:
        """Whether rows of this length get dense attention, as short ones do in transformers' BigBird."""
        return self.as_transformers and n_tokens <= (5 + 2 * self.random_blocks) * self.block

    def random_table(self, n_tokens: int, layer: int) -> Tensor | None:
        """Key blocks drawn for each query block, int64 ``(Q, random_blocks)``; -1 where too few are left to draw.

        ``None`` for a pattern without random blocks.
        """
        if not self.random_blocks or self.as_transformers:
            return None
        return _draw(self, -(-n_tokens // self.block), layer)

    def random_tables(self, rows: Rows, layer: int) -> Tensor | None:
        """The tables of a batch, int64 ``(B, Q, random_blocks)``; padding at a row's end does not change them."""
        import torch

        if not self.random_blocks or self.as_transformers:
            return None
        n_tokens = rows.seen.shape[1]
        positions = torch.arange(1, n_tokens + 1, device=rows.seen.device)
        lengths = torch.where(rows.seen, positions, 0).amax(dim=1).tolist()
        tables = torch.full((len(lengths), -(-n_tokens // self.block), self.random_blocks), -1)
        for table, length in zip(tables, lengths, strict=True):
            drawn = self.random_table(length, layer)
            assert drawn is not None
            table[: len(drawn)] = drawn
        return tables.to(rows.seen.device)

    def globals_of(self, rows: Rows) -> Tensor:
        """True for global tokens, including those of ``rows.global_mask``, bool ``(B, T)``."""
        import torch

        seen = torch.ones_like(rows.seen) if self.as_transformers else rows.seen
        position, left = _document_positions(rows.documents, seen)
        chosen = rows.global_mask.clone()
        for token in self.global_tokens:
            chosen |= position == token
        for block in self.global_blocks:
            last = (position + left - 1) // self.block
            chosen |= position // self.block == (last if block == -1 else block)
        return chosen & rows.seen

    def counts(self, rows: Rows, layer: int = 0) -> Tensor:
        """How often each query counts each key, float32 ``(B, T, T)``; takes ``T²`` time and memory.

        0 or 1 everywhere, except with ``as_transformers``.
        """
        import torch

        n_tokens = rows.seen.shape[1]
        positions = torch.arange(n_tokens, device=rows.seen.device)
        step = self.block if self.block_aligned else 1
        near = (positions[:, None] // step - positions // step).abs() <= self.window_at(layer) // step
        near |= self.is_dense(n_tokens)
        blocks = positions // self.block
        near = near.expand(len(rows.seen), -1, -1)
        if (tables := self.random_tables(rows, layer)) is not None:
            near = near | (tables[:, blocks, None, :] == blocks[None, None, :, None]).any(-1)
        is_global = self.globals_of(rows)
        visible = near | is_global[:, :, None] | is_global[:, None, :]
        visible &= rows.seen[:, :, None] & rows.seen[:, None, :]
        visible &= rows.documents[:, :, None] == rows.documents[:, None, :]
        if not self.as_transformers or self.is_dense(n_tokens):
            return visible.float()
        return visible * torch.where(~is_global[:, :, None] & (blocks == 0), 1.0 + self.random_blocks, 1.0)

    def dense(self, rows: Rows, layer: int = 0) -> Tensor:
        """The pattern as a mask, bool ``(B, 1, T, T)``, true where a query sees a key; for tests and pictures."""
        return self.counts(rows, layer)[:, None] > 0


@dataclass(frozen=True, slots=True)
class Rows:
    """The structure of a batch of rows.

    ``seen`` bool ``(B, T)``, false at padding; ``global_mask`` bool ``(B, T)``, global tokens besides the pattern's
    own; ``documents`` int64 ``(B, T)``, the index of each token's document, ascending, for rows that pack several.
    """

    seen: Tensor
    global_mask: Tensor
    documents: Tensor

    @classmethod
    def of(
        cls, like: Tensor, seen: Tensor | None, global_mask: Tensor | None = None, documents: Tensor | None = None
    ) -> Rows:
        """Fills in defaults: no padding, no other global tokens, one document per row.

        Args:
            like: any tensor ``(B, T, …)`` of the batch's size and device.
            seen: bool ``(B, T)``, false at padding.
            global_mask: bool ``(B, T)``.
            documents: int64 ``(B, T)``; the numbers at padding are ignored.
        """
        import torch

        shape, device = like.shape[:2], like.device
        if documents is not None and seen is not None:  # padding takes the number of the token before it
            lowest = torch.iinfo(documents.dtype).min
            before = torch.where(seen, documents, lowest).cummax(dim=1).values
            documents = torch.where(seen, documents, before)
        return cls(
            torch.ones(shape, dtype=torch.bool, device=device) if seen is None else seen,
            torch.zeros(shape, dtype=torch.bool, device=device) if global_mask is None else global_mask,
            torch.zeros(shape, dtype=torch.int64, device=device) if documents is None else documents,
        )


def _document_positions(documents: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Position of each token in its document, and the number of tokens from there to its end, each int64 ``(B, T)``.

    Padding at either end of a document does not belong to it.
    """
    import torch

    n_tokens = documents.shape[1]
    positions = torch.arange(n_tokens, device=documents.device).expand_as(documents)
    changes = torch.ones_like(seen)
    changes[:, 1:] = documents[:, 1:] != documents[:, :-1]
    start = torch.where(changes, positions, 0).cummax(dim=1).values
    # Minimum over what follows: where a document starts, the position of its first token that is not padding.
    coming = torch.where(seen, positions, n_tokens).flip(1).cummin(dim=1).values.flip(1)
    start = coming.gather(1, start)
    after = torch.where(seen, positions + 1, 0)
    ends = torch.ones_like(seen)
    ends[:, :-1] = changes[:, 1:]
    # A document ends after its last token that is not padding: the running maximum, taken where the document ends.
    stop = torch.where(ends, after.cummax(dim=1).values, n_tokens).flip(1).cummin(dim=1).values.flip(1)
    return positions - start, stop - positions


@functools.lru_cache(maxsize=256)
def _draw(pattern: SparsePattern, n_blocks: int, layer: int) -> Tensor:
    """Random key blocks, int64 ``(Q, random_blocks)``, distinct for each query block and outside its window."""
    import torch

    generator = random.Random(f"{pattern.seed} {layer} {n_blocks}")
    table = torch.full((n_blocks, pattern.random_blocks), -1)
    for query in range(n_blocks):
        low, high = pattern.reach(query * pattern.block, (query + 1) * pattern.block, layer)
        first, stop = max(low // pattern.block, 0), min(-(-high // pattern.block), n_blocks)
        n_free = n_blocks - (stop - first)
        for column, drawn in enumerate(generator.sample(range(n_free), min(pattern.random_blocks, n_free))):
            table[query, column] = drawn if drawn < first else drawn + stop - first
    return table
