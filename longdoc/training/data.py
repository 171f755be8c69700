"""Corpora → batches of windows to learn from: one task a batch, windows of like length together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from longdoc.encoders import length_batches
from longdoc.errors import ConfigError
from longdoc.heads import ClassifyConfig, NerConfig, NliConfig, QaConfig
from longdoc.model import Model
from longdoc.training.classes import class_groups, class_targets
from longdoc.training.entities import entity_groups, entity_targets
from longdoc.training.questions import answer_targets, inference_targets, question_groups
from longdoc.training.tasks import Group, TaskConfig


def training_batches(tasks: Sequence[TaskConfig], model: Model, batch_tokens: int, seed: int) -> list[dict[str, Any]]:
    """All batches of a training run in random order."""
    rng = np.random.default_rng(seed)
    batches = []
    for task in tasks:
        groups = list(task_groups(task, model, rng))
        # Noise on the length changes the company a window keeps from pass to pass.
        lengths = [len(group) + int(rng.integers(0, 24)) for group in groups]
        batches += [collate([groups[i] for i in rows], model) for rows in length_batches(lengths, batch_tokens)]
    return [batches[index] for index in rng.permutation(len(batches))]


def task_groups(task: TaskConfig, model: Model, rng: np.random.Generator) -> Iterator[Group]:
    """The groups of windows of one task, by the kind of its heads.

    Raises:
        ConfigError: its heads are of a kind that learns from no corpus of this form.
    """
    kinds = {type(model.config.heads[head]) for head in task.heads}
    if kinds == {NerConfig}:
        return entity_groups(task, model, rng)
    if kinds in ({QaConfig}, {NliConfig}) and len(task.heads) == 1:
        return question_groups(task, model, rng)
    if kinds == {ClassifyConfig} and len(task.heads) == 1:
        return class_groups(task, model, rng)
    raise ConfigError(f"a task trains one head, or several of kind ner; got {', '.join(task.heads)}")


def collate(groups: Sequence[Group], model: Model) -> dict[str, Any]:
    """Arguments of ``Learner.forward`` for groups of one task."""
    slices = [window for group in groups for window in group.slices]
    batch = model.encoder.batch(slices, [group.frame for group in groups for _ in group.slices])
    return {"inputs": batch.inputs, "targets": _targets(groups, batch, model)}


def _targets(groups: Sequence[Group], batch: Any, model: Model) -> dict[str, dict[str, Any]]:
    config = model.config.heads[groups[0].heads[0]]
    if isinstance(config, NerConfig):
        return entity_targets(groups, batch)
    if isinstance(config, NliConfig):
        return inference_targets(groups, batch, config.labels)
    if isinstance(config, ClassifyConfig):
        return class_targets(groups, batch, config)
    return answer_targets(groups, batch)
