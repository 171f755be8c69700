"""``longdoc train CONFIG``: one encoder learns several tasks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import set_seed

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig
from longdoc.devices import Precision
from longdoc.errors import ConfigError
from longdoc.evaluation import LabelledData
from longdoc.evaluation.scoring import check
from longdoc.heads import TaskConfig
from longdoc.model import DEFAULT_MODEL, Model, ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.training.batch_trainer import Development
from longdoc.training.data import Batches, training_batches
from longdoc.training.deepspeed import gathered_weights
from longdoc.training.distill import DistillConfig, Teacher, drop_layers
from longdoc.training.label_counts import write_labels
from longdoc.training.learner import Learner
from longdoc.training.lora import LoraConfig, add_adapters, merge_adapters
from longdoc.training.processes import processes_of_a_run
from longdoc.training.run import RunConfig, fit


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentConfig:
    """Held-out data, whose score decides which checkpoint is the best and when to stop."""

    datasets: dict[str, DatasetConfig]
    """Data by name. The score is the mean of their main metrics (see ``longdoc evaluate``)."""
    every: int = 200
    """Steps between two scores; a checkpoint is written at each."""
    patience: int = 5
    """Stop after this many scores without a new best one."""

    def __post_init__(self) -> None:
        if not self.datasets:
            raise ConfigError("development.datasets is empty; name at least one data set")
        for name in ("every", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"development.{name} must be at least 1; got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(RunConfig):
    """A training run, as written in YAML."""

    model: ModelConfig
    tasks: tuple[TaskConfig, ...]
    steps: int | None = None
    """Approximate number of batches in total, divided among the tasks by size and ``power``; by default, as many as
    their ``passes`` make."""
    power: float = 1.0
    """With ``steps``: a task's share is proportional to its size to this power. 1 reads all tasks equally often, 0
    gives each the same number of batches."""
    development: DevelopmentConfig | None = None
    layers: tuple[int, ...] | None = None
    """Layers of the base encoder to keep, numbered from 0; all by default."""
    distill: DistillConfig | None = None
    lora: LoraConfig | None = None

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if not self.tasks:
            raise ConfigError("tasks is empty; name at least one")
        if self.steps is not None and self.steps < 1:
            raise ConfigError(f"steps must be at least 1; got {self.steps}")
        for task in self.tasks:
            self._check(task)

    def _check(self, task: TaskConfig) -> None:
        heads = self.model.heads
        if task.window <= task.overlap + 2:
            raise ConfigError(f"a task's window of {task.window} is too small for its overlap of {task.overlap}")
        if unknown := set(task.heads) - set(heads):
            raise ConfigError(f"a task names head {', '.join(sorted(unknown))}; the model has {', '.join(heads)}")
        labels = {label for name in task.heads for label in getattr(heads[name], "labels", ())}
        if wrong := (set(task.data.labels.values()) | set(task.unmarked)) - labels:
            raise ConfigError(
                f"{', '.join(task.heads)} has no label {', '.join(sorted(wrong))}; its labels: "
                f"{', '.join(sorted(labels)) or 'none'}"
            )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready to start."""

    config: TrainConfig
    learner: Learner
    batches: Batches


def prepare(path: str | Path) -> Prepared:
    """Builds the model and the batches of a YAML file of :class:`TrainConfig`.

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
    if teacher is not None:
        teacher.check_length(batches.longest_row)
    if config.lora is not None:
        add_adapters(model, config.lora)
    return Prepared(config, Learner(model, teacher=teacher), batches)


def train(path: str | Path, *, deepspeed: str | Path | None = None) -> Path:
    """Trains as configured by a YAML file of :class:`TrainConfig`, and returns the folder of the trained model.

    An interrupted run resumes from its newest complete checkpoint. Under ``torchrun`` or ``deepspeed`` each process
    trains on its share of the batches.

    Args:
        path: the YAML file.
        deepspeed: a DeepSpeed configuration, such as the project's ``ds_config.json``.

    The labels that were learned and those that were left out are counted in ``labels.json`` in the output folder.

    Raises:
        ConfigError: the file has an unknown key or value, a head cannot learn or be scored on the development data, or
            the run cannot resume from its checkpoint.
        DataError: a corpus is missing or malformed, has no label to learn, or annotates what its heads do not learn.
        TrainingError: the loss is not finite, or a checkpoint could not be written.
    """
    with processes_of_a_run():
        return _train(prepare(path), Path(deepspeed) if deepspeed else None)


def _train(prepared: Prepared, deepspeed: Path | None) -> Path:
    config, learner = prepared.config, prepared.learner
    trainer = fit(
        learner,
        prepared.batches,
        config,
        deepspeed=deepspeed,
        development=_development(config.development, learner.model) if config.development else None,
    )
    folder = Path(config.output) / "model"
    if trainer.args.should_save:
        write_labels(Path(config.output), prepared.batches.learnable)
    with gathered_weights(learner):
        if trainer.args.should_save:
            if config.lora is not None:
                merge_adapters(learner.model)
            learner.model.save(folder, quantize=config.quantize)
    return folder


def _development(config: DevelopmentConfig, model: Model) -> Development:
    data = {name: LabelledData.read(name, dataset) for name, dataset in config.datasets.items()}
    reads = Pipeline(model, device="cpu", precision="float32")
    for name, labelled in data.items():
        check(reads, labelled.kind, name, labelled.labels)  # now, rather than at the first score

    def score() -> dict[str, float]:
        weights = next(model.parameters())
        with gathered_weights(model):
            precision: Precision = "bfloat16" if weights.dtype == torch.bfloat16 else "float32"
            pipeline = Pipeline(model, device=weights.device, precision=precision)
            metrics = {name: labelled.result(pipeline).value for name, labelled in data.items()}
        return {**metrics, "score": sum(metrics.values()) / len(metrics)}

    return Development(score, config.every, config.patience)


def base_folder(base: str) -> str:
    """Resolves ``default`` to the shipped model, and ``package:NAME`` to the folder of the model in package NAME.

    Raises:
        ConfigError: the package is not installed.
    """
    if base == "default":
        return str(DEFAULT_MODEL)
    if not base.startswith("package:"):
        return base
    package = base.removeprefix("package:")
    spec = find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ConfigError(f"base is {base}, and package {package!r} is not installed: pip install 'longdoc[train]'")
    return str(Path(spec.origin).parent / "model")
