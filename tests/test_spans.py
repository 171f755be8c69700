"""Spans that may be long and overlap: decoding against the slow twin, targets, and a head that learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from longdoc.decode_spans import SpanRule, decode_spans
from longdoc.errors import ConfigError


@given(st.integers(0, 60), st.integers(1, 4), st.integers(0, 2**32 - 1), st.integers(0, 6), st.booleans())
@settings(max_examples=200, deadline=None)
def test_spans_are_decoded_as_by_the_slow_twin(n_words, n_labels, seed, gap, coarse):
    rng = np.random.default_rng(seed)
    inside, starts = rng.random((n_words, n_labels)) ** 4, rng.random((n_words, n_labels)) ** 2
    if coarse:  # ties and plateaus
        inside, starts = np.round(inside * 4) / 4, np.round(starts * 4) / 4
    rule = SpanRule(floor=0.2, gap=gap, split=0.5, share=0.6)
    found = [(s.first, s.end, s.label, s.score) for s in decode_spans(inside, starts, rule)]
    assert found == reference.spans(inside.tolist(), starts.tolist(), 0.2, gap, 0.5, 0.6)


@pytest.mark.parametrize("wrong", [{"floor": 0}, {"share": 1.5}, {"split": -1}, {"gap": -1}])
def test_a_rule_that_cannot_be_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SpanRule(**wrong)
