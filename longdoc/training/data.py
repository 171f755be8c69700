"""Corpora → batches of windows to learn from: one task a batch, windows of like length together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from longdoc.encoders import Batch, length_batches
from longdoc.errors import ConfigError
from longdoc.heads import ClassifyConfig, NerConfig, NliConfig, QaConfig
from longdoc.model import Model
from longdoc.training.classes import class_groups, class_targets
from longdoc.training.entities import entity_groups, entity_targets
from longdoc.training.questions import answer_targets, inference_targets, question_groups
from longdoc.training.tasks import Group, TaskConfig


@dataclass(frozen=True)
class Batches(Dataset[dict[str, Any]]):
    """Batches of a training run, in order; each is made when it is asked for."""

    groups: Sequence[Sequence[Group]]
    model: Model

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return collate(self.groups[index], self.model)

    def share(self, rank: int, n_processes: int) -> Batches:
        """Every ``n_processes``-th batch; the first ones again where they do not divide evenly."""
        whole = [*self.groups, *self.groups[: -len(self.groups) % n_processes]]
        return replace(self, groups=whole[rank::n_processes])

    @property
    def longest(self) -> int:
        """Index of the batch with the most positions."""
        return max(range(len(self)), key=lambda index: sum(map(len, self.groups[index])))


def training_batches(
    tasks: Sequence[TaskConfig],
    model: Model,
    batch_tokens: int,
    seed: int,
    *,
    steps: int | None = None,
    power: float = 1.0,
) -> Batches:
    """All batches of a training run in random order.

    Args:
        tasks: what to learn; each is read ``passes`` times.
        model: what learns.
        batch_tokens: most padded tokens in a batch.
        seed: of the order, and of whatever is drawn.
        steps: about so many batches in all instead, a task's share of them its size to the ``power``.
        power: 1 reads all tasks equally often; 0 gives each the same number of batches.
    """
    if steps is not None:
        sizes = [sum(1 for _ in _batches(task, model, batch_tokens, seed)) for task in tasks]
        shares = np.array(sizes, dtype=float) ** power
        wanted = steps * shares / shares.sum()
        tasks = [replace(t, passes=t.passes * n / size) for t, n, size in zip(tasks, wanted, sizes, strict=True)]
    batches = [
        batch for number, task in enumerate(tasks) for batch in _batches(task, model, batch_tokens, seed + number)
    ]
    order = np.random.default_rng(seed).permutation(len(batches))
    return Batches([batches[index] for index in order], model)


def _batches(task: TaskConfig, model: Model, batch_tokens: int, seed: int) -> Iterator[list[Group]]:
    rng = np.random.default_rng(seed)
    groups = list(task_groups(task, model, rng))
    # Noise on the length changes the company a window keeps from pass to pass.
    lengths = [len(group) + int(rng.integers(0, 24)) for group in groups]
    for rows in length_batches(lengths, batch_tokens):
        yield [groups[index] for index in rows]


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
    """Arguments of ``Learner.forward`` for groups of one task, and the names of their documents."""
    task = groups[0].task
    slices = [window for group in groups for window in group.slices]
    batch = model.encoder.batch(slices, [group.frame for group in groups for _ in group.slices])
    return {
        "inputs": batch.inputs,
        "targets": _targets(groups, batch, model),
        "weight": task.weight,
        "period": _period(task, model),
        "documents": list(dict.fromkeys(group.document for group in groups)),
    }


def _period(task: TaskConfig, model: Model) -> int:
    """How often positions repeat in sparse attention; 0 for windows."""
    config: Any = model.config.heads[task.heads[0]]
    windows = getattr(config, "windows", model.config.windows)
    return int(windows.size) if task.encoder == "sparse" else 0


def _targets(groups: Sequence[Group], batch: Batch, model: Model) -> dict[str, dict[str, Any]]:
    config = model.config.heads[groups[0].heads[0]]
    if isinstance(config, NerConfig):
        return entity_targets(groups, batch)
    if isinstance(config, NliConfig):
        return inference_targets(groups, batch, config.labels)
    if isinstance(config, ClassifyConfig):
        return class_targets(groups, batch, config)
    return answer_targets(groups, batch)
