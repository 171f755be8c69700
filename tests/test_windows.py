from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import reference
from conftest import make_tokenizer
from longdoc.errors import ConfigError
from longdoc.windows import (
    merge_weights,
    sentence_starts,
    split,
    split_with_random_lead,
    stitch,
    token_range,
    tokenize,
    unseen,
    word_offsets,
    word_starts,
)

RULES = ["first", "mean", "centre", "most central"]


@st.composite
def cut_documents(draw):
    """Length, windows and cuts of a document, down to an empty one and one of a single token."""
    n_tokens = draw(st.integers(0, 300))
    size = draw(st.integers(1, 60))
    overlap = draw(st.integers(0, size - 1))
    cuts = np.array(sorted(draw(st.sets(st.integers(1, 299), max_size=40))), dtype=np.int64)
    return n_tokens, size, overlap, cuts, split(n_tokens, size=size, overlap=overlap, cuts=cuts)


@given(cut_documents())
def test_windows_cover_every_token_in_order_and_none_is_redundant(document):
    n_tokens, size, overlap, _, windows = document
    seen = np.zeros(n_tokens, dtype=int)
    for window in windows:
        assert 0 < len(window) <= size
        seen[window.start : window.end] += 1
    assert (seen > 0).all()
    for before, after in pairwise(windows):
        assert before.start < after.start < before.end + 1
        assert before.end < after.end
        assert before.end - after.start == overlap


@given(cut_documents())
def test_windows_are_cut_at_sentences_where_one_is_near(document):
    _, size, overlap, cuts, windows = document
    slack = (size - overlap) // 8
    for window in windows[:-1]:
        limit = window.start + size
        near = cuts[(cuts >= limit - slack) & (cuts <= limit)]
        assert window.end == (near[-1] if len(near) else limit)


def test_a_document_that_fits_is_one_window():
    assert [(w.start, w.end) for w in split(10, size=10, overlap=3)] == [(0, 10)]
    assert [(w.start, w.end) for w in split(11, size=10, overlap=3)] == [(0, 10), (7, 11)]
    assert split(0, size=10, overlap=3) == []


@given(cut_documents(), st.integers(0, 99))
def test_a_random_lead_moves_the_borders_and_loses_no_token(document, seed):
    n_tokens, size, overlap, cuts, windows = document
    rng = np.random.default_rng(seed)
    moved = split_with_random_lead(n_tokens, size=size, overlap=overlap, rng=rng, cuts=cuts)
    untouched = np.random.default_rng(seed)
    if n_tokens <= size:
        assert moved == windows and rng.random() == untouched.random(), "a document that fits draws nothing"
        return
    lead = int(untouched.integers(0, size - overlap))
    assert [token for window in moved for token in range(window.start, window.end) if token < lead] == [*range(lead)]
    assert max(map(len, moved)) <= size
    rest = split(n_tokens - lead, size=size, overlap=overlap, cuts=cuts[cuts > lead] - lead)
    assert [(w.start - lead, w.end - lead) for w in moved[lead > 0 :]] == [(w.start, w.end) for w in rest]


def test_random_leads_differ_from_pass_to_pass():
    rng = np.random.default_rng(0)
    firsts = {split_with_random_lead(100, size=30, overlap=5, rng=rng)[0].end for _ in range(50)}
    assert len(firsts) > 10


@pytest.mark.parametrize("overlap", [-1, 8, 9])
def test_an_overlap_out_of_range_is_refused(overlap):
    with pytest.raises(ConfigError, match="overlap must be from 0 to 7"):
        split(100, size=8, overlap=overlap)


@pytest.mark.parametrize("rule", RULES)
@given(document=cut_documents())
def test_weights_sum_to_one_for_every_token(document, rule):
    n_tokens, *_, windows = document
    total = np.zeros(n_tokens)
    for window, weight in zip(windows, merge_weights(windows, n_tokens, rule), strict=True):
        assert (weight >= 0).all()
        total[window.start : window.end] += weight
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@given(document=cut_documents())
def test_splitting_then_stitching_is_the_identity(document, rule):
    n_tokens, *_, windows = document
    scores = np.random.default_rng(0).normal(size=(n_tokens, 3)).astype(np.float32)
    stitched = stitch([scores[w.start : w.end] for w in windows], windows, n_tokens, rule)
    np.testing.assert_allclose(stitched, scores.reshape(stitched.shape), atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
@given(document=cut_documents())
def test_stitch_equals_its_slow_twin(document, rule):
    n_tokens, *_, windows = document
    rng = np.random.default_rng(1)
    scores = [rng.normal(size=(len(window), 2)).astype(np.float32) for window in windows]
    stitched = stitch(scores, windows, n_tokens, rule)
    expected = np.array(reference.stitch(scores, windows, n_tokens, rule)).reshape(stitched.shape)
    np.testing.assert_allclose(stitched, expected, atol=1e-5)


def test_an_unknown_rule_names_the_known_ones():
    with pytest.raises(ConfigError, match="most central"):
        merge_weights(split(10, size=5, overlap=1), 10, "median")


@given(st.text(max_size=200))
def test_offsets_slice_back_and_text_without_tokens_is_reported(text):
    tokens = tokenize(text, make_tokenizer_once())
    assert (np.diff(tokens.offsets[:, 0]) >= 0).all()
    assert (np.diff(tokens.words) >= 0).all()
    seen = {i for start, end in tokens.offsets.tolist() for i in range(start, end)}
    missing = {i for start, end in unseen(text, tokens) for i in range(start, end)}
    assert missing == {i for i, character in enumerate(text) if i not in seen and not character.isspace()}


@given(st.text("ab .é\n", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_the_tokens_of_a_span_are_those_that_share_a_character_with_it(text, start, length):
    tokens = tokenize(text, make_tokenizer_once())
    end = start + length
    sharing = [i for i, (first, stop) in enumerate(tokens.offsets.tolist()) if max(first, start) < min(stop, end)]
    first, last = token_range(tokens, start, end)
    if length:
        assert [*range(first, last)] == sharing
    assert first <= last
    part = tokens.part(start, end)
    assert part.ids.tolist() == tokens.ids[first:last].tolist()
    assert part.offsets.tolist() == tokens.offsets[first:last].tolist()
    assert part.words.tolist() == tokens.words[first:last].tolist()


_TOKENIZER = []


def make_tokenizer_once():
    if not _TOKENIZER:
        _TOKENIZER.append(make_tokenizer())
    return _TOKENIZER[0]


def test_words_of_scripts_without_spaces_are_tokens():
    pieces = ["本", "合同", "由", "公司", "▁", "▁Acme", "Ltd", "สัญ", "ญา", "計", "カタ", "カナ"]
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), *((piece, -1.0) for piece in pieces)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    text = "本合同由公司 AcmeLtd สัญญา カタカナ"
    words = [text[start:end] for start, end in word_offsets(tokenize(text, tokenizer)).tolist()]
    assert [word for word in words if word] == ["本", "合同", "由", "公司", "AcmeLtd", "สัญ", "ญา", "カタ", "カナ"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(
        [], trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    )
    tokens = tokenize("本合同—a", tokenizer)
    assert len(tokens) == 13, "a token for each byte"
    assert word_offsets(tokens).tolist() == [[i, i + 1] for i in range(5)]


def test_tokenize_refuses_a_tokenizer_that_truncates(tokenizer):
    cutting = type(tokenizer).from_str(tokenizer.to_str())
    cutting.enable_truncation(4)
    with pytest.raises(ConfigError, match="no_truncation"):
        tokenize("one two three four five six", cutting)


def test_sentences_start_after_closing_punctuation_and_line_breaks(tokenizer):
    text = "Made by Acme. The end\nof v1.2 it is"
    tokens = tokenize(text, tokenizer)
    starts = [text[tokens.offsets[i, 0] :][:3] for i in sentence_starts(text, tokens.offsets)]
    assert starts == ["The", "of "]


def test_word_starts():
    assert word_starts(np.array([0, 0, 1, 4, 4, 5])).tolist() == [0, 2, 3, 5]
    assert word_starts(np.zeros(0, dtype=np.int32)).tolist() == []
