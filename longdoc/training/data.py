"""Annotated documents → batches of windows to learn from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from longdoc.datasets import DatasetConfig, Example, read_dataset
from longdoc.encoders import Encoder, length_batches
from longdoc.labels import encode_bio
from longdoc.model import Model
from longdoc.windows import sentence_starts, split, tokenize, word_starts

IGNORED = -100
"""Target of a position that is not learned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConfig:
    """One corpus and the heads that learn from it."""

    heads: tuple[str, ...]
    """Names of the heads; each takes the spans whose labels it has."""
    data: DatasetConfig
    unmarked: tuple[str, ...] = ()
    """Labels of these heads that this corpus leaves unmarked (see ``NerHead.loss``)."""
    passes: float = 1.0
    """How often the corpus is read; half a pass reads a random half of its documents."""
    window: int = 256
    """Most positions in a training window, special tokens counted."""
    overlap: int = 32
    """Tokens that neighbouring training windows share."""
    first_tokens: int | None = None
    """Learn from this many tokens at the start of each document only; all of them by default."""
    empty: float = 1.0
    """Share of the windows without any span that a pass keeps, drawn anew each pass."""


@dataclass(frozen=True, slots=True)
class TaggedTokens:
    """A tokenised document and each head's tag for each token, int64 ``(T,)``."""

    ids: np.ndarray
    cuts: np.ndarray
    tags: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class WindowExample:
    """Token ids and tags of one training window, each ``(T,)``, and the task it belongs to."""

    task: TaskConfig
    ids: np.ndarray
    tags: dict[str, np.ndarray]


def tag_document(example: Example, model: Model, heads: Sequence[str]) -> TaggedTokens:
    """Tags every token with its word's tag: a word is labelled whole."""
    tokens = tokenize(example.text, model.tokenizer)
    first = word_starts(tokens.words)
    stop = np.append(first, len(tokens))[1:]
    words = np.stack([tokens.offsets[first, 0], tokens.offsets[stop - 1, 1]], axis=1)
    tags = {
        head: np.repeat(encode_bio(example.spans, words, model.config.heads[head].labels), stop - first)
        for head in heads
    }
    return TaggedTokens(tokens.ids, sentence_starts(example.text, tokens.offsets), tags)


def task_windows(task: TaskConfig, model: Model, rng: np.random.Generator) -> Iterator[WindowExample]:
    """Windows of ``task.passes`` passes over the corpus. Each pass cuts the documents elsewhere."""
    documents = [tag_document(example, model, task.heads) for example in read_dataset(task.data)]
    size = task.window - len(model.encoder.special)
    for number in range(math.ceil(task.passes)):
        for document in documents:
            if rng.random() < task.passes - number:
                yield from _cut(document, task, size, rng)


def _cut(document: TaggedTokens, task: TaskConfig, size: int, rng: np.random.Generator) -> Iterator[WindowExample]:
    n_tokens = min(len(document.ids), task.first_tokens or len(document.ids))
    lead = int(rng.integers(0, size - task.overlap)) if n_tokens > size else 0
    cuts = document.cuts[document.cuts > lead] - lead
    windows = split(n_tokens - lead, size=size, overlap=task.overlap, cuts=cuts)
    edges = [(window.start + lead, window.end + lead) for window in windows]
    if lead:
        edges.insert(0, (0, min(lead + task.overlap, n_tokens)))
    for start, end in edges:
        tags = {head: tag[start:end] for head, tag in document.tags.items()}
        if rng.random() < task.empty or any(tag.any() for tag in tags.values()):
            yield WindowExample(task, document.ids[start:end], tags)


def training_batches(tasks: Sequence[TaskConfig], model: Model, batch_tokens: int, seed: int) -> list[dict[str, Any]]:
    """All batches of a training run in random order: one task a batch, windows of like length together."""
    rng = np.random.default_rng(seed)
    batches = []
    for task in tasks:
        windows = list(task_windows(task, model, rng))
        # Noise on the length changes the company a window keeps from pass to pass.
        lengths = [len(window.ids) + int(rng.integers(0, 24)) for window in windows]
        batches += [
            collate([windows[i] for i in rows], model.encoder) for rows in length_batches(lengths, batch_tokens)
        ]
    return [batches[index] for index in rng.permutation(len(batches))]


def collate(windows: Sequence[WindowExample], encoder: Encoder) -> dict[str, Any]:
    """Arguments of ``Learner.forward`` for windows of one task."""
    task = windows[0].task
    input_ids, attention_mask = encoder.batch([window.ids for window in windows])
    first = len(encoder.special.prefix)
    tags = {head: torch.full(input_ids.shape, IGNORED) for head in task.heads}
    for row, window in enumerate(windows):
        for head, tag in window.tags.items():
            tags[head][row, first : first + len(tag)] = torch.from_numpy(tag)
    return {"input_ids": input_ids, "attention_mask": attention_mask, "tags": tags, "unmarked": task.unmarked}
