"""Floating-point operations of an encoder, and the share of what a GPU could do at most."""

import torch

PEAKS = {"H100 PCIe": 756, "H100 NVL": 835, "H200 NVL": 835, "H100": 989, "H200": 989, "A100": 312}
"""Part of the name of a GPU: TFLOP/s of dense matrix products in bfloat16, by its data sheet."""
SIZES = {"small": (6, 384, 12), "base": (12, 768, 12)}
"""Layers, width and heads of an encoder; its feed-forward layers are four times as wide."""


def teraflops(size: str, n_tokens: int, keys: float, *, training: bool) -> float:
    """What a pass over tokens, each of which sees so many keys, needs: 10**12 operations of matrix products.

    A backward pass needs twice those of a forward pass. What is computed and thrown away, such as padding, pairs that a
    mask hides or states that are computed a second time, does not count.
    """
    layers, width, _ = SIZES[size]
    linear, attention = 2 * (4 + 2 * 4) * width**2, 4 * width * keys
    return layers * n_tokens * (linear + attention) * (3 if training else 1) / 1e12


def peak_of(device: str) -> float | None:
    """The bfloat16 peak of a device in TFLOP/s; None if it is not known."""
    if not device.startswith("cuda"):
        return None
    name = torch.cuda.get_device_name(device)
    return next((float(peak) for part, peak in PEAKS.items() if part in name), None)


def speed_cells(operations: float, seconds: float, device: str) -> list[str]:
    """TFLOP/s, and their share of the peak if that is known, for a table."""
    speed, peak = operations / seconds, peak_of(device)
    return [f"{speed:.3g}", "" if peak is None else f"{speed / peak:.1%}"]
