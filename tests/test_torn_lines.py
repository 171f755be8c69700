"""Parts of a line that were drawn apart are read together, and columns and cells are not torn for it."""

import random
import re

import pypdfium2 as pdfium
import pytest

from longdoc.loaders import load
from pdfs import across, lines, make_pdf


def at(x: float, y: float, text: str, font: str = "F 12") -> str:
    escaped = text.replace("(", r"\(").replace(")", r"\)")
    return f"BT /{font} Tf {x} {y} Td ({escaped}) Tj ET "


def read(*content: str, page: str = "/MediaBox [0 0 612 792]") -> list[str]:
    return load(make_pdf("".join(content), page=page)).text.split()


def words(*texts: str) -> list[str]:
    return " ".join(texts).split()


# Each line: parts with their x; those marked True are values.
LEASE = [
    [(72, "This Lease is made on", False), (196, "3 May 2021", True), (262, "between the parties named below.", False)],
    [
        (72, "Landlord:", False),
        (126, "Northwind Estates LLC", True),
        (252, "(the Landlord), a company of Ohio,", False),
    ],
    [(72, "and Tenant:", False), (140, "Jane Roe", True), (195, "(the Tenant), of the Premises.", False)],
    [(72, "The monthly rent is", False), (178, "$1,450.00", True), (236, "and is due on the first day.", False)],
    [(72, "The deposit, at the end, is", False), (213, "$2,900.00", True)],
]
RIGHT_ORDER = words(*(part[1] for line in LEASE for part in line))


def drawn(which: bool | None) -> list[str]:
    return [
        at(x, 700 - 18 * i, text)
        for i, line in enumerate(LEASE)
        for x, text, value in line
        if which is None or value == which
    ]


@pytest.mark.parametrize(
    "content",
    [
        [*drawn(False), *drawn(True)],
        [*drawn(True), *drawn(False)],
        [*drawn(False), *reversed(drawn(True))],
        [*reversed(drawn(True)), *drawn(False)],
        [*reversed(drawn(None))],
        random.Random(0).sample(drawn(None), len(drawn(None))),
    ],
    ids=["last", "first", "last, in reverse", "first, in reverse", "all in reverse", "all at random"],
)
def test_values_drawn_apart_are_read_in_their_lines(content):
    assert read(*content) == RIGHT_ORDER


def test_values_of_another_size_are_read_in_their_lines():
    values = [part.replace("F 12", "F 10") for part in drawn(True)]
    assert read(*drawn(False), *values) == RIGHT_ORDER


@pytest.mark.parametrize(
    ("turn", "matrix"), [(90, "0 1 -1 0 612 0"), (180, "-1 0 0 -1 612 792"), (270, "0 -1 1 0 0 792")]
)
def test_values_are_read_in_the_lines_of_a_page_that_is_displayed_turned(turn, matrix):
    page = f"/MediaBox [0 0 612 792] /Rotate {turn}"
    low = [part.replace(" 7", " 5").replace(" 6", " 4") if turn != 180 else part for part in drawn(False) + drawn(True)]
    assert read(f"{matrix} cm ", *low, page=page) == RIGHT_ORDER


@pytest.mark.parametrize("seed", range(8))
def test_words_drawn_one_by_one_at_random(seed):
    text = [
        "The Supplier delivers the goods to the address of the",
        "Buyer within ten days of the order, and the Buyer pays",
        "the price within thirty days of the receipt of a proper",
        "invoice, which the Supplier sends with the goods.",
        "The Buyer examines the goods within five days, and tells",
        "the Supplier of every defect that it finds in them, in",
        "writing and without delay; the Supplier then replaces the",
        "goods or takes them back, as the Buyer may choose.",
    ]
    page = pdfium.PdfDocument(make_pdf(lines(*text)))[0].get_textpage()
    places = [(page.get_charbox(m.start(), loose=True), m[0]) for m in re.finditer(r"\S+", page.get_text_range())]
    placed = [at(round(x0, 1), round(y0, 1), word) for (x0, y0, _, _), word in places]
    random.Random(seed).shuffle(placed)
    assert read(*placed) == words(*text)


def test_a_value_on_a_line_to_write_on_is_read_after_its_label():
    form = [at(72, 700, "By: ____________________"), at(72, 680, "Title: __________________")]
    assert read(*form, at(100, 701, "Jane Roe"), at(110, 681, "Manager")) == [
        "By:", "Jane", "Roe", "____________________", "Title:", "Manager", "__________________",
    ]  # fmt: skip


def test_values_far_from_their_labels():
    labels, values = ["Name:", "Address:", "Date of birth:"], ["Jane Roe", "12 High Street, Leeds", "3 May 1980"]
    expected = [word for pair in zip(labels, values, strict=True) for word in words(*pair)]
    assert read(lines(*labels), lines(*values, x=250)) == expected
    assert read(lines(*values, x=250), lines(*labels)) == expected
    assert read(across({72: labels, 250: values})) == expected


def test_page_numbers_of_a_table_of_contents():
    entries, numbers = ["1. Definitions", "2. Term of the lease", "3. Rent", "Schedule"], ["4", "5", "17", "23"]
    expected = [word for pair in zip(entries, numbers, strict=True) for word in words(*pair)]
    placed = [at(500 - 6 * len(number), 700 - 14 * i, number) for i, number in enumerate(numbers)]
    assert read(lines(*entries), *placed) == expected


def test_bold_words_drawn_last():
    plain = [
        at(72, 700, "The"),
        at(140, 700, "shall pay the"),
        at(72, 686, "agreed rent to the"),
        at(228, 686, "on demand."),
    ]
    bold = [at(97, 700, "Lessee"), at(172, 686, "Lessor")]
    assert read(*plain, *bold) == words("The Lessee shall pay the agreed rent to the Lessor on demand.")


BLOCKS = {
    72.0: ["NORTHWIND LLC", "By: ______________", "Name: Jane Roe", "Title: Manager"],
    320.0: ["ACME INC", "By: ______________", "Name: John Doe", "Title: President"],
}


def test_signature_blocks_drawn_one_by_one_stay_whole():
    assert read(*(lines(*texts, x=x) for x, texts in BLOCKS.items())) == words(*BLOCKS[72.0], *BLOCKS[320.0])


def test_names_of_signature_blocks_drawn_last_are_read_in_their_blocks():
    empty = {x: [*texts[:2], "Name:", "Title:"] for x, texts in BLOCKS.items()}
    names = [at(x + 45, 700 - 14 * i, texts[i].split()[1]) for x, texts in BLOCKS.items() for i in (2, 3)]
    found = read(*(lines(*texts, x=x) for x, texts in empty.items()), *names)
    assert found == words("NORTHWIND LLC By: ______________ Name: Jane Title: Manager") + words(
        "ACME INC By: ______________ Name: John Title: President"
    )


@pytest.mark.parametrize("gutter", [6, 10, 20])
def test_columns_drawn_one_by_one_stay_whole(gutter):
    left, right = [f"left {i} of a text here" for i in range(6)], [f"right {i} of a text here" for i in range(6)]
    assert read(lines(*left), lines(*right, x=72 + 112 + gutter)) == words(*left, *right)


def test_cells_drawn_one_by_one_stay_whole():
    cells = [
        at(72, 700, "Delivery"),
        at(130, 700, "within ten days"),
        at(130, 686, "of the order"),
        at(216, 700, "Supplier"),
    ]
    assert read(*cells) == words("Delivery within ten days of the order Supplier")


def test_a_table_without_rules_drawn_column_by_column_is_read_in_rows():
    table = {72.0: ["Item", "Rent", "Deposit", "Fee"], 200.0: ["Amount", "1,450.00", "2,900.00", "35.00"]}
    table[330.0] = ["Due", "monthly", "once", "yearly"]
    expected = [word for row in zip(*table.values(), strict=True) for word in row]
    assert read(*(lines(*texts, x=x) for x, texts in table.items())) == expected


def test_a_word_drawn_twice_is_read_once_in_its_place():
    line = [at(72, 700, "The"), at(97, 700, "Lessee"), at(97.3, 700, "Lessee"), at(140, 700, "shall pay.")]
    assert read(*line) == words("The Lessee shall pay.")
