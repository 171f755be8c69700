"""The shapes of stored weights, and whether a configuration describes a model of their size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from longdoc.errors import ConfigError, first_line

MAX_HEADER = 16 << 20
"""Maximum size in bytes of the list of tensors at the start of a file; some 100 bytes are needed for each tensor."""
MAX_PARTS = 1000
_PART = re.compile(r"\w[\w.-]*\.safetensors")
_POINTER = b"version "
_SPARE = 1 << 20
"""Elements that a model of any size may have beside its weights, such as tables of positions."""
_CALLS = 100
"""Calls of torch that build a module with one weight, at most."""

_FILLING = frozenset(("uniform_", "normal_", "trunc_normal_", "fill_", "zero_"))

Shapes = Mapping[str, tuple[int, ...]]


def stored_shapes(paths: Iterable[Path]) -> dict[str, tuple[int, ...]]:
    """Name → shape of the tensors in safetensors files; no tensor is read.

    Raises:
        ConfigError: a file is damaged, such as one whose header contradicts its size.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for path in paths:
        with path.open("rb") as file:
            start = file.read(8)
        if start == _POINTER:
            raise ConfigError(f"{path} is a pointer of Git LFS, not the file itself; fetch it: git lfs pull")
        header = int.from_bytes(start, "little")
        if header > min(MAX_HEADER, path.stat().st_size - 8):
            raise ConfigError(
                f"{path} is damaged: its header has {header:,} bytes by its own account; allowed are {MAX_HEADER:,}, "
                "and the size of the file"
            )
        try:
            with safe_open(path, framework="pt") as weights:
                shapes |= {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
        except Exception as error:  # safetensors raises bare exceptions
            raise ConfigError(f"{path} is damaged or incomplete ({first_line(error)}); download it again") from error
    return shapes


def part_names(index: Any, where: str) -> list[str]:
    """The names of the files that an index of weights lists.

    Raises:
        ConfigError: it lists none, too many, or one that is no safetensors file in the same folder.
    """
    listed = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(listed, dict) or not listed:
        raise ConfigError(f"{where} is damaged: weight_map must map the names of weights to files")
    names = {str(name) for name in listed.values()}
    if wrong := sorted(name for name in names if not _PART.fullmatch(name)):
        raise ConfigError(
            f"{where}: weight_map names {wrong[0]!r:.80}; allowed are safetensors files in the same folder"
        )
    if len(names) > MAX_PARTS:
        raise ConfigError(f"{where}: weight_map names {len(names):,} files; at most {MAX_PARTS:,} are read")
    return sorted(names)


def check_size(build: Callable[[], nn.Module], shapes: Shapes, config: Any, where: str) -> nn.Module:
    """The model that ``build`` makes, without memory for its weights, if it is no larger than the stored weights.

    A model that needs more than twice the elements of its weights (some weights are used twice, or computed) has
    another configuration than they have.

    Args:
        build: makes the model from ``config``.
        shapes: those of the stored weights.
        config: the configuration, whose sizes the message names.
        where: its file, for messages.

    Raises:
        ConfigError: the configuration describes a larger model, or none that can be built.
    """
    computes_gradients = torch.is_grad_enabled()
    try:
        with torch.device("meta"), _Outline(_CALLS * (len(shapes) + 100)):
            model = build()
    except ConfigError:
        raise
    except _TooManyCallsError as error:
        raise ConfigError(
            f"{where} describes a model of more layers than the {len(shapes)} weights belong to; "
            f"{_sizes(config, ('num_hidden_layers',))}"
        ) from error
    except Exception as error:  # a wrong value makes transformers and torch raise almost anything
        raise ConfigError(f"{where} describes no model that can be built: {first_line(error)}") from error
    finally:
        torch.set_grad_enabled(computes_gradients)  # an outline may end where its builder was to restore it
    stored = sum(map(_elements, shapes.values()))
    tensors = {name: tuple(tensor.shape) for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    if sum(map(_elements, tensors.values())) > 2 * stored + _SPARE:
        name = max(tensors, key=lambda each: _elements(tensors[each]))
        raise ConfigError(
            f"{where} describes a larger model than the {stored:,} numbers of the weights belong to: {name} would be "
            f"{tensors[name]}{_named(config, tensors[name])}"
        )
    return model


def misfits(model: nn.Module, shapes: Shapes, config: Any) -> str:
    """The first weight of a model whose stored shape is another, as the end of a message; empty if there is none."""
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    missing = sorted(own.keys() - shapes.keys())
    unknown = sorted(shapes.keys() - own.keys())
    if missing or unknown:
        return f"{missing[0]} is missing" if missing else f"{unknown[0]} is unknown"
    return next((misfit(name, shapes[name], shape, config) for name, shape in own.items() if shape != shapes[name]), "")


def misfit(name: str, stored: tuple[int, ...], described: tuple[int, ...], config: Any) -> str:
    """A weight with two shapes, and the sizes of the configuration that may be wrong, as the end of a message."""
    wrong = tuple(size for size in described if size not in stored)
    return (
        f"{name} is {tuple(stored)} in the weights and {tuple(described)} by the configuration{_named(config, wrong)}"
    )


def check_numbers(state: Mapping[str, Tensor], where: str) -> None:
    """Checks that weights, ``(M, …)``, are finite, and fractions where a model has fractions.

    Raises:
        ConfigError: they are not; the message names the weight.
    """
    for name, tensor in state.items():
        if name.endswith((".weight", ".bias")) and not tensor.is_floating_point():
            raise ConfigError(
                f"{where}: {name} contains numbers of the type {tensor.dtype}, without the scales that Model.save "
                "stores with whole numbers; save the weights in float32"
            )
        if tensor.is_floating_point() and tensor.numel():
            extremes = torch.stack(tensor.float().aminmax())  # one pass, and no memory for a mask
            if not extremes.isfinite().all():
                raise ConfigError(
                    f"{where}: {name} contains NaN or infinite numbers; train or download the model again"
                )


def _named(config: Any, sizes: tuple[int, ...]) -> str:
    """``" (vocab_size: 30523)"`` for the settings that have one of the ``sizes``."""
    record: dict[str, Any] = config.to_dict()
    names = [name for name, value in record.items() if type(value) is int and value > 1 and value in sizes]
    return f" ({_sizes(config, names)})" if names else ""


def _sizes(config: Any, names: Iterable[str]) -> str:
    return ", ".join(
        f"{getattr(config, 'attribute_map', {}).get(name, name)}: {getattr(config, name, None)}" for name in names
    )


def _elements(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


class _TooManyCallsError(Exception):
    """A model has more modules than its weights belong to."""


class _Outline(TorchFunctionMode):
    """Ends the building of a model after a number of calls of torch, and leaves out those that fill its weights."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls -= 1
        if self.calls < 0:
            raise _TooManyCallsError
        if func.__name__ in _FILLING:  # without memory, torch would load its compiler for these
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))
