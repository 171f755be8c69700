import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from longdoc.decode import transitions
from longdoc.labels import PREFIXES, Span, decode_tags, encode_bio, encode_tags, placed_spans, tag_names

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


def merged(token_spans):
    """What ``io`` can express: neighbours of one label are one span."""
    found = []
    for first, last, label in token_spans:
        if found and found[-1][1:] == (first, label):
            found[-1] = (found[-1][0], last, label)
        else:
            found.append((first, last, label))
    return found


@pytest.mark.parametrize("scheme", PREFIXES)
@given(document=words_and_spans())
def test_every_scheme_gives_the_spans_back(scheme, document):
    offsets, token_spans = document
    spans = [Span(int(offsets[a, 0]), int(offsets[b - 1, 1]), label) for a, b, label in token_spans]
    tags = encode_tags(spans, offsets, LABELS, scheme)
    wanted = merged(token_spans) if scheme == "io" else token_spans
    assert decode_tags(tags, LABELS, scheme) == wanted
    assert reference.decode_tags([tag_names(LABELS, scheme)[tag] for tag in tags]) == wanted
    allowed, starts, ends = transitions(len(LABELS), scheme)
    if len(tags):
        assert starts[tags[0]] and ends[tags[-1]] and allowed[tags[:-1], tags[1:]].all(), "decoding allows the tags"


@pytest.mark.parametrize("scheme", PREFIXES)
@given(
    document=words_and_spans(),
    places=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from([*LABELS, "X"]))),
)
def test_every_scheme_equals_its_slow_twin(scheme, document, places):
    """Spans that overlap, are nested, begin or end inside a word, cover only white space or lie beyond the text."""
    offsets, _ = document
    spans = [Span(start, start + length, label) for start, length, label in places]
    tags = [tag_names(LABELS, scheme)[tag] for tag in encode_tags(spans, offsets, LABELS, scheme)]
    assert tags == reference.encode_tags(spans, offsets.tolist(), LABELS, scheme)
    placed = [(first, last, span.label) for first, last, span in placed_spans(spans, offsets, LABELS)]
    assert reference.decode_tags(tags) == (merged(placed) if scheme == "io" else placed)


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("bio", "B-DATE B-PARTY I-PARTY B-PARTY O".split()),
        ("bioes", "S-DATE B-PARTY E-PARTY S-PARTY O".split()),
        ("io", "I-DATE I-PARTY I-PARTY I-PARTY O".split()),
        ("iob1", "I-DATE I-PARTY I-PARTY B-PARTY O".split()),
    ],
)
def test_tags_of_neighbours(scheme, tags):
    offsets = np.array([[0, 4], [5, 9], [10, 14], [15, 19], [20, 24]])
    spans = [Span(0, 4, "DATE"), Span(5, 14, "PARTY"), Span(15, 19, "PARTY")]
    names = tag_names(LABELS, scheme)
    assert [names[tag] for tag in encode_tags(spans, offsets, LABELS, scheme)] == tags


def test_a_continuation_without_a_beginning_starts_a_span():
    tags = np.array([2, 2, 4, 0, 2, 1])  # I-PARTY I-PARTY I-DATE O I-PARTY B-PARTY
    assert decode_tags(tags, LABELS) == [(0, 2, "PARTY"), (2, 3, "DATE"), (4, 5, "PARTY"), (5, 6, "PARTY")]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 3), (4, 2)])
def test_an_impossible_span_is_refused(start, end):
    with pytest.raises(ValueError, match=f"start={start}, end={end}"):
        Span(start, end, "PARTY")
