"""What a result has to be better than: the commonest class, rules alone, the beginning of a document alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from longdoc.datasets import Example
from longdoc.evaluation.results import ClassResult, InferenceResult, Kind, Result, total
from longdoc.evaluation.scoring import View, score, tagged
from longdoc.metrics import class_counts
from longdoc.pipeline import RULES, Pipeline
from longdoc.windows import tokenize

LENGTH = 512
"""Tokens of a truncated document."""
HEAD, TAIL = 256, 254
"""Tokens of the beginning and of the end of a document read by these (Sun et al., 2019, arXiv:1905.05583)."""
TRUNCATED = f"first {LENGTH} tokens"
BOTH_ENDS = f"first {HEAD} + last {TAIL} tokens"
MAJORITY = "majority class"
ONLY_RULES = "rules"


def baselines_of(
    pipeline: Pipeline, kind: Kind, examples: Sequence[Example], labels: set[str], results: Sequence[Result]
) -> dict[str, Result]:
    """Results by the name of the baseline.

    Args:
        pipeline: what reads.
        kind: what to score.
        examples: the documents.
        labels: as for ``score``.
        results: those of the whole documents, which serve for documents too short to be cut.
    """
    found: dict[str, Result] = {}
    if kind in ("classes", "inferences"):
        found[MAJORITY] = majority(kind, examples)
    if kind == "entities" and pipeline.rules is not None and labels & set(pipeline.rules.labels):
        found[ONLY_RULES] = total(tagged(pipeline, [View(example) for example in examples], labels, [RULES]))
    for name, cut in ((TRUNCATED, truncated), (BOTH_ENDS, both_ends)):
        found[name] = _read_in_part(pipeline, kind, examples, labels, (cut, results))
    return found


def majority(kind: Kind, examples: Sequence[Example]) -> Result:
    """The commonest classes of the data itself, for all of it."""
    gold: list[tuple[str, ...]]
    if kind == "inferences":
        gold = [(question.label,) if question.label else () for e in examples for question in e.questions]
    else:
        gold = [tuple(sorted(example.labels)) for example in examples]
    common = Counter(gold).most_common(1)[0][0]
    of_kind = InferenceResult if kind == "inferences" else ClassResult
    return total([of_kind(classes=class_counts(common, right)) for right in gold])


def truncated(example: Example, pipeline: Pipeline) -> View:
    """The beginning of a document."""
    offsets = tokenize(example.text, pipeline.readers[0].model.tokenizer).offsets
    return View(example, int(offsets[LENGTH - 1, 1])) if len(offsets) > LENGTH else View(example)


def both_ends(example: Example, pipeline: Pipeline) -> View:
    """The beginning and the end of a document."""
    offsets = tokenize(example.text, pipeline.readers[0].model.tokenizer).offsets
    if len(offsets) <= HEAD + TAIL:
        return View(example)
    return View(example, int(offsets[HEAD - 1, 1]), int(offsets[-TAIL, 0]))


def _read_in_part(
    pipeline: Pipeline,
    kind: Kind,
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
