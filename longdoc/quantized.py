"""BERT's linear layers in int8 on a CPU: states as bytes, oneDNN's exact sums of their products, attention in floats.

What a byte stands for is fixed when weights are quantised, from the states of random tokens. So a token is computed
alike whatever stands beside it, and no text is needed. Two things keep the error small; of the shipped model on a
paper, 1 minus the cosine with float32 is 0.0004. Columns have steps of their own, folded into the weights; with one
step for all, the error is 0.0012. And GELU, whose bytes share one step, has few neurons with values several times
those of all others, for ``[CLS]`` above all: these are divided, see `divide`. Otherwise, the error is 0.002.

Dimensions: ``B`` windows, ``T`` tokens, ``N`` tokens of all windows, ``H`` heads, ``D`` width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from longdoc.bert import Bert, Layer, Windows
from longdoc.inputs import SpecialTokens, rounded

ZERO = 128
"""The byte of the middle of a grid."""
MARGIN = 1.25
"""How much wider than the states of random tokens a grid is."""
N_SAMPLES, SAMPLE = 4, 256
"""Number of random windows, and their most tokens."""
LEAST_GELU = -0.17


class Grid(NamedTuple):
    """The numbers of bytes, in each column: ``middle + step * (byte - ZERO)``; float32, both ``(D,)``."""

    middle: Tensor
    step: Tensor

    @classmethod
    def of(cls, numbers: Tensor) -> Grid:
        """A grid for the columns of ``numbers``, ``(…, D)``.

        The step of a column follows the root of its width: steps are to suit the column, and weights, which they are
        folded into, are to stay alike.
        """
        low, high = numbers.flatten(0, -2).aminmax(dim=0)
        width = (high - low).clamp_min(1e-6)
        step = rounded_up((width * width.max()).sqrt() * MARGIN / 255)
        return cls(((low + high) / 2 / step).round() * step, step)


def rounded_up(numbers: Tensor) -> Tensor:
    """Numbers ``(D,)`` to the next of 16 an octave.

    So processes that round differently have the same grids, unless a number is at the very edge.
    """
    mantissa, exponent = torch.frexp(numbers)
    return torch.ldexp((mantissa * 32).ceil() / 32, exponent)


class Gelu(NamedTuple):
    """Neurons of a feed-forward layer, the large ones divided, and the bytes of their GELU, which share one step.

    GELU's large values are those of its argument. So a neuron with values to ``k * cut`` is computed as ``k`` neurons:
    part ``i``, whose bias is smaller by ``i * cut``, ends at ``cut`` with the largest byte, and the parts add up.
    """

    neurons: Tensor
    """The neuron that each one is a part of, int64 ``(D,)``."""
    shifts: Tensor
    """What is taken from the bias of each, float32 ``(D,)``."""
    step: float
    zero: int
    """The byte of 0."""

    @property
    def grid(self) -> Grid:
        """The numbers that the bytes stand for."""
        step = torch.full_like(self.shifts, self.step)
        return Grid(step * (ZERO - self.zero), step)


def divide(largest: Tensor, n_more: int) -> Gelu:
    """Divides neurons whose ``largest`` values are ``(D,)`` into ``D + n_more``, so that the largest part is least."""
    largest = rounded_up(largest.clamp_min(1e-6) * MARGIN)
    n_parts = torch.ones_like(largest, dtype=torch.int64)
    for _ in range(n_more):
        n_parts[(largest / n_parts).argmax()] += 1
    step = float(rounded_up(((largest / n_parts).max() - LEAST_GELU) / 255))
    zero = round(-LEAST_GELU / step)
    neurons = torch.arange(len(largest)).repeat_interleave(n_parts)
    firsts = (n_parts.cumsum(0) - n_parts)[neurons]
    return Gelu(neurons, (torch.arange(len(neurons)) - firsts) * (255 - zero) * step, step, zero)


class Bytes(nn.Module):
    """States to the nearest numbers of a grid."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.factor, self.offset = 1 / grid.step, -grid.middle / grid.step

    def forward(self, states: Tensor) -> Tensor:
        """Float32 ``(N, D)`` to bytes ``(N, D)``."""
        return to_bytes(torch.addcmul(self.offset, states, self.factor))


def to_bytes(steps: Tensor) -> Tensor:
    """Numbers of steps from the middle of a grid, float32 ``(N, D)``, which are overwritten, to bytes."""
    # torch makes signed bytes of floats nine times as fast as unsigned ones; adding wraps around
    return steps.round_().clamp_(-ZERO, ZERO - 1).to(torch.int8).view(torch.uint8).add_(ZERO)


class QuantizedLinear(nn.Module):
    """A linear layer of bytes: weights in int8, each row with a step of its own; exact sums; float32 after them."""

    def __init__(
        self, weight: Tensor, bias: Tensor, grid: Grid, *, dtype: torch.dtype = torch.float32, gelu: Gelu | None = None
    ) -> None:
        """Quantises a layer.

        Args:
            weight: float32 ``(D_out, D)``.
            bias: float32 ``(D_out,)``.
            grid: of the layer's input.
            dtype: number format of the result.
            gelu: instead, the result is the bytes of GELU.
        """
        super().__init__()
        scaled = weight.double() * grid.step
        steps = scaled.abs().amax(dim=1).clamp_min(1e-30) / 127
        numbers = (scaled / steps[:, None]).round()
        self.weight = torch.ops.onednn.qlinear_prepack(numbers.to(torch.int8), None)
        self.steps, self.zeros = steps.float(), torch.zeros(len(steps), dtype=torch.int32)
        self.bias = (bias + weight.double() @ grid.middle.double() - ZERO * steps * numbers.sum(dim=1)).float()
        self.result = (1.0, 0, dtype) if gelu is None else (gelu.step, gelu.zero, torch.uint8)
        self.after = "none" if gelu is None else "gelu"

    def forward(self, numbers: Tensor, onto: Tensor | None = None) -> Tensor:
        """Bytes ``(N, D)`` to ``(N, D_out)``; the result is added to ``onto``, in its place, if that is given."""
        given = (numbers, 1.0, 0, self.weight, self.steps, self.zeros)
        product = torch.ops.onednn.qlinear_pointwise
        found: Tensor
        if onto is None:
            found = product(*given, self.bias, *self.result, self.after, [], "none")
        else:
            found = product.binary(*given, onto, self.bias, *self.result, 1.0, 0, "sum", 1.0, "none", [], "none")
        return found


class QuantizedLayer(nn.Module):
    """`Layer` in int8."""

    def __init__(self, layer: Layer, grids: tuple[Grid, Grid, Grid], gelu: Gelu, dtype: torch.dtype) -> None:
        """Quantises a layer; attention is computed in ``dtype``.

        Args:
            layer: the layer.
            grids: of the states, of what attention reads, and of the sum of both.
            gelu: the neurons.
            dtype: a floating-point number format.
        """
        super().__init__()
        attention: Any = layer.attention["self"]
        attended: Any = layer.attention["output"]
        inner: Any = layer.intermediate["dense"]
        outer: Any = layer.output.dense
        query, key, value, factor = attention.query, attention.key, attention.value, 1 / grids[1].step
        # What is read is a mean of values, so values in steps of a grid give what is read in steps of it.
        weight = torch.cat([query.weight * attention.scale, key.weight, value.weight * factor[:, None]])
        bias = torch.cat([query.bias * attention.scale, key.bias, (value.bias - grids[1].middle) * factor])
        self.n_heads = attention.n_heads
        self.states, self.attended = Bytes(grids[0]), Bytes(grids[2])
        self.in_attention = QuantizedLinear(weight, bias, grids[0], dtype=dtype)
        self.after_attention = QuantizedLinear(attended.dense.weight, attended.dense.bias, grids[1])
        biases = inner.bias[gelu.neurons] - gelu.shifts
        self.inner = QuantizedLinear(inner.weight[gelu.neurons], biases, grids[2], gelu=gelu)
        self.after_inner = QuantizedLinear(outer.weight[:, gelu.neurons], outer.bias, gelu.grid)
        self.attention_norm, self.norm = attended.LayerNorm, layer.output.LayerNorm

    def forward(self, states: Tensor, windows: Windows) -> Tensor:
        """Float32 ``(N, D)`` to ``(N, D)``; ``states`` are overwritten."""
        parts = self.in_attention(self.states(states)).unflatten(-1, (3, self.n_heads, -1))
        read = torch.cat([_attend(window) for window in parts.split(windows.lengths)])
        states = self.attention_norm(self.after_attention(to_bytes(read.float()), onto=states))
        done: Tensor = self.norm(self.after_inner(self.inner(self.attended(states)), onto=states))
        return done


def _attend(window: Tensor) -> Tensor:
    """Attention within a window, ``(T, 3, H, D / H)`` to ``(T, D)``; queries are scaled.

    The window is padded to one of few lengths: oneDNN makes code for each, and keeps it, which takes a megabyte.
    """
    n_tokens, _, n_heads, width = window.shape
    padded = window.new_zeros(3, n_heads, rounded(n_tokens), width)
    padded[:, :, :n_tokens] = window.permute(1, 2, 0, 3)
    query, key, value = padded
    scores = torch.bmm(query, key.transpose(1, 2))
    scores[..., n_tokens:] = -torch.inf
    shares = torch.softmax(scores, dim=-1, out=scores)
    return torch.bmm(shares, value)[:, :n_tokens].transpose(0, 1).flatten(1)


def quantized_layers(bert: Bert, special: SpecialTokens, dtype: torch.dtype) -> list[QuantizedLayer]:
    """The layers of an encoder in int8, with attention in ``dtype``; ``special`` tokens stand around a text."""
    layers: Any = bert.encoder["layer"]
    quantized = []
    with torch.no_grad():
        states = bert.embeddings(*sample(bert, special))
        for layer in layers:
            attention = layer.attention["self"]
            values = attention.value(states)  # and not what is read, which a text may have more extremes of
            attended = layer.attention["output"](attention(states, None), states)
            inner = F.gelu(layer.intermediate["dense"](attended))
            gelu = divide(inner.flatten(0, -2).amax(dim=0), inner.shape[-1] // 96)
            grids = Grid.of(states), Grid.of(values), Grid.of(attended)
            quantized.append(QuantizedLayer(layer, grids, gelu, dtype))
            states = layer.output(inner, attended)
    return quantized


def sample(bert: Bert, special: SpecialTokens) -> tuple[Tensor, Tensor]:
    """Ids of random tokens in windows with special tokens, and their segment ids, both int64 ``(B, T)``."""
    config, chance = bert.config, torch.Generator().manual_seed(0)
    size = (N_SAMPLES, min(SAMPLE, config.max_position_embeddings))
    ids = torch.randint(config.vocab_size, size, generator=chance)
    before, after = len(special.prefix), len(special.suffix)
    ids[:, :before] = torch.tensor(special.prefix)
    ids[:, size[1] - after :] = torch.tensor(special.suffix)
    types = torch.arange(N_SAMPLES)[:, None].expand(size) % config.type_vocab_size
    return ids, types
