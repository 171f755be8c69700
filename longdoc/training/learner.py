"""The module that transformers' Trainer trains: a batch in, its loss out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from longdoc.encoders import Encoder
from longdoc.model import Model
from longdoc.training.distill import Teacher


class Learner(nn.Module):
    """The summed loss of the heads for which a batch has targets, with windows or with sparse attention."""

    def __init__(self, model: Model, *, teacher: Teacher | None = None, all_heads: bool = False) -> None:
        """Wraps a model.

        Args:
            model: the model to train.
            teacher: a model to imitate in addition.
            all_heads: whether heads without targets get zero gradients. Processes that train together need this, as
                their batches may be of different tasks.
        """
        super().__init__()
        self.model = model
        self.all_heads = all_heads
        self._teacher = (teacher,)  # in a tuple, so that it is not a submodule: it is neither trained nor saved
        self._encoders: dict[int, Encoder] = {}

    @property
    def config(self) -> PretrainedConfig:
        """The encoder's configuration, from which DeepSpeed reads the hidden size."""
        return cast(PretrainedConfig, self.model.encoder.backbone.config)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        targets: Mapping[str, Mapping[str, Any]],
        weight: float = 1.0,
        period: int = 0,
    ) -> dict[str, Tensor]:
        """The loss of a batch of ``B`` rows of ``T`` positions: ``{"loss": float32 scalar}``.

        Args:
            inputs: the encoder's arguments, each ``(B, T)``.
            targets: for each head that learns, the arguments of its ``loss``.
            weight: weight of the batch's task.
            period: 0 for windows; with sparse attention, the number of positions after which position ids repeat.
        """
        states = self._encoder(period)(**inputs)  # (B, T, D)
        losses = [cast(Any, self.model.head(name)).loss(states, **wanted) for name, wanted in targets.items()]
        loss = weight * torch.stack(losses).sum()
        if (teacher := self._teacher[0]) is not None:
            loss = loss + weight * teacher.loss(self.model, states, inputs, list(targets))
        if self.all_heads:
            others = [head for name, head in self.model.heads.items() if name not in targets]
            trainable = [head for head in others if next(head.parameters(), None) is not None]
            loss = loss + sum(0.0 * head(states[:1, :1]).sum() for head in trainable)
        return {"loss": loss}

    def _encoder(self, period: int) -> Encoder:
        if period not in self._encoders:
            self._encoders[period] = self.model.reading_encoder(period)
        return self._encoders[period].train(self.model.encoder.training)


def to_device(value: Any, device: torch.device) -> Any:
    """Copies all tensors in nested dictionaries to a device; other values stay as they are."""
    if isinstance(value, Tensor):
        return value.to(device)
    return {key: to_device(item, device) for key, item in value.items()} if isinstance(value, dict) else value
