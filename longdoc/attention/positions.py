"""Tables of learned positions, made longer by repetition.

Copies keep what a model knows of neighbours: without any training, RoBERTa with its 512 positions repeated to 4,096
predicts masked words at 1.957 bits a character, against 1.846 before and 10.299 with random new positions (Longformer,
arXiv:2004.05150, Table 5).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from longdoc.errors import ConfigError


def n_positions(model: nn.Module) -> int | None:
    """Most tokens in a row that the position table has rows for; none where positions are computed (ModernBERT)."""
    embeddings = _embeddings(model)
    return None if embeddings is None else embeddings.position_embeddings.num_embeddings - first_position(model)


def first_position(model: nn.Module) -> int:
    """Row of the table that belongs to a text's first token: the models in RoBERTa's form count from the padding on."""
    padding = getattr(_embeddings(model), "padding_idx", None)
    return 0 if padding is None else padding + 1


def repeated_positions(model: nn.Module, n_tokens: int, *, period: int | None = None, prefix: int = 0) -> Tensor | None:
    """Positions ``(n_tokens,)`` of a text of any length: the table, again and again; none where they are computed.

    Args:
        model: an encoder of transformers.
        n_tokens: length of the text, special tokens counted.
        period: how many of the table's positions are in use; all of them by default.
        prefix: special tokens at the start, whose positions are not repeated: no other token ever stood there.
    """
    longest = n_positions(model)
    if longest is None:
        return None
    place = torch.arange(n_tokens)
    repeated = (place - prefix) % (min(period or longest, longest) - prefix) + prefix
    return torch.where(place < prefix, place, repeated) + first_position(model)


def check_length(model: nn.Module, max_tokens: int) -> None:
    """Refuses a table shorter than the model's.

    Raises:
        ConfigError: ``max_tokens`` is below what the table already holds.
    """
    longest = n_positions(model)
    if longest is not None and max_tokens < longest:
        raise ConfigError(f"max_tokens is {max_tokens}, and the model already has positions for {longest}")


def lengthen(model: PreTrainedModel, max_tokens: int) -> None:
    """Repeats the position table until it has rows for ``max_tokens`` tokens. In place; never shortens.

    Raises:
        ConfigError: ``max_tokens`` is below what the table already holds.
    """
    check_length(model, max_tokens)
    longest, offset = n_positions(model), first_position(model)
    if longest is None:  # computed positions need no table
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
    """The module that holds a table of positions, if any."""
    return next((m for m in model.modules() if isinstance(getattr(m, "position_embeddings", None), nn.Embedding)), None)
