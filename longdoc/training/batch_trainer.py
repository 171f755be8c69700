"""transformers' Trainer over ready-made batches, with checkpoints that count only once they are complete."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, Trainer

from longdoc.errors import TrainingError
from longdoc.training.checkpoints import (
    begin_checkpoint,
    complete_checkpoint,
    last_checkpoint,
    remove_checkpoint,
    remove_others,
)


class Shareable(Protocol):
    """Batches that several processes can divide among themselves."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...

    def share(self, rank: int, n_processes: int) -> Shareable:
        """The batches of one process; every process gets the same number."""


@dataclass(frozen=True, slots=True)
class Development:
    """A score to maximise: computed at regular intervals; the checkpoint with the best score is kept."""

    score: Callable[[], Mapping[str, float]]
    """Computes metrics by name; one of them is ``score``."""
    every: int
    """Steps between two scores."""
    patience: int
    """Training stops after this many scores without a new best one."""


class BatchTrainer(Trainer):
    """A Trainer that takes its batches as they are: longdoc makes them, each of one task and of similar lengths."""

    development: Development | None = None
    head_learning_rate: float | None = None
    """Learning rate of the model's heads; None for that of all other weights."""
    _n_tokens = 0
    _counting_since = 0.0

    def get_train_dataloader(self) -> DataLoader[Any]:
        share = self.train_dataset.share(self.args.process_index, self.args.world_size)  # type: ignore[union-attr]
        # One ready-made batch at a time. With batch_size=None accelerate cannot skip the batches before a checkpoint.
        return DataLoader(share, batch_size=1, shuffle=False, collate_fn=_unwrap)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Trainer's optimizer, with a learning rate of their own for the heads if there is one."""
        if self.optimizer is None and self.head_learning_rate is not None:
            learner: Any = self.model if model is None else model
            optimizer, arguments = self.get_optimizer_cls_and_kwargs(self.args, learner)
            self.optimizer = optimizer(self._parameter_groups(learner, self.head_learning_rate), **arguments)
        created: torch.optim.Optimizer = super().create_optimizer(model)
        return created

    def _parameter_groups(self, learner: nn.Module, head_rate: float) -> list[dict[str, Any]]:
        """The weights that are trained, by learning rate and weight decay."""
        decaying = {*self.get_decay_parameter_names(learner)}
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in learner.named_parameters():
            if parameter.requires_grad:
                rate = head_rate if ".heads." in name else self.args.learning_rate
                groups.setdefault((rate, self.args.weight_decay if name in decaying else 0.0), []).append(parameter)
        return [{"params": own, "lr": rate, "weight_decay": decay} for (rate, decay), own in groups.items()]

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """The loss of one batch, a scalar.

        Raises:
            TrainingError: the loss is not finite.
        """
        documents = inputs.pop("documents")
        self._n_tokens += inputs["inputs"]["input_ids"].numel() * self.args.world_size
        loss: Tensor = model(**inputs)["loss"]
        if not torch.isfinite(loss):
            others = f" and {len(documents) - 5} more" if len(documents) > 5 else ""
            raise TrainingError(
                f"loss is not finite: {loss.item()} at step {self.state.global_step + 1}, on "
                f"{', '.join(documents[:5])}{others}; lower learning_rate, set precision: float32, or check these "
                "documents"
            )
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Adds the speed since the previous entry to the log."""
        now = time.perf_counter()
        if "loss" in logs and self._counting_since:
            logs["tokens_per_second"] = round(self._n_tokens / (now - self._counting_since))
        self._n_tokens, self._counting_since = 0, now
        super().log(logs, *args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The development score, in place of Trainer's evaluation."""
        assert self.development is not None
        metrics = {f"eval_{name}": value for name, value in self.development.score().items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Writes a checkpoint in all processes, then marks it as complete, then removes older ones."""
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        try:
            if self.args.should_save:
                begin_checkpoint(folder)
            self.accelerator.wait_for_everyone()
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                complete_checkpoint(folder, self.args.world_size)
        except (OSError, RuntimeError, SafetensorError) as error:
            remove_checkpoint(folder)
            last = last_checkpoint(folder.parent)
            raise TrainingError(
                f"the checkpoint of step {self.state.global_step} could not be written ({error}); "
                f"{f'the previous one, {last}, is kept' if last else 'there is no earlier one'}: "
                "free some disk space and run the same command again"
            ) from error
        if self.args.should_save:
            best = self.state.best_model_checkpoint
            remove_others(folder.parent, kept={folder, *([Path(best)] if best else [])})


class EarlyStopping(EarlyStoppingCallback):
    """Stops when the score no longer improves, also where a run resumes from the checkpoint at which it had to stop."""

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.early_stopping_patience_counter >= self.early_stopping_patience:
            control.should_training_stop = True


def _unwrap(batches: list[dict[str, Any]]) -> dict[str, Any]:
    (batch,) = batches
    return batch
