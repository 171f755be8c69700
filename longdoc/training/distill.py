"""A small model learns from a large one: Hinton et al., 2015, arXiv:1503.02531; Sanh et al., 2019, arXiv:1910.01108."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.errors import ConfigError
from longdoc.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillConfig:
    """What to imitate, and how closely."""

    teacher: str
    """A model of longdoc with heads of the same names and labels, and the same tokenizer."""
    temperature: float = 2.0
    """Of both models' logits; higher ones tell more of the unlikely classes."""
    logits: float = 1.0
    """Weight of the divergence of the heads' logits."""
    hidden: float = 1.0
    """Weight of the mean squared difference of the last states, where both encoders are of one width."""

    def __post_init__(self) -> None:
        if self.temperature <= 0 or min(self.logits, self.hidden) < 0 or not self.logits + self.hidden:
            raise ConfigError("distillation needs a temperature above 0, weights of at least 0, and one above it")


class Teacher:
    """A trained model whose states and logits are imitated; it learns nothing itself."""

    def __init__(self, model: Model, config: DistillConfig, student: Model) -> None:
        """Takes ``model`` as the teacher of ``student``.

        Raises:
            ConfigError: it lacks a head of the student, has other labels for it, or another vocabulary.
        """
        if model.tokenizer.get_vocab() != student.tokenizer.get_vocab():
            raise ConfigError(
                f"the teacher {config.teacher} has another vocabulary than the student; take one of its own"
            )
        for name, head in student.config.heads.items():
            own = model.config.heads.get(name)
            if getattr(own, "kind", None) != head.kind or getattr(own, "labels", ()) != getattr(head, "labels", ()):
                raise ConfigError(
                    f"the teacher {config.teacher} has no head {name!r} ({head.kind}) with the same labels"
                )
        self.model = model.eval().requires_grad_(False)
        self.config = config

    def loss(self, student: Model, states: Tensor, inputs: Mapping[str, Tensor], heads: Sequence[str]) -> Tensor:
        """How far the student is from the teacher on one batch, a number.

        Args:
            student: the model that learns.
            states: its states, ``(B, T, D)``.
            inputs: the encoder's arguments, each ``(B, T)``.
            heads: names of those to imitate.
        """
        if next(self.model.parameters()).device != states.device:
            self.model.to(states.device)
        with torch.no_grad():
            wanted = self.model.encoder(**inputs)
        mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"])).bool()
        pairs = ((student, states), (self.model, wanted))
        losses = []
        if self.config.hidden and wanted.shape == states.shape:
            losses.append(self.config.hidden * F.mse_loss(states[mask], wanted[mask]))
        for name in heads if self.config.logits else ():
            own, teachers = (cast(Any, m.heads[name]).choices(s, mask) for m, s in pairs)
            losses.append(self.config.logits * self._divergence(own, teachers))
        return torch.stack(losses).sum()

    def _divergence(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Mean Kullback–Leibler divergence over all rows of the teacher's and the student's logits, ``(N, L)``."""
        hot = self.config.temperature
        one, other = (found.div(hot).log_softmax(dim=-1) for found in (logits, wanted))
        return hot**2 * F.kl_div(one, other, reduction="batchmean", log_target=True)


def drop_layers(model: Model, kept: Sequence[int]) -> None:
    """Leaves the encoder with these layers alone, in place: a student that begins with its teacher's weights.

    Raises:
        ConfigError: the encoder has no such layer, or no plain list of layers.
    """
    backbone, n_layers = model.encoder.backbone, int(model.encoder.backbone.config.num_hidden_layers)  # type: ignore
    if not kept or list(kept) != sorted(set(kept) & set(range(n_layers))):
        raise ConfigError(
            f"layers must name some of the encoder's {n_layers} layers, from 0, in order; got {list(kept)}"
        )
    for parent in backbone.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == n_layers:
                setattr(parent, name, nn.ModuleList([child[index] for index in kept]))
                model.encoder.backbone.config.num_hidden_layers = len(kept)  # type: ignore
                return
    raise ConfigError("this encoder's layers are no plain list, of which some could be left out")
