import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.sections.numerals import interpretations, numeral

VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


@given(st.integers(1, 3999))
def test_a_roman_numeral_has_its_value_and_is_in_order(number: int):
    values = [VALUES[sign] for sign in numeral(number, "i")]
    assert sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True)) == number
    assert numeral(number, "I") == numeral(number, "i").upper()


@given(st.integers(1, 10**6))
def test_letters_count_in_base_26_without_a_zero(number: int):
    value = 0
    for letter in numeral(number, "A"):
        value = 26 * value + ord(letter) - ord("A") + 1
    assert value == number


@given(st.integers(1, 780))
def test_doubled_letters_repeat_one_letter(number: int):
    letters = numeral(number, "a", doubled=True)
    assert set(letters) == {letters[0]} and 26 * (len(letters) - 1) + ord(letters[0]) - ord("a") + 1 == number


@given(st.integers(1, 399), st.sampled_from("iI"))
def test_a_roman_numeral_of_a_clause_is_read_back(number: int, style: str):
    assert (style, number) in interpretations(numeral(number, style))


@given(st.integers(1, 104), st.sampled_from("aA"))
def test_doubled_letters_of_a_clause_are_read_back(number: int, style: str):
    assert (style, number) in interpretations(numeral(number, style, doubled=True))


@pytest.mark.parametrize(
    ("number", "style", "shown"),
    [
        *((4, "i", "iv"), (1994, "I", "MCMXCIV"), (26, "a", "z"), (27, "A", "AA"), (703, "a", "aaa"), (12, "1", "12")),
        *((0, "a", "0"), (-3, "i", "-3"), (4000, "I", "4000"), (7, "", "7"), (7, "ai", "7")),
    ],
)
def test_numerals_at_the_limits_of_their_styles(number: int, style: str, shown: str):
    assert numeral(number, style) == shown


def test_doubled_letters_have_a_maximum():
    assert (numeral(780, "a", doubled=True), numeral(781, "a", doubled=True)) == ("z" * 30, "781")
