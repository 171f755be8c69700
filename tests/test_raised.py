"""Exponents and marks of notes against numbers."""

import pytest

from longdoc.loaders.raised import lowered_marks, raised_marks


@pytest.mark.parametrize(
    ("before", "raised", "after", "marks"),
    [
        ("the limit is 10", "6", " dollars", ("^", "")),
        ("5 × 10", "-3", "", ("^", "")),
        ("2", "32", " addresses", ("^", "")),
        ("x", "2", " + y", ("^", "")),
        ("500 m", "2", "", ("^", "")),
        ("(a + b)", "2", "", ("^", "")),
        ("10", "6", "5", ("^", " ")),
        ("1,000", "2", "; the", ("[", "]")),
        ("210", "2", "", ("[", "]")),
        ("$4.10", "3", "", ("[", "]")),
        ("in 2019", "1", "", ("[", "]")),
        ("within 30", "2", " days", ("[", "]")),
        ("the Tenant", "12", "", ("[", "]")),
        ("the end.", "1,2", "", ("[", "]")),
        ("(the “Term”)", "3", "", ("[", "]")),
        ("the 1", "st", " day", ("", "")),
        ("Acme", "®", "", ("", "")),
        ("Ca", "2+", "", ("", "")),
        ("the price ", "2", "", ("", "")),
        ("", "14", "C", ("", "")),
        ("10", "", "", ("", "")),
    ],
)
def test_what_raised_text_gets(before, raised, after, marks):
    assert raised_marks(before, raised, after) == marks


@pytest.mark.parametrize(
    ("before", "raised", "after", "marks"),
    [
        ("1x10", "6", "", ("^", "")),
        ("10", "–6", "", ("^", "")),
        ("10", "3.5", "", ("^", "")),
        ("2", "n", "", ("^", "")),
        ("2", "n-1", "", ("^(", ")")),
        ("the 2", "nd", "", ("", "")),
        ("1,000", "2a", "", ("[", "]")),
        ("(", "14", "C", ("", "")),
        ("height", "2", "", ("^", "")),
    ],
)
def test_what_raised_letters_decimals_and_masses_get(before, raised, after, marks):
    assert raised_marks(before, raised, after) == marks


def test_raised_text_above_lowered_text_belongs_to_the_letter_before_it():
    assert raised_marks("x1", "2", lowered="1") == ("^", "")
    assert raised_marks("SO4", "2-", lowered="4") == ("^", "")
    assert raised_marks("CO3", "-", lowered="3") == ("", "")


def test_a_mark_that_links_to_a_note_is_never_a_power():
    assert raised_marks("10", "6", is_note=True) == ("[", "]")
    assert raised_marks("word", "*", is_note=True) == ("[", "]")
    assert raised_marks("word", "[2]", is_note=True) == ("", "")


@pytest.mark.parametrize(
    ("before", "lowered", "after", "marks"),
    [("H", "2", "O", ("", "")), ("log", "10", "100", ("", " ")), ("5", "10", "", ("_", "")), ("x", "i", "2", ("", ""))],
)
def test_what_lowered_text_gets(before, lowered, after, marks):
    assert lowered_marks(before, lowered, after) == marks


@pytest.mark.parametrize(
    ("before", "raised", "after", "marks"),
    [
        ("2x10", "7", " cells", ("^", "")),
        ("8", "1", "/2", (" ", "")),
        ("8", "1", "\u20442 per cent", (" ", "")),
        ("8", "1/2", "%", (" ", "")),
        ("of", "1", "/2", ("", "")),
        ("", "1", "2019 was", ("", " ")),
        ("the price ", "2", "20", ("", " ")),
        ("HCO3", "-", "22", ("", " ")),
        ("Ca", "2+", "2.2", ("", " ")),
        ("worms5", "\u2013", "7", ("", "")),
    ],
)
def test_fractions_and_marks_before_a_number(before, raised, after, marks):
    assert raised_marks(before, raised, after) == marks


@pytest.mark.parametrize(
    ("before", "raised", "marks"),
    [
        *(
            (f"{before}", "2", ("^", ""))
            for before in ("E=mc", "E = mc", "A = πr", "V = 4πr", "(mv", "a+bc", "3bc", "x*yz")
        ),
        *(
            (before, "2", ("[", "]"))
            for before in ("and/or", "(the", "5th", "3rd", "= the", "the fee", "(see", "== mc")
        ),
        ("E=mc", "12", ("[", "]")),
        ("Smith", "a,b", ("[", "]")),
        ("Smith", "a, 1, *", ("[", "]")),
        ("Müller", "c", ("[", "]")),
        ("note", "a", ("[", "]")),
        ("value", "A", ("[", "]")),
        *(
            (before, raised, ("", ""))
            for before, raised in (("M", "c"), ("M", "r"), ("M", "me"), ("D", "r"), ("N", "o"))
        ),
        *(
            (before, raised, ("", ""))
            for before, raised in (("1", "er"), ("2", "e"), ("1", "a"), ("21", "st"), ("XIX", "e"))
        ),
        *(
            (before, raised, ("", ""))
            for before, raised in (("Prof", "a"), ("Gov", "t"), ("Acme", "®"), ("Acme", "TM"))
        ),
        *((before, raised, ("", "")) for before, raised in (("Exm", "o"), ("matrix", "T"), ("sin", "k"), ("xy", "a"))),
    ],
)
def test_exponents_in_formulas_and_marks_that_are_letters(before, raised, marks):
    assert raised_marks(before, raised) == marks


def test_a_letter_that_links_to_a_note_is_its_mark():
    assert raised_marks("xy", "t", is_note=True) == ("[", "]")
