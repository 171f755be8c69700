"""Spans that may be long and overlap, such as clauses of contracts: a sigmoid for each label and token.

Each label has two outputs a token: inside a span, and first token of one. Dimensions: see :mod:`longdoc.heads`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import Example, read_labelled
from longdoc.datasets.views import View
from longdoc.decode import Calibration, log_odds, word_scores
from longdoc.decode_spans import SpanRule, decode_spans
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.findings import WindowScores, parts, place
from longdoc.heads.kind import DecodeOptions, HeadKind, Reads, Trial
from longdoc.heads.learnable import Learnable, check_known
from longdoc.heads.learning import Group, TaskConfig, TokenizedExample, passes_over
from longdoc.inputs import Batch, Template
from longdoc.labels import Entity, check_labels
from longdoc.metrics import NAMES_IN_PARTS, is_clause
from longdoc.metrics.results import ClauseResult, clause_result
from longdoc.windows import Window, WindowConfig, split_with_random_lead, token_range, tokenize

if TYPE_CHECKING:
    from longdoc.heads.modules import SpansHead


@dataclass(frozen=True, slots=True, kw_only=True)
class SpansConfig:
    """Spans of several labels, which may overlap and be as long as paragraphs."""

    kind: Literal["spans"] = "spans"
    labels: tuple[str, ...]
    """Labels in the order of the head's output."""
    windows: WindowConfig | None = None
    """Windows of this head; by default those of the model. Clauses gain from an overlap of half a window."""
    rule: SpanRule = field(default_factory=SpanRule)
    """How spans are cut from the probabilities of their words."""
    single_words: tuple[str, ...] | None = None
    """Labels of which one word may be a whole span, such as dates and names; all by default."""
    min_score: float = 0.5
    """Threshold of a span's score."""
    calibration: Calibration = field(default_factory=Calibration)
    """How scores become probabilities; fitted by ``longdoc calibrate``."""
    biases: dict[str, float] = field(default_factory=dict)
    """What is added to the bias of the calibration for a label."""

    def __post_init__(self) -> None:
        check_labels(self.labels)
        for name, given in (("biases", self.biases), ("single_words", self.single_words or ())):
            if unknown := set(given) - set(self.labels):
                raise ConfigError(f"{name} names {', '.join(sorted(unknown))}; the head has {', '.join(self.labels)}")
        if not 0 <= self.min_score <= 1:
            raise ConfigError(f"min_score must be a number from 0 to 1; got {self.min_score}")

    def probability(self, label: str, score: float) -> float:
        """The probability that a span of a label with this raw score is correct."""
        return self.calibration.probability(log_odds(score) - self.biases.get(label, 0.0))


def decode(scores: WindowScores, head: str, config: SpansConfig, options: DecodeOptions) -> list[Entity]:
    """Decodes the spans of a document, once, from the merged scores of its windows; whole words, in document order."""
    tokens, threshold = scores.tokens, config.min_score if options.min_score is None else options.min_score
    merged, first = word_scores(scores.merged(), tokens.words)
    last = np.append(first, len(tokens))[1:] - 1
    n_labels = len(config.labels)
    sentences = np.isin(tokens.offsets[first, 0], [start for start, _ in parts(scores.document, "sentence")])
    spans = []
    for span in decode_spans(merged[:, :n_labels], merged[:, n_labels:], sentences, config.rule):
        label = config.labels[span.label]
        score = config.probability(label, span.score)
        is_cut = span.end - span.first == 1 and config.single_words is not None and label not in config.single_words
        if score >= threshold and not is_cut:
            start, end = int(tokens.offsets[first[span.first], 0]), int(tokens.offsets[last[span.end - 1], 1])
            spans.append(Entity(label=label, score=score, source=head, **place(scores.document, start, end)))
    return spans


# ------------------------------------------------------------------------------------------------------------ training


def span_groups(
    task: TaskConfig,
    configs: Mapping[str, SpansConfig],
    tokenizer: Tokenizer,
    template: Template,
    rng: np.random.Generator,
) -> Iterator[Group]:
    """Windows of ``task.passes`` passes over the data set; of those without a span, the share ``task.empty``.

    Raises:
        DataError: the data set has labels that the head lacks.
    """
    ((head, config),) = configs.items()
    examples = read_labelled(task.data).examples
    check_known(examples, task.data.files, [head], config.labels)
    documents = [TokenizedExample.of(example, tokenizer) for example in examples]
    for document in passes_over([d for d in documents if len(d.tokens)], task.passes, rng):
        placed = _placed(document, config)
        n_tokens = min(len(document.tokens), task.first_tokens or len(document.tokens))
        for window in split_with_random_lead(
            n_tokens, size=task.window - len(template.plain), overlap=task.overlap, cuts=document.cuts, rng=rng
        ):
            spans = _within(placed, window)
            if len(spans) or rng.random() < task.empty:
                ids = document.tokens.ids[window.start : window.end]
                yield Group(task, document.example.id, (ids,), template.plain, {"spans": spans})


def _placed(document: TokenizedExample, config: SpansConfig) -> np.ndarray:
    """First token, one past the last, and column of the label of each span, int64 ``(N, 3)``."""
    rows = [
        (*token_range(document.tokens, span.start, span.end), config.labels.index(span.label))
        for span in document.example.spans
    ]
    return np.array([row for row in rows if row[0] < row[1]], dtype=np.int64).reshape(-1, 3)


def _within(placed: np.ndarray, window: Window) -> np.ndarray:
    """First token, one past the last, label, and whether it starts here, of each span in a window: int64 ``(N, 4)``."""
    kept = placed[(placed[:, 0] < window.end) & (placed[:, 1] > window.start)]
    first = np.maximum(kept[:, 0], window.start) - window.start
    last = np.minimum(kept[:, 1], window.end) - window.start
    return np.stack([first, last, kept[:, 2], kept[:, 0] >= window.start], axis=1)


def span_targets(
    groups: Sequence[Group], batch: Batch[Any], configs: Mapping[str, SpansConfig]
) -> dict[str, dict[str, Any]]:
    """Arguments of ``SpansHead.loss``."""
    ((head, config),) = configs.items()
    n_labels = len(config.labels)
    content = batch.content_mask
    wanted = np.zeros((*content.shape, 2 * n_labels), dtype=np.float32)
    for row, position, group in zip(wanted, batch.firsts, groups, strict=True):
        for first, last, column, is_start in group.targets["spans"].tolist():
            row[position + first : position + last, column] = 1
            if is_start:
                row[position + first, n_labels + column] = 1
    annotated = np.array([label not in groups[0].task.unmarked for label in config.labels])
    weights = groups[0].task.weights_of(config.labels)
    return {head: {"spans": wanted, "content": content, "annotated": annotated, "weights": weights}}


def learnable_spans(
    task: TaskConfig, configs: Mapping[str, SpansConfig], tokenizer: Tokenizer, template: Template
) -> Learnable:
    """Counts the spans that are learned and those that are not.

    Raises:
        DataError: as for :func:`span_groups`.
    """
    ((head, config),) = configs.items()
    labelled = read_labelled(task.data)
    check_known(labelled.examples, task.data.files, [head], config.labels)
    found = Learnable.of(task.data, labelled, configs, config.labels)
    for example in labelled.examples:
        tokens = tokenize(example.text, tokenizer)
        found.in_data.update(span.label for span in example.spans)
        if not len(tokens):
            found.remarks.add("text without a token, left out", example.id)
        n_read = min(task.first_tokens or len(tokens), len(tokens))
        for span in example.spans:
            where = f"{example.id}: {span.label} {example.text[span.start : span.end][:80]!r} at {span.start}"
            first, last = token_range(tokens, span.start, span.end)
            if first == last:
                found.remarks.add("span without a word, not learned", where)
            elif first >= n_read:
                found.chosen.add("span after `first_tokens`, not learned", where)
            else:
                found.learned[span.label] += 1
    return found


# ---------------------------------------------------------------------------------------------------------- evaluation


def score_spans(pipeline: Reads, heads: Sequence[str], views: Sequence[View], labels: set[str]) -> list[ClauseResult]:
    """Results by label as in CUAD: a span is correct if it shares half of the words with an annotated one."""
    predictions = pipeline.pipe((view.document for view in views), tasks=heads, min_score=0.0)
    return [_result(view.example, p.spans, labels) for view, p in zip(views, predictions, strict=True)]


def _result(example: Example, found: Sequence[Entity], labels: set[str]) -> ClauseResult:
    result = ClauseResult()
    for label in sorted(labels):
        golds = list(dict.fromkeys(example.text[s.start : s.end] for s in example.spans if s.label == label))
        pairs = [(span.text, span.score) for span in found if span.label == label]
        result += clause_result(label, pairs, golds, rated=None)
    return result


def span_trials(pipeline: Reads, head: str, example: Example, labels: set[str]) -> Iterator[Trial]:
    """Score of each span, and whether it shares half of the words with an annotated one of its label."""
    (prediction,) = pipeline.pipe([Document.from_text(example.text, name=example.id)], tasks=[head], min_score=0.0)
    golds: dict[str, list[str]] = {}
    for span in example.spans:
        golds.setdefault(span.label, []).append(example.text[span.start : span.end])
    for found in prediction.spans:
        if found.label in labels:
            in_parts = found.label == NAMES_IN_PARTS
            correct = is_clause(found.text, golds.get(found.label, []), parts_count=in_parts)
            yield Trial(found.score, correct, found.label)


def module() -> type[SpansHead]:
    """The class of its module, with which torch is imported."""
    from longdoc.heads.modules import SpansHead

    return SpansHead


SPANS = HeadKind(
    config=SpansConfig,
    module=module,
    build=lambda config, width, embeddings: module()(width, len(config.labels)),
    decode=decode,
    finds="spans",
    groups=span_groups,
    targets=span_targets,
    learnable=learnable_spans,
    weighs_labels=True,
    scorers={"entities": score_spans},
    trials=span_trials,
)
