"""Superscripts, subscripts and fractions of PDFs: no number may get another value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.loaders import load
from longdoc.loaders.layout.glyphs import LINE, LOWERED, NONE, NUMERATOR, RAISED, SPACE, Glyphs
from longdoc.loaders.layout.text import lay_out
from longdoc.loaders.pdf.detached import place_detached
from pdfs import lines, make_pdf


def up(text, size=7.5, rise=4.0):
    return text, size, rise


def down(text):
    return text, 7.5, -2.0


def written(*parts, x=72, y=700):
    """A content stream with one line: texts of 12 points, or (text, size, rise)."""
    parts = [(part, 12, 0) if isinstance(part, str) else part for part in parts]
    return f"BT {x} {y} Td " + "".join(f"/F {size} Tf {rise} Ts ({text}) Tj " for text, size, rise in parts) + "ET "


def at(text, x, y=700.0, size=12.0):
    return f"BT /F {size} Tf {x} {y} Td ({text}) Tj ET "


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("the limit is 10", up("6"), " dollars"), "the limit is 10^6 dollars"),
        (("5 x 10", up("-3"), " of it"), "5 x 10^-3 of it"),
        (("500 m", up("2"), " and x", up("2"), " + y"), "500 m^2 and x^2 + y"),
        (("v in ms", up("-1"), " here"), "v in ms^-1 here"),
        (("a sum of 1,000", up("2"), " is due"), "a sum of 1,000[2] is due"),
        (("a sum of 1,000", up("2, 3"), " is due"), "a sum of 1,000[2, 3] is due"),
        (("the Tenant", up("12"), " pays.", up("1,2"), " Then"), "the Tenant[12] pays.[1,2] Then"),
        (("pays 1,000", up("2")), "pays 1,000[2]"),
        (("of 1,000", up("2", 10, 4), " is due"), "of 1,000[2] is due"),  # as browsers write
        (("is 10", up("6", 12, 5), " dollars"), "is 10^6 dollars"),  # raised at its own size
        (("the 1", up("st"), " day, Acme", up("TM"), " and 5", up("%")), "the 1st day, AcmeTM and 5%"),
        ((up("1"), "2019 was the year"), "1 2019 was the year"),
        (("H", down("2"), "O, log", down("10"), "100, 5", down("10"), " end"), "H2O, log10 100, 5_10 end"),
        (("at 8", up("1"), ("/", 9, 0), ("2", 7.5, 0), "% per year"), "at 8 1/2% per year"),
        (("at 8", up("1/2"), "% per year"), "at 8 1/2% per year"),
    ],
)
def test_raised_and_lowered_text_cannot_be_read_as_part_of_a_number(parts, text):
    document = load(make_pdf(written(*parts)))
    assert document.text == text
    assert document.raw_text == "".join(part if isinstance(part, str) else part[0] for part in parts)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (written("S", ("MALL", 9, 0), " C", ("APS", 9, 0), " of 2", ("019", 9, 0)), "SMALL CAPS of 2019"),
        (written(("ARTICLE 1 ", 18, 0), ("2 Terms", 12, 0)), "ARTICLE 1 2 Terms"),
        (written("rent of ", ("2", 14, 0), "019 and ", ("20", 12, 0), ("19", 10, 0)), "rent of 2019 and 2019"),
        (at("1", 72, 674, 40) + lines("2 months of rent are due", "from the first day", x=96), None),
    ],
    ids=["small caps", "heading", "sizes on one line", "drop cap"],
)
def test_other_changes_of_size_are_not_superscripts(content, text):
    document = load(make_pdf(content))
    assert not any(edit.kind == "raised" for edit in document.edits)
    assert text is None or document.text == text


@pytest.mark.parametrize("turn", ["0 1 -1 0 300 200", "0 -1 1 0 300 500", "-1 0 0 -1 500 500", "1.5 0 0 1.5 10 90"])
def test_superscripts_of_turned_and_scaled_text(turn):
    content = f"q {turn} cm " + written("is 10", up("6"), " dollars", x=10, y=100) + "Q "
    assert load(make_pdf(content)).text == "is 10^6 dollars"


def test_what_is_inserted_has_the_box_of_the_superscript():
    document = load(make_pdf(written("a sum of 1,000", up("2"), " is due")))
    start = document.text.index("[2]")
    boxes = {document.locate(at, at + 1) for at in range(start, start + 3)}
    assert len(boxes) == 1
    assert document.raw(start, start + 3) == "2"
    assert document.text[document.text.index("1,000") :].startswith("1,000[2]")


def test_superscripts_in_the_cells_of_a_table():
    rows = [("Area", "500 m", "2", "x"), ("Fee", "1,000", "3", "5"), ("Cost", "10", "6", "8")]
    content = "".join(f"72 {500 + 24 * i} m 372 {500 + 24 * i} l S " for i in range(4))
    content += "".join(f"{x} 500 m {x} 572 l S " for x in (72, 172, 272, 372))
    for i, (name, number, raised, other) in enumerate(rows):
        y = 556 - 24 * i
        content += at(name, 76, y) + written(number, up(raised), x=176, y=y) + at(other, 276, y)
    document = load(make_pdf(content))
    (table,) = document.tables
    assert [cell.text for cell in table.cells] == [
        "Area", "500 m^2", "x", "Fee", "1,000[3]", "5", "Cost", "10^6", "8",
    ]  # fmt: skip
    assert all(document.text[cell.start : cell.end] == cell.text for cell in table.cells)


BASE = at("The limit is 10", 72) + at(" dollars of it", 150.2)
LIMIT_WIDTH = 74.0  # of "The limit is 10" in Helvetica of 12 points


@pytest.mark.parametrize("first", [True, False])
def test_a_superscript_drawn_before_or_after_its_line(first):
    raised, other = at("6", 72 + LIMIT_WIDTH, 704, 7.5), lines("Another line of it", y=680)
    content = raised + BASE + other if first else BASE + other + raised
    assert load(make_pdf(content)).text.startswith("The limit is 10^6 dollars of it")


def fraction(size, rise, drop, order="bnrda"):
    """'a rate of 8', then 1 over 2, then 'of it'."""
    x = 72 + 54.0  # the width of "a rate of 8"
    parts = {
        "b": at("a rate of 8", 72),
        "n": at("1", x + 2, 700 + rise, size),
        "d": at("2", x + 2, 700 - drop, size),
        "a": at("of it", x + 0.56 * size + 6),
        "r": f"0.5 w {x + 1} 703.2 m {x + size * 0.56 + 3} 703.2 l S ",
    }
    return "".join(parts[name] for name in order)


@pytest.mark.parametrize("order", ["bnrda", "bandr", "ndrba"])
@pytest.mark.parametrize(("size", "rise", "drop"), [(7.5, 5, 4), (12, 9, 8)], ids=["small", "full size"])
def test_a_stacked_fraction(size, rise, drop, order):
    document = load(make_pdf(fraction(size, rise, drop, order)))
    assert " ".join(document.text.split()) == "a rate of 8 1/2 of it"


def test_a_total_below_a_rule_is_not_the_denominator_of_what_is_above():
    content = lines("Rent", "Total", x=72) + lines("120", "340", x=300) + "298 698 m 324 698 l S "
    assert "/" not in load(make_pdf(content)).text


def test_single_digits_below_one_another_are_not_one_number():
    document = load(make_pdf(lines("Heading of it") + lines("1", "2", "3", x=300, y=650)))
    assert document.text.split()[-3:] == ["1", "2", "3"]


def one_line(text, rises):
    boxes = np.array([(7 * i, 0, 7 * i + 7, 12) for i in range(len(text))], np.float32).reshape(-1, 4)
    codes = np.array([ord(char) for char in text], np.uint32)
    return Glyphs(codes, boxes, np.zeros(len(text), np.uint8), rises=np.array(rises, np.int8))


@given(
    st.lists(st.tuples(st.sampled_from("ab12 -"), st.sampled_from((0, 0, RAISED, LOWERED))), min_size=1, max_size=30)
)
def test_insertions_change_no_character(drawn):
    text, rises = "".join(char for char, _ in drawn), [rise for _, rise in drawn]
    if not text.strip():
        return
    layout = lay_out([(1, one_line(text, rises))])
    edited, origins = layout.edits.apply(layout.raw_text)
    assert layout.raw_text == text
    assert "".join(char for char in edited if char in "ab12-") == "".join(char for char in text if char in "ab12-")
    assert len(edited) == len(origins) == layout.length


@settings(max_examples=60)
@given(st.data())
def test_placing_superscripts_loses_and_doubles_no_glyph(data):
    n = data.draw(st.integers(0, 40))
    corner = st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from((5, 7, 12)))
    x, y, size = np.array(data.draw(st.lists(corner, min_size=n, max_size=n)), np.float32).reshape(-1, 3).T
    codes = np.array(data.draw(st.lists(st.sampled_from([*b"12ab., "]), min_size=n, max_size=n)), np.uint32)
    breaks = np.array(data.draw(st.lists(st.sampled_from((NONE, SPACE, LINE)), min_size=n, max_size=n)), np.uint8)
    glyphs = Glyphs(codes, np.stack([x, y, x + 0.5 * size, y + size], axis=1), breaks)
    rules = np.array(data.draw(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 70)), max_size=4)), np.float32)
    rules = rules.reshape(-1, 2)[:, [0, 1, 0, 1]] + np.array([0, 0, 9, 0], np.float32)
    placed = place_detached(glyphs, lambda: rules)
    key = [tuple(row) for row in np.column_stack([glyphs.codes, glyphs.boxes]).tolist()]
    assert sorted(tuple(row) for row in np.column_stack([placed.codes, placed.boxes]).tolist()) == sorted(key)
    assert (placed.rises != 0).sum() <= n and abs(placed.rises).max(initial=0) <= NUMERATOR


def test_letters_without_a_height_are_no_base():
    content = "BT 1 0 0 0.0000001 72 700 Tm /F 12 Tf (10) Tj 1 0 0 1 85 700 Tm /F 8 Tf (2) Tj ET"
    assert "2" in load(make_pdf(content)).text
