"""BERT as longdoc's own module, for reading windows: importing transformers takes as long as reading a short contract.

The names of the weights, and the states to the last bit, are those of ``transformers.BertModel``.
Dimensions: ``B`` windows, ``T`` tokens, ``N`` tokens of all windows, ``H`` heads, ``D`` width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.devices import sent_to

_SIZES = {
    "hidden_size", "intermediate_size", "layer_norm_eps", "max_position_embeddings", "num_attention_heads",
    "num_hidden_layers", "pad_token_id", "type_vocab_size", "vocab_size",
}  # fmt: skip


class BertConfig:
    """The settings of a transformers ``config.json``; those that :class:`Bert` needs are attributes."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        """Takes the settings for which :func:`is_bert` is true."""
        self._record = dict(record)
        self.model_type = "bert"
        for name in _SIZES:
            setattr(self, name, record[name])

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"longdoc's BERT has no setting {name!r}; it has {', '.join(sorted(_SIZES))}")

    def to_dict(self) -> dict[str, Any]:
        """The settings as they were read."""
        return dict(self._record)


class States(NamedTuple):
    """What transformers' encoders return, as far as longdoc uses it."""

    last_hidden_state: Tensor


class Windows(NamedTuple):
    """Where the windows are in an array of the ``N`` tokens of all of them."""

    lengths: list[int]
    starts: Tensor
    """The first token of each window, and ``N``: int32 ``(B + 1,)``, on the device of the tokens."""
    longest: int

    @classmethod
    def of(cls, lengths: list[int], device: torch.device) -> Windows:
        """Windows of these lengths, one after the other."""
        starts = np.cumsum([0, *lengths], dtype=np.int32)
        return cls(lengths, sent_to(device, starts), max(lengths, default=0))


def is_bert(record: Mapping[str, Any]) -> bool:
    """Whether the settings of a ``config.json`` are those of an encoder that :class:`Bert` computes.

    Settings that are wrong are none; transformers says what is wrong with them.
    """
    return (
        record.get("model_type") == "bert"
        and record.get("hidden_act") == "gelu"
        and record.get("position_embedding_type", "absolute") == "absolute"
        and not record.get("is_decoder")
        and type(record.get("layer_norm_eps")) is float
        and all(
            type(record.get(name)) is int and record[name] >= (name != "pad_token_id")
            for name in _SIZES - {"layer_norm_eps"}
        )
        and record["hidden_size"] % record["num_attention_heads"] == 0
    )


class Bert(nn.Module):
    """An encoder without dropout, so for inference only. Its weights must be loaded."""

    def __init__(self, config: BertConfig) -> None:
        """An encoder with these settings."""
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(self.config)
        layers = [Layer(self.config) for _ in range(self.config.num_hidden_layers)]
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})

    def get_input_embeddings(self) -> nn.Module:
        """The embeddings of the vocabulary."""
        words: nn.Module = self.embeddings.word_embeddings
        return words

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> States:
        """States, floating point ``(B, T, D)``.

        Args:
            input_ids: token ids, int64 ``(B, T)``.
            attention_mask: bool ``(B, T)``, false at padding.
            token_type_ids: segment ids, int64 ``(B, T)``; 0 by default.
        """
        states: Tensor = self.embeddings(input_ids, token_type_ids)
        n_tokens = input_ids.shape[1]
        seen = None if attention_mask is None else attention_mask[:, None, None].expand(-1, 1, n_tokens, n_tokens)
        layers: Any = self.encoder["layer"]
        for layer in layers:
            states = layer(states, seen)
        return States(states)


class Embeddings(nn.Module):
    """The sum of the embeddings of a token, its segment and its position, normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        words = torch.empty(config.vocab_size, width)  # not drawn at random, which takes longer than to load them
        self.word_embeddings = nn.Embedding.from_pretrained(words, freeze=False, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(self, ids: Tensor, types: Tensor | None, positions: Tensor | None = None) -> Tensor:
        """``(B, T)`` to ``(B, T, D)``; with ``positions`` in their windows, int64 ``(N,)``, ``(N,)`` to ``(N, D)``."""
        types = torch.zeros_like(ids) if types is None else types
        positions = torch.arange(ids.shape[1], device=ids.device) if positions is None else positions
        states = self.word_embeddings(ids) + self.token_type_embeddings(types)
        states = states + self.position_embeddings(positions)
        normal: Tensor = self.LayerNorm(states)
        return normal


class Layer(nn.Module):
    """Attention, then two linear layers for each token; the states are added to the result of either."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.attention = nn.ModuleDict({"self": Attention(config), "output": Added(width, width, config)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = Added(inner, width, config)

    def forward(self, states: Tensor, seen: Tensor | None) -> Tensor:
        """``(B, T, D)`` to ``(B, T, D)``; ``seen`` is bool ``(B, 1, T, T)``."""
        states = self.attention["output"](self.attention["self"](states, seen), states)
        done: Tensor = self.output(F.gelu(self.intermediate["dense"](states)), states)
        return done


class Attention(nn.Module):
    """Attention of all tokens to those that are seen."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.scale = (config.hidden_size // self.n_heads) ** -0.5
        self.query, self.key, self.value = (nn.Linear(config.hidden_size, config.hidden_size) for _ in range(3))

    def forward(self, states: Tensor, seen: Tensor | None) -> Tensor:
        """``(B, T, D)`` to ``(B, T, D)``; ``seen`` is bool ``(B, 1, T, T)``."""
        query, key, value = (
            layer(states).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=self.scale)
        return read.transpose(1, 2).flatten(2)


class Added(nn.Module):
    """A linear layer whose result is added to the states and normalised."""

    def __init__(self, width_in: int, width: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(width_in, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(self, inner: Tensor, states: Tensor) -> Tensor:
        """``(B, T, D_in)`` and ``(B, T, D)`` to ``(B, T, D)``."""
        normal: Tensor = self.LayerNorm(self.dense(inner) + states)
        return normal
