"""What memory training takes, told before it starts: ``longdoc train CONFIG --dry-run``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from longdoc.reader import device_of
from longdoc.training.learner import Learner
from longdoc.training.trainer import Prepared, prepare

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes that one process holds while it learns from the longest batch."""

    n_parameters: int
    n_trained: int
    n_batches: int
    batch: tuple[int, int]
    """Rows and positions of the longest batch."""
    documents: tuple[str, ...]
    """What it is made of."""
    activations: int
    """Kept from the forward pass for the backward pass."""
    checkpointed: int
    """The same with ``gradient_checkpointing``."""
    is_checkpointing: bool

    def states(self, stage: int, n_processes: int) -> tuple[int, int, int]:
        """Bytes of weights, gradients and Adam's two moments in float32, by ZeRO stage (0: without DeepSpeed).

        Stage 1 shares out the moments among the processes, 2 the gradients as well, 3 the weights as well
        (Rajbhandari et al., 2020, arXiv:1910.02054). Buffers of communication come on top.
        """
        parts = (4 * self.n_parameters, 4 * self.n_trained, 8 * self.n_trained)
        return tuple(  # type: ignore[return-value]
            size // n_processes if stage >= least else size for size, least in zip(parts, (3, 2, 1), strict=True)
        )

    def __str__(self) -> str:
        rows, positions = self.batch
        used = self.checkpointed if self.is_checkpointing else self.activations
        lines = [
            f"{self.n_parameters:,} parameters, of which {self.n_trained:,} learn; {self.n_batches:,} batches",
            f"longest batch: {rows} rows of {positions} tokens ({', '.join(self.documents[:3])})",
            f"its activations: {_gib(self.activations)} GiB, with gradient_checkpointing {_gib(self.checkpointed)} GiB",
            "",
            "| GiB on each process | weights | gradients | optimizer | activations | total |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        kinds = [("1 process", 0, 1)]
        kinds += [(f"{n} processes, ZeRO-{stage}", stage, n) for n in (2, 8) for stage in (1, 2, 3)]
        for name, stage, n_processes in kinds:
            held = self.states(stage, n_processes)
            cells = " | ".join(_gib(size) for size in (*held, used, sum(held) + used))
            lines.append(f"| {name} | {cells} |")
        return "\n".join(lines)


def estimate(path: str | Path) -> Estimate:
    """Reads the data, makes all batches, and passes the longest one forward.

    Raises:
        ConfigError: the file has an unknown key or value.
        DataError: a corpus is missing or malformed.
    """
    prepared = prepare(path)
    learner = prepared.learner.to(device_of("auto")).train()
    batch = prepared.batches[prepared.batches.longest]
    documents = batch.pop("documents")
    rows, positions = batch["inputs"]["input_ids"].shape
    kept = saved_bytes(learner, batch, prepared)
    backbone = learner.config
    n_layers = int(getattr(backbone, "num_hidden_layers", 1))
    between = n_layers * rows * positions * int(backbone.hidden_size) * prepared.config.dtype.itemsize
    return Estimate(
        n_parameters=sum(parameter.numel() for parameter in learner.parameters()),
        n_trained=sum(parameter.numel() for parameter in learner.parameters() if parameter.requires_grad),
        n_batches=len(prepared.batches),
        batch=(rows, positions),
        documents=tuple(documents),
        activations=kept,
        checkpointed=min(kept, between + kept // n_layers),
        is_checkpointing=prepared.config.gradient_checkpointing,
    )


def saved_bytes(learner: Learner, batch: dict[str, Any], prepared: Prepared) -> int:
    """Bytes of the tensors that autograd keeps of one forward pass; each storage once, parameters not counted."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in learner.parameters()}
    sizes: dict[int, int] = {}
    alive = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # so that no address is used twice
        return tensor

    device = next(learner.parameters()).device
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast(device.type, torch.bfloat16, enabled=prepared.config.dtype is torch.bfloat16),
    ):
        learner(**{name: _to(value, device) for name, value in batch.items()})
    return sum(sizes.values())


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    return {key: _to(item, device) for key, item in value.items()} if isinstance(value, dict) else value


def _gib(size: int) -> str:
    return f"{size / GIB:.2f}"
