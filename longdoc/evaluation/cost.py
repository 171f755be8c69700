"""What reading costs: time, tokens, memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True, slots=True)
class Cost:
    """What a data set cost to read."""

    documents: int
    tokens: int
    """Of the documents themselves, once for each question to them: what windows read twice counts once."""
    seconds: float
    megabytes: float | None
    """Peak of memory above what was held before; none where the system does not tell."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Documents, tokens, tokens a second and megabytes, as a table shows them."""
        memory = "" if self.megabytes is None else f"{self.megabytes:,.0f}"
        return f"{self.documents:,}", f"{self.tokens:,}", f"{self.tokens / self.seconds:,.0f}", memory

    def __str__(self) -> str:
        return " | ".join(self.cells)


@contextmanager
def peak_memory(device: torch.device) -> Iterator[dict[str, float]]:
    """Afterwards the mapping holds ``megabytes``: the peak above what was held before. Empty where no one knows."""
    peak: dict[str, float] = {}
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device) / 2**20
        yield peak
        peak["megabytes"] = torch.cuda.max_memory_allocated(device) / 2**20 - before
    elif _reset_high_water_mark():
        before = _held("VmRSS")
        yield peak
        peak["megabytes"] = _held("VmHWM") - before
    else:
        yield peak


def _reset_high_water_mark() -> bool:
    """Sets what Linux counts as this process's peak to what it holds now; false where there is no such count."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return _held("VmHWM") > 0


def _held(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
