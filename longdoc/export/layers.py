"""The weights of a head of longdoc, as the weights of the layers that the classes of transformers have in its place.

Dimensions: ``D`` width, ``L`` labels or tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from longdoc.heads import HeadConfig
from longdoc.hub.configs import DENSE_LAYERS, LINEAR_LAYERS, WORD_LAYERS

State = dict[str, Tensor]

_SCALE = 2.0**-13
"""Of states, which are up to some 20, before tanh: small enough for tanh(x) = x in float32."""
_POSITIVE = 8.0
"""From here on, ReLU and GELU return what they are given."""


def weights_for(kind: str, task: Any, head: Any, config: Any) -> Iterator[State]:
    """Weights by which ``task`` may compute what ``head`` does, by their names in it; without those of the encoder.

    There are several for an unknown activation function, of which one is right; there are none if the class has
    layers that a linear head lacks, such as ModernBERT's.

    Args:
        kind: the kind of the head.
        task: a model of transformers with a head of that kind, and the weights of the encoder.
        head: the module of longdoc's head.
        config: its configuration.
    """
    if kind == "embed":
        yield {}
        return
    found = _words(task, head) if kind == "fill" else _linear(kind, task, head, config)
    yield from (state for state in found if not _without_weights(task, state))


def _without_weights(task: Any, state: State) -> list[str]:
    """The parameters of a task model, beside its encoder's, that are not in ``state`` and would be random."""
    every = dict(task.named_parameters(remove_duplicate=False))
    given = {id(every[name]) for name in state} | {id(parameter) for parameter in task.base_model.parameters()}
    return [name for name, parameter in every.items() if id(parameter) not in given]


def _linear(kind: str, task: Any, head: Any, config: Any) -> Iterator[State]:
    weight, bias = head.linear.weight.detach(), head.linear.bias.detach()
    if kind in ("ner", "qa"):
        for name in LINEAR_LAYERS:
            if isinstance(task.get_submodule(name) if hasattr(task, name) else None, nn.Linear):
                yield {f"{name}.weight": weight, f"{name}.bias": bias}
        return
    weight, bias = calibrated(weight[: len(config.labels)], bias[: len(config.labels)], config)
    for pattern, out in DENSE_LAYERS:
        dense = pattern.format(base=task.base_model_prefix)
        try:
            square = task.get_submodule(dense).weight.shape
            task.get_submodule(out)
        except AttributeError:
            continue
        if square == (weight.shape[1], weight.shape[1]):
            if (hidden := getattr(head, "dense", None)) is not None:
                names = (f"{dense}.weight", f"{dense}.bias", f"{out}.weight", f"{out}.bias")
                yield dict(zip(names, (hidden.weight.detach(), hidden.bias.detach(), weight, bias), strict=True))
            else:
                yield from _passing_on(dense, out, weight, bias, _largest_state(task))


def _passing_on(dense: str, out: str, weight: Tensor, bias: Tensor, largest: float) -> Iterator[State]:
    """A dense layer that keeps its input through tanh (scaled), or through ReLU and GELU (shifted); then the head's."""
    same = torch.eye(weight.shape[1])
    names = (f"{dense}.weight", f"{dense}.bias", f"{out}.weight", f"{out}.bias")
    yield dict(zip(names, (same * _SCALE, torch.zeros(len(same)), weight / _SCALE, bias), strict=True))
    shift = largest + _POSITIVE
    shifted = (bias.double() - shift * weight.double().sum(dim=1)).float()
    yield dict(zip(names, (same, torch.full((len(same),), shift), weight, shifted), strict=True))


def _largest_state(task: Any) -> float:
    """A bound of the states, which are normalised to a length of √D, then scaled and shifted."""
    norms = [module for module in task.base_model.modules() if isinstance(module, nn.LayerNorm)]
    lengths = [norm.weight.detach().abs() * norm.weight.numel() ** 0.5 for norm in norms]
    shifts = [0.0 if norm.bias is None else norm.bias.detach().abs() for norm in norms]
    return max((float((length + shift).max()) for length, shift in zip(lengths, shifts, strict=True)), default=0.0)


def calibrated(weight: Tensor, bias: Tensor, config: HeadConfig) -> tuple[Tensor, Tensor]:
    """The weight ``(L, D)`` and bias ``(L,)`` of a linear layer, whose logits are then calibrated as the head's are."""
    calibration: Any = getattr(config, "calibration", None)
    shift = calibration.bias if config.kind == "classify" else 0.0  # a softmax is the same whatever is added to all
    return weight / calibration.temperature, (bias - shift) / calibration.temperature


def _words(task: Any, head: Any) -> Iterator[State]:
    own = {name: tensor.detach() for name, tensor in head.state_dict().items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in task.named_parameters(remove_duplicate=False)}
    for names in WORD_LAYERS:
        if all(shapes.get(there) == tuple(own[here].shape) for here, there in names.items()):
            yield {there: own[here] for here, there in names.items()}
