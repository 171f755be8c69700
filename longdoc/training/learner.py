"""A model as transformers' Trainer wants it: batch in, loss out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from longdoc.encoders import Encoder, SparseEncoder
from longdoc.model import Model
from longdoc.training.distill import Teacher


class Learner(nn.Module):
    """The summed loss of the heads that a batch has targets for, on windows or with sparse attention."""

    def __init__(self, model: Model, *, teacher: Teacher | None = None, all_heads: bool = False) -> None:
        """A learner around ``model``.

        Args:
            model: what learns.
            teacher: a model to imitate as well.
            all_heads: whether heads without targets get gradients of zero, which processes that learn together need:
                their batches may be of different tasks.
        """
        super().__init__()
        self.model = model
        self.all_heads = all_heads
        self._teacher = (teacher,)  # in a tuple: it is no part of what is trained and saved
        self._sparse: dict[int, SparseEncoder] = {}

    @property
    def config(self) -> PretrainedConfig:
        """The encoder's, of which DeepSpeed reads the width."""
        return cast(PretrainedConfig, self.model.encoder.backbone.config)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        targets: Mapping[str, Mapping[str, Any]],
        weight: float = 1.0,
        period: int = 0,
    ) -> dict[str, Tensor]:
        """The loss, a number, of a batch.

        Args:
            inputs: the encoder's, each ``(B, T)``.
            targets: by head, the arguments of its ``loss``.
            weight: of this batch's task.
            period: 0 for windows; with sparse attention, how often positions repeat.
        """
        states = self._encoder(period)(**inputs)
        losses = [cast(Any, self.model.head(name)).loss(states, **wanted) for name, wanted in targets.items()]
        loss = weight * torch.stack(losses).sum()
        if (teacher := self._teacher[0]) is not None:
            loss = loss + weight * teacher.loss(self.model, states, inputs, list(targets))
        if self.all_heads:
            others = [head for name, head in self.model.heads.items() if name not in targets]
            silent = [head for head in others if next(head.parameters(), None) is not None]
            loss = loss + sum(0.0 * head(states[:1, :1]).sum() for head in silent)
        return {"loss": loss}

    def _encoder(self, period: int) -> Encoder:
        encoder = self.model.encoder
        if not period:
            return encoder
        if period not in self._sparse:
            self._sparse[period] = SparseEncoder.of(encoder, self.model.config.sparse_pattern(period), period)
        return cast(Encoder, self._sparse[period].train(self.training))
