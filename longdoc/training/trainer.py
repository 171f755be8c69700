"""``longdoc train CONFIG``: one encoder learns several tasks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import TrainerCallback, set_seed

from longdoc.config import load_yaml
from longdoc.datasets import DatasetConfig
from longdoc.errors import ConfigError
from longdoc.evaluation import LabelledData
from longdoc.evaluation.scoring import check
from longdoc.heads import TaskConfig, kind_of
from longdoc.inputs import Precision
from longdoc.labels import OUTSIDE
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.training.batch_trainer import Development
from longdoc.training.data import Batches, training_batches
from longdoc.training.deepspeed import gathered_weights
from longdoc.training.distill import DistillConfig, Teacher, drop_layers
from longdoc.training.given_model import model_of
from longdoc.training.label_counts import write_labels
from longdoc.training.learner import Learner
from longdoc.training.lora import LoraConfig, add_adapters, merge_adapters
from longdoc.training.processes import processes_of_a_run
from longdoc.training.prune import PruneConfig, check_prune, importance, prune
from longdoc.training.run import RunConfig, fit, is_first_process

logger = logging.getLogger(__name__)


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
    """A training run, as written in YAML or in Python."""

    model: ModelConfig | None = None
    """The heads that learn, and the windows they read; by default the heads of ``base``, which go on learning. That of
    a checkpoint of transformers is named by its kind: ``ner``, ``qa`` or ``classify``."""
    tasks: tuple[TaskConfig, ...]
    """What is learned from; several tasks take turns, one per batch."""
    steps: int | None = None
    """Approximate number of batches in total, divided among the tasks by size and ``power``; by default, as many as
    their ``passes`` make."""
    power: float = 1.0
    """With ``steps``: a task's share is proportional to its size to this power. 1 reads all tasks equally often, 0
    gives each the same number of batches."""
    development: DevelopmentConfig | None = None
    """Held-out data to choose the best checkpoint by; by default the last one is kept."""
    layers: tuple[int, ...] | None = None
    """Layers of the base encoder to keep, numbered from 0; all by default."""
    prune: PruneConfig | None = None
    """What these layers keep of their neurons and attention heads; all by default."""
    distill: DistillConfig | None = None
    """A teacher to imitate, in addition to learning from the data; none by default."""
    lora: LoraConfig | None = None
    """Train low-rank adapters of the encoder instead of all its weights; by default all are trained."""

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        if not self.tasks:
            raise ConfigError("tasks is empty; name at least one")
        if self.steps is not None and self.steps < 1:
            raise ConfigError(f"steps must be at least 1; got {self.steps}")
        if self.model is not None:
            for task in self.tasks:
                self._check(task, self.model)

    def _check(self, task: TaskConfig, model: ModelConfig) -> None:
        heads = model.heads
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
        kinds = [kind_of(heads[name]) for name in task.heads]
        weighed = {*labels, *([OUTSIDE] if any(kind.name == "ner" for kind in kinds) else [])}
        if task.class_weights and not all(kind.weighs_labels for kind in kinds):
            raise ConfigError(f"class_weights: {', '.join(task.heads)} has no classes to weigh; leave it out")
        if weighed and not any(task.class_weights.get(label, 1.0) for label in weighed):
            raise ConfigError(
                f"class_weights are 0 for all of {', '.join(sorted(weighed))}: nothing would be learned; give one of "
                "them more"
            )
        if unknown := set(task.class_weights) - weighed:
            raise ConfigError(
                f"class_weights names {', '.join(sorted(unknown))}; {', '.join(task.heads)} has "
                f"{', '.join(sorted(weighed))}"
            )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready to start."""

    config: TrainConfig
    learner: Learner
    batches: Batches


def prepare(given: TrainConfig | str | Path) -> Prepared:
    """Builds the model and the batches of a configuration, or of a YAML file of one.

    Raises:
        ConfigError: the file has an unknown key or value.
        DataError: a corpus is missing or malformed.
    """
    config = given if isinstance(given, TrainConfig) else load_yaml(TrainConfig, given)
    if config.prune is not None and config.model is not None:
        raise ConfigError(
            "prune measures what matters to heads that have learned: leave `model` out, so that those of the base go on"
        )
    set_seed(config.seed)
    model = model_of(config.base, config.model, config.revision)
    config = replace(config, model=model.config)  # checked now, if it was not stated
    if config.layers is not None:
        drop_layers(model, config.layers)
    if config.prune is not None:
        check_prune(model, config.prune)
    teacher = None
    if config.distill is not None:
        known = model_of(config.distill.teacher, revision=config.distill.revision, key="distill.teacher")
        teacher = Teacher(known, config.distill, model)
    if config.freeze_embeddings:
        model.encoder.backbone.get_input_embeddings().weight.requires_grad_(False)  # type: ignore[operator]
    batches = training_batches(
        config.tasks, model, config.batch_tokens, config.seed, steps=config.steps, power=config.power
    )
    if teacher is not None:
        teacher.check_length(batches.longest_row)
    if config.prune is not None:
        _prune(model, config, config.prune, batches)
    if config.lora is not None:
        add_adapters(model, config.lora)
    return Prepared(config, Learner(model, teacher=teacher), batches)


def _prune(model: Model, config: TrainConfig, kept: PruneConfig, batches: Batches) -> None:
    """Prunes a model by its loss on the first batches, and tells which of its heads have no say in it."""
    learning = {head for task in config.tasks for head in task.heads}
    if (others := [name for name in model.heads if name not in learning]) and is_first_process():
        logger.warning(
            "prune: no task has the head %s; what matters to it alone may be removed, and it does not learn",
            ", ".join(others),
        )
    measured = [batches[index] for index in range(min(kept.batches, len(batches)))]
    prune(model, kept, importance(model, measured, config.dtype, kept.parts))


def train(
    config: TrainConfig | str | Path,
    *,
    deepspeed: str | Path | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Trains as configured, and returns the folder of the trained model.

    An interrupted run resumes from its newest complete checkpoint. Under ``torchrun`` or ``deepspeed`` each process
    trains on its share of the batches.

    Args:
        config: the configuration, or a YAML file of one.
        deepspeed: a DeepSpeed configuration, such as the project's ``ds_config.json``.
        callbacks: callbacks of transformers' Trainer, which trains; their ``model`` is the encoder with its heads and
            the loss.

    The labels that were learned and those that were left out are counted in ``labels.json`` in the output folder.

    Raises:
        ConfigError: the configuration has an unknown key or value, a head cannot learn or be scored on the development
            data, or the run cannot resume from its checkpoint.
        DataError: a corpus is missing or malformed, has no label to learn, or annotates what its heads do not learn.
        TrainingError: the loss is not finite, or a checkpoint could not be written.
    """
    with processes_of_a_run():
        return train_prepared(prepare(config), Path(deepspeed) if deepspeed else None, callbacks)


def train_prepared(
    prepared: Prepared, deepspeed: Path | None = None, callbacks: Sequence[TrainerCallback] = ()
) -> Path:
    """:func:`train` after :func:`prepare`, within :func:`processes_of_a_run`."""
    config, learner = prepared.config, prepared.learner
    trainer = fit(
        learner,
        prepared.batches,
        config,
        deepspeed=deepspeed,
        development=_development(config.development, learner.model) if config.development else None,
        callbacks=callbacks,
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
