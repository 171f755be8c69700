"""What a model says of each window → entities, answers, classes and vectors, each in its place on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from longdoc.decode import ScoredAnswer, apart, decode_answers, decode_entities, introduced
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.heads import ClassifyConfig, EmbedConfig, NerConfig, NliConfig, QaConfig
from longdoc.labels import Answer, Entity, Inference, Label, Span
from longdoc.model import Model
from longdoc.prediction import Gap
from longdoc.reader import Reading
from longdoc.windows import MergeRule, Tokens, unseen

UNKNOWN_TO_TOKENIZER = "characters that the model's tokenizer drops"
MOST_EVIDENCE = 3
"""Sections named as the evidence of an inference."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of the parts of a document: float32 ``(N, D)``, and the half-open character range of each."""

    vectors: np.ndarray
    ranges: tuple[tuple[int, int], ...]


def decode(reading: Reading, name: str, model: Model) -> tuple[list[Entity], list[Label]]:
    """The entities or the classes that a head finds."""
    config, merge = model.config.heads[name], model.config.windows.merge
    if isinstance(config, NerConfig):
        return entities_of(reading, name, config, merge), []
    if not isinstance(config, ClassifyConfig) or not reading.windows:
        return [], []
    labels = labels_of(class_logits(reading, name, model.head(name), merge), name, config)
    labels = [label for label in labels if label.name != config.other]
    if config.unit == "document":
        return [], labels
    start, end = int(reading.tokens.offsets[0, 0]), int(reading.tokens.offsets[-1, 1])
    return [], [label_at(label, reading.document, start, end) for label in labels]


def gaps_of(document: Document, tokens: Sequence[Tokens]) -> tuple[Gap, ...]:
    """The characters that are in none of the tokens."""
    if not tokens:
        return ()
    seen = replace(tokens[0], offsets=np.concatenate([part.offsets for part in tokens]))
    return tuple(Gap(start, end, UNKNOWN_TO_TOKENIZER) for start, end in unseen(document.text, seen))


def place(document: Document, start: int, end: int) -> dict[str, Any]:
    """What an entity and an answer have in common: text, offsets, page, boxes and section."""
    section = document.section_at(start)
    return {
        "text": document.text[start:end],
        "start": start,
        "end": end,
        "page": document.page_at(start).number,
        "boxes": document.locate(start, end),
        "section": None if section is None else section.number or section.title,
    }


def entities_of(reading: Reading, head: str, config: NerConfig, merge: MergeRule) -> list[Entity]:
    """The entities that one head finds."""
    text = reading.document.text
    found = decode_entities(
        reading.stitched(head, merge),
        reading.tokens,
        config.labels,
        text,
        scheme=config.scheme,
        subwords=config.subwords,
    )
    kept = introduced(found, text, config.introduced)
    return [
        Entity(
            label=span.label,
            score=config.calibration.probability(log_odds(span.score)),
            source=head,
            **place(reading.document, span.start, span.end),
        )
        for span in kept
    ]


def rule_entities(document: Document, spans: Sequence[Span]) -> list[Entity]:
    """Spans found by rules, as entities."""
    return [Entity(label=s.label, score=1.0, source="rules", **place(document, s.start, s.end)) for s in spans]


def log_odds(probability: float) -> float:
    """What a probability of 0..1 is before the sigmoid, within ±16."""
    safe = min(max(probability, 1e-7), 1 - 1e-7)
    return float(np.log(safe / (1 - safe)))


def answers_of(
    reading: Reading,
    head: str,
    config: QaConfig,
    question: str,
    *,
    top_k: int = 1,
    value_of: Callable[[str], Any] | None = None,
) -> list[Answer]:
    """The answers to one question, best first: none where the document does not answer it.

    Args:
        reading: the question's reading, scored.
        head: name of the head.
        config: its configuration.
        question: as asked.
        top_k: at most so many answers.
        value_of: what a text says as a value, or none; an answer that has one goes before those that have none.
    """
    document, offsets = reading.document, reading.tokens.offsets
    scored = decode_answers(
        reading.scores[head],
        reading.windows,
        len(reading.tokens),
        n_best=config.n_best,
        max_tokens=config.max_answer_tokens,
    )

    def range_of(answer: ScoredAnswer) -> tuple[int, int]:
        return _trimmed(document.text, int(offsets[answer.first, 0]), int(offsets[answer.last, 1]))

    def text_of(answer: ScoredAnswer) -> str:
        return document.text[slice(*range_of(answer))]

    likely = [a for a in scored if config.calibration.probability(a.score) >= config.min_score]
    kept = apart(likely, text_of, top_k if value_of is None or top_k > 1 else MOST_EVIDENCE)
    values = {answer: value_of(text_of(answer)) for answer in kept} if value_of is not None else {}
    typed = [answer for answer in kept if values.get(answer) is not None]
    chosen = [*typed, *(answer for answer in kept if answer not in typed)][:top_k]
    return [
        Answer(
            question=question,
            score=config.calibration.probability(answer.score),
            value=values.get(answer),
            **place(document, *range_of(answer)),
        )
        for answer in chosen
    ]


def class_logits(reading: Reading, name: str, head: Any, merge: MergeRule) -> torch.Tensor:
    """Logits ``(L,)`` of all that a reading holds."""
    config = head.config
    by_token = config.over == "tokens"
    rows = reading.stitched(name, merge) if by_token else np.concatenate(reading.scores[name])
    pooled: torch.Tensor = head.pool(torch.from_numpy(rows))
    return pooled


def labels_of(logits: torch.Tensor, name: str, config: ClassifyConfig) -> list[Label]:
    """The likeliest class, or with ``multi_label`` each that is more likely than not, the likeliest first."""
    scaled = (logits - config.calibration.bias) / config.calibration.temperature
    if config.multi_label:
        found = [(label, score) for label, score in zip(config.labels, scaled.sigmoid().tolist(), strict=True)]
        return [Label(name=n, score=s, source=name) for n, s in sorted(found, key=lambda f: -f[1]) if s >= 0.5]
    scores = scaled.softmax(dim=0)
    best = int(scores.argmax())
    return [Label(name=config.labels[best], score=float(scores[best]), source=name)]


def label_at(label: Label, document: Document, start: int, end: int) -> Label:
    """The label of a part of a document."""
    section = document.section_at(start)
    number = None if section is None else section.number or section.title
    return replace(label, start=start, end=end, section=number)


def inference_of(reading: Reading, name: str, head: Any, config: NliConfig, hypothesis: str) -> Inference:
    """What the document makes of a hypothesis, and the parts of it that the model attended to most."""
    logits = class_logits(reading, name, head, config.windows.merge)
    shares = (logits / config.calibration.temperature).softmax(dim=0).tolist()
    scores = dict(zip(config.labels, shares, strict=True))
    label = max(scores, key=lambda key: scores[key])
    evidence: tuple[Answer, ...] = ()
    if config.pooling == "attention" and config.over == "tokens":
        attention = reading.stitched(name, config.windows.merge)[:, -1]
        evidence = _attended(reading, attention, hypothesis)
    return Inference(hypothesis=hypothesis, label=label, score=scores[label], scores=scores, evidence=evidence)


def _attended(reading: Reading, attention: np.ndarray, hypothesis: str) -> tuple[Answer, ...]:
    """The parts of the document (see :func:`parts`) with the largest shares of the attention ``(T,)``."""
    weights = np.exp(attention - attention.max())
    weights /= weights.sum()
    found = []
    for start, end in parts(reading.document, "sentence"):
        first, last = token_range(reading.tokens, start, end)
        found.append((float(weights[first:last].sum()), start, end))
    best = sorted(found, reverse=True)[:MOST_EVIDENCE]
    return tuple(
        Answer(question=hypothesis, score=min(share, 1.0), **place(reading.document, start, end))
        for share, start, end in best
        if share >= 0.05
    )


def vector_of(readings: Sequence[Reading], head: str, config: EmbedConfig) -> np.ndarray:
    """One vector ``(D,)`` for what the windows of the readings hold, weighted by their length."""
    rows = np.concatenate([np.concatenate(reading.scores[head]) for reading in readings])
    lengths = [len(window) + len(reading.frame) for reading in readings for window in reading.windows]
    vector: np.ndarray = np.average(rows, axis=0, weights=lengths)
    return vector / max(float(np.linalg.norm(vector)), 1e-12) if config.normalize else vector


def parts(document: Document, unit: str) -> list[tuple[int, int]]:
    """Half-open ranges of the whole document, of its sections (each up to the next one's start), or its sentences.

    Sentences are cut by spaCy's ``sentencizer`` within each section. White space at the ends is left out.
    """
    if unit not in ("document", "section", "sentence"):
        raise ConfigError(f"unknown unit {unit!r}; allowed: document, section, sentence")
    text = document.text
    borders = [0, len(text)] if unit == "document" else sorted({0, len(text), *(s.start for s in document.sections)})
    ranges = [_trimmed(text, start, end) for start, end in pairwise(borders)]
    ranges = [(start, end) for start, end in ranges if start < end]
    return [piece for start, end in ranges for piece in _sentences(text, start, end)] if unit == "sentence" else ranges


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    import spacy

    nlp = spacy.blank("en")
    nlp.max_length = max(nlp.max_length, end - start)
    nlp.add_pipe("sentencizer")
    found = [
        _trimmed(text, start + sentence.start_char, start + sentence.end_char)
        for sentence in nlp(text[start:end]).sents
    ]
    return [(first, last) for first, last in found if first < last]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return (start + left, start + left + len(piece.strip()))


def token_range(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """The tokens, half-open, that share a character with ``start:end``."""
    first = int(np.searchsorted(tokens.offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(tokens.offsets[:, 0], end, side="left"))
    return first, max(first, last)


def part_of(tokens: Tokens, start: int, end: int) -> Tokens:
    """The tokens that share a character with ``start:end``."""
    first, last = token_range(tokens, start, end)
    return Tokens(tokens.ids[first:last], tokens.offsets[first:last], tokens.words[first:last])
