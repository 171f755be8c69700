"""Learned position tables, extended by repetition.

Repetition keeps what a model has learned about neighbouring tokens: without training, RoBERTa with its 512 positions
repeated to 4,096 predicts masked words at 1.957 bits per character, against 1.846 before and 10.299 with random new
positions (Longformer, arXiv:2004.05150, Table 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from longdoc.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def n_positions(model: nn.Module) -> int | None:
    """Maximum row length in tokens that the position table allows; ``None`` for computed positions (ModernBERT)."""
    embeddings = _embeddings(model)
    if embeddings is None:
        return None
    longest: int = embeddings.position_embeddings.num_embeddings - first_position(model)
    numbers = getattr(embeddings, "position_ids", None)  # of YOSO and MRA two fewer than the table has rows
    return min(longest, numbers.shape[-1]) if isinstance(numbers, Tensor) else longest


def first_position(model: nn.Module) -> int:
    """Index in the table of a text's first token: in RoBERTa-like models, positions start after the padding's id."""
    padding = getattr(_embeddings(model), "padding_idx", None)
    return 0 if padding is None else padding + 1


def repeated_positions(model: nn.Module, n_tokens: int, *, period: int | None = None, prefix: int = 0) -> Tensor | None:
    """Positions, int64 ``(n_tokens,)``, that repeat the table; ``None`` for computed positions.

    Args:
        model: an encoder of transformers.
        n_tokens: length of the text in tokens, including special tokens.
        period: number of the table's positions that are used; all by default.
        prefix: number of special tokens at the start, whose positions are not repeated, since no other token had them
            in training.
    """
    longest = n_positions(model)
    if longest is None:
        return None
    index = torch.arange(n_tokens)
    repeated = (index - prefix) % (min(period or longest, longest) - prefix) + prefix
    return torch.where(index < prefix, index, repeated) + first_position(model)


def check_length(model: nn.Module, max_tokens: int) -> None:
    """Checks that a table for ``max_tokens`` is not shorter than the model's.

    Raises:
        ConfigError: the model already has more positions.
    """
    longest = n_positions(model)
    if longest is not None and max_tokens < longest:
        raise ConfigError(
            f"max_tokens is {max_tokens}, but the model already has positions for {longest}; give at least that"
        )


def lengthen(model: PreTrainedModel, max_tokens: int) -> None:
    """Extends the position table to ``max_tokens`` tokens by repeating it, in place; never shortens it.

    Raises:
        ConfigError: the model already has more positions.
    """
    check_length(model, max_tokens)
    longest, offset = n_positions(model), first_position(model)
    if longest is None:
        model.config.max_position_embeddings = max(model.config.max_position_embeddings, max_tokens)
        return
    embeddings: Any = _embeddings(model)
    table = embeddings.position_embeddings
    rows = torch.arange(max_tokens, device=table.weight.device) % longest + offset
    rows = torch.cat([torch.arange(offset, device=rows.device), rows])
    longer = nn.Embedding(len(rows), table.embedding_dim, padding_idx=table.padding_idx)
    longer.to(device=table.weight.device, dtype=table.weight.dtype).requires_grad_(table.weight.requires_grad)
    with torch.no_grad():
        longer.weight.copy_(table.weight[rows])
    embeddings.position_embeddings = longer
    for name, fill in (("position_ids", torch.arange(len(rows))), ("token_type_ids", torch.zeros(len(rows)).long())):
        if isinstance(getattr(embeddings, name, None), Tensor):
            device = getattr(embeddings, name).device
            embeddings.register_buffer(name, fill.expand(1, -1).to(device), persistent=False)
    model.config.max_position_embeddings = len(rows)


def _embeddings(model: nn.Module) -> Any:
    """The module with a learned position table, if any."""
    return next((m for m in model.modules() if isinstance(getattr(m, "position_embeddings", None), nn.Embedding)), None)
