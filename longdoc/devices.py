"""Where to compute, in which number format, and what a forked process cannot do."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
import torch

from longdoc.arguments import check_type
from longdoc.errors import ConfigError
from longdoc.inputs import check_precision

TrainingPrecision: TypeAlias = Literal["auto", "float32", "bfloat16"]

_ALLOWED = "'auto', 'cpu', 'cuda', 'cuda:0', 'cuda:0,1', 'mps' …"
_ONE_CPU = "there is one 'cpu', whose processors are all used; give 'cpu'"
_LOADED_IN = os.getpid()
if hasattr(os, "register_at_fork"):  # not on Windows
    # A forked process lacks the threads of OpenMP, and would wait for them for ever.
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


def check_process(device: torch.device, loaded_in: int) -> None:
    """Checks that this process can compute with a model, after the process with the id ``loaded_in`` loaded it.

    Raises:
        ConfigError: it was forked since, and the model is on a GPU, which would fail, or there are several threads,
            which would wait for ever.
    """
    remedy = "start processes with multiprocessing.get_context('spawn'), and load the pipeline in each, or send it"
    forked = "this process was forked from the one that loaded the model"
    if device.type != "cpu" and loaded_in != os.getpid():
        raise ConfigError(f"{forked} on {str(device)!r}, which a GPU does not support; {remedy}")
    if os.getpid() != _LOADED_IN and (n_threads := torch.get_num_threads()) > 1:
        raise ConfigError(
            f"{forked}, and was set to {n_threads} threads since, none of which would ever answer; leave it at "
            f"torch.set_num_threads(1), or {remedy}"
        )


def device_of(name: str | torch.device) -> torch.device:
    """A torch device; ``auto`` is a GPU if there is one.

    Raises:
        ConfigError: unknown device, or one that is not there.
    """
    check_type("device", name, f"one of {_ALLOWED}", str, torch.device)
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"unknown device {name!r}; allowed: {_ALLOWED}") from error
    if device.type == "cpu" and device.index:
        raise ConfigError(f"device {str(name)!r}: {_ONE_CPU}")
    if device.type != "cpu":
        module: Any = getattr(torch, device.type, None)  # "meta", for one, has none
        count = module.device_count() if hasattr(module, "device_count") else 0
        if not count:
            kind = "GPU" if device.type == "cuda" else f"device of the kind {device.type!r}"
            raise ConfigError(f"device {str(name)!r}: torch finds no {kind}; use 'auto' or 'cpu'")
        if (device.index or 0) >= count:
            there = f"{device.type}:0 to {device.type}:{count - 1}" if count > 1 else f"only {device.type}:0"
            raise ConfigError(f"device {str(name)!r} is not there; torch finds {there}")
    return device


def devices_of(name: str | torch.device) -> tuple[torch.device, ...]:
    """A device as of `device_of`, or several of a kind, by their numbers: ``"cuda:0,1"``.

    Raises:
        ConfigError: unknown device, one that is not there or is named twice, devices of several kinds, or more than one
            CPU.
    """
    if not isinstance(name, str) or "," not in name:
        return (device_of(name),)
    parts = [part.strip() for part in name.split(",")]
    kind = parts[0].partition(":")[0]
    devices = [device_of(f"{kind}:{part}" if part.isdecimal() else part) for part in parts]
    if kinds := {device.type for device in devices} - {devices[0].type}:
        raise ConfigError(f"device {name!r} mixes {devices[0].type} and {', '.join(sorted(kinds))}; name one kind")
    if devices[0].type == "cpu":
        raise ConfigError(f"device {name!r}: {_ONE_CPU}")
    if any(device.index is None for device in devices):
        raise ConfigError(f"device {name!r}: several devices are named by their numbers, such as 'cuda:0,1'")
    if len(set(devices)) < len(devices):
        raise ConfigError(f"device {name!r} names a device twice; name each one once")
    return tuple(devices)


def sent_to(device: torch.device, array: np.ndarray) -> torch.Tensor:
    """An array, such as ``(B, T)``, as a tensor on a device; a GPU copies it when it comes to it, without a wait."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def dtype_of(precision: str, *devices: torch.device) -> torch.dtype:
    """The number format of matrix products; ``auto`` is bfloat16 if the hardware of all devices supports it natively.

    Raises:
        ConfigError: unknown precision.
    """
    check_precision(precision)
    if precision == "int8":
        return torch.int8
    native = all(map(_has_bfloat16, devices))
    return torch.bfloat16 if precision == "bfloat16" or (precision == "auto" and native) else torch.float32


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        with torch.cuda.device(device):
            supported: bool = torch.cuda.is_bf16_supported(including_emulation=False)
        return supported
    # Other CPUs emulate bfloat16, at a third of the speed of float32.
    return device.type == "cpu" and _cpu_has("avx512_bf16", "amx_bf16")


def has_int8(device: torch.device) -> bool:
    """Whether to compute in int8 there: on a CPU that multiplies bytes without overflow, faster than other numbers."""
    has_products = torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qlinear_pointwise")
    return device.type == "cpu" and has_products and _cpu_has("avx512_vnni", "avx_vnni", "amx_int8")


def _cpu_has(*names: str) -> bool:
    """Whether the processor has one of several extensions, by torch's names of them."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in names)
