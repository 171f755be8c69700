import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import classification_report

from longdoc.labels import decode_tags, tag_names
from longdoc.metrics import Counts, add_counts, macro_f1, micro, span_counts

LABELS = ("CHEMICAL", "DISEASE", "GENE")
TAGS = tag_names(LABELS)
tag_rows = st.lists(st.integers(0, len(TAGS) - 1), min_size=1, max_size=25)


@given(st.lists(st.tuples(tag_rows, st.randoms(use_true_random=False)), min_size=1, max_size=6))
@pytest.mark.filterwarnings("ignore")
def test_exact_span_counts_equal_seqeval(documents):
    import numpy as np

    gold = [np.array(tags) for tags, _ in documents]
    predicted = [
        np.array([tag if random.random() < 0.7 else random.randrange(7) for tag in t]) for t, random in documents
    ]
    pairs = zip(gold, predicted, strict=True)
    table = add_counts(span_counts(decode_tags(g, LABELS), decode_tags(p, LABELS)) for g, p in pairs)
    names = [[[TAGS[tag] for tag in tags] for tags in rows] for rows in (gold, predicted)]
    if not table:
        return
    report = classification_report(*names, output_dict=True, zero_division=0)
    for label, counts in table.items():
        expected = report.get(label, {"precision": 0, "recall": 0, "f1-score": 0})
        found = (counts.precision, counts.recall, counts.f1)
        assert found == pytest.approx((expected["precision"], expected["recall"], expected["f1-score"]))
    assert micro(table).f1 == pytest.approx(report["micro avg"]["f1-score"])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=5))
def test_counts_add(rows):
    total = sum((Counts(*row) for row in rows), Counts())
    assert (total.true_positive, total.false_positive, total.false_negative) == tuple(
        sum(row[i] for row in rows) for i in range(3)
    )


def test_ratios_of_nothing_are_zero_and_macro_is_the_mean_over_labels():
    assert (Counts().precision, Counts().recall, Counts().f1, macro_f1({})) == (0, 0, 0, 0)
    assert macro_f1({"A": Counts(1, 0, 0), "B": Counts(0, 1, 1)}) == 0.5


def test_a_span_with_the_wrong_label_is_wrong_for_both():
    counts = span_counts([(0, 4, "GENE")], [(0, 4, "DISEASE")])
    assert counts == {"DISEASE": Counts(0, 1, 0), "GENE": Counts(0, 0, 1)}
