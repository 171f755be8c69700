"""The memory that training needs, estimated before it starts: ``longdoc train CONFIG --dry-run``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from longdoc.devices import device_of
from longdoc.training.learner import Learner, to_device
from longdoc.training.trainer import Prepared, TrainConfig, prepare

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Estimate:
    """The memory that one process needs for the longest batch, in bytes."""

    n_parameters: int
    n_trained: int
    """Number of parameters that are trained, of all ``n_parameters``."""
    n_batches: int
    batch: tuple[int, int]
    """Rows and positions of the longest batch."""
    documents: tuple[str, ...]
    """Names of the documents in the longest batch."""
    activations: int
    """Bytes kept from the forward pass for the backward pass."""
    checkpointed: int
    """The same with ``gradient_checkpointing``."""
    is_checkpointing: bool
    """Whether the run has ``gradient_checkpointing`` on."""

    def states(self, stage: int, n_processes: int) -> tuple[int, int, int]:
        """Bytes of weights, gradients and Adam's two moments in float32, on each process.

        Stage 1 of ZeRO partitions the moments among the processes, stage 2 the gradients as well, stage 3 the weights
        as well (Rajbhandari et al., 2020, arXiv:1910.02054). Communication buffers are not counted.

        Args:
            stage: the stage of ZeRO; 0 without DeepSpeed.
            n_processes: the number of processes.
        """
        weights, gradients, moments = 4 * self.n_parameters, 4 * self.n_trained, 8 * self.n_trained
        return (
            weights // n_processes if stage >= 3 else weights,
            gradients // n_processes if stage >= 2 else gradients,
            moments // n_processes if stage >= 1 else moments,
        )

    def __str__(self) -> str:
        rows, positions = self.batch
        activations = self.checkpointed if self.is_checkpointing else self.activations
        lines = [
            f"{self.n_parameters:,} parameters, of which {self.n_trained:,} are trained; {self.n_batches:,} batches",
            f"longest batch: {rows} rows of {positions} tokens ({', '.join(self.documents[:3])})",
            f"its activations: {_mib(self.activations)} MiB, with gradient_checkpointing {_mib(self.checkpointed)} MiB",
            "",
            "| MiB on each process | weights | gradients | optimizer | activations | total |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        kinds = [("1 process", 0, 1)]
        kinds += [(f"{n} processes, ZeRO-{stage}", stage, n) for n in (2, 8) for stage in (1, 2, 3)]
        for name, stage, n_processes in kinds:
            states = self.states(stage, n_processes)
            cells = " | ".join(_mib(size) for size in (*states, activations, sum(states) + activations))
            lines.append(f"| {name} | {cells} |")
        return "\n".join(lines)


def estimate(config: TrainConfig | str | Path) -> Estimate:
    """Reads the data of a configuration, or of a YAML file of one, makes all batches, and runs the longest one forward.

    Raises:
        ConfigError: the configuration has an unknown key or value.
        DataError: a corpus is missing or malformed.
    """
    prepared = prepare(config)
    learner = prepared.learner.to(device_of("auto")).train()
    batch = prepared.batches[prepared.batches.longest]
    documents = batch.pop("documents")
    rows, positions = batch["inputs"]["input_ids"].shape
    activations = saved_bytes(learner, batch, prepared)
    encoder = learner.config
    n_layers = int(getattr(encoder, "num_hidden_layers", 1))
    layer_inputs = n_layers * rows * positions * int(encoder.hidden_size) * prepared.config.dtype.itemsize
    return Estimate(
        n_parameters=sum(parameter.numel() for parameter in learner.parameters()),
        n_trained=sum(parameter.numel() for parameter in learner.parameters() if parameter.requires_grad),
        n_batches=len(prepared.batches),
        batch=(rows, positions),
        documents=tuple(documents),
        activations=activations,
        checkpointed=min(activations, layer_inputs + activations // n_layers),
        is_checkpointing=prepared.config.gradient_checkpointing,
    )


def saved_bytes(learner: Learner, batch: dict[str, Any], prepared: Prepared) -> int:
    """Bytes of the tensors that autograd keeps of one forward pass, each storage once, without parameters."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in learner.parameters()}
    sizes: dict[int, int] = {}
    alive = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # so that no address is reused
        return tensor

    device = next(learner.parameters()).device
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast(device.type, torch.bfloat16, enabled=prepared.config.dtype is torch.bfloat16),
    ):
        learner(**to_device(batch, device))
    return sum(sizes.values())


def _mib(size: int) -> str:
    return f"{size / MIB:,.1f}"
