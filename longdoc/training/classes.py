"""Texts with classes → groups of the windows of a text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from longdoc.datasets import read_dataset
from longdoc.encoders import Batch
from longdoc.heads import ClassifyConfig
from longdoc.model import Model
from longdoc.training.questions import group_numbers
from longdoc.training.tasks import Group, TaskConfig
from longdoc.windows import split, tokenize

MOST_WINDOWS = 4
"""Windows of a long text that are learned from at a time, drawn anew each pass."""


def class_groups(task: TaskConfig, model: Model, rng: np.random.Generator) -> Iterator[Group]:
    """Texts of ``task.passes`` passes, each as a group of windows."""
    frame = model.encoder.template.plain
    examples = read_dataset(task.data)
    documents = [(example, tokenize(example.text, model.tokenizer)) for example in examples]
    for number in range(math.ceil(task.passes)):
        for example, tokens in documents:
            if not len(tokens) or rng.random() >= task.passes - number:
                continue
            windows = split(len(tokens), size=task.window - len(frame), overlap=task.overlap)
            kept = sorted(rng.permutation(len(windows))[:MOST_WINDOWS].tolist())
            slices = tuple(tokens.ids[windows[i].start : windows[i].end] for i in kept)
            yield Group(task, example.id, slices, frame, {"labels": example.labels})


def class_targets(groups: Sequence[Group], batch: Batch, config: ClassifyConfig) -> dict[str, dict[str, Any]]:
    """Arguments of ``ClassifyHead.loss``."""
    marked = torch.tensor([[float(label in group.targets["labels"]) for label in config.labels] for group in groups])
    targets = marked if config.multi_label else marked.argmax(dim=1)
    shared = {"content": batch.content_mask, "groups": group_numbers(groups), "targets": targets}
    return {groups[0].heads[0]: shared}
