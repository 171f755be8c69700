"""Data sets → batches of windows to learn from: one task per batch, windows of similar length together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from longdoc.attention.positions import n_positions
from longdoc.datasets import READERS
from longdoc.errors import ConfigError, DataError
from longdoc.heads import HEADS, Group, HeadKind, Learnable, TaskConfig, kind_of
from longdoc.inputs import Batch, length_batches
from longdoc.model import Model
from longdoc.training.run import is_first_process

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batches(Dataset[dict[str, Any]]):
    """Batches of a training run, in order, each built on demand."""

    groups: Sequence[Sequence[Group]]
    model: Model
    learnable: tuple[Learnable, ...] = ()
    """What each task's data set has for its heads, and what is left out."""

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return collate(self.groups[index], self.model)

    def share(self, rank: int, n_processes: int) -> Batches:
        """Every ``n_processes``-th batch; the first ones repeat if they do not divide evenly."""
        whole = [*self.groups, *self.groups[: -len(self.groups) % n_processes]]
        return replace(self, groups=whole[rank::n_processes])

    @property
    def longest_row(self) -> int:
        """Number of positions of the longest window, special tokens included."""
        return max(_n_positions(group) for groups in self.groups for group in groups)

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
        tasks: the tasks; each data set is read ``passes`` times.
        model: the model that learns.
        batch_tokens: maximum positions in a batch, padding included.
        seed: seed of the order and of all random choices.
        steps: scales the passes to about this many batches in total; a task's share is its size to the ``power``.
        power: 1 reads all tasks equally often, 0 gives each the same number of batches.

    Raises:
        ConfigError: a window has more tokens than the encoder has positions, or its attention cannot be made sparse.
        DataError: a corpus is missing or malformed, or has no label to learn.
    """
    check_sparse(tasks, model)
    learnable = learnable_of(tasks, model)
    if steps is not None:
        sizes = [_size(task, model, batch_tokens, seed) for task in tasks]
        shares = np.array(sizes, dtype=float) ** power
        wanted = steps * shares / shares.sum()
        tasks = [replace(t, passes=t.passes * n / size) for t, n, size in zip(tasks, wanted, sizes, strict=True)]
    batches = [
        batch for number, task in enumerate(tasks) for batch in _batches(task, model, batch_tokens, seed + number)
    ]
    order = np.random.default_rng(seed).permutation(len(batches))
    return Batches([batches[index] for index in order], model, learnable)


def check_sparse(tasks: Sequence[TaskConfig], model: Model) -> None:
    """Refuses tasks on sparse attention for an encoder that cannot have it.

    Raises:
        ConfigError: its attention cannot be made sparse.
    """
    for task in tasks:
        if period := _period(task, model):
            try:
                model.reading_encoder(period)
            except ConfigError as error:
                heads = ", ".join(task.heads)
                raise ConfigError(
                    f"the task of {heads} has encoder: sparse; set `encoder: windows`: {error}"
                ) from error


def _n_positions(group: Group) -> int:
    """Number of positions of a group's longest window, special tokens included."""
    return max(map(len, group.slices)) + len(group.special)


def check_lengths(groups: Sequence[Group], model: Model) -> None:
    """Refuses windows with more tokens than the encoder has positions.

    Raises:
        ConfigError: there is one.
    """
    longest = n_positions(model.encoder.backbone)
    for group in groups:
        n_tokens = _n_positions(group)
        if longest is not None and n_tokens > longest and group.task.encoder == "windows":
            raise ConfigError(
                f"the task of {', '.join(group.heads)} has windows of {n_tokens} tokens (window: {group.task.window}), "
                f"and this encoder has {longest} positions; set `window: {longest}`, or `encoder: sparse`, which "
                "repeats them"
            )


def learnable_of(tasks: Sequence[TaskConfig], model: Model) -> tuple[Learnable, ...]:
    """What each task's data set has for its heads; what is left out is logged, by the first process.

    A data set without labels is accepted if its heads learn labels from another one.

    Raises:
        DataError: heads have no label to learn, or the data set is annotated with something else; names what the data
            has, and what the heads have.
    """
    found = []
    for task in tasks:
        configs, kind = _heads_of(task, model)
        if kind.learnable is not None:
            one = kind.learnable(task, configs, model.tokenizer, model.encoder.template)
            _check_annotations(one, kind)
            found.append(one)
    learning = {head for one in found if one.learned for head in one.heads}
    for one in found:
        if not learning & set(one.heads):
            raise one.nothing()
        if is_first_process():
            if one.remarks:
                logger.warning("%s: %s", one.files, one.remarks)
            if not one.learned:
                logger.warning("%s has no label for %s", one.files, ", ".join(one.heads))
            if one.chosen:
                logger.info("%s: %s", one.files, one.chosen)
    return tuple(found)


def _check_annotations(found: Learnable, kind: HeadKind) -> None:
    """Refuses data that annotates nothing that this kind of head learns, such as classes for one that finds entities.

    Its texts would be learned as texts without any entity, or not at all.
    """
    if not found.annotations or found.annotations & kind.scorers.keys():
        return
    given = " and ".join(sorted(found.annotations))
    others = [other.name for other in learning_kinds() if found.annotations & other.scorers.keys()]
    readers = [name for name, reader in READERS.items() if reader.yields in kind.scorers]
    as_texts = ", or set `negatives: true` if the texts have none" if "entities" in kind.scorers else ""
    raise DataError(
        f"{found.files} is annotated with {given}, and {', '.join(found.heads)} (kind {kind.name}) learns "
        f"{' or '.join(kind.scorers)}: name a head of kind {' or '.join(others)} in this task, or give data of the "
        f"{'reader' if len(readers) == 1 else 'readers'} {', '.join(readers)}{as_texts}"
    )


def learning_kinds() -> list[HeadKind]:
    """The kinds of heads that learn from labelled data."""
    return [kind for kind in HEADS.values() if kind.groups is not None]


def _size(task: TaskConfig, model: Model, batch_tokens: int, seed: int) -> float:
    """Number of batches of a task; a small data set, which fills a part of a batch, is read several times for it."""
    for times in (1, 4, 16, 64):
        several = replace(task, passes=times * task.passes)
        n_batches = sum(1 for _ in _batches(several, model, batch_tokens, seed, least=0))
        if n_batches >= _ENOUGH:
            break
    whole = replace(task, passes=1.0)
    return n_batches / times or task.passes * sum(1 for _ in _batches(whole, model, batch_tokens, seed))


_ENOUGH = 16
"""Batches by which the size of a task is known well enough."""


def _batches(task: TaskConfig, model: Model, batch_tokens: int, seed: int, *, least: int = 1) -> Iterator[list[Group]]:
    """The batches of a task: if a part of a pass draws nothing, those of the first ``least`` groups of a whole one."""
    rng = np.random.default_rng(seed)
    groups = list(task_groups(task, model, rng))
    if not groups and least:
        groups = list(islice(task_groups(replace(task, passes=1.0), model, rng), least))
        if not groups:
            raise DataError(f"{', '.join(task.data.files)}: nothing to learn from; set `empty` and `passes` to 1")
    check_lengths(groups, model)
    # Noise on the length varies from pass to pass which windows share a batch.
    lengths = [len(group) + int(rng.integers(0, 24)) for group in groups]
    for rows in length_batches(lengths, batch_tokens):
        yield [groups[index] for index in rows]


def task_groups(task: TaskConfig, model: Model, rng: np.random.Generator) -> Iterator[Group]:
    """The groups of windows of one task.

    Raises:
        ConfigError: its heads cannot learn, or cannot learn together.
    """
    configs, kind = _heads_of(task, model)
    assert kind.groups is not None
    return kind.groups(task, configs, model.tokenizer, model.encoder.template, rng)


def _heads_of(task: TaskConfig, model: Model) -> tuple[dict[str, Any], HeadKind]:
    """The configurations of a task's heads, and their kind, which can learn."""
    configs = {name: model.config.heads[name] for name in task.heads}
    kinds = {config.kind for config in configs.values()}
    if deaf := [f"{name} (kind {c.kind})" for name, c in configs.items() if HEADS[c.kind].groups is None]:
        raise ConfigError(
            f"{', '.join(deaf)} cannot learn from labelled data; the kinds that do are "
            f"{', '.join(kind.name for kind in learning_kinds())}: leave it out of `tasks`; a head of kind fill is "
            "trained by `longdoc pretrain`"
        )
    kind = HEADS[kinds.pop()] if len(kinds) == 1 else None
    if kind is None or (len(configs) > 1 and not kind.learns_together):
        given = ", ".join(task.heads) or "none"
        raise ConfigError(f"a task trains one head, or several of kind {_together()}; got {given}")
    return configs, kind


def _together() -> str:
    return " or ".join(kind.name for kind in HEADS.values() if kind.learns_together)


def collate(groups: Sequence[Group], model: Model) -> dict[str, Any]:
    """Arguments of ``Learner.forward`` for groups of one task, and the names of their documents."""
    task = groups[0].task
    slices = [window for group in groups for window in group.slices]
    batch = model.encoder.batch(slices, [group.special for group in groups for _ in group.slices])
    return {
        "inputs": batch.inputs,
        "targets": _as_tensors(_targets(groups, batch, model)),
        "weight": task.weight,
        "period": _period(task, model),
        "documents": list(dict.fromkeys(group.document for group in groups)),
    }


def _period(task: TaskConfig, model: Model) -> int:
    """Period of the positions in sparse attention; 0 for windows."""
    config: Any = model.config.heads[task.heads[0]]
    windows = getattr(config, "windows", None) or model.config.windows
    return int(windows.size) if task.encoder == "sparse" else 0


def _targets(groups: Sequence[Group], batch: Batch[Any], model: Model) -> dict[str, dict[str, Any]]:
    configs = {name: model.config.heads[name] for name in groups[0].heads}
    targets = kind_of(next(iter(configs.values()))).targets
    assert targets is not None
    return targets(groups, batch, configs)


def _as_tensors(value: Any) -> Any:
    """Arrays in nested dictionaries as tensors; other values stay as they are."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return {key: _as_tensors(item) for key, item in value.items()} if isinstance(value, dict) else value
