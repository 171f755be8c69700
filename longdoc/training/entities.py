"""Annotated entities → windows with a tag for each token."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from longdoc.datasets import Example, check_overlaps, misaligned, read_dataset
from longdoc.encoders import Batch, Frame
from longdoc.errors import DataError
from longdoc.heads import NerConfig
from longdoc.labels import encode_bio
from longdoc.model import Model
from longdoc.training.tasks import Group, TaskConfig
from longdoc.windows import sentence_starts, split, tokenize, word_starts

logger = logging.getLogger(__name__)

IGNORED = -100
"""Target of a position that is not learned from."""


@dataclass(frozen=True, slots=True)
class TaggedTokens:
    """A tokenised document and each head's tag for each token, int64 ``(T,)``."""

    name: str
    ids: np.ndarray
    cuts: np.ndarray
    tags: dict[str, np.ndarray]


def tag_document(example: Example, model: Model, heads: Sequence[str]) -> TaggedTokens:
    """Tags every token with its word's tag: a word is labelled whole."""
    tokens = tokenize(example.text, model.tokenizer)
    first = word_starts(tokens.words)
    stop = np.append(first, len(tokens))[1:]
    words = np.stack([tokens.offsets[first, 0], tokens.offsets[stop - 1, 1]], axis=1)
    labels = {head: _config(model, head).labels for head in heads}
    tags = {head: np.repeat(encode_bio(example.spans, words, labels[head]), stop - first) for head in heads}
    return TaggedTokens(example.id, tokens.ids, sentence_starts(example.text, tokens.offsets), tags)


def entity_groups(task: TaskConfig, model: Model, rng: np.random.Generator) -> Iterator[Group]:
    """Windows of ``task.passes`` passes over the corpus. Each pass cuts the documents elsewhere.

    Raises:
        DataError: the corpus has labels that no head of the task has, and ``labels`` does not say which are meant; or
            spans of one head overlap, and ``nested`` does not say what becomes of them.
    """
    examples = read_dataset(task.data)
    _check(examples, task, model)
    documents = [tag_document(example, model, task.heads) for example in examples]
    frame = model.encoder.template.plain
    for number in range(math.ceil(task.passes)):
        for document in documents:
            if rng.random() < task.passes - number:
                yield from _cut(document, task, frame, rng)


def _check(examples: Sequence[Example], task: TaskConfig, model: Model) -> None:
    """Whether the spans can be learned: the head has their labels, none overlap; of those that cut a word it tells."""
    files = ", ".join(task.data.files)
    known = {label for head in task.heads for label in _config(model, head).labels}
    if unknown := {span.label for example in examples for span in example.spans} - known:
        raise DataError(
            f"{files} has labels that {', '.join(task.heads)} lacks: {', '.join(sorted(unknown))}; say under data, "
            "labels, which of its labels is which of the head's, and leave out the others"
        )
    if task.nested == "refuse":
        for head in task.heads:
            check_overlaps(examples, _config(model, head).labels)
    if found := misaligned(examples, model.tokenizer):
        n_spans = sum(len(example.spans) for example in examples)
        logger.warning(
            "%s: %d of %d spans do not end where words do; the first, %s", files, len(found), n_spans, found[0]
        )


def _cut(document: TaggedTokens, task: TaskConfig, frame: Frame, rng: np.random.Generator) -> Iterator[Group]:
    size = task.window - len(frame)
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
            targets = {"tags": tags, "unmarked": task.unmarked}
            yield Group(task, document.name, (document.ids[start:end],), frame, targets)


def _config(model: Model, head: str) -> NerConfig:
    config = model.config.heads[head]
    assert isinstance(config, NerConfig)
    return config


def entity_targets(groups: Sequence[Group], batch: Batch) -> dict[str, dict[str, Any]]:
    """Arguments of ``NerHead.loss`` by head: tags ``(B, T)``."""
    targets = {}
    for head in groups[0].heads:
        tags = torch.full(batch.inputs["input_ids"].shape, IGNORED)
        for row, first, group in zip(tags, batch.firsts, groups, strict=True):
            found = group.targets["tags"][head]
            row[first : first + len(found)] = torch.from_numpy(found)
        targets[head] = {"tags": tags, "unmarked": groups[0].targets["unmarked"]}
    return targets
