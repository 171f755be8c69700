import numpy as np
import pytest

from longdoc.decode import ScoredAnswer, ScoredSpan, decode_entities, drop_late_mentions, in_words, word_scores
from longdoc.labels import tag_names
from longdoc.windows import Tokens

LABELS = ("PARTY", "DATE")
TAGS = tag_names(LABELS)


def tokens_of(text: str, pieces: list[list[str]]) -> Tokens:
    """Tokens from words given as their pieces."""
    offsets, words, position = [], [], 0
    for number, word in enumerate(pieces):
        position = text.index(word[0], position)
        for piece in word:
            offsets.append((position, position + len(piece)))
            words.append(number)
            position += len(piece)
    ids = np.zeros(len(words), dtype=np.int32)
    return Tokens(ids, np.array(offsets, dtype=np.int32), np.array(words, dtype=np.int32))


def probabilities(*rows: dict[str, float]) -> np.ndarray:
    return np.array([[row.get(tag, 0.0) for tag in TAGS] for row in rows], dtype=np.float32)


def test_an_entity_is_whole_words_and_slices_back():
    text = "by Acme Inc. on"
    tokens = tokens_of(text, [["by"], ["Ac", "me"], ["Inc"], ["."], ["on"]])
    scores = probabilities(
        {"O": 1},
        {"B-PARTY": 0.9, "O": 0.1},
        {"O": 0.6, "B-PARTY": 0.4},  # all tokens of a word are kept together
        {"I-PARTY": 0.8, "O": 0.2},
        {"I-PARTY": 0.7, "O": 0.3},
        {"O": 1},
    )
    (entity,) = decode_entities(scores, tokens, LABELS, text)
    assert (text[entity.start : entity.end], entity.label) == ("Acme Inc.", "PARTY")
    assert entity.score == pytest.approx((0.65 + 0.8 + 0.7) / 3)


def test_neighbouring_entities_of_one_label_stay_separate():
    text = "Acme Zenith"
    tokens = tokens_of(text, [["Acme"], ["Ze", "nith"]])
    scores = probabilities({"B-PARTY": 1}, {"B-PARTY": 1}, {"B-PARTY": 1})
    assert [text[e.start : e.end] for e in decode_entities(scores, tokens, LABELS, text)] == ["Acme", "Zenith"]


def test_unlikely_spans_and_separators_are_not_entities():
    text = "Acme , Inc ; Zenith"
    tokens = tokens_of(text, [["Acme"], [","], ["Inc"], [";"], ["Zenith"]])
    scores = probabilities({"B-PARTY": 0.4, "B-DATE": 0.3}, {"B-PARTY": 1}, {"I-PARTY": 1}, {"B-DATE": 1}, {"O": 1})
    assert [text[e.start : e.end] for e in decode_entities(scores, tokens, LABELS, text)] == ["Inc"]
    unsure = decode_entities(scores, tokens, LABELS, text, min_score=0.0)
    assert [text[e.start : e.end] for e in unsure] == ["Acme", "Inc"]


def test_an_empty_document_has_no_entities():
    empty = Tokens(np.zeros(0, np.int32), np.zeros((0, 2), np.int32), np.zeros(0, np.int32))
    assert decode_entities(np.zeros((0, 5), np.float32), empty, LABELS, "") == []


def test_word_scores_are_means_over_their_tokens():
    scores, first = word_scores(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 7]))
    assert scores.tolist() == [[2.0], [5.0]]
    assert first.tolist() == [0, 2]


def test_an_answer_has_whole_words_unless_they_are_too_long():
    starts = np.array([0, 2, 3, 90, 92])  # four words, of 2, 1, 87 and 2 tokens
    for (first, last), wanted in {(1, 2): (0, 2), (1, 1): (0, 1), (1, 5): (0, 5), (9, 90): (9, 91)}.items():
        found = in_words(ScoredAnswer(first, last, 1.0), starts)
        assert (found.first, found.last) == wanted


def test_names_first_mentioned_too_late_are_dropped_and_early_names_kept_everywhere():
    text = "Acme Inc and Zenith agree. Later ACME\nINC pays Late LLC on a Date, and Zenith pays."
    names = [("Acme Inc", "PARTY"), ("ACME\nINC", "PARTY"), ("Late LLC", "PARTY"), ("Date", "DATE")]
    spans = [ScoredSpan(text.index(n), text.index(n) + len(n), label, 0.5) for n, label in names]
    kept = drop_late_mentions(spans, text, {"PARTY": 20})
    assert [text[s.start : s.end] for s in kept] == ["Acme Inc", "ACME\nINC", "Date"]
    assert drop_late_mentions(spans, text, {}) == spans
    assert drop_late_mentions(spans[1:], text, {"PARTY": 5}) == spans[1:], (
        "no party that early: the rule does not apply"
    )
