"""Layers as a training run wants them: where they are, dropout, activations that are computed again instead of kept."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from longdoc.errors import ConfigError


def set_dropout(module: nn.Module, rate: float) -> None:
    """Sets the dropout of hidden states in all layers, in place; that of attention probabilities stays as it is."""
    for parent in module.modules():
        for name, child in parent.named_children():
            of_attention = name == "attention_dropout" or (
                name == "dropout" and type(parent).__name__.endswith("SelfAttention")
            )
            if isinstance(child, nn.Dropout) and not of_attention:
                child.p = rate


def place_of_layers(backbone: nn.Module) -> tuple[nn.Module, str]:
    """The module that has the list of the encoder's layers, and the name of the list in it.

    Raises:
        ConfigError: the encoder does not keep its layers in one list.
    """
    n_layers = int(backbone.config.num_hidden_layers)  # type: ignore
    for parent in backbone.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == n_layers:
                return parent, name
    raise ConfigError("layers cannot be removed or pruned in this encoder: it does not keep them in one list")


def layers_of(backbone: nn.Module) -> nn.ModuleList:
    """The list of the encoder's layers; ``ConfigError`` as of :func:`place_of_layers`."""
    parent, name = place_of_layers(backbone)
    layers: nn.ModuleList = getattr(parent, name)
    return layers


def recompute_activations(backbone: nn.Module) -> None:
    """Turns gradient checkpointing on, in place: the backward pass computes the activations of each layer again.

    Raises:
        ConfigError: the architecture does not say which of its modules are layers.
    """
    model: Any = backbone
    settings = {"use_reentrant": False}
    if model.supports_gradient_checkpointing:
        if hasattr(model, "activation_checkpointing_enable"):
            model.activation_checkpointing_enable(activation_checkpointing_kwargs=settings)
        else:  # before transformers 5.20
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=settings)
        return
    # ALBERT and others do without it in transformers, but name their layers for those who want the hidden states.
    layer = (getattr(model, "_can_record_outputs", None) or {}).get("hidden_states")
    layers: list[Any] = [module for module in model.modules() if isinstance(layer, type) and isinstance(module, layer)]
    if not layers:
        raise ConfigError(
            f"gradient_checkpointing is not possible for a {model.config.model_type}, whose layers are not known; "
            "leave it out, and lower batch_tokens if memory is short"
        )
    for module in layers:
        if not isinstance(module.forward, functools.partial):
            module.forward = functools.partial(_recomputed, module.forward)


def _recomputed(forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``forward`` of a layer, whose activations are kept only if no gradients are wanted."""
    module: nn.Module = forward.__self__  # type: ignore[attr-defined]
    if module.training and torch.is_grad_enabled():
        return checkpoint(functools.partial(forward, **kwargs), *args, use_reentrant=False)
    return forward(*args, **kwargs)
