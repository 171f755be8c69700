import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from longdoc.decode import ScoredSpan, best_tags, decode_answers, transitions, without_overlap
from longdoc.errors import ConfigError
from longdoc.labels import decode_tags, tag_names
from longdoc.windows import merge_weights, split

LABELS = ("A", "B")


@pytest.mark.parametrize("scheme", ["bio", "bioes", "io"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n_words=st.integers(1, 4), sharpness=st.sampled_from([0.3, 1.0, 4.0]))
def test_the_best_allowed_sequence_is_found(scheme, seed, n_words, sharpness):
    names = tag_names(LABELS, scheme)
    logits = np.random.default_rng(seed).normal(size=(n_words, len(names))) * sharpness
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = best_tags(probabilities.copy(), len(LABELS), scheme)
    total = math.fsum(math.log(probabilities[i, tag]) for i, tag in enumerate(found))
    assert total == pytest.approx(reference.best_tags(probabilities.tolist(), names))


@pytest.mark.parametrize("scheme", ["bio", "bioes", "io"])
@pytest.mark.parametrize("seed", range(6))
def test_long_texts_in_stretches_equal_one_search_over_all(scheme, seed):
    rng = np.random.default_rng(seed)
    width = len(tag_names(LABELS, scheme))
    probabilities = rng.dirichlet(np.full(width, rng.choice([0.05, 0.3, 1.0])), size=400)
    allowed, starts, ends = transitions(len(LABELS), scheme)
    best = np.where(starts, np.log(np.maximum(probabilities[0], 1e-30)), -np.inf)
    for row in probabilities[1:]:
        best = (best[:, None] + np.where(allowed, 0, -np.inf)).max(axis=0) + np.log(np.maximum(row, 1e-30))
    tags = best_tags(probabilities, len(LABELS), scheme)
    assert starts[tags[0]] and ends[tags[-1]] and allowed[tags[:-1], tags[1:]].all()
    total = np.log(np.maximum(probabilities[np.arange(400), tags], 1e-30)).sum()
    assert total == pytest.approx(best[ends].max())
    assert scheme == "io" or (probabilities.argmax(axis=1) != tags).any(), "some stretch must have needed a search"


def test_bioes_and_io_tags_become_spans():
    names = tag_names(LABELS, "bioes")
    tags = np.array([names.index(t) for t in ("B-A", "I-A", "E-A", "S-A", "S-B", "O", "B-B", "E-B")])
    assert decode_tags(tags, LABELS, "bioes") == [(0, 3, "A"), (3, 4, "A"), (4, 5, "B"), (6, 8, "B")]
    assert decode_tags(np.array([1, 1, 2, 0, 2]), LABELS, "io") == [(0, 2, "A"), (2, 3, "B"), (4, 5, "B")]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), n_tokens=st.integers(1, 60), size=st.integers(3, 20), share=st.floats(0, 0.9))
def test_answers_are_those_of_the_reference_code(seed, n_tokens, size, share):
    rng = np.random.default_rng(seed)
    windows = split(n_tokens, size=size, overlap=int(share * (size - 1)))
    spans = [(w.start, w.end, n_tokens) for w in windows]
    scores, features = [], []
    for number, window in enumerate(windows):
        logits, null = rng.normal(size=(len(window), 2)), rng.normal(size=2)
        scores.append(np.column_stack([logits, np.full(len(window), null.sum())]))
        inside = range(window.start, window.end)
        owned = [False, *(reference.max_context(spans, token) == number for token in inside)]
        # Positions outside the text come last in the reference's ranking, as with a trained model.
        starts, ends = [-99.0, *logits[:, 0]], [-99.0, *logits[:, 1]]
        features.append((starts, ends, [None, *inside], owned, null.sum()))
    answers = decode_answers(scores, windows, n_tokens, n_best=20, max_tokens=7)
    best, _ = reference.squad_answer([f[:4] for f in features], 20, 7)
    null = min(f[4] for f in features)
    assert (best is None) == (not answers)
    if answers:
        assert (answers[0].first, answers[0].last) == best[1:]
        starts = {w.start + i: s[i, 0] for w, s in zip(windows, scores, strict=True) for i in range(len(w))}
        assert starts
        owner = reference.max_context(spans, answers[0].first)
        own, row = windows[owner], scores[owner]
        raw = row[answers[0].first - own.start, 0] + row[answers[0].last - own.start, 1]
        assert answers[0].score == pytest.approx(raw - null)
    owned = merge_weights(windows, n_tokens, "most central")
    assert sum(w.sum() for w in owned) == n_tokens


def test_overlaps_are_resolved_by_policy_and_the_policy_is_checked():
    long, sure, apart = ScoredSpan(0, 9, "A", 0.6), ScoredSpan(4, 8, "B", 0.9), ScoredSpan(10, 12, "A", 0.5)
    assert without_overlap([long, sure, apart], "all") == [long, sure, apart]
    assert without_overlap([long, sure, apart], "longest") == [long, apart]
    assert without_overlap([long, sure, apart], "best") == [sure, apart]
    with pytest.raises(ConfigError, match="longest"):
        without_overlap([long], "shortest")
