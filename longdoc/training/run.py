"""One training run: batches in, a trained learner out, by transformers' Trainer, alone or with DeepSpeed."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from longdoc.config import to_dict
from longdoc.errors import ConfigError, TrainingError
from longdoc.reader import Precision, device_of, dtype_of
from longdoc.training.learner import Learner


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How a model learns, whatever it learns."""

    base: str
    """Encoder to start from: ``default`` or another model of longdoc, whose heads of the same name are kept; a folder,
    a hub id, or ``package:NAME`` for a Python package that carries one."""
    output: str
    """Folder for checkpoints and the trained model."""
    batch_tokens: int = 4096
    """Padded tokens in a batch, special tokens not counted."""
    accumulate: int = 1
    """Batches to a step, on each process."""
    learning_rate: float = 1.5e-4
    warmup_share: float = 0.06
    """Share of the steps over which the learning rate rises from 0; it then falls linearly to 0."""
    weight_decay: float = 0.01
    dropout: float | None = None
    """Of states and heads, for all the model's layers; by default what the encoder and the heads come with. Attention
    has none."""
    freeze_embeddings: bool = False
    """Leave the table of words as it is: half of a small encoder, and of little use to a task."""
    gradient_checkpointing: bool = False
    """Compute each layer's activations twice rather than keep them: long windows in little memory."""
    precision: Precision = "auto"
    """The number format of matrix products; ``auto`` is bfloat16 where the hardware computes in it."""
    quantize: bool = False
    """Store the trained model's matrices as int8."""
    save_every: int = 200
    """Steps between two checkpoints."""
    log_every: int = 20
    """Steps between two lines of the log."""
    seed: int = 13

    def __post_init__(self) -> None:
        for name in ("batch_tokens", "accumulate", "save_every", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1; got {getattr(self, name)}")
        if self.learning_rate <= 0 or not 0 <= self.warmup_share <= 1:
            raise ConfigError("learning_rate must be above 0, and warmup_share from 0 to 1")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1; got {self.dropout}")

    @property
    def dtype(self) -> torch.dtype:
        """The number format of matrix products on this machine."""
        return dtype_of(self.precision, device_of("auto"))


class Shareable(Protocol):
    """Batches that several processes can share."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...

    def share(self, rank: int, n_processes: int) -> Shareable:
        """The part of one process."""


@dataclass(frozen=True, slots=True)
class Development:
    """A score that training is to raise: computed every so many steps; the best checkpoint is kept."""

    score: Callable[[], Mapping[str, float]]
    """Figures by name, among them ``score``."""
    every: int
    patience: int


class BatchTrainer(Trainer):
    """Trainer over ready-made batches: the batching is longdoc's (a task and a length per batch)."""

    development: Development | None = None
    _tokens = 0
    _since = 0.0

    def get_train_dataloader(self) -> DataLoader[Any]:
        own = self.train_dataset.share(self.args.process_index, self.args.world_size)  # type: ignore[union-attr]
        # One ready-made batch a time. With batch_size=None accelerate cannot skip what a resumed run has seen.
        return DataLoader(own, batch_size=1, shuffle=False, collate_fn=_the_only)

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """The loss of a batch.

        Raises:
            TrainingError: it is no number.
        """
        documents = inputs.pop("documents")
        self._tokens += inputs["inputs"]["input_ids"].numel() * self.args.world_size
        loss: Tensor = model(**inputs)["loss"]
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss of step {self.state.global_step + 1} is {loss.item()}, on {', '.join(documents[:5])}"
                f"{' and others' if len(documents) > 5 else ''}; lower learning_rate, train in float32 "
                "(precision: float32), or look at these documents"
            )
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Adds the speed since the last entry."""
        now = time.perf_counter()
        if "loss" in logs and self._since:
            logs["tokens_per_second"] = round(self._tokens / (now - self._since))
        self._tokens, self._since = 0, now
        super().log(logs, *args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The development score."""
        assert self.development is not None
        metrics = {f"eval_{name}": value for name, value in self.development.score().items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            kept = last_checkpoint(folder.parent)
            raise TrainingError(
                f"the checkpoint of step {self.state.global_step} could not be written ({error}); "
                f"{f'the last good one, {kept}, is kept' if kept else 'there is none before it'}: "
                "make room and run the same command again"
            ) from error


def fit(
    learner: Learner,
    batches: Shareable,
    config: RunConfig,
    *,
    deepspeed: Path | None = None,
    development: Development | None = None,
) -> BatchTrainer:
    """Trains, or goes on from the last whole checkpoint of the same run.

    Raises:
        ConfigError: the output folder holds a run of another configuration.
        TrainingError: the loss is no number, or a checkpoint could not be written.
    """
    output = Path(config.output)
    if deepspeed:
        check_deepspeed(deepspeed)
    claim(output, config)
    if config.gradient_checkpointing:
        backbone: Any = learner.model.encoder.backbone
        backbone.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    for module in learner.modules():
        if isinstance(module, nn.Dropout) and config.dropout is not None:
            module.p = config.dropout
    arguments = training_arguments(config, len(batches), deepspeed, development)
    learner.all_heads = arguments.world_size > 1
    callbacks: list[TrainerCallback] = [EarlyStoppingCallback(development.patience)] if development else []
    shown: Any = batches  # for development, which has data of its own, Trainer insists on some
    trainer = BatchTrainer(model=learner, args=arguments, train_dataset=shown, eval_dataset=shown, callbacks=callbacks)
    trainer.development = development
    last = last_checkpoint(output / "checkpoints")
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if arguments.should_save:
        history = json.dumps(trainer.state.log_history, indent=1)
        (output / "log.json").write_text(history + "\n", encoding="utf-8")
    return trainer


def claim(output: Path, config: Any) -> None:
    """Notes in ``output`` what is trained there, so that checkpoints of another run are not taken up.

    Raises:
        ConfigError: it holds a run of another configuration.
    """
    note, record = output / "config.json", json.dumps(to_dict(config), indent=1)
    if note.is_file() and note.read_text(encoding="utf-8") != record:
        raise ConfigError(f"{output} holds a run with another configuration; name another output or delete it")
    output.mkdir(parents=True, exist_ok=True)
    note.write_text(record, encoding="utf-8")


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that is whole: its ``trainer_state.json`` is written last."""
    numbered = {int(path.name.rpartition("-")[2]): path for path in folder.glob("checkpoint-*")}
    for _, path in sorted(numbered.items(), reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return path
    return None


def training_arguments(
    config: RunConfig, n_batches: int, deepspeed: Path | None, development: Development | None
) -> TrainingArguments:
    """Trainer's arguments; under ``torchrun`` or ``deepspeed`` they start this process's part of the group."""
    on_cpu = device_of("auto").type == "cpu"
    if on_cpu:
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # DeepSpeed warns where it has to find out
    n_processes = int(os.environ.get("WORLD_SIZE", "1"))
    steps = math.ceil(n_batches / n_processes / config.accumulate)
    checkpoints = Path(config.output) / "checkpoints"
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(Path(config.output) / "tensorboard")
    every = development.every if development else config.save_every
    return TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=1,
        gradient_accumulation_steps=config.accumulate,
        learning_rate=config.learning_rate,
        warmup_steps=int(steps * config.warmup_share),
        weight_decay=config.weight_decay,
        lr_scheduler_type="linear",
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and n_processes > 1 else None,
        ddp_find_unused_parameters=False,
        bf16=config.dtype is torch.bfloat16,
        logging_steps=config.log_every,
        save_steps=every,
        eval_strategy="steps" if development else "no",
        eval_steps=every,
        load_best_model_at_end=development is not None,
        metric_for_best_model="score" if development else None,
        greater_is_better=True if development else None,
        save_total_limit=1,
        report_to=["tensorboard"] if _has_tensorboard() else [],
        disable_tqdm=not sys.stderr.isatty(),
        remove_unused_columns=False,
        seed=config.seed,
        deepspeed=str(deepspeed) if deepspeed else None,
    )


def _the_only(batches: list[dict[str, Any]]) -> dict[str, Any]:
    (batch,) = batches
    return batch


def check_deepspeed(path: Path) -> None:
    """Whether there is DeepSpeed, and the file is a configuration for it.

    Raises:
        ConfigError: DeepSpeed is not installed, or the file is no JSON with a stage of ZeRO.
    """
    if find_spec("deepspeed") is None:
        raise ConfigError("DeepSpeed is not installed: pip install 'longdoc[train]'")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); ds_config.json is a good start") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error}); ds_config.json is a good start") from error
    if not isinstance(record, dict) or "stage" not in record.get("zero_optimization", {}):
        raise ConfigError(f"{path}: names no zero_optimization.stage; allowed: 1, 2, 3")


def _has_tensorboard() -> bool:
    return find_spec("tensorboard") is not None
