import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, ndcg_score, precision_recall_fscore_support

import reference_metrics as published
from longdoc.metrics import (
    AnswerCounts,
    ClassCounts,
    ClauseResults,
    RankingSums,
    Reliability,
    answer_counts,
    best_threshold,
    class_counts,
    clause_results,
    exact_match,
    jaccard,
    normalize_answer,
    ranking_sums,
    reliability,
    token_f1,
)

WORDS = st.sampled_from(["the", "a", "an", "law", "of", "Ohio", "Ohio.", "U.S.", "ıß", "—", "10%", "", "A"])
TEXT = st.lists(WORDS, max_size=5).map(" ".join) | st.text(max_size=12)


@settings(max_examples=300, deadline=None)
@given(prediction=TEXT, golds=st.lists(TEXT, max_size=3))
def test_answers_score_as_in_the_published_script(prediction, golds):
    exact, f1 = published.squad_scores(golds, prediction)
    assert normalize_answer(prediction) == published.squad_normalize(prediction)
    assert (exact_match(prediction, golds), token_f1(prediction, golds)) == (exact, f1)
    counts = answer_counts(prediction, golds)
    assert (counts.exact, counts.f1) == (exact, pytest.approx(f1))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.0, 0.5, 1.0]), st.booleans()), min_size=1, max_size=12)
)
def test_the_best_threshold_is_the_scripts(questions):
    scores = [score + index / 100 for index, (score, _, _) in enumerate(questions)]  # distinct
    credits = [credit if has else 0.0 for _, credit, has in questions]
    has = [has for _, _, has in questions]
    keys = range(len(questions))
    best, threshold = published.find_best_thresh(
        dict.fromkeys(keys, "x"), dict(enumerate(credits)), {k: -scores[k] for k in keys}, dict(enumerate(has))
    )
    found, at = best_threshold(scores, credits, has)
    assert found == pytest.approx(best)
    assert at == (-threshold if threshold else np.inf)


QUESTIONS = st.lists(
    st.tuples(
        st.lists(st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(len), max_size=3),
        st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), st.floats(0, 1)), max_size=4),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(questions=QUESTIONS, parts_count=st.booleans())
def test_clauses_score_as_in_the_published_script(questions, parts_count):
    results = sum((clause_results(p, g, parts_count=parts_count) for g, p in questions), ClauseResults())
    for golds, predictions in questions:
        for gold in golds:
            for text, _ in predictions:
                assert jaccard(text, gold) == published.get_jaccard(text, gold)
    curve = published.cuad_curve(questions, parts_count)
    assert results.aupr == pytest.approx(published.cuad_aupr(*curve))
    for recall in (0.5, 0.8, 0.9):
        assert results.precision_at_recall(recall) == pytest.approx(published.cuad_precision_at(*curve, recall))


@pytest.mark.parametrize("several", [False, True])
def test_classes_score_as_in_scikit_learn(several):
    rng = np.random.default_rng(0)
    names = np.array(["a", "b", "c", "d"])
    gold, found = (rng.random((60, 4)) < 0.4 if several else np.eye(4)[rng.integers(0, 3, 60)] > 0 for _ in range(2))
    counts = sum((class_counts(names[f], names[g]) for f, g in zip(found, gold, strict=True)), ClassCounts())
    assert counts.accuracy == pytest.approx(accuracy_score(gold, found))
    used = np.flatnonzero(gold.any(axis=0) | found.any(axis=0)).tolist()
    for average, ours in (("micro", counts.micro.f1), ("macro", counts.macro_f1)):
        *_, f1, _ = precision_recall_fscore_support(gold, found, labels=used, average=average, zero_division=0)
        assert ours == pytest.approx(f1)


def test_rankings_score_as_in_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        relevance, scores = rng.integers(0, 3, 12), rng.random(12)
        ranked = relevance[np.argsort(-scores)]
        sums = ranking_sums(ranked.tolist(), ideal=relevance.tolist(), k=5)
        assert sums.ndcg == pytest.approx(ndcg_score([relevance], [scores], k=5))
    assert sum([ranking_sums([0, 0, 1], 1), ranking_sums([0], 1)], RankingSums()).mrr == pytest.approx(1 / 6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40), st.integers(0, 40))
def test_the_calibration_error_is_its_definition_and_adds(findings, cut):
    scores, right = [f[0] for f in findings], [f[1] for f in findings]
    whole = reliability(scores, right)
    error = 0.0
    for low in range(15):
        inside = [(s, r) for s, r in findings if min(int(s * 15), 14) == low]
        if inside:
            error += abs(sum(s for s, _ in inside) - sum(r for _, r in inside)) / len(findings)
    assert whole.expected_calibration_error == pytest.approx(error)
    halves = reliability(scores[:cut], right[:cut]) + reliability(scores[cut:], right[cut:])
    assert halves.counts == whole.counts and halves.expected_calibration_error == pytest.approx(error)
    assert Reliability() + whole == whole


def test_answer_counts_add_by_kind_of_question():
    counts = sum(
        (answer_counts(*pair) for pair in [("Ohio", ["Ohio"]), ("x", ["y"]), ("", []), ("x", [])]), AnswerCounts()
    )
    assert (counts.has_answer_exact, counts.no_answer, counts.exact, counts.total) == (0.5, 0.5, 0.5, 4)
