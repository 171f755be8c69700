"""Longformer with longdoc's attention: subclasses of transformers' classes with another forward pass.

Longformer has separate projections for global tokens (``query_global``, ``key_global``, ``value_global``): global
queries use them for every key; all other queries use the ordinary projections, for global keys too. Parameters keep
their names in transformers, so that checkpoints load and save as before.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.longformer import modeling_longformer as original

from longdoc.attention.backends import Sparse
from longdoc.attention.chunks import Part
from longdoc.attention.pattern import Rows, SparsePattern
from longdoc.errors import ConfigError


def adopt(model: PreTrainedModel, pattern: SparsePattern | None) -> SparsePattern:
    """Replaces the classes of Longformer modules in ``model`` by those of this file; returns the pattern to use."""
    for module in model.modules():
        for replacement in (LongformerModel, LongformerSelfAttention):
            if type(module) is replacement.__bases__[0]:
                module.__class__ = replacement
    return pattern or pattern_of(model.config)


def pattern_of(config: Any) -> SparsePattern:
    """The windows of ``config.attention_window``, which counts both sides; global tokens are given with each call."""
    sizes = config.attention_window
    sizes = [sizes] * config.num_hidden_layers if isinstance(sizes, int) else sizes
    return SparsePattern(window=tuple(size // 2 for size in sizes), global_tokens=())


class LongformerSelfAttention(original.LongformerSelfAttention):
    """One layer's attention."""

    is_causal = False
    sparse: Sparse

    def forward(  # type: ignore[override]
        self, hidden_states: Tensor, is_index_global_attn: Rows, is_global_attn: bool, **_: Any
    ) -> tuple[Tensor]:
        """Attention ``(B, T, H·D)`` of states ``(B, T, H·D)``.

        ``is_index_global_attn`` carries the rows, since transformers' layers pass it through unchanged.
        """
        rows = is_index_global_attn
        options = {"scale": self.head_dim**-0.5, "dropout": self.dropout if self.training else 0.0}
        out = self._part("local", hidden_states, (self.query, self.key, self.value), rows, options)
        if is_global_attn:
            projections = (self.query_global, self.key_global, self.value_global)
            out = out + self._part("global", hidden_states, projections, rows, options)
        return (out.flatten(2),)

    def _part(
        self, part: Part, states: Tensor, projections: tuple[nn.Module, ...], rows: Rows, options: dict[str, Any]
    ) -> Tensor:
        """Attention of the local or the global queries, zero for the others, ``(B, T, H, D)``."""
        shape = (*states.shape[:2], self.num_heads, self.head_dim)
        query, key, value = (projection(states).view(shape).transpose(1, 2) for projection in projections)
        return self.sparse.attend(query, key, value, rows, part=part, **options)


class LongformerModel(original.LongformerModel):
    """The encoder, for rows of any length: no padding to the window, and no matrix of ``T²`` numbers."""

    def forward(  # noqa: PLR0913 -- the signature of transformers
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """As in transformers; ``global_mask`` and ``document_ids`` as for other models after ``sparsify``.

        States are ``(B, T, H·D)``; ids and masks ``(B, T)``.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ConfigError("give either input_ids or inputs_embeds")
        if output_attentions:
            raise ConfigError("output_attentions=True: sparse attention never forms the matrix of probabilities")
        states = self.embeddings(
            input_ids=input_ids, position_ids=position_ids, token_type_ids=token_type_ids, inputs_embeds=inputs_embeds
        )
        seen = None if attention_mask is None else attention_mask > 0
        chosen = _global_mask(attention_mask, global_attention_mask, kwargs.get("global_mask"))
        rows = Rows.of(states, seen, chosen, kwargs.get("document_ids"))
        any_global = chosen is not None or _has_globals(self.encoder)
        keep_states = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        all_states = [states] if keep_states else []
        for layer in self.encoder.layer:
            states = layer(states, is_index_global_attn=rows, is_global_attn=any_global)[0]
            all_states += [states] if keep_states else []
        output = original.LongformerBaseModelOutputWithPooling(
            last_hidden_state=states,
            pooler_output=None if self.pooler is None else self.pooler(states),
            hidden_states=tuple(all_states) if keep_states else None,
        )
        as_dict = self.config.return_dict if return_dict is None else return_dict
        return output if as_dict else (states, output.pooler_output, *((output.hidden_states,) if keep_states else ()))


def _global_mask(*masks: Tensor | None) -> Tensor | None:
    """The union of the ways to name global tokens, bool ``(B, T)``; ``None`` if none is used.

    Args:
        masks: ``attention_mask``, in which 2 marks a global token by an older convention, ``global_attention_mask`` and
            ``global_mask``, each ``(B, T)``.
    """
    attention_mask, *others = masks
    chosen = [mask > 0 for mask in others if mask is not None]
    if attention_mask is not None and attention_mask.dtype not in (torch.bool, torch.uint8):
        chosen.append(attention_mask == 2)
    return torch.stack(chosen).any(dim=0) if chosen else None


def _has_globals(encoder: nn.Module) -> bool:
    """Whether the pattern of any layer has global tokens."""
    patterns = [module.sparse.pattern for module in encoder.modules() if isinstance(module, LongformerSelfAttention)]
    return any(pattern.global_tokens or pattern.global_blocks for pattern in patterns)


def head_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Converts ``global_mask`` to ``global_attention_mask``, which transformers' Longformer heads pass to the encoder.

    Raises:
        ConfigError: ``document_ids`` was given, which the heads do not pass on.
    """
    if arguments.get("document_ids") is not None:
        raise ConfigError(
            "document_ids: the Longformer heads of transformers do not pass it on; call model.longformer(...), then "
            "the head"
        )
    further = arguments.pop("global_mask", None)
    if further is None:
        return arguments
    chosen = arguments.get("global_attention_mask")
    return {**arguments, "global_attention_mask": (further if chosen is None else further | (chosen > 0)).long()}
