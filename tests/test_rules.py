import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.errors import ConfigError
from longdoc.rules import Rules


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.load("default")


@pytest.mark.parametrize(
    ("text", "label", "found"),
    [
        ("Made this 21st day of June, 1999 in Ohio.", "DATE", ["21st day of June, 1999"]),
        ("due on June 21, 1999 and 2019-05-03", "DATE", ["June 21, 1999", "2019-05-03"]),
        ("It may end.", "DATE", []),
        ("a fee of $1,000,000.00 is due", "MONEY", ["$1,000,000.00"]),
        ("at 5% a year", "PERCENT", ["5%"]),
        ("within thirty (30) days", "DURATION", ["thirty (30) days"]),
        ("under 15 U.S.C. § 78a and", "STATUTE", ["15 U.S.C. § 78a"]),
        ("write to a.b@example.com now", "EMAIL", ["a.b@example.com"]),
        ("given 5 mg twice daily", "DOSE", ["5 mg twice daily"]),
        ("version 1.2.3 of it", "PHONE", []),
    ],
)
def test_shipped_rules_find_what_they_name(rules, text, label, found):
    assert [text[s.start : s.end] for s in rules.find(text) if s.label == label] == found


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_spans_of_any_text_slice_back_and_have_no_white_space_at_their_ends(rules, text):
    for span in rules.find(text):
        piece = text[span.start : span.end]
        assert piece and piece == piece.strip() and span.label in rules.labels


def test_a_file_of_ones_own_adds_to_the_shipped_ones(rules, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("rules:\n  - {label: DOCKET, pattern: [{LOWER: docket}, {LIKE_NUM: true}]}\n")
    both = Rules.load("default", path)
    text = "Docket 42 of June 21, 1999"
    assert {s.label for s in both.find(text)} == {"DOCKET", "DATE"}
    assert pickle.loads(pickle.dumps(both)).find(text) == both.find(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules:\n  - {label: A, patern: [{LOWER: a}]}\n", "pattern"),
        ("rules:\n  - {label: A, pattern: []}\n", "own.yaml"),
        ("rules:\n  - {label: A, pattern: [{LOWERR: a}]}\n", "own.yaml"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path, content, message):
    path = tmp_path / "own.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        Rules.load(path).find("a")
