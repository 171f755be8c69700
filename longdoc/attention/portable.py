"""Sparse attention in plain operators, for graphs that leave torch: lengths, global tokens and the window are inputs.

    queries   one block of C tokens     keys   the block before, its own, the block after | global tokens

A block is as long as the largest window, so that the three blocks contain every window; all blocks are computed at
once, in time and memory linear in the length. The other back ends compute less, and store less, but choose their
chunks in Python. Dimensions: ``B`` rows, ``H`` heads, ``T`` tokens, ``D`` width of a head, ``C`` tokens of a block,
``N`` blocks, ``G`` tokens at the start of which some are global.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

from longdoc.attention.backends import Sparse
from longdoc.attention.interface import ADOPTED, unchanged_mask
from longdoc.attention.pattern import SparsePattern
from longdoc.errors import ConfigError

NAME = "longdoc-portable"


def make_portable(model: PreTrainedModel) -> PreTrainedModel:
    """Changes a model after ``sparsify``, in place, so that its attention consists of plain operators.

    It is then called with ``n_global``, int64 ``(B, G)`` of the same number in each column of a row: how many tokens at
    the start are global beside those of the pattern; and optionally with ``window``, an int64 number that replaces the
    pattern's, which must not be larger.

    Raises:
        ConfigError: its pattern has more than a window and a global first token, or is part of its architecture.
    """
    if model.config.model_type in ADOPTED:
        raise ConfigError(
            f"the sparse attention of a {model.config.model_type} has no form in plain operators; use it in longdoc"
        )
    for module in model.modules():
        if isinstance(sparse := getattr(module, "sparse", None), Sparse):
            _check(sparse.pattern)
    model.set_attn_implementation(NAME)
    check: Any = getattr(model, "sparse_check", None)
    if check is not None:  # of the shapes of arguments, which are others now
        check.remove()
    return model


def _check(pattern: SparsePattern) -> None:
    plain = SparsePattern(
        window=pattern.window, global_tokens=pattern.global_tokens, block=pattern.block, seed=pattern.seed
    )
    if pattern != plain or pattern.global_tokens not in ((), (0,)):
        raise ConfigError(
            "the pattern has random or whole blocks, or other global tokens than the first; allowed here is a window "
            "with global_tokens () or (0,)"
        )


def portable_attention(  # noqa: PLR0913 -- what a row is, and what a block is
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    seen: Tensor,
    n_global: Tensor,
    window: Tensor | int,
    block: int,
    scale: float,
) -> Tensor:
    """Attention ``(B, T, H, D)`` of queries, keys and values ``(B, H, T, D)``.

    Args:
        query: floating point ``(B, H, T, D)``.
        key: as ``query``.
        value: as ``query``.
        seen: bool ``(B, T)``, false at padding, which must be at the end.
        n_global: int64 ``(B, G)``, in each column the number of tokens at a row's start that are global, at most ``G``.
        window: tokens seen to each side; at most ``block``.
        block: tokens of a block, ``C``.
        scale: factor of the scores.
    """
    position = torch.arange(query.shape[2], device=query.device)
    first = torch.arange(n_global.shape[1], device=query.device)
    is_global = position < n_global[:, :1]  # (B, T)
    lowest = torch.finfo(query.dtype).min

    # One block more than there are, so that the number is never 1, which torch.export would take for granted.
    starts = torch.arange(query.shape[2] // block + 2, device=query.device)[:, None] * block
    queries = starts + torch.arange(block, device=query.device)  # (N, C)
    keys = starts + torch.arange(-block, 2 * block, device=query.device)  # (N, 3C)
    visible = (seen & ~is_global)[:, _within(keys, position)] & (keys >= 0) & (keys < position.shape[0])  # (B, N, 3C)
    near = (queries[:, :, None] - keys[:, None]).abs() <= window  # (N, C, 3C)
    asked, blocks = query[:, :, _within(queries, position)] * scale, _within(keys, position)

    local = asked @ key[:, :, blocks].transpose(-1, -2)  # (B, H, N, C, 3C)
    local = local.masked_fill(~(visible[:, :, None] & near)[:, None], lowest)
    far = asked @ key[:, :, None, first].transpose(-1, -2)  # (B, H, N, C, G)
    far = far.masked_fill(~(first < n_global)[:, None, None, None], lowest)
    shares = torch.cat([local, far], dim=-1).softmax(dim=-1)
    read = shares[..., : 3 * block] @ value[:, :, blocks] + shares[..., 3 * block :] @ value[:, :, None, first]
    read = read.flatten(2, 3)[:, :, position]

    wide = (query[:, :, first] * scale) @ key.transpose(-1, -2)  # (B, H, G, T)
    wide = wide.masked_fill(~seen[:, None, None], lowest).softmax(dim=-1) @ value
    own = wide[:, :, position.clamp(max=n_global.shape[1] - 1)]
    return torch.where(is_global[:, None, :, None], own, read).transpose(1, 2)


def _within(index: Tensor, position: Tensor) -> Tensor:
    """The nearest positions of the row, for those before and after it."""
    return index.clamp(min=0, max=position.shape[0] - 1)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention ``(B, T, H, D)`` of ``(B, H, T, D)``; ``attention_mask`` is bool ``(B, T)``, false at padding."""
    sparse: Any = module.sparse
    pattern, n_global = sparse.pattern, kwargs["n_global"]
    block = pattern.window_at(sparse.layer)
    n_global = torch.zeros_like(n_global) if sparse.own else n_global.clamp(min=len(pattern.global_tokens))
    window = kwargs.get("window")
    found = portable_attention(
        query,
        key,
        value,
        seen=attention_mask,
        n_global=n_global,
        window=block if window is None or sparse.own else window,
        block=block,
        scale=query.shape[-1] ** -0.5 if scaling is None else scaling,
    )
    return found, None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, unchanged_mask)
