"""Where to compute, in which number format, and what a forked process cannot do."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Literal, TypeAlias

import torch

from longdoc.arguments import check_type
from longdoc.errors import ConfigError
from longdoc.inputs import check_precision

TrainingPrecision: TypeAlias = Literal["auto", "float32", "bfloat16"]

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
        ConfigError: unknown device, or a GPU that is not available.
    """
    allowed = "'auto', 'cpu', 'cuda', 'cuda:0', 'mps' …"
    check_type("device", name, f"one of {allowed}", str, torch.device)
    if name != "auto":
        try:
            device = torch.device(name)
        except RuntimeError as error:
            raise ConfigError(f"unknown device {name!r}; allowed: {allowed}") from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ConfigError(f"device {str(name)!r}: torch finds no GPU; use 'auto' or 'cpu'")
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def dtype_of(precision: str, device: torch.device) -> torch.dtype:
    """The number format of matrix products; ``auto`` is bfloat16 if the hardware supports it natively.

    Raises:
        ConfigError: unknown precision.
    """
    check_precision(precision)
    if precision == "int8":
        return torch.int8
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:  # other CPUs emulate bfloat16, at a third of the speed of float32
        native = device.type == "cpu" and _cpu_has("avx512_bf16", "amx_bf16")
    return torch.bfloat16 if precision == "bfloat16" or (precision == "auto" and native) else torch.float32


def has_int8(device: torch.device) -> bool:
    """Whether to compute in int8 there: on a CPU that multiplies bytes without overflow, faster than other numbers."""
    has_products = torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qlinear_pointwise")
    return device.type == "cpu" and has_products and _cpu_has("avx512_vnni", "avx_vnni", "amx_int8")


def _cpu_has(*names: str) -> bool:
    """Whether the processor has one of several extensions, by torch's names of them."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in names)
