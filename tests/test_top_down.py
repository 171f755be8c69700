"""Lines written out of order on the page."""

import re

import pytest

from longdoc.loaders import load
from pdfs import make_pdf


def text_at(x: float, y: float, text: str) -> str:
    return f"BT /F 12 Tf {x} {y} Td ({text}) Tj ET "


def read(content: str) -> list[str]:
    return re.split(r"\s+", load(make_pdf(content)).text)


def test_a_list_written_last_is_read_where_it_is_on_the_page():
    body = text_at(72, 700, "Ends-on:") + text_at(72, 640, "Afterwards") + text_at(72, 620, "nothing.")
    assert read(body + text_at(72, 680, "a-breach") + text_at(72, 660, "b-notice")) == [
        "Ends-on:", "a-breach", "b-notice", "Afterwards", "nothing.",
    ]  # fmt: skip


def test_numbers_written_last_are_read_before_their_clauses():
    clauses = text_at(110, 700, "Term of the lease") + text_at(110, 660, "Rent and fees")
    numbers = text_at(72, 700, "1.") + text_at(72, 660, "2.")
    expected = ["1.", "Term", "of", "the", "lease", "2.", "Rent", "and", "fees"]
    assert read(clauses + numbers) == expected
    assert read(numbers + clauses) == expected


@pytest.mark.parametrize("blocks", [("Landlord", "Tenant"), ("Tenant", "Landlord")])
def test_blocks_side_by_side_keep_the_order_of_the_page(blocks):
    places = {"Landlord": 72, "Tenant": 330}
    rows = [text_at(places[name], 700 - 20 * i, f"{name}-{i}") for name in blocks for i in range(3)]
    assert read("".join(rows)) == [f"{name}-{i}" for name in blocks for i in range(3)]


def test_a_superscript_is_not_a_line_of_its_own():
    assert read(text_at(72, 700, "the 5") + text_at(102, 704, "th") + text_at(120, 700, "day")) == [
        "the",
        "5",
        "th",
        "day",
    ]
