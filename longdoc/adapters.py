"""The differences of a head's encoder from the one that the other heads share, in a few bits each.

An encoder that was trained further is still near its base: of MiniLM, the matrices differ by a seventh of their norm.
Differences so small need few bits, so that the base fits beside it in a quarter of its size in int8 (compare
GPT-Zip: Isik et al., 2023; BitDelta: Liu et al., 2024, arXiv:2402.10193). Dimensions: ``M``, ``N`` of a matrix, ``K``
bits.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

_TRIED = 32
"""Step sizes that are tried for each row."""
_OCTET = 8


class Adapter(nn.Module):
    """What is added to an encoder's weights so that a head reads with an encoder of its own; new, it adds nothing.

    Matrices of linear layers have differences of ``K`` bits with a step for each row, all others plain ones. The
    embeddings of the vocabulary, half of a small encoder, are shared, and have none.
    """

    def __init__(self, backbone: nn.Module, n_bits: int) -> None:
        super().__init__()
        self.bits, self.steps, self.plain = nn.ParameterDict(), nn.ParameterDict(), nn.ParameterDict()
        matrices = {f"{name}.weight" for name, module in backbone.named_modules() if isinstance(module, nn.Linear)}
        for name, weight in adapted_weights(backbone).items():
            if name in matrices:
                n_rows, n_columns = weight.shape
                bits = torch.zeros(n_bits, n_rows, -(-n_columns // _OCTET), dtype=torch.uint8)
                self.bits[_key(name)] = nn.Parameter(bits, requires_grad=False)
                self.steps[_key(name)] = nn.Parameter(torch.zeros(n_rows), requires_grad=False)
            else:
                self.plain[_key(name)] = nn.Parameter(torch.zeros(weight.shape), requires_grad=False)

    @torch.no_grad()
    def approach(self, backbone: nn.Module, target: nn.Module, share: float = 1.0) -> None:
        """Sets the differences to a share of those of ``target``, an encoder of the same form, from ``backbone``."""
        wanted = dict(target.named_parameters())
        for name, weight in adapted_weights(backbone).items():
            key, difference = _key(name), share * (wanted[name] - weight)
            if key in self.bits:
                codes, steps = rounded_rows(difference, 1 << len(self.bits[key]))
                self.bits[key].copy_(in_bits(codes, len(self.bits[key])))
                self.steps[key].copy_(steps)
            else:
                self.plain[key].copy_(difference)

    @torch.no_grad()
    def weights(self, backbone: nn.Module) -> dict[str, Tensor]:
        """The weights of the head's encoder by name, such as ``(M, N)``, without those that it shares."""
        return {name: weight + self._difference(name, weight) for name, weight in adapted_weights(backbone).items()}

    def _difference(self, name: str, weight: Tensor) -> Tensor:
        if (key := _key(name)) in self.plain:
            plain: Tensor = self.plain[key]
            return plain
        bits = self.bits[key]
        return unrounded(from_bits(bits, weight.shape[1]), self.steps[key], 1 << len(bits))


def adapted_weights(backbone: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of an encoder that an adapter changes, by name."""
    words = cast(Any, backbone).get_input_embeddings().weight
    return {name: weight for name, weight in backbone.named_parameters() if weight is not words}


def _key(name: str) -> str:
    """A name without the dots that torch does not allow here."""
    return name.replace(".", "/")


# ------------------------------------------------------------------------------------------------------------- numbers


def rounded_rows(matrix: Tensor, n_levels: int) -> tuple[Tensor, Tensor]:
    """A matrix as levels, uint8 ``(M, N)``, and steps, float32 ``(M,)``: of those tried, with the least squared error.

    Levels are half a step above and below 0, and so on. Values beyond the outermost level are cut.
    """
    largest = matrix.abs().amax(dim=1) * 2 / (n_levels - 1)
    steps, least = largest.clone(), torch.full_like(largest, torch.inf)
    for number in range(_TRIED, 0, -1):
        tried = largest * number / _TRIED
        error = (unrounded(_levels(matrix, tried, n_levels), tried, n_levels) - matrix).square().sum(dim=1)
        steps, least = torch.where(error < least, tried, steps), torch.minimum(error, least)
    return _levels(matrix, steps, n_levels), steps


def _levels(matrix: Tensor, steps: Tensor, n_levels: int) -> Tensor:
    middle = (n_levels - 1) / 2
    scaled = matrix / steps[:, None].clamp(min=torch.finfo(steps.dtype).tiny)
    return (scaled + middle).round().clamp(0, n_levels - 1).to(torch.uint8)


def unrounded(levels: Tensor, steps: Tensor, n_levels: int) -> Tensor:
    """The matrix, float32 ``(M, N)``, of levels ``(M, N)`` and steps ``(M,)``."""
    return (levels.float() - (n_levels - 1) / 2) * steps[:, None]


def in_bits(levels: Tensor, n_bits: int) -> Tensor:
    """The bits of levels, uint8 ``(M, N)``: eight of a row in a byte, ``(K, M, N / 8)``, rounded up, lowest first."""
    padded = nn.functional.pad(levels, (0, -levels.shape[1] % _OCTET)).unflatten(1, (-1, _OCTET))
    weights = 1 << torch.arange(_OCTET, device=levels.device)
    return torch.stack([((padded >> bit & 1) * weights).sum(dim=-1).to(torch.uint8) for bit in range(n_bits)])


def from_bits(bits: Tensor, n_columns: int) -> Tensor:
    """Inverts :func:`in_bits`: levels, uint8 ``(M, n_columns)``."""
    places = torch.arange(_OCTET, dtype=torch.uint8, device=bits.device)
    levels = torch.zeros(*bits.shape[1:], _OCTET, dtype=torch.uint8, device=bits.device)
    for number, plane in enumerate(bits):
        levels |= (plane[..., None] >> places & 1) << number
    return levels.flatten(1)[:, :n_columns]
