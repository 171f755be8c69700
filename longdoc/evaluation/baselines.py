"""What a result must beat: the majority class, rules alone, the start of each document alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from longdoc.datasets import Example
from longdoc.datasets.views import View
from longdoc.evaluation.scoring import score
from longdoc.heads.ner import score_entities
from longdoc.metrics import class_counts
from longdoc.metrics.results import ClassResult, InferenceResult, Result, total
from longdoc.pipeline import Pipeline
from longdoc.rules import RULES
from longdoc.windows import tokenize

LENGTH = 512
"""Tokens of a truncated document."""
HEAD, TAIL = 256, 254
"""Tokens at the start and the end of a document that are read (Sun et al., 2019, arXiv:1905.05583)."""
TRUNCATED = f"first {LENGTH} tokens"
BOTH_ENDS = f"first {HEAD} + last {TAIL} tokens"
MAJORITY = "majority class"
ONLY_RULES = "rules"


def baselines_of(
    pipeline: Pipeline, kind: str, examples: Sequence[Example], labels: set[str], results: Sequence[Result]
) -> dict[str, Result]:
    """Results by name of the baseline.

    Args:
        pipeline: the pipeline to evaluate.
        kind: what the data annotates.
        examples: the documents.
        labels: as for ``score``.
        results: results of the whole documents, reused for documents too short to be truncated.
    """
    found: dict[str, Result] = {}
    if kind in ("classes", "inferences"):
        found[MAJORITY] = majority(kind, examples)
    if kind == "entities" and pipeline.rules is not None and labels & set(pipeline.rules.labels):
        found[ONLY_RULES] = total(score_entities(pipeline, [RULES], [View(example) for example in examples], labels))
    for name, cut in ((TRUNCATED, truncated), (BOTH_ENDS, both_ends)):
        found[name] = _read_in_part(pipeline, kind, examples, labels, (cut, results))
    return found


def majority(kind: str, examples: Sequence[Example]) -> Result:
    """The most frequent classes of the data, predicted for every document."""
    gold: list[tuple[str, ...]]
    if kind == "inferences":
        gold = [(question.label,) if question.label else () for e in examples for question in e.questions]
    else:
        gold = [tuple(sorted(example.labels)) for example in examples]
    common = Counter(gold).most_common(1)[0][0]
    of_kind = InferenceResult if kind == "inferences" else ClassResult
    return total([of_kind(classes=class_counts(common, right)) for right in gold])


def truncated(example: Example, pipeline: Pipeline) -> View:
    """The start of a document."""
    offsets = tokenize(example.text, pipeline.readers[0].scorer.tokenizer).offsets
    return View(example, int(offsets[LENGTH - 1, 1])) if len(offsets) > LENGTH else View(example)


def both_ends(example: Example, pipeline: Pipeline) -> View:
    """The start and the end of a document."""
    offsets = tokenize(example.text, pipeline.readers[0].scorer.tokenizer).offsets
    if len(offsets) <= HEAD + TAIL:
        return View(example)
    return View(example, int(offsets[HEAD - 1, 1]), int(offsets[-TAIL, 0]))


def _read_in_part(
    pipeline: Pipeline,
    kind: str,
    examples: Sequence[Example],
    labels: set[str],
    known: tuple[Callable[[Example, Pipeline], View], Sequence[Result]],
) -> Result:
    cut, results = known
    views = [cut(example, pipeline) for example in examples]
    shorter = [view for view in views if view.head is not None]
    again = iter(score(pipeline, kind, shorter, labels) if shorter else [])
    pairs = zip(views, results, strict=True)
    return total([result if view.head is None else next(again) for view, result in pairs])
