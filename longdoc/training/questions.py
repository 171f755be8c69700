"""Questions and hypotheses with their spans → groups of windows, some of which hold one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch

from longdoc.datasets import Question, read_dataset
from longdoc.encoders import Batch
from longdoc.heads import NliConfig
from longdoc.model import Model
from longdoc.training.read import ReadExample, token_span
from longdoc.training.tasks import Group, TaskConfig
from longdoc.training.unanswerable import made_unanswerable
from longdoc.windows import Window, split


def question_groups(task: TaskConfig, model: Model, rng: np.random.Generator) -> Iterator[Group]:
    """Groups of ``task.passes`` passes over the questions; of several wordings of one question, one a pass."""
    documents = [ReadExample.of(example, model.tokenizer) for example in read_dataset(task.data)]
    documents = [document for document in documents if len(document.tokens)]
    for number in range(math.ceil(task.passes)):
        for index, document in enumerate(documents):
            for question in _one_wording_each(document.example.questions, rng):
                if rng.random() >= task.passes - number:
                    continue
                found = _group(question, document, task, model, rng)
                if found is not None:
                    yield found
                if document.example.questions[0].category is None and rng.random() < task.empty:
                    other = documents[(index + int(rng.integers(1, len(documents)))) % len(documents)]
                    yield from filter(None, [_group(Question("", question.text), other, task, model, rng)])
                if question.answers and rng.random() < task.unanswerable:
                    made = made_unanswerable(question, document, rng)
                    yield from filter(None, [made and _group(*made, task, model, rng)])


def _one_wording_each(questions: Sequence[Question], rng: np.random.Generator) -> Iterator[Question]:
    for _, alike in groupby(questions, key=lambda question: question.category or question.id):
        worded = list(alike)
        yield worded[int(rng.integers(len(worded)))]


def _group(
    question: Question, document: ReadExample, task: TaskConfig, model: Model, rng: np.random.Generator
) -> Group | None:
    """A window that holds an answer and some that do not; none where all answers are longer than a window."""
    is_nli = isinstance(model.config.heads[task.heads[0]], NliConfig)
    if not question.answers and not is_nli and question.category is not None and rng.random() >= task.empty:
        return None
    frame = model.encoder.template.asking(model.tokenizer.encode(question.text, add_special_tokens=False).ids)
    spans = np.array([token_span(answer.start, answer.end, document.tokens) for answer in question.answers])
    spans = spans.reshape(-1, 2)
    windows = _windows(document, task.window - len(frame), task.overlap, rng)
    whole = [((spans >= w.start) & (spans < w.end)).all(axis=1) for w in windows]
    holding = [index for index, inside in enumerate(whole) if inside.any()]
    others = [index for index, w in enumerate(windows) if not ((spans[:, 1] >= w.start) & (spans[:, 0] < w.end)).any()]
    if len(spans) and not holding:
        return None
    n_others = int(rng.poisson(task.negatives)) if holding else 1 + int(rng.poisson(task.negatives))
    chosen = [holding[int(rng.integers(len(holding)))]] if holding else []
    chosen += rng.permutation(others)[:n_others].tolist()
    picked = [windows[index] for index in chosen]
    if not picked:
        return None
    inside = [spans[whole[index]] - windows[index].start for index in chosen]
    slices = tuple(document.tokens.ids[w.start : w.end] for w in picked)
    return Group(task, document.example.id, slices, frame, {"spans": inside, "label": question.label})


def _windows(document: ReadExample, size: int, overlap: int, rng: np.random.Generator) -> list[Window]:
    n_tokens = len(document.tokens)
    lead = int(rng.integers(0, size - overlap)) if n_tokens > size else 0
    cuts = document.cuts[document.cuts > lead] - lead
    later = split(n_tokens - lead, size=size, overlap=overlap, cuts=cuts)
    windows = [Window(w.start + lead, w.end + lead) for w in later]
    return [Window(0, min(lead + overlap, n_tokens)), *windows] if lead else windows


def answer_targets(groups: Sequence[Group], batch: Batch) -> dict[str, dict[str, Any]]:
    """Arguments of ``QaHead.loss``: the right starts and ends; the first token of all windows where there is none."""
    content = batch.content_mask
    starts, ends = torch.zeros_like(content), torch.zeros_like(content)
    row = 0
    for group in groups:
        spans = group.targets["spans"]
        for window in spans:
            starts[row, window[:, 0] + batch.firsts[row]] = True
            ends[row, window[:, 1] + batch.firsts[row]] = True
            row += 1
        if not any(map(len, spans)):
            starts[row - len(spans) : row, 0] = ends[row - len(spans) : row, 0] = True
    allowed = content.clone()
    allowed[:, 0] = True
    return {groups[0].heads[0]: {"allowed": allowed, "starts": starts, "ends": ends, "groups": group_numbers(groups)}}


def inference_targets(groups: Sequence[Group], batch: Batch, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Arguments of ``ClassifyHead.loss`` for hypotheses, with the tokens of the evidence."""
    evidence = torch.zeros_like(batch.content_mask)
    windows = (window for group in groups for window in group.targets["spans"])
    for row, window in enumerate(windows):
        for first, last in window:
            evidence[row, batch.firsts[row] + first : batch.firsts[row] + last + 1] = True
    targets = torch.tensor([labels.index(group.targets["label"]) for group in groups])
    shared = {"content": batch.content_mask, "groups": group_numbers(groups), "targets": targets}
    return {groups[0].heads[0]: {**shared, "evidence": evidence}}


def group_numbers(groups: Sequence[Group]) -> torch.Tensor:
    """The number of the group of each window, ``(B,)``."""
    return torch.repeat_interleave(torch.arange(len(groups)), torch.tensor([len(group.slices) for group in groups]))
