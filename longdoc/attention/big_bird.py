"""BigBird with longdoc's attention: subclasses of transformers' classes with another forward pass.

BigBird is BERT with a sparse pattern: windows of three blocks, a global first and last block, and random blocks
(arXiv:2007.14062). At inference transformers draws no random blocks and counts the first block several times instead.
``SparsePattern.as_transformers`` reproduces its numbers; without it the pattern is the paper's, in training and at
inference alike.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndCrossAttentions
from transformers.models.big_bird import modeling_big_bird as original
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from longdoc.attention.backends import Sparse
from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.errors import ConfigError


def adopt(model: PreTrainedModel, pattern: SparsePattern | None) -> SparsePattern:
    """Replaces the classes of BigBird modules in ``model`` by those of this file; returns the pattern to use."""
    for module in model.modules():
        if type(module) is original.BigBirdModel:
            module.set_attention_type("block_sparse")
            module.__class__ = BigBirdModel
    for module in model.modules():
        if type(module) is original.BigBirdBlockSparseAttention:
            module.__class__ = BigBirdBlockSparseAttention
    return pattern or pattern_of(model.config)


def pattern_of(config: Any, *, as_transformers: bool = False) -> SparsePattern:
    """The paper's pattern, with the block size and the number of random blocks of a transformers configuration."""
    return SparsePattern(
        window=config.block_size,
        block=config.block_size,
        block_aligned=True,
        global_tokens=(),
        global_blocks=(0, -1),
        random_blocks=config.num_random_blocks,
        as_transformers=as_transformers,
    )


class BigBirdBlockSparseAttention(original.BigBirdBlockSparseAttention):
    """One layer's attention."""

    is_causal = False
    sparse: Sparse

    def forward(  # type: ignore[override]
        self, hidden_states: Tensor, *_: None, rows: Rows, **kwargs: Any
    ) -> tuple[Tensor, None]:
        """Attention ``(B, T, H·D)`` of states ``(B, T, H·D)``."""
        shape = (*hidden_states.shape[:2], self.num_attention_heads, self.attention_head_size)
        query, key, value = (
            layer(hidden_states).view(shape).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        # No dropout: transformers' block-sparse attention ignores the one in the configuration.
        return self.sparse.attend(query, key, value, rows, scale=self.attention_head_size**-0.5).flatten(2), None


class BigBirdModel(original.BigBirdModel):
    """The encoder, for rows of any length: no padding to the block, and no lasting switch to dense attention."""

    @merge_with_config_defaults  # type: ignore[untyped-decorator]
    @capture_outputs  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As in transformers; ``global_mask`` and ``document_ids`` as for other models after ``sparsify``.

        States are ``(B, T, H·D)``; ids and masks ``(B, T)``.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ConfigError("give either input_ids or inputs_embeds")
        if token_type_ids is None:  # transformers' default is only as long as the position table
            given = inputs_embeds if input_ids is None else input_ids
            assert given is not None
            token_type_ids = torch.zeros(given.shape[:2], dtype=torch.int64, device=given.device)
        states = self.embeddings(
            input_ids=input_ids, position_ids=position_ids, token_type_ids=token_type_ids, inputs_embeds=inputs_embeds
        )
        seen = None if attention_mask is None else attention_mask.bool()
        rows = Rows.of(states, seen, kwargs.pop("global_mask", None), kwargs.pop("document_ids", None))
        states = self.encoder(states, rows=rows, **kwargs).last_hidden_state
        pooled = None if self.pooler is None else self.activation(self.pooler(states[:, 0]))
        return BaseModelOutputWithPoolingAndCrossAttentions(last_hidden_state=states, pooler_output=pooled)
