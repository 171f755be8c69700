"""Knowledge distillation: Hinton et al., 2015, arXiv:1503.02531; Sanh et al., 2019, arXiv:1910.01108.

Dimensions: ``B`` rows, ``T`` tokens, ``D`` width, ``N`` distributions, ``L`` labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.attention.positions import n_positions
from longdoc.encoders import Encoder
from longdoc.errors import ConfigError
from longdoc.labels import tag_names
from longdoc.model import Model
from longdoc.training.layers import layers_of, place_of_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillConfig:
    """The teacher, and the terms of the distillation loss."""

    teacher: str
    """A model as for ``base``, with the same vocabulary: one of longdoc with heads of the same names and labels, or a
    checkpoint of transformers, whose head teaches those of its kind."""
    revision: str | None = None
    """Branch, tag or commit of a teacher that is a hub id; its default branch if not given."""
    temperature: float = 2.0
    """Divides the logits of both models; a higher one gives unlikely classes more weight."""
    logits: float = 1.0
    """Weight of the Kullback–Leibler divergence of the heads' logits."""
    hidden: float = 1.0
    """Weight of the mean squared error of the last hidden states; unused if the encoders differ in width."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ConfigError(f"distill.temperature must be above 0; got {self.temperature}")
        if min(self.logits, self.hidden) < 0 or not self.logits + self.hidden:
            raise ConfigError(
                "distill.logits and distill.hidden must be at least 0, and one of them above 0; got "
                f"{self.logits} and {self.hidden}"
            )


class Teacher:
    """A trained model whose hidden states and logits the student imitates; its own weights are frozen."""

    def __init__(self, model: Model, config: DistillConfig, student: Model) -> None:
        """Freezes ``model`` and makes it the teacher of ``student``.

        Raises:
            ConfigError: it has another vocabulary, lacks a head of the student, or has other outputs for one.
        """
        if model.tokenizer.get_vocab() != student.tokenizer.get_vocab():
            raise ConfigError(
                f"the teacher {config.teacher} has another vocabulary than the student; choose one with the same "
                "tokenizer, or start from a `base` with the teacher's"
            )
        self.heads = {name: _teaching(name, head, model, config) for name, head in student.config.heads.items()}
        """Of each head of the student, the name of the teacher's."""
        self.model = model.eval().requires_grad_(False)
        self.config = config

    def check_length(self, n_tokens: int) -> None:
        """Checks that the teacher has positions for windows of this length.

        Raises:
            ConfigError: it has fewer.
        """
        longest = n_positions(self.model.encoder.backbone)
        if longest is not None and n_tokens > longest:
            raise ConfigError(
                f"the teacher {self.config.teacher} has {longest} positions, and a window to learn from {n_tokens} "
                "tokens: lower the task's window, or choose another teacher"
            )

    def loss(self, student: Model, states: Tensor, inputs: Mapping[str, Tensor], heads: Sequence[str]) -> Tensor:
        """The distance between student and teacher on one batch, a float32 scalar.

        Args:
            student: the model that is trained.
            states: its hidden states, ``(B, T, D)``.
            inputs: the encoder's arguments, each ``(B, T)``.
            heads: names of the heads to imitate.
        """
        if next(self.model.parameters()).device != states.device:
            self.model.to(states.device)
        with torch.no_grad():
            targets = self._encoder(**self._known(inputs))
        mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"])).bool()
        losses = []
        if self.config.hidden and targets.shape == states.shape:
            losses.append(self.config.hidden * F.mse_loss(states[mask], targets[mask]))
        for name in heads if self.config.logits else ():
            own = cast(Any, student.heads[name]).choices(states, mask)
            wanted = cast(Any, self.model.heads[self.heads[name]]).choices(targets, mask)
            losses.append(self.config.logits * self._divergence(own, wanted))
        return torch.stack(losses).sum()

    @cached_property
    def _encoder(self) -> Encoder:
        """The encoder that reads windows, made when the model is on its device."""
        return self.model.reading_encoder()

    def _known(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The inputs of the student that the teacher has, too: not each encoder of a vocabulary has segments."""
        return {name: t for name, t in inputs.items() if name != "token_type_ids" or self.model.encoder.n_types > 1}

    def _divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Mean Kullback–Leibler divergence of the rows of logits, float32 ``(N, L)`` each: a scalar."""
        temperature = self.config.temperature
        own, wanted = (logits.div(temperature).log_softmax(dim=-1) for logits in (student, teacher))
        return temperature**2 * F.kl_div(own, wanted, reduction="batchmean", log_target=True)


def _teaching(name: str, head: Any, teacher: Model, config: DistillConfig) -> str:
    """The teacher's head of the same name, or its only one of that kind, with the same outputs.

    Raises:
        ConfigError: there is none.
    """
    heads: dict[str, Any] = dict(teacher.config.heads)
    of_kind = [other for other, own in heads.items() if own.kind == head.kind]
    found = name if name in heads else of_kind[0] if len(of_kind) == 1 else ""
    if not found or heads[found].kind != head.kind or _outputs(heads[found]) != _outputs(head):
        has = "; ".join(f"{other} ({own.kind}) {', '.join(_outputs(own))}".strip() for other, own in heads.items())
        raise ConfigError(
            f"the teacher {config.teacher} has no head {name!r} ({head.kind}) with the same outputs in the same order, "
            f"{', '.join(_outputs(head)) or 'none'}; it has {has or 'no head'}"
        )
    return found


def _outputs(head: Any) -> tuple[str, ...]:
    """What the logits of a head stand for: labels, and for classes what has them and whether there may be several."""
    if head.kind == "ner":
        return tag_names(head.labels, head.scheme)
    form = [f"{name}: {getattr(head, name)}".lower() for name in ("over", "multi_label") if hasattr(head, name)]
    return (*getattr(head, "labels", ()), *form)


def drop_layers(model: Model, kept: Sequence[int]) -> None:
    """Removes all other layers of the encoder, in place: a student that starts with weights of its teacher.

    Raises:
        ConfigError: the encoder has no such layer, or does not keep its layers in one list.
    """
    backbone, n_layers = model.encoder.backbone, int(model.encoder.backbone.config.num_hidden_layers)  # type: ignore
    if not kept or list(kept) != sorted(set(kept) & set(range(n_layers))):
        raise ConfigError(
            f"layers must name some of the encoder's {n_layers} layers, from 0, in order; got {list(kept)}"
        )
    parent, name = place_of_layers(backbone)
    layers = layers_of(backbone)
    setattr(parent, name, nn.ModuleList([layers[index] for index in kept]))
    backbone.config.num_hidden_layers = len(kept)  # type: ignore
