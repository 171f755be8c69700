"""Structured pruning: the neurons and attention heads whose removal changes the loss least are removed.

Importance is the first-order Taylor expansion of the loss: a gate of 1 multiplies each neuron or head, and the absolute
gradient of the gate is summed over examples (Michel et al., 2019, arXiv:1905.10650; Molchanov et al., 2019,
arXiv:1906.10771). All layers keep the same number of either, since a transformers ``config.json`` has one for all.

What is kept takes over what it can of the rest: the matrix that reads it is fitted to its results before, by least
squares over the tokens of those examples (He et al., 2017, arXiv:1707.06168). Errors are relative to the result of each
token: special tokens have results twenty times as long as others, and would be all that is fitted.

Dimensions: ``N`` layers, ``B`` rows, ``T`` tokens, ``D`` width, ``H`` attention heads, ``F`` neurons between the two
matrices of a feed-forward network.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from longdoc.devices import device_of
from longdoc.errors import ConfigError, TrainingError
from longdoc.model import Model
from longdoc.training.layers import layers_of, place_of_layers
from longdoc.training.learner import Learner, to_device

Part: TypeAlias = Literal["neurons", "heads"]
PARTS: tuple[Part, ...] = ("neurons", "heads")
MULTIPLE = 8
"""Widths are multiples of this, in which matrix products are fast."""
RIDGE = 1e-3
"""How strongly least squares hold to the weights before, relative to the mean square of what each one multiplies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneConfig:
    """What each layer of the base encoder keeps when training starts: what matters most for the loss of the tasks."""

    width: int | None = None
    """Neurons of the feed-forward network, a multiple of 8; all by default."""
    heads: int | None = None
    """Attention heads; all by default. They must divide the width of the hidden states, which they keep among them."""
    batches: int = 32
    """Batches of the tasks from which importance is measured, and on which what is kept is fitted."""

    def __post_init__(self) -> None:
        if self.width is None and self.heads is None:
            raise ConfigError("prune names neither width nor heads: nothing would be removed; give one of them")
        if self.batches < 1:
            raise ConfigError(f"prune.batches must be at least 1; got {self.batches}")
        if self.width is not None and (self.width < MULTIPLE or self.width % MULTIPLE):
            raise ConfigError(f"prune.width must be a multiple of {MULTIPLE}; got {self.width}")
        if self.heads is not None and self.heads < 1:
            raise ConfigError(f"prune.heads must be at least 1; got {self.heads}")

    @property
    def parts(self) -> tuple[Part, ...]:
        """Of what some are removed."""
        kept: dict[Part, int | None] = {"neurons": self.width, "heads": self.heads}
        return tuple(part for part, count in kept.items() if count is not None)


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a family of encoders keeps the linear layers of a layer, and the width between the last two."""

    query: str
    key: str
    value: str
    attended: str
    inner: str
    outer: str
    width: str
    """Name of the setting in ``config.json``."""


_BERT = Parts(
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attended="attention.output.dense",
    inner="intermediate.dense",
    outer="output.dense",
    width="intermediate_size",
)
_DISTILBERT = Parts(
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attended="attention.out_lin",
    inner="ffn.lin1",
    outer="ffn.lin2",
    width="hidden_dim",
)
FAMILIES = {
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "camembert", "electra"), _BERT),
    "distilbert": _DISTILBERT,
}
"""Model types that can be pruned: attention without position terms of its own, so that heads are independent."""


@dataclass(frozen=True, slots=True)
class Importance:
    """How much the loss depends on each part, in every layer; 0 and without products if it was not measured."""

    neurons: Tensor
    """Float32 ``(N, F)``."""
    heads: Tensor
    """Float32 ``(N, H)``."""
    of_neurons: Tensor
    """Products of the neurons with each other and with 1, each relative to what the token's neurons give, summed over
    tokens: float32 ``(N, F + 1, F + 1)``."""
    of_heads: Tensor
    """The same for what heads read, float32 ``(N, D + 1, D + 1)``."""

    @classmethod
    def none(cls, settings: Any, parts: Collection[Part] = PARTS) -> Importance:
        """Of an encoder with these settings, before anything is measured of the ``parts``."""
        (width, n_heads), n_layers = _sizes(settings), int(settings.num_hidden_layers)
        sizes = [
            each + 1 if part in parts else 0 for part, each in zip(PARTS, (width, settings.hidden_size), strict=True)
        ]
        products = (torch.zeros(n_layers, size, size) for size in sizes)
        return cls(torch.zeros(n_layers, width), torch.zeros(n_layers, n_heads), *products)


def check_prune(model: Model, config: PruneConfig) -> None:
    """Checks that an encoder can be pruned as configured.

    Raises:
        ConfigError: its family is not one of ``FAMILIES``, or it does not have more than what is to be kept.
    """
    settings: Any = model.encoder.backbone.config
    if settings.model_type not in FAMILIES:
        raise ConfigError(
            f"a {settings.model_type} cannot be pruned, as its layers have other parts; allowed: {', '.join(FAMILIES)}"
        )
    width, n_heads = _sizes(settings)
    if config.width is not None and config.width >= width:
        raise ConfigError(
            f"prune.width is {config.width}, and the feed-forward networks of the base have {width} neurons; give a "
            f"multiple of {MULTIPLE} below that"
        )
    allowed = [number for number in range(1, n_heads) if settings.hidden_size % number == 0]
    if config.heads is not None and config.heads not in allowed:
        raise ConfigError(
            f"prune.heads is {config.heads}, and the base has {n_heads} attention heads and hidden states of "
            f"{settings.hidden_size}, which heads must divide; allowed: {', '.join(map(str, allowed)) or 'none'}"
        )


def _device() -> torch.device:
    """The device of this process, which `TrainingArguments` chooses later."""
    device = device_of("auto")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if device.type == "cuda" else device


def importance(
    model: Model,
    batches: Sequence[Mapping[str, Any]],
    dtype: torch.dtype = torch.float32,
    parts: Collection[Part] = PARTS,
) -> Importance:
    """The importance of all neurons and heads for the loss on some batches.

    Args:
        model: a model that :func:`check_prune` allows.
        batches: arguments of ``Learner.forward``, as of ``Batches``.
        dtype: number format of matrix products.
        parts: those to measure, at least one; the products of neurons take the most memory.
    """
    device, sums = _device(), Importance.none(model.encoder.backbone.config, parts)
    was_training, was_at = model.training, next(model.parameters()).device
    learner = Learner(model.to(device)).eval()
    with _gated(model, parts) as gates, torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.bfloat16):
        for batch in tqdm(batches, "importance", disable=not sys.stderr.isatty(), leave=False):
            inputs = {name: value for name, value in batch.items() if name != "documents"}
            loss = learner(**to_device(inputs, device))["loss"]
            found = torch.autograd.grad(loss, [gate.factors for gate in gates])
            seen = batch["inputs"].get("attention_mask", torch.ones_like(batch["inputs"]["input_ids"])).bool()
            for gate, gradient in zip(gates, found, strict=True):  # (B, 1, parts, 1)
                getattr(sums, gate.part)[gate.layer] += gradient.abs().sum(dim=(0, 1, 3)).cpu()
                products = _products(gate.states[seen.to(device)], gate.linear)
                getattr(sums, f"of_{gate.part}")[gate.layer] += products.cpu()
            gates.clear()
    model.to(was_at).train(was_training)
    return sums


class _Gate(NamedTuple):
    """What multiplies the neurons or heads of a layer in a forward pass."""

    layer: int
    part: Part
    linear: nn.Linear
    """The matrix that reads them."""
    factors: Tensor
    """1, ``(B, 1, parts, 1)``."""
    states: Tensor
    """The neurons, or what the heads read, ``(B, T, D)``."""


@contextmanager
def _gated(model: Model, gated: Collection[Part]) -> Iterator[list[_Gate]]:
    """Within, all neurons or heads, or both, pass gates; yields those of each forward pass."""
    gates: list[_Gate] = []
    backbone = model.encoder.backbone
    parts, (width, n_heads) = _parts(backbone), _sizes(backbone.config)

    def gate(layer: int, part: Part, count: int) -> Callable[..., Any]:
        def multiply(linear: nn.Linear, arguments: tuple[Tensor]) -> tuple[Tensor]:
            (states,) = arguments  # (B, T, count * size)
            own = torch.ones(len(states), 1, count, 1, device=states.device, requires_grad=True)
            gates.append(_Gate(layer, part, linear, own, states.detach()))
            return ((states.unflatten(-1, (count, -1)) * own).flatten(2),)

        return multiply  # not a `partial`, of which a copy of the encoder for sparse attention would copy the list

    hooks = []
    for number, layer in enumerate(layers_of(backbone)):
        readers: dict[Part, tuple[str, int]] = {"neurons": (parts.outer, width), "heads": (parts.attended, n_heads)}
        for part in gated:
            name, count = readers[part]
            hooks.append(layer.get_submodule(name).register_forward_pre_hook(gate(number, part, count)))
    try:
        yield gates
    finally:
        for hook in hooks:
            hook.remove()


def _products(states: Tensor, linear: nn.Linear) -> Tensor:
    """Sums over tokens of the products of states ``(tokens, D)`` and 1, relative to the length of what a layer makes.

    Float32 ``(D + 1, D + 1)``.
    """
    with torch.autocast(states.device.type, enabled=False), torch.no_grad():
        wide = states.float()
        lengths = F.linear(wide, linear.weight.float(), linear.bias.float()).norm(dim=1, keepdim=True)
        relative = F.pad(wide, (0, 1), value=1.0) / lengths.clamp_min(1e-6)
        products: Tensor = relative.T @ relative
        return products


def prune(model: Model, config: PruneConfig, found: Importance) -> None:
    """Removes all but the most important neurons and heads of each layer of the encoder, in place.

    The heads that are left share the width of the hidden states, as transformers has it: each is padded with zeros,
    which changes none of its results. So attention computes fewer heads, with as many weights as before.

    Raises:
        ConfigError: as of :func:`check_prune`.
        TrainingError: an importance is not finite.
    """
    check_prune(model, config)
    if not all(
        measured.isfinite().all() for measured in (found.neurons, found.heads, found.of_neurons, found.of_heads)
    ):
        raise TrainingError("the importance of neurons or heads is not finite, since a loss is not; check the data")
    backbone: Any = model.encoder.backbone
    settings: Any = backbone.config
    parts, (width, n_heads) = _parts(backbone), _sizes(settings)
    neurons = _best(found.neurons, config.width or width)
    heads = _best(found.heads, config.heads or n_heads)
    setattr(settings, parts.width, neurons.shape[1])
    settings.num_attention_heads = heads.shape[1]
    with torch.device("meta"):
        empty = type(backbone)(settings)
    for number, (layer, smaller) in enumerate(zip(layers_of(backbone), layers_of(empty), strict=True)):
        state = layer.state_dict()
        if config.width is not None:
            _take_over(state, parts.outer, neurons[number], found.of_neurons[number])
            _keep_neurons(state, parts, neurons[number])
        if config.heads is not None:
            read = torch.arange(settings.hidden_size).unflatten(0, (n_heads, -1))[heads[number]].flatten()
            _take_over(state, parts.attended, read, found.of_heads[number])
            _keep_heads(state, parts, heads[number], n_heads)
        smaller.load_state_dict(state, assign=True)
    parent, name = place_of_layers(backbone)
    setattr(parent, name, layers_of(empty).train(backbone.training))


def _best(scores: Tensor, count: int) -> Tensor:
    """Indices of the highest scores of each layer in ascending order, int64 ``(N, count)``, from ``(N, …)``."""
    return scores.argsort(dim=1, descending=True, stable=True)[:, :count].sort(dim=1).values


def _take_over(state: dict[str, Tensor], name: str, kept: Tensor, products: Tensor) -> None:
    """Fits the weights of a linear layer for the columns that are ``kept``, and its bias, to its results with all.

    Args:
        state: of the layer that it is in.
        name: of the linear layer, whose weight is ``(D_out, D)``.
        kept: int64 ``(K,)``.
        products: of its input, ``(D + 1, D + 1)``, as of :func:`_products`.
    """
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    both, products = torch.cat([weight, bias[:, None]], dim=1).double(), products.double().to(weight.device)
    is_kept = torch.zeros(both.shape[1], dtype=torch.bool, device=weight.device)
    is_kept[kept.to(weight.device)] = is_kept[-1] = True
    own, others = products[is_kept][:, is_kept], products[is_kept][:, ~is_kept]
    damped = own + torch.diag(own.diagonal() * RIDGE + torch.finfo(torch.float32).tiny)
    both[:, is_kept] += torch.linalg.solve(damped, others @ both[:, ~is_kept].T).T
    state[f"{name}.weight"], state[f"{name}.bias"] = both[:, :-1].to(weight.dtype), both[:, -1].to(weight.dtype)


def _keep_neurons(state: dict[str, Tensor], parts: Parts, kept: Tensor) -> None:
    """Keeps neurons of a layer's feed-forward network: rows of the first matrix ``(F, D)``, columns of the second."""
    for name in (f"{parts.inner}.weight", f"{parts.inner}.bias"):
        state[name] = state[name][kept]
    state[f"{parts.outer}.weight"] = state[f"{parts.outer}.weight"][:, kept]


def _keep_heads(state: dict[str, Tensor], parts: Parts, kept: Tensor, n_heads: int) -> None:
    """Keeps heads of a layer, each padded from ``D / H`` to a share of ``D`` that is the larger as there are fewer."""
    width = len(state[f"{parts.query}.bias"])
    before, after = width // n_heads, width // len(kept)
    for name in (parts.query, parts.key, parts.value):
        # A product of queries and keys is divided by the root of the size of a head, which is now another.
        scale = (after / before) ** 0.5 if name == parts.query else 1.0
        for key in (f"{name}.weight", f"{name}.bias"):
            rows = scale * state[key].reshape(n_heads, before, -1)[kept]
            state[key] = F.pad(rows, (0, 0, 0, after - before)).reshape(width, *state[key].shape[1:])
    columns = state[f"{parts.attended}.weight"].unflatten(1, (n_heads, before))[:, kept]  # (D, H, D / H)
    state[f"{parts.attended}.weight"] = F.pad(columns, (0, after - before)).flatten(1)


def _parts(backbone: Any) -> Parts:
    return FAMILIES[backbone.config.model_type]


def _sizes(settings: Any) -> tuple[int, int]:
    """The numbers of neurons and of attention heads in a layer."""
    return int(getattr(settings, FAMILIES[settings.model_type].width)), int(settings.num_attention_heads)
