"""Extractive question answering over windows. Dimensions: see :mod:`longdoc.heads`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from longdoc.datasets import Example, Question, first_wordings
from longdoc.datasets.views import View
from longdoc.decode import Calibration, ScoredAnswer, decode_answers, deduplicate, in_words
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.findings import WindowScores, place, trimmed
from longdoc.heads.kind import DecodeOptions, HeadKind, Reads, Trial
from longdoc.heads.learning import Group, group_numbers
from longdoc.heads.questions import learnable_questions, question_groups
from longdoc.inputs import Batch
from longdoc.labels import Answer, Span
from longdoc.metrics import answer_counts, exact_match, reliability, token_f1
from longdoc.metrics.results import AnswerResult, ClauseResult, clause_result
from longdoc.windows import WindowConfig, word_starts

if TYPE_CHECKING:
    from longdoc.heads.modules import QaHead

CLAUSES = 20
"""Answers to a category that are scored, as in CUAD's script."""
CORRECT_OVERLAP = 0.5
"""Jaccard overlap in characters from which on an answer counts as correct for calibration; so does one that contains a
correct answer whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QaConfig:
    """Extractive question answering."""

    kind: Literal["qa"] = "qa"
    windows: WindowConfig = field(default_factory=lambda: WindowConfig(size=384, overlap=128))
    """Windows for questions. An answer no longer than the overlap lies entirely within at least one window."""
    max_answer_tokens: int = 256
    """Maximum length of an answer."""
    n_best: int = 20
    """Starts and ends considered in each window."""
    min_score: float = 0.5
    """Threshold of an answer's calibrated score, fitted by ``longdoc calibrate``."""
    min_shown: float = 0.005
    """Score from which :meth:`longdoc.pipeline.Pipeline.ask` shows an answer, to be checked if it is low."""
    calibration: Calibration = field(default_factory=Calibration)
    """How scores become probabilities; fitted by ``longdoc calibrate``."""

    def __post_init__(self) -> None:
        if self.max_answer_tokens < 1 or self.n_best < 1:
            raise ConfigError(
                f"max_answer_tokens and n_best must be at least 1; got {self.max_answer_tokens}, {self.n_best}"
            )


def decode(scores: WindowScores, head: str, config: QaConfig, options: DecodeOptions) -> list[Answer]:
    """Decodes the answers to one question, best first; none if no answer reaches the threshold.

    An answer that would begin or end inside a word has the whole word.
    """
    document, offsets = scores.document, scores.tokens.offsets
    threshold = config.min_score if options.min_score is None else options.min_score
    candidates = decode_answers(
        scores.scores,
        scores.windows,
        len(scores.tokens),
        n_best=config.n_best,
        max_tokens=config.max_answer_tokens,
    )

    def range_of(answer: ScoredAnswer) -> tuple[int, int]:
        return trimmed(document.text, int(offsets[answer.first, 0]), int(offsets[answer.last, 1]))

    starts = np.append(word_starts(scores.tokens.words), len(scores.tokens))
    likely = [in_words(a, starts) for a in candidates if config.calibration.probability(a.score) >= threshold]
    kept = deduplicate(likely, lambda answer: document.text[slice(*range_of(answer))], options.top_k)
    return [
        Answer(
            question=scores.question or "",
            score=config.calibration.probability(answer.score),
            **place(document, *range_of(answer)),
        )
        for answer in kept
    ]


def answer_targets(
    groups: Sequence[Group], batch: Batch[Any], configs: Mapping[str, QaConfig]
) -> dict[str, dict[str, Any]]:
    """Arguments of ``QaHead.loss``: correct starts and ends, bool ``(B, T)``; the first position if there is none."""
    content = batch.content_mask
    starts, ends = np.zeros_like(content), np.zeros_like(content)
    row = 0
    for group in groups:
        spans = group.targets["spans"]
        for window in spans:
            starts[row, window[:, 0] + batch.firsts[row]] = True
            ends[row, window[:, 1] + batch.firsts[row]] = True
            row += 1
        if not any(map(len, spans)):
            starts[row - len(spans) : row, 0] = ends[row - len(spans) : row, 0] = True
    allowed = content.copy()
    allowed[:, 0] = True
    (head,) = configs
    return {head: {"allowed": allowed, "starts": starts, "ends": ends, "groups": group_numbers(groups)}}


# ---------------------------------------------------------------------------------------------------------- evaluation


def score_answers(pipeline: Reads, heads: Sequence[str], views: Sequence[View], labels: set[str]) -> list[AnswerResult]:
    """Counts as in SQuAD 2.0; an answer at least half of whose words match counts as correct for calibration.

    Calibration is measured on the best answer to every question, above the threshold or not.
    """
    return [_answer_result(pipeline, heads[0], view) for view in views]


def _answer_result(pipeline: Reads, head: str, view: View) -> AnswerResult:
    result, threshold = AnswerResult(), pipeline.heads[head].min_score
    for question, best in _best_answers(pipeline, head, view.document, view.example.questions, 1):
        golds = _golds(view.example, question)
        given = next((answer.text for answer in best if answer.score >= threshold), "")
        correct = [_is_correct(answer.text, golds) for answer in best]
        scored = reliability([answer.score for answer in best], correct)
        result += AnswerResult(scored, answer_counts(given, golds))
    return result


def _best_answers(
    pipeline: Reads, head: str, document: Document, questions: Sequence[Question], top_k: int
) -> Iterator[tuple[Question, list[Answer]]]:
    """Each question with its best answers in the whole document, however unlikely."""
    texts = [question.text for question in questions]
    found = pipeline.ask(document, texts, top_k=top_k, min_score=0.0, head=head, windows=None)
    return zip(questions, found, strict=True)


def _golds(example: Example, question: Question) -> list[str]:
    return list(dict.fromkeys(example.text[span.start : span.end] for span in question.answers))


def _is_correct(text: str, golds: Sequence[str]) -> bool:
    return bool(golds) and (exact_match(text, golds) == 1 or token_f1(text, golds) >= 0.5)


def score_clauses(pipeline: Reads, heads: Sequence[str], views: Sequence[View], labels: set[str]) -> list[ClauseResult]:
    """Results by category as in CUAD; only the first wording of a category is asked.

    Calibration is measured on the best answer to each question, correct if it matches a clause.
    """
    return [_clause_result(pipeline, heads[0], view) for view in views]


def _clause_result(pipeline: Reads, head: str, view: View) -> ClauseResult:
    result = ClauseResult()
    questions = first_wordings(view.example.questions)
    for question, best in _best_answers(pipeline, head, view.document, questions, CLAUSES):
        category, golds = question.category or question.text, _golds(view.example, question)
        pairs = [(answer.text, answer.score) for answer in best]
        result += clause_result(category, pairs, golds, rated=1)
    return result


def answer_trials(pipeline: Reads, head: str, example: Example, labels: set[str]) -> Iterator[Trial]:
    """Score of the best answer to each question, and whether it overlaps or contains a correct one."""
    document = Document.from_text(example.text, name=example.id)
    for question, best in _best_answers(pipeline, head, document, example.questions, 1):
        for answer in best:
            yield Trial(answer.score, any(_has(answer, gold) for gold in question.answers))


def _has(answer: Answer, gold: Span) -> bool:
    """Whether an answer overlaps a correct one, or contains it."""
    inside = min(answer.end, gold.end) - max(answer.start, gold.start)
    around = max(answer.end, gold.end) - min(answer.start, gold.start)
    return inside >= CORRECT_OVERLAP * around or inside == gold.end - gold.start


def module() -> type[QaHead]:
    """The class of its module, with which torch is imported."""
    from longdoc.heads.modules import QaHead

    return QaHead


QA = HeadKind(
    config=QaConfig,
    module=module,
    build=lambda config, width, embeddings: module()(width),
    decode=decode,
    groups=question_groups,
    targets=answer_targets,
    learnable=learnable_questions,
    scorers={"answers": score_answers, "clauses": score_clauses},
    trials=answer_trials,
)
