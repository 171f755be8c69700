"""Additive counts, and the ratios derived from them. Merge documents, windows or workers with ``+``."""

from longdoc.metrics.answers import AnswerCounts, answer_counts, best_threshold, exact_match, normalize_answer, token_f1
from longdoc.metrics.calibration import Reliability, reliability
from longdoc.metrics.classes import ClassCounts, class_counts
from longdoc.metrics.clauses import NAMES_IN_PARTS, ClauseResults, clause_results, is_clause, jaccard
from longdoc.metrics.counts import Bits, Counts, SpanKey, add_counts, macro_f1, micro, span_counts
from longdoc.metrics.ranking import RankingSums, ranking_sums

__all__ = [
    "NAMES_IN_PARTS",
    "AnswerCounts",
    "Bits",
    "ClassCounts",
    "ClauseResults",
    "Counts",
    "RankingSums",
    "Reliability",
    "SpanKey",
    "add_counts",
    "answer_counts",
    "best_threshold",
    "class_counts",
    "clause_results",
    "exact_match",
    "is_clause",
    "jaccard",
    "macro_f1",
    "micro",
    "normalize_answer",
    "ranking_sums",
    "reliability",
    "span_counts",
    "token_f1",
]
