"""Natural language inference: hypotheses about a document, and the evidence for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from longdoc.datasets import Question
from longdoc.datasets.views import View
from longdoc.decode import Calibration
from longdoc.findings import WindowScores, parts, place
from longdoc.heads.classify import Pooling, module, pooled_logits, softmax
from longdoc.heads.kind import DecodeOptions, HeadKind, Reads
from longdoc.heads.learning import Group, group_numbers
from longdoc.heads.questions import learnable_questions, question_groups
from longdoc.inputs import Batch
from longdoc.labels import NOT_READ, Answer, Inference, check_labels
from longdoc.metrics import class_counts, reliability
from longdoc.metrics.results import InferenceResult
from longdoc.windows import WindowConfig, token_range

MAX_EVIDENCE = 3
"""Sentences reported as evidence."""
EVIDENCE_THRESHOLD = 0.05
"""Minimum share of the attention of a sentence reported as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NliConfig:
    """Natural language inference."""

    kind: Literal["nli"] = "nli"
    labels: tuple[str, ...] = ("entailment", "contradiction", "not mentioned")
    """Relations of a document to a hypothesis, in the order of the head's output."""
    windows: WindowConfig = field(default_factory=lambda: WindowConfig(size=384, overlap=64))
    """Windows for hypotheses."""
    over: Literal["windows", "tokens"] = "tokens"
    """What is scored before pooling: each window, by its first token, or each token."""
    pooling: Pooling = "attention"
    """How the scores are combined; only ``attention`` over tokens finds the sentences that decide."""
    calibration: Calibration = field(default_factory=Calibration)
    """How scores become probabilities; fitted by ``longdoc calibrate``."""

    def __post_init__(self) -> None:
        check_labels(self.labels)


def decode(scores: WindowScores, head: str, config: NliConfig, options: DecodeOptions) -> list[Inference]:
    """One inference; its label is ``NOT_READ`` for a text without tokens."""
    hypothesis = scores.question or ""
    if not scores.windows:
        return [Inference(hypothesis=hypothesis, label=NOT_READ, score=0.0, scores={})]
    logits = pooled_logits(scores, config.over, config.pooling)
    shares = softmax(logits / config.calibration.temperature).tolist()
    by_label = dict(zip(config.labels, shares, strict=True))
    label = max(by_label, key=lambda key: by_label[key])
    evidence: tuple[Answer, ...] = ()
    if config.pooling == "attention" and config.over == "tokens":
        threshold = EVIDENCE_THRESHOLD if options.min_score is None else options.min_score
        evidence = _attended(scores, hypothesis, threshold)
    return [Inference(hypothesis=hypothesis, label=label, score=by_label[label], scores=by_label, evidence=evidence)]


def _attended(scores: WindowScores, hypothesis: str, threshold: float) -> tuple[Answer, ...]:
    """The sentences with the largest shares of the attention."""
    weights = softmax(scores.merged()[:, -1])
    found = []
    for start, end in parts(scores.document, "sentence"):
        first, last = token_range(scores.tokens, start, end)
        found.append((float(weights[first:last].sum()), start, end))
    best = sorted(found, reverse=True)[:MAX_EVIDENCE]
    return tuple(
        Answer(question=hypothesis, score=min(share, 1.0), **place(scores.document, start, end))
        for share, start, end in best
        if share >= threshold
    )


def inference_targets(
    groups: Sequence[Group], batch: Batch[Any], configs: Mapping[str, NliConfig]
) -> dict[str, dict[str, Any]]:
    """Arguments of ``ClassifyHead.loss``: classes int64 ``(G,)`` and the tokens of the evidence, bool ``(B, T)``."""
    ((head, config),) = configs.items()
    content = batch.content_mask
    evidence = np.zeros_like(content)
    windows = (window for group in groups for window in group.targets["spans"])
    for row, window in enumerate(windows):
        for first, last in window:
            evidence[row, batch.firsts[row] + first : batch.firsts[row] + last + 1] = True
    targets = np.array([config.labels.index(group.targets["label"]) for group in groups], dtype=np.int64)
    shared = {"content": content, "groups": group_numbers(groups), "targets": targets}
    return {head: {**shared, "evidence": evidence}}


def score_inferences(
    pipeline: Reads, heads: Sequence[str], views: Sequence[View], labels: set[str]
) -> list[InferenceResult]:
    """Classes of hypotheses; of those that the document decides, whether the evidence overlaps the annotated one."""
    results = []
    for view in views:
        questions = view.example.questions
        found = pipeline.infer(view.document, [question.text for question in questions], head=heads[0])
        pairs = zip(questions, found, strict=True)
        results.append(sum((_inference_result(view, *pair) for pair in pairs), InferenceResult()))
    return results


def _inference_result(view: View, question: Question, found: Inference) -> InferenceResult:
    gold = {question.label} if question.label else set()
    was_read = found.label != NOT_READ
    predicted = {found.label} if was_read else set()
    decided = question.label != "not mentioned" and bool(question.answers)
    places = [view.place(part.start, part.end) for part in found.evidence]
    hit = any(
        place is not None and place[0] < span.end and span.start < place[1]
        for place in places
        for span in question.answers
    )
    scored = reliability([found.score] * was_read, [predicted == gold] * was_read)
    return InferenceResult(scored, class_counts(predicted, gold), int(decided and hit), int(decided))


NLI = HeadKind(
    config=NliConfig,
    module=module,
    build=lambda config, width, embeddings: module()(width, config),
    decode=decode,
    groups=question_groups,
    targets=inference_targets,
    learnable=learnable_questions,
    scorers={"inferences": score_inferences},
)
