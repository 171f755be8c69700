"""Named entities: a linear tagger, decoded by Viterbi search. Dimensions: see :mod:`longdoc.heads`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from tokenizers import Tokenizer

from longdoc.datasets import Example, check_overlaps, misaligned_in, read_labelled
from longdoc.datasets.views import View
from longdoc.decode import Calibration, Subwords, decode_entities, drop_late_mentions, log_odds
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.findings import WindowScores, place
from longdoc.heads.kind import DecodeOptions, HeadKind, Reads, Trial
from longdoc.heads.learnable import Learnable, check_known
from longdoc.heads.learning import IGNORED, Group, TaskConfig, passes_over
from longdoc.inputs import Batch, SpecialTokens, Template
from longdoc.labels import (
    Entity,
    Scheme,
    check_labels,
    encode_tags,
    overlapping,
    placed_spans,
    tag_names,
)
from longdoc.metrics import reliability, span_counts
from longdoc.metrics.results import EntityResult
from longdoc.prediction import Prediction
from longdoc.windows import sentence_starts, split_with_random_lead, tokenize, word_offsets, word_starts

if TYPE_CHECKING:
    from longdoc.heads.modules import NerHead

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NerConfig:
    """Entities of one family of labels, which do not overlap."""

    kind: Literal["ner"] = "ner"
    labels: tuple[str, ...]
    """Labels in the order of the head's output."""
    scheme: Scheme = "bio"
    """How entities are tagged: ``bio`` marks their first words, ``bioes`` also their last, ``io`` neither, so that
    those of a label that touch are one; ``iob1`` marks first words only where entities touch."""
    subwords: Subwords = "mean"
    """How the scores of a word's tokens are combined."""
    introduced: dict[str, int] = field(default_factory=dict)
    """Late-mention filter: a label and the number of characters at the start of a document within which a name must
    first be mentioned, if any name of that label is: those that come later are left out."""
    calibration: Calibration = field(default_factory=Calibration)
    """How scores become probabilities; fitted by ``longdoc calibrate``."""

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if unknown := set(self.introduced) - set(self.labels):
            raise ConfigError(f"introduced names {', '.join(sorted(unknown))}; the head has {', '.join(self.labels)}")


def decode(scores: WindowScores, head: str, config: NerConfig, options: DecodeOptions) -> list[Entity]:
    """Decodes the entities of a document, once, from the merged scores of its windows."""
    text = scores.document.text
    found = decode_entities(
        scores.merged(), scores.tokens, config.labels, text, scheme=config.scheme, subwords=config.subwords
    )
    entities = [
        Entity(
            label=span.label,
            score=config.calibration.probability(log_odds(span.score)),
            source=head,
            **place(scores.document, span.start, span.end),
        )
        for span in drop_late_mentions(found, text, config.introduced)
    ]
    return [e for e in entities if options.min_score is None or e.score >= options.min_score]


# ------------------------------------------------------------------------------------------------------------ training


@dataclass(frozen=True, slots=True)
class TaggedTokens:
    """A tokenised document: ids int ``(T,)``, preferred cut points int ``(N,)``, tags by head int64 ``(T,)``."""

    name: str
    ids: np.ndarray
    cuts: np.ndarray
    tags: dict[str, np.ndarray]


def tag_document(example: Example, configs: Mapping[str, NerConfig], tokenizer: Tokenizer) -> TaggedTokens:
    """Gives every token the tag of its word."""
    tokens = tokenize(example.text, tokenizer)
    lengths = np.diff(word_starts(tokens.words), append=len(tokens))
    words = word_offsets(tokens)
    tags = {
        name: np.repeat(encode_tags(example.spans, words, config.labels, config.scheme), lengths)
        for name, config in configs.items()
    }
    return TaggedTokens(example.id, tokens.ids, sentence_starts(example.text, tokens.offsets), tags)


def entity_groups(
    task: TaskConfig,
    configs: Mapping[str, NerConfig],
    tokenizer: Tokenizer,
    template: Template,
    rng: np.random.Generator,
) -> Iterator[Group]:
    """Windows of ``task.passes`` passes over the data set. Each pass cuts the documents at different points.

    Raises:
        DataError: the data set has labels that none of the heads has, or spans of one head overlap.
    """
    examples = read_labelled(task.data).examples
    _check(examples, task, configs)
    documents = [tag_document(example, configs, tokenizer) for example in examples]
    for document in passes_over(documents, task.passes, rng):
        yield from _cut(document, task, template.plain, rng)


def _check(examples: Sequence[Example], task: TaskConfig, configs: Mapping[str, NerConfig]) -> None:
    """Raises an error for spans that cannot be learned."""
    known = [label for config in configs.values() for label in config.labels]
    check_known(examples, task.data.files, [*configs], known)
    if task.nested == "refuse":
        for config in configs.values():
            check_overlaps(examples, config.labels)


def learnable_entities(
    task: TaskConfig, configs: Mapping[str, NerConfig], tokenizer: Tokenizer, template: Template
) -> Learnable:
    """Counts the spans that are learned and those that are not; warns of those that cut a word.

    Raises:
        DataError: as for :func:`entity_groups`.
    """
    labelled = read_labelled(task.data)
    _check(labelled.examples, task, configs)
    known = dict.fromkeys(label for config in configs.values() for label in config.labels)
    found = Learnable.of(task.data, labelled, configs, known)
    n_spans, cutting = 0, []
    for example in labelled.examples:
        tokens = tokenize(example.text, tokenizer)
        words = word_offsets(tokens)
        n_read = min(task.first_tokens or len(tokens), len(tokens))
        limit = int(tokens.offsets[n_read - 1, 1]) if n_read < len(tokens) else len(example.text)
        cutting += [each for each in misaligned_in(example, words) if each.words]
        n_spans += len(example.spans)
        found.in_data.update(span.label for span in example.spans)
        if not len(tokens):
            found.remarks.add("text without a token, left out", example.id)
        for config in configs.values():
            _count(example, words, config, found, limit=limit, nested=task.nested)
    if cutting:
        message = "%s: %d of %d spans start or end inside a word; the first: %s"
        logger.warning(message, found.files, len(cutting), n_spans, cutting[0])
    return found


def _count(
    example: Example, words: np.ndarray, config: NerConfig, found: Learnable, *, limit: int, nested: str
) -> None:
    """Counts the spans of one head in one document, of which only the characters before ``limit`` are learned from."""
    placed = placed_spans(example.spans, words, config.labels)
    kept = {span for _, _, span in placed}
    for span in dict.fromkeys(span for span in example.spans if span.label in config.labels):
        where = f"{example.id}: {span.label} {example.text[span.start : span.end]!r} at {span.start}-{span.end}"
        first, last = overlapping(words, span.start, span.end)
        if span.start >= limit:
            found.chosen.add("span after `first_tokens`, not learned", where)
        elif span in kept:
            found.learned[span.label] += 1
        elif first == last:
            found.remarks.add("span without a word, not learned", where)
        else:
            noted = found.chosen if nested == "longest" else found.remarks
            noted.add("span that shares a word with a longer one, not learned", where)
    if config.scheme == "io":
        for (_, end, left), (start, _, right) in pairwise(placed):
            if end == start and left.label == right.label:
                where = f"{example.id}: {right.label} {example.text[left.start : right.end]!r}"
                found.remarks.add("span beside one of its label, learned as one since `scheme` is io", where)


def _cut(document: TaggedTokens, task: TaskConfig, special: SpecialTokens, rng: np.random.Generator) -> Iterator[Group]:
    n_tokens = min(len(document.ids), task.first_tokens or len(document.ids))
    for window in split_with_random_lead(
        n_tokens, size=task.window - len(special), overlap=task.overlap, cuts=document.cuts, rng=rng
    ):
        tags = {head: tag[window.start : window.end] for head, tag in document.tags.items()}
        if rng.random() < task.empty or any(tag.any() for tag in tags.values()):
            targets = {"tags": tags, "unmarked": task.unmarked}
            yield Group(task, document.name, (document.ids[window.start : window.end],), special, targets)


def entity_targets(
    groups: Sequence[Group], batch: Batch[Any], configs: Mapping[str, NerConfig]
) -> dict[str, dict[str, Any]]:
    """Arguments of ``NerHead.loss`` by head: tags, int64 ``(B, T)``."""
    targets = {}
    for head in configs:
        tags = np.full(batch.content_mask.shape, IGNORED, dtype=np.int64)
        for row, first, group in zip(tags, batch.firsts, groups, strict=True):
            found = group.targets["tags"][head]
            row[first : first + len(found)] = found
        labels = [tag[2:] or tag for tag in tag_names(configs[head].labels, configs[head].scheme)]
        weights = groups[0].task.weights_of(labels)
        targets[head] = {"tags": tags, "unmarked": groups[0].targets["unmarked"], "weights": weights}
    return targets


# ---------------------------------------------------------------------------------------------------------- evaluation


def score_entities(
    pipeline: Reads, heads: Sequence[str], views: Sequence[View], labels: set[str]
) -> list[EntityResult]:
    """Counts exact spans of these labels, and whether the scores of entities are calibrated.

    ``heads`` may name any tasks of the pipeline that find entities.
    """
    if not heads:
        return [_entity_result(view.example, [], labels) for view in views]
    predictions = pipeline.pipe((view.document for view in views), tasks=heads)
    pairs = zip(views, predictions, strict=True)
    return [_entity_result(view.example, _placed(view, prediction), labels) for view, prediction in pairs]


def _placed(view: View, prediction: Prediction) -> list[Entity]:
    pairs = ((entity, view.place(entity.start, entity.end)) for entity in prediction.entities)
    return [replace(entity, start=place[0], end=place[1]) for entity, place in pairs if place is not None]


def _entity_result(example: Example, found: Sequence[Entity], labels: set[str]) -> EntityResult:
    gold = {(span.start, span.end, span.label) for span in example.spans if span.label in labels}
    kept = [entity for entity in found if entity.label in labels]
    keys = [(entity.start, entity.end, entity.label) for entity in kept]
    scores = [entity.score for entity in kept]
    return EntityResult(reliability(scores, [key in gold for key in keys]), span_counts(gold, keys))


def entity_trials(pipeline: Reads, head: str, example: Example, labels: set[str]) -> Iterator[Trial]:
    """Score of each entity, and whether span and label are exact. Labels that the data does not annotate are left out.

    A name counts once per document, by its best mention: 250 mentions are not 250 independent trials.
    """
    gold = {(span.start, span.end, span.label) for span in example.spans}
    (prediction,) = pipeline.pipe([Document.from_text(example.text, name=example.id)], tasks=[head])
    ascending = sorted(prediction.entities, key=lambda e: e.score)
    for entity in {(e.label, e.text): e for e in ascending}.values():
        if entity.label in labels:
            yield Trial(entity.score, (entity.start, entity.end, entity.label) in gold)


def module() -> type[NerHead]:
    """The class of its module, with which torch is imported."""
    from longdoc.heads.modules import NerHead

    return NerHead


NER = HeadKind(
    config=NerConfig,
    module=module,
    build=lambda config, width, embeddings: module()(width, config),
    decode=decode,
    finds="entities",
    groups=entity_groups,
    targets=entity_targets,
    learnable=learnable_entities,
    learns_together=True,
    weighs_labels=True,
    scorers={"entities": score_entities},
    scored_together=True,
    trials=entity_trials,
)
