"""Tokens → states.

Both encoders read a document as overlapping windows of its token stream, each with the checkpoint's special tokens
around it (:mod:`longdoc.inputs`). ``Encoder`` reads short windows, of the length the checkpoint was trained on, with
dense attention; ``SparseEncoder`` reads windows as long as most documents. Dimensions: ``B`` windows, ``T`` tokens,
including special tokens, ``D`` width.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.attention import SparsePattern
from longdoc.attention.positions import repeated_positions
from longdoc.inputs import Batch, InputForm, SpecialTokens, Template

SEE_PADDING = ("convbert", "fnet", "yoso")
"""Model types whose states of a text depend on the padding after it: they read, and learn, each window by itself."""


class Encoder(nn.Module):
    """A transformers encoder (any ``AutoModel``) over windows."""

    def __init__(self, backbone: nn.Module, template: Template) -> None:
        super().__init__()
        self.backbone = backbone
        self.template = template
        config: Any = backbone.config
        self.n_types = getattr(config, "type_vocab_size", None) or 1
        self.asks_globally = config.model_type == "longformer"
        self.subtracts_masks = config.model_type == "big_bird"
        self.computes_padding = True
        """Whether the states of a window may depend on how far it is padded."""
        self.sees_padding = config.model_type in SEE_PADDING

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
    ) -> Tensor:
        """States, floating point ``(B, T, D)``.

        Args:
            input_ids: token ids, int64 ``(B, T)``.
            attention_mask: bool ``(B, T)``, false at padding.
            token_type_ids: segment ids, int64 ``(B, T)``, for encoders with several segments.
            global_mask: bool ``(B, T)``, true for the question's tokens; among dense encoders only Longformer uses it.
        """
        if self.sees_padding and attention_mask is not None:
            return self._one_by_one(input_ids, attention_mask, token_type_ids)
        further = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        if self.asks_globally and global_mask is not None:
            further["global_attention_mask"] = global_mask.long()
        if self.subtracts_masks and attention_mask is not None:
            attention_mask = attention_mask.float()
        states: Tensor = self.backbone(input_ids=input_ids, attention_mask=attention_mask, **further).last_hidden_state
        return states

    def _one_by_one(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None) -> Tensor:
        """States ``(B, T, D)`` of windows that are each read without their padding, where they are 0."""
        rows = []
        for number, length in enumerate(attention_mask.sum(dim=1).tolist()):
            types = None if token_type_ids is None else token_type_ids[number : number + 1, :length]
            states = self.forward(input_ids[number : number + 1, :length], token_type_ids=types)
            rows.append(F.pad(states, (0, 0, 0, input_ids.shape[1] - length)))
        return torch.cat(rows)

    def batch(
        self,
        slices: Sequence[np.ndarray],
        specials: Sequence[SpecialTokens] | SpecialTokens | None = None,
        length: int = 0,
    ) -> Batch[Tensor]:
        """Windows with their special tokens as tensors, each ``(B, T)``; the arguments are as for `InputForm.batch`."""
        made = self.form.batch(slices, specials, length)
        inputs = {name: torch.from_numpy(array) for name, array in made.inputs.items()}
        return Batch(inputs, made.firsts, made.lengths)

    @property
    def form(self) -> InputForm:
        """What windows are given to it with."""
        return InputForm(self.template, self.n_types)


class SparseEncoder(Encoder):
    """The same weights over windows of any length, with sparse attention.

    Positions repeat every ``period`` tokens, since training taught them in windows of that length.
    """

    period: int
    """Length of the windows that the weights were trained on, in tokens, including special tokens."""

    @classmethod
    def of(cls, encoder: Encoder, pattern: SparsePattern | None, period: int) -> SparseEncoder:
        """A sparse copy of an encoder that shares its weights; ``pattern`` may be ``None`` if the encoder has its own.

        Raises:
            ConfigError: the encoder's architecture cannot be made sparse.
        """
        from longdoc.attention import sparsify  # loads transformers, which reading windows does without

        copied = shared_copy(encoder)
        backbone: Any = copied.backbone
        sparse = cls(sparsify(backbone, pattern), copied.template)
        sparse.period = period
        return sparse

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_mask: Tensor | None = None,
        document_ids: Tensor | None = None,
    ) -> Tensor:
        """States, floating point ``(B, T, D)``.

        Args:
            input_ids: token ids, int64 ``(B, T)``.
            attention_mask: bool ``(B, T)``, false at padding.
            token_type_ids: segment ids, int64 ``(B, T)``.
            global_mask: bool ``(B, T)``, true for tokens that see all tokens and that all tokens see.
            document_ids: int64 ``(B, T)``, ascending: the document of each token, for rows that pack several, each
                with its own special tokens. They are read as if each were alone.
        """
        if document_ids is None:
            positions = self._positions(input_ids, global_mask)
        else:
            positions = self._packed_positions(document_ids)
        further = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        further |= {} if document_ids is None else {"document_ids": document_ids}
        states: Tensor = self.backbone(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=None if positions is None else positions.to(input_ids.device),
            global_mask=global_mask,
            **further,
        ).last_hidden_state
        return states

    def _positions(self, input_ids: Tensor, global_mask: Tensor | None) -> Tensor | None:
        """Positions, int64 ``(B, T)``; the question's are not repeated. ``None`` if the encoder computes positions."""
        prefix = len(self.template.plain.prefix)
        n_tokens = input_ids.shape[1]
        if global_mask is None:
            positions = repeated_positions(self.backbone, n_tokens, period=self.period, prefix=prefix)
            return None if positions is None else positions.expand_as(input_ids)
        ends = (global_mask.sum(dim=1) + len(self.template.between.ids)).tolist()
        rows = [repeated_positions(self.backbone, n_tokens, period=self.period, prefix=int(end)) for end in ends]
        return None if any(row is None for row in rows) else torch.stack([row for row in rows if row is not None])

    def _packed_positions(self, document_ids: Tensor) -> Tensor | None:
        """Positions, int64 ``(B, T)``, that restart with every document; ``None`` if the encoder computes positions."""
        n_tokens = document_ids.shape[1]
        prefix = len(self.template.plain.prefix)
        positions = repeated_positions(self.backbone, n_tokens, period=self.period, prefix=prefix)
        if positions is None:
            return None
        index = torch.arange(n_tokens, device=document_ids.device).expand_as(document_ids)
        is_first = torch.ones_like(document_ids, dtype=torch.bool)
        is_first[:, 1:] = document_ids[:, 1:] != document_ids[:, :-1]
        starts = torch.where(is_first, index, 0).cummax(dim=1).values
        return positions.to(document_ids.device)[index - starts]


def with_pattern(encoder: Encoder, pattern: SparsePattern) -> Encoder:
    """A copy that reads windows with sparse attention, as a converted checkpoint was trained; it shares all weights.

    Raises:
        ConfigError: the encoder's architecture cannot be made sparse.
    """
    from longdoc.attention import sparsify  # loads transformers, which reading windows does without

    copied = shared_copy(encoder)
    backbone: Any = copied.backbone
    copied.backbone = sparsify(backbone, pattern)
    return copied


def shared_copy(encoder: Encoder) -> Encoder:
    """A copy that shares the weights."""
    return copy.deepcopy(encoder, {id(parameter): parameter for parameter in encoder.parameters()})
