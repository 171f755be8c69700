"""The cost of reading: time, tokens, memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of reading a data set."""

    documents: int
    tokens: int
    """The number of tokens in the documents, once per question; overlaps of windows are not counted twice."""
    seconds: float
    megabytes: float | None
    """Peak memory in MiB above the amount in use before; None if the system does not report it."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Documents, tokens, tokens per second and megabytes, formatted for a table."""
        memory = "" if self.megabytes is None else f"{self.megabytes:,.0f}"
        return f"{self.documents:,}", f"{self.tokens:,}", f"{self.tokens / self.seconds:,.0f}", memory

    def __str__(self) -> str:
        return " | ".join(self.cells)


@contextmanager
def peak_memory(device: torch.device | None) -> Iterator[dict[str, float]]:
    """Measures peak memory within the context: of a GPU, or of the process where there is none, as for graphs.

    Yields:
        A mapping that afterwards holds ``megabytes``, the peak in MiB above the amount in use before. It stays empty
        if the system does not report memory.
    """
    peak: dict[str, float] = {}
    if device is not None and device.type == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device) / 2**20
        yield peak
        peak["megabytes"] = torch.cuda.max_memory_allocated(device) / 2**20 - before
    elif _reset_high_water_mark():
        before = _memory("VmRSS")
        yield peak
        peak["megabytes"] = max(_memory("VmHWM") - before, 0.0)  # the two counters are read at different times
    else:
        yield peak


def _reset_high_water_mark() -> bool:
    """Resets the peak that Linux records for this process; returns False on systems without one."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return _memory("VmHWM") > 0


def _memory(name: str) -> float:
    """A field of this process's status, in MiB; 0 if there is none of that name."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
