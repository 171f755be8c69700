import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from longdoc.labels import Span, decode_tags, encode_bio, tag_names

LABELS = ("PARTY", "DATE")


@st.composite
def words_and_spans(draw):
    """Word offsets with gaps, and spans that cover whole words and touch no other span."""
    lengths = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), max_size=30))
    offsets, position = [], 0
    for gap, length in lengths:
        offsets.append((position + gap, position + gap + length))
        position += gap + length
    spans, first = [], 0
    while first < len(offsets):
        last = first + draw(st.integers(0, 3))
        if draw(st.booleans()) and last < len(offsets):
            spans.append((first, last + 1, draw(st.sampled_from(LABELS))))
        first = last + 1
    return np.array(offsets, dtype=np.int32).reshape(-1, 2), spans


@given(words_and_spans())
def test_encoding_and_decoding_are_inverse(document):
    offsets, token_spans = document
    spans = [Span(int(offsets[a, 0]), int(offsets[b - 1, 1]), label) for a, b, label in token_spans]
    assert decode_tags(encode_bio(spans, offsets, LABELS), LABELS) == token_spans


@given(words_and_spans(), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from([*LABELS, "X"]))))
def test_encoding_equals_its_slow_twin_on_overlapping_spans(document, places):
    offsets, _ = document
    spans = [Span(start, start + length, label) for start, length, label in places]
    tags = encode_bio(spans, offsets, LABELS)
    assert [tag_names(LABELS)[tag] for tag in tags] == reference.encode_bio(spans, offsets.tolist(), LABELS)


def test_a_continuation_without_a_beginning_starts_a_span():
    tags = np.array([2, 2, 4, 0, 2, 1])  # I-PARTY I-PARTY I-DATE O I-PARTY B-PARTY
    assert decode_tags(tags, LABELS) == [(0, 2, "PARTY"), (2, 3, "DATE"), (4, 5, "PARTY"), (5, 6, "PARTY")]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 3), (4, 2)])
def test_an_impossible_span_is_refused(start, end):
    with pytest.raises(ValueError, match=f"start={start}, end={end}"):
        Span(start, end, "PARTY")
